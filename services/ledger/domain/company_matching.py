"""Settles, for many customers at once, which company each belongs to.

Claims are settled in order and each sees what those before it created or taught: two accounts of one buyer in the same
file share one new company.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from libs.contracts.ids import new_id
from services.ledger.domain.company_identity import (
    Attach,
    CompanyIdentityConflict,
    Found,
    Identity,
    KnownCompany,
    resolve,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a customer says about its company. `name` is for one that must be created; `current` is the company it has."""

    identity: Identity
    name: str
    current: UUID | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A company as it stands. `survivor`: it ended in that one, which is meant wherever the old identifiers are used."""

    company_id: UUID
    identity: Identity
    survivor: UUID | None = None


class Register:
    """Companies by their identifiers. `created` holds names, `taught` the companies that learned an identifier."""

    def __init__(self, holders: Iterable[Holder]) -> None:
        self.identities: dict[UUID, Identity] = {}
        self.created: dict[UUID, str] = {}
        self.taught: set[UUID] = set()
        self.moved: set[UUID] = set()
        self._bearers: dict[tuple[str, ...], KnownCompany] = {}
        # Living companies first: an identifier may have passed to one since another that bore it ended.
        for holder in sorted(holders, key=lambda holder: holder.survivor is not None):
            if holder.survivor is None:
                self.identities[holder.company_id] = holder.identity
            self._enter(KnownCompany(holder.survivor or holder.company_id, holder.identity))

    def settle(self, claim: Claim) -> UUID | CompanyIdentityConflict:
        """The company of a customer; a conflict is returned, for the other customers can still be settled."""
        identity = claim.identity
        found = Found(*(self._bearers.get(key) if key else None for key in _keys(identity)))
        known = self.identities.get(claim.current) if claim.current else None
        current = KnownCompany(claim.current, known) if claim.current and known else None
        try:
            decision = resolve(identity, found, current)
        except CompanyIdentityConflict as conflict:
            return conflict
        if isinstance(decision, Attach):
            self._teach(decision.company_id, decision.learned)
            company_id = decision.company_id
        else:
            company_id = self._create(decision.identity, claim.name)
        if claim.current is not None and company_id != claim.current:
            self.moved.add(claim.current)
        return company_id

    @property
    def needs_lock(self) -> bool:
        """Whether an identifier changes hands, which two transactions must not do at once. A new private company has none."""
        return bool(self.taught or self.moved) or any(
            not self.identities[company].is_private for company in self.created
        )

    def _create(self, identity: Identity, name: str) -> UUID:
        company_id = new_id()
        self.created[company_id] = name
        self.identities[company_id] = identity
        self._enter(KnownCompany(company_id, identity))
        return company_id

    def _teach(self, company_id: UUID, learned: Identity) -> None:
        """A company found under the identifiers of one that ended in it may bear others itself: those stay."""
        known = self.identities.get(company_id)
        if known is None or learned == Identity():
            return
        identity = _with_learned(known, learned)
        if identity == known:
            return
        self.identities[company_id] = identity
        if company_id not in self.created:
            self.taught.add(company_id)
        self._enter(KnownCompany(company_id, identity))

    def _enter(self, company: KnownCompany) -> None:
        for key in _keys(company.identity):
            if key and (key not in self._bearers or self._bearers[key].company_id == company.company_id):
                self._bearers[key] = company


def _keys(identity: Identity) -> tuple[tuple[str, ...] | None, ...]:
    """What a company is found by: registration, VAT number, LEI, in the order in which they decide."""
    return (
        ("registration", *identity.registration) if identity.registration else None,
        ("vat", identity.vat_number) if identity.vat_number else None,
        ("lei", identity.lei) if identity.lei else None,
    )


def _with_learned(known: Identity, learned: Identity) -> Identity:
    """What was known, and what was not known and is now."""
    if known.registration is None and learned.registration is not None:
        known = replace(known, country=learned.country, registration_number=learned.registration_number)
    return replace(
        known,
        country=known.country or learned.country,
        vat_number=known.vat_number or learned.vat_number,
        lei=known.lei or learned.lei,
    )


def learned_from(survivor: Identity, ended: Identity) -> Identity:
    """The identifiers of a company that another ended in: its own, and those it lacked."""
    return _with_learned(survivor, ended)
