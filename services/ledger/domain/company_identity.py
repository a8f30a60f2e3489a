"""Which legal entity a customer is: by (country, registration number), else by VAT number, else by LEI, else
its own.

Companies are never merged by name. An identifier joins accounts, so a wrong one puts one buyer's debts on
another: where the scheme is known its check digits must hold, and a placeholder (all zeros) is refused; where
it is not known the number is only cleaned. The checks are python-stdnum's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pycountry
from stdnum import get_cc_module
from stdnum import lei as stdnum_lei
from stdnum.be import vat as be_enterprise
from stdnum.ch import uid as ch_uid
from stdnum.exceptions import ValidationError
from stdnum.fr import siren

from services.ledger.domain.errors import InvalidRequest, StateConflict

MAX_LENGTH = 64


class IdentityInvalid(InvalidRequest):
    """An identifier that cannot be right. `field` names it; `code` is `{field}_invalid`."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.code = f"{field}_invalid"


class CompanyIdentityConflict(StateConflict):
    """The identifiers of one row belong to different companies."""

    code = "company_identity_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The identifiers of a legal entity, normalised; `country` ISO 3166 alpha-2."""

    country: str | None = None
    registration_number: str | None = None
    vat_number: str | None = None
    lei: str | None = None

    @property
    def registration(self) -> tuple[str, str] | None:
        """A registration number means something in its country only."""
        return (self.country, self.registration_number) if self.country and self.registration_number else None

    @property
    def is_private(self) -> bool:
        """Nothing to be found by: the company belongs to its customer alone."""
        return not (self.registration or self.vat_number or self.lei)


@dataclass(frozen=True, slots=True)
class KnownCompany:
    company_id: UUID
    identity: Identity


@dataclass(frozen=True, slots=True)
class Found:
    """The companies that each identifier of a row finds, if any."""

    by_registration: KnownCompany | None = None
    by_vat: KnownCompany | None = None
    by_lei: KnownCompany | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    """The customer belongs to this company, which did not have the identifiers in `learned`."""

    company_id: UUID
    learned: Identity


@dataclass(frozen=True, slots=True)
class Create:
    """A company of its own for the customer."""

    identity: Identity


def normalise(
    country: str | None = None,
    registration_number: str | None = None,
    vat_number: str | None = None,
    lei: str | None = None,
) -> Identity:
    """Bring identifiers into the form they are compared in. A SIRET becomes its SIREN: the company, not the
    site.

    Empty text is absence. Raises IdentityInvalid: an unknown country, a registration number without a
    country, a number whose length, form or check digits do not hold, a placeholder.
    """
    code = _country(_text(country))
    number, vat, entity = _text(registration_number), _text(vat_number), _text(lei)
    if number and code is None:
        raise IdentityInvalid(
            "country", "a registration number needs the country that gave it (ISO 3166 alpha-2)"
        )
    return Identity(
        country=code,
        registration_number=_registration(code, number) if code and number else None,
        vat_number=_vat(code, vat) if vat else None,
        lei=_lei(entity) if entity else None,
    )


def resolve(identity: Identity, found: Found, current: KnownCompany | None = None) -> Attach | Create:
    """The company of a customer whose row bears `identity`; `current` is the one it has, if it has one.

    The first identifier that finds a company decides, and moves the customer there. Where none does, the
    customer keeps its company, which learns what it did not know, unless they contradict each other: then it
    is another company, and a new one. Raises CompanyIdentityConflict when identifiers find different
    companies, or the company found bears another value for one of them.
    """
    candidates = [company for company in (found.by_registration, found.by_vat, found.by_lei) if company]
    if len({company.company_id for company in candidates}) > 1:
        raise CompanyIdentityConflict("the identifiers belong to different companies")
    if candidates:
        other = _contradiction(candidates[0].identity, identity)
        if other is not None:
            raise CompanyIdentityConflict(f"the company found bears another {other}")
        return _attach(candidates[0], identity)
    if current is not None and _contradiction(current.identity, identity) is None:
        return _attach(current, identity)
    return Create(identity)


