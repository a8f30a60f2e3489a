"""Customers in bulk, as an import brings them: up to some ten thousand a call, in a handful of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from services.ledger.domain.company_identity import CompanyIdentityConflict, Identity
from services.ledger.domain.company_matching import Claim
from services.ledger.domain.contacts import completed
from services.ledger.domain.intake.customers import CUSTOMER_COLUMNS
from services.ledger.domain.intake.errors import Fault
from services.ledger.storage import companies, customers
from services.ledger.usecases.merge_companies import absorb_deserted
from services.ledger.usecases.resolve_companies import resolve_companies

Outcome = Literal["created", "updated", "unchanged", "rejected"]
Key = tuple[UUID, str]

#: Columns of a record that are columns of the table, as they are.
_PLAIN = ("name", "language", "currency", "segment", "buyer_kind", "prepaid", "collector_user_id")
_JSON = ("actors", "address", "custom_fields")
_NOBODY = Identity()
_NO_SOURCE = object()


@dataclass(frozen=True, slots=True)
class CustomerOutcome:
    """What became of a row. `customer_id` is None, and `fault` set, where it was rejected."""

    row: int
    outcome: Outcome
    customer_id: UUID | None
    fault: Fault | None = None


@dataclass(slots=True)
class _Pending:
    """A row on its way: its key, what it says of the company, the columns it sets, and who it turned out to be."""

    row: int
    key: Key
    identity: Identity
    company_name: str
    patch: dict[str, Any]
    known: Row | None = None


async def upsert_customers(
    tx: Tx, records: Sequence[Sequence[Any]], *, only_new: bool = False, taken_at: datetime | None = None
) -> list[CustomerOutcome]:
    """Create or update customers from records of CUSTOMER_COLUMNS; one outcome a record, in order.

    A None leaves what is there, or the default of a new customer. Row numbers and keys (business unit, external id) must differ
    from record to record, business units exist, identifiers stand in the form that `company_identity.normalise` gives them.
    With `only_new`, customers that are known are left as they are (`unchanged`). A row is rejected when its identifiers belong
    to different companies (`company_identity_conflict`). A row that its own source has overtaken (`source_version`) is
    `unchanged`. A customer that its source's snapshot archived comes back when that source names it. `taken_at`: when the
    records' sources said so, None for customers they do not speak for. Emits company.changed, company.merged and
    customer.changed; audits nothing: an import is audited as a whole.
    """
    outcomes: dict[int, CustomerOutcome] = {}
    pending = [_pending(record, taken_at) for record in records]
    while pending:
        # A second round is for customers that another transaction created between our look and our insert.
        written, pending = await _write(tx, pending, only_new=only_new)
        outcomes.update((outcome.row, outcome) for outcome in written)
    return [outcomes[record[0]] for record in records]


async def _write(
    tx: Tx, pending: list[_Pending], *, only_new: bool
) -> tuple[list[CustomerOutcome], list[_Pending]]:
    """Outcomes, and the rows to try again."""
    known = await customers.by_key(tx, [each.key for each in pending])
    orphans: dict[UUID, UUID] = {}
    for each in pending:
        each.known = known.get(each.key)
        company = each.patch.pop("company_id", None)
        if company is not None and each.known is not None:
            orphans[company] = each.known[
                "company_id"
            ]  # made for a customer that another transaction made first
    left = [each for each in pending if only_new and each.known is not None]
    taken = [each for each in pending if not (only_new and each.known is not None)]
    outcomes = [CustomerOutcome(each.row, "unchanged", _id(each)) for each in left]

    conflicts, settled = await _settle_companies(tx, taken)
    outcomes += conflicts
    new, old = [e for e in settled if e.known is None], [e for e in settled if e.known is not None]
    created = {_key(row): row for row in await customers.insert(tx, (each.patch for each in new))}
    outcomes += [CustomerOutcome(e.row, "created", created[e.key]["id"]) for e in new if e.key in created]

    await customers.lock(tx, (_id(each) for each in old))
    updated = {row["id"]: row for row in await customers.patch(tx, [each.patch for each in old])}
    for each in old:
        outcome: Outcome = "updated" if _id(each) in updated else "unchanged"
        outcomes.append(CustomerOutcome(each.row, outcome, _id(each)))
    await follow(tx, updated.values())
    await absorb_deserted(tx, orphans)
    tx.emit("customer.changed", map(customers.subject, [*created.values(), *updated.values()]))
    return outcomes, [each for each in new if each.key not in created]


async def follow(tx: Tx, updated: Iterable[Row]) -> None:
    """After customers were updated: a private company takes its customer's new name, or ends where the customer went."""
    rows = list(updated)
    moves = {
        row["old_company_id"]: row["company_id"] for row in rows if row["old_company_id"] != row["company_id"]
    }
    await absorb_deserted(tx, moves)
    names = [(r["company_id"], r["old_name"], r["name"]) for r in rows if r["old_name"] != r["name"]]
    tx.emit("company.changed", map(companies.subject, await companies.follow_names(tx, names)))


async def _settle_companies(
    tx: Tx, pending: Iterable[_Pending]
) -> tuple[list[CustomerOutcome], list[_Pending]]:
    """Put each row's company into its patch; rows whose identifiers contradict each other are rejected."""
    settled: list[_Pending] = []
    claiming: list[_Pending] = []
    for each in pending:
        (settled if each.known is not None and each.identity == _NOBODY else claiming).append(each)
    claims = [
        Claim(each.identity, each.company_name, each.known["company_id"] if each.known else None)
        for each in claiming
    ]
    rejected = []
    for each, company in zip(claiming, await resolve_companies(tx, claims) if claims else (), strict=True):
        if isinstance(company, CompanyIdentityConflict):
            fault = Fault("/company", company.code, company.detail)
            rejected.append(CustomerOutcome(each.row, "rejected", None, fault))
        else:
            each.patch["company_id"] = company
            settled.append(each)
    for each in settled:
        if each.known is not None and each.known["archived_by_source"] == each.patch.get(
            "source", _NO_SOURCE
        ):
            each.patch |= {"archived_at": None, "archived_by_source": None}
        each.patch["id"] = _id(each) if each.known is not None else new_id()
    return rejected, settled


def _pending(record: Sequence[Any], taken_at: datetime | None) -> _Pending:
    row: Mapping[str, Any] = dict(zip(CUSTOMER_COLUMNS, record, strict=True))
    identity = Identity(
        country=row["company_country"],
        registration_number=row["company_registration_number"],
        vat_number=row["company_vat_number"],
        lei=row["company_lei"],
    )
    key = (row["business_unit_id"], row["external_id"])
    patch: dict[str, Any] = {"business_unit_id": key[0], "external_id": key[1]}
    patch |= {name: row[name] for name in _PLAIN if row[name] is not None}
    patch |= {name: msgspec.Raw(row[name].encode()) for name in _JSON if row[name] is not None}
    if row["contacts"] is not None:
        patch["contacts"] = completed(row["contacts"])
    if row["terms_days"] is not None:
        patch |= {name: row[name] for name in ("terms_days", "terms_end_of_month", "terms_day_of_month")}
    if row["source"] is not None:
        patch |= {
            "source": row["source"],
            "source_version": row["source_version"],
            "source_taken_at": taken_at,
        }
    return _Pending(row["row"], key, identity, row["company_name"] or row["name"], patch)


def _id(pending: _Pending) -> UUID:
    assert pending.known is not None, "asked of known customers only"
    return UUID(int=pending.known["id"].int)


def _key(row: Row) -> Key:
    return UUID(int=row["business_unit_id"].int), row["external_id"]