def _contradiction(known: Identity, said: Identity) -> str | None:
    """The first identifier that both bear with different values."""
    pairs = (
        ("registration number", known.registration, said.registration),
        ("VAT number", known.vat_number, said.vat_number),
        ("LEI", known.lei, said.lei),
    )
    return next((name for name, ours, theirs in pairs if ours and theirs and ours != theirs), None)


def _attach(company: KnownCompany, said: Identity) -> Attach:
    known = company.identity
    # A country alone identifies nobody: it is learned with its registration number, or where none was known.
    learns_registration = known.registration is None and said.registration is not None
    learned = Identity(
        country=said.country if learns_registration or known.country is None else None,
        registration_number=said.registration_number if learns_registration else None,
        vat_number=said.vat_number if known.vat_number is None else None,
        lei=said.lei if known.lei is None else None,
    )
    return Attach(company.company_id, learned)


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None


def _country(code: str | None) -> str | None:
    if code is None:
        return None
    upper = code.upper()
    if pycountry.countries.get(alpha_2=upper) is None:
        raise IdentityInvalid("country", "expected an ISO 3166 alpha-2 code such as FR")
    return upper


def _siren(number: str) -> str:
    digits = siren.compact(number)
    return str(siren.validate(digits[:9] if len(digits) == 14 else digits))


def _companies_house(number: str) -> str:
    """Companies House numbers have eight characters; spreadsheets eat the leading zeros of the all-digit
    ones."""
    return number.zfill(8) if number.isdigit() else number


#: Countries where "registration number" means one scheme with rules of its own.
_REGISTRIES: dict[str, Callable[[str], str]] = {
    "FR": _siren,
    "BE": be_enterprise.validate,
    "CH": ch_uid.validate,
    "GB": _companies_house,
}


def _clean(field: str, value: str) -> str:
    cleaned = "".join(character for character in value.upper() if character.isalnum())
    if not cleaned or len(cleaned) > MAX_LENGTH:
        raise IdentityInvalid(field, f"expected 1 to {MAX_LENGTH} letters or digits")
    if cleaned.strip("0") == "":
        raise IdentityInvalid(field, "expected a number, not a placeholder of zeros")
    return cleaned


def _registration(country: str, number: str) -> str:
    cleaned = _clean("registration_number", number)
    registry = _REGISTRIES.get(country)
    return _checked("registration_number", country, registry, cleaned) if registry else cleaned


def _vat(country: str | None, number: str) -> str:
    """A VAT number always bears a prefix here: its country's, Greece's own EL, Northern Ireland's XI, the CHE
    of Swiss numbers (kept without MWST, TVA or IVA)."""
    cleaned = _clean("vat_number", number)
    if not _is_prefix(cleaned[:2]):
        if country is None:
            raise IdentityInvalid(
                "vat_number", "expected a VAT number that begins with its country, such as FR"
            )
        cleaned = {"CH": "CHE"}.get(country, country) + cleaned
    prefix = "EL" if cleaned[:2] == "GR" else cleaned[:2]
    if prefix == "CH":
        return _checked("vat_number", prefix, ch_uid.validate, cleaned.removesuffix("MWST")[:12])
    module = get_cc_module({"EL": "gr", "XI": "gb"}.get(prefix, prefix.lower()), "vat")
    if module is None:
        return cleaned
    return prefix + _checked("vat_number", prefix, module.validate, cleaned[2:])


def _is_prefix(letters: str) -> bool:
    return letters in ("EL", "XI") or pycountry.countries.get(alpha_2=letters) is not None


def _checked(field: str, country: str, validate: Callable[[str], str], number: str) -> str:
    try:
        return str(validate(number))
    except ValidationError:
        expected = f"expected a valid number of {country}: its length, form or check digits do not hold"
        raise IdentityInvalid(field, expected) from None


def _lei(value: str) -> str:
    cleaned = _clean("lei", value)
    try:
        # The library accepts short strings whose check happens to hold: ISO 17442 has 20 characters.
        if len(cleaned) == 20:
            return str(stdnum_lei.validate(cleaned))
    except ValidationError:
        pass
    raise IdentityInvalid("lei", "expected the 20 characters of ISO 17442 with their check digits")
