"""Customer rows: an ERP account, the company behind it, whom to write to and who looks after it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Struct, UnsetType

from services.ledger.domain.company_identity import IdentityInvalid, normalise
from services.ledger.domain.intake.amounts import decimals_of
from services.ledger.domain.intake.checks import json_text
from services.ledger.domain.intake.columns import (
    Records,
    RowDefaults,
    assemble,
    custom_fields,
    each,
    fields_of,
    filled,
    versions,
)
from services.ledger.domain.intake.errors import Stated, refuse
from services.ledger.domain.intake.field_types import (
    Country,
    Currency,
    CustomFields,
    Id,
    Key,
    Language,
    Name,
    Note,
    Version,
    Word,
    expected,
)
from services.ledger.domain.payment_terms import MAX_DAYS

CUSTOMER_COLUMNS = (
    "row",
    "business_unit_id",
    "external_id",
    "source",
    "source_version",
    "name",
    "company_country",
    "company_registration_number",
    "company_vat_number",
    "company_lei",
    "company_name",
    "language",
    "currency",
    "terms_days",
    "terms_end_of_month",
    "terms_day_of_month",
    "segment",
    "buyer_kind",
    "prepaid",
    "collector_user_id",
    "contacts",
    "actors",
    "address",
    "custom_fields",
)

Email = Annotated[
    str, expected("email_invalid", "an e-mail address", pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)
]
TermDays = Annotated[int, expected("payment_terms_invalid", "0 to 3650 days", ge=0, le=MAX_DAYS)]
MonthDay = Annotated[int, expected("payment_terms_invalid", "a day of the month, 1 to 31", ge=1, le=31)]
Address = Annotated[
    dict[Word, Note], expected("object_invalid", "an object of up to 20 texts", max_length=20)
]


class Company(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The legal entity, by the numbers it is registered under; their form is judged where companies are matched."""

    country: Country | UnsetType | None = UNSET
    registration_number: Word | UnsetType | None = UNSET
    vat_number: Word | UnsetType | None = UNSET
    lei: Word | UnsetType | None = UNSET
    name: Name | UnsetType | None = UNSET


class Terms(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    days: TermDays
    end_of_month: bool | UnsetType = UNSET
    day_of_month: MonthDay | UnsetType | None = UNSET


class Contact(Struct, forbid_unknown_fields=True, gc=False, kw_only=True, omit_defaults=True):
    name: Name | UnsetType | None = UNSET
    email: Email | UnsetType | None = UNSET
    phone: Word | UnsetType | None = UNSET
    role: Literal["dunning", "accounting", "sales", "other"] | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET


class Actor(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    user_id: Id
    role: Word


Contacts = Annotated[list[Contact], expected("list_invalid", "a list of up to 100 contacts", max_length=100)]
Actors = Annotated[list[Actor], expected("list_invalid", "a list of up to 100 actors", max_length=100)]


class CustomerRow(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Contacts and actors that are left out (or null) leave those we have; an empty list removes them."""

    external_id: Key
    name: Name
    business_unit_id: Id | UnsetType | None = UNSET
    source: Word | UnsetType | None = UNSET
    source_version: Version | UnsetType | None = UNSET
    company: Company | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    payment_terms: Terms | UnsetType | None = UNSET
    segment: Word | UnsetType | None = UNSET
    buyer_kind: Literal["private", "public", "individual", "related"] | UnsetType | None = UNSET
    prepaid: bool | UnsetType | None = UNSET
    collector_user_id: Id | UnsetType | None = UNSET
    contacts: Contacts | UnsetType | None = UNSET
    actors: Actors | UnsetType | None = UNSET
    address: Address | UnsetType | None = UNSET
    custom_fields: CustomFields | UnsetType | None = UNSET


def customer_records(numbers: Sequence[int], rows: Sequence[CustomerRow], defaults: RowDefaults) -> Records:
    """The rows as CUSTOMER_COLUMNS; contacts, actors, address and custom fields as JSON text, identifiers of companies
    in the form they are compared in. Raises RowRefused if any row must be refused."""
    given = fields_of(rows)
    currencies = filled(given["currency"])
    for currency in set(currencies) - {None}:
        decimals_of(currency)
    companies = [_company(company or None) for company in given["company"]]
    terms = [_terms(agreed or None) for agreed in given["payment_terms"]]
    columns = (
        numbers,
        filled(given["business_unit_id"], defaults.business_unit_id),
        given["external_id"],
        filled(given["source"], defaults.source),
        versions(given["source_version"]),
        given["name"],
        *zip(*companies, strict=True),
        filled(given["language"]),
        currencies,
        *zip(*terms, strict=True),
        filled(given["segment"]),
        filled(given["buyer_kind"]),
        each(given["prepaid"], bool),
        filled(given["collector_user_id"]),
        each(given["contacts"], _contacts),
        each(given["actors"], json_text),
        each(given["address"], json_text),
        custom_fields(given["custom_fields"]),
    )
    return assemble(columns, {})


def _company(company: Company | None) -> tuple[str | None, ...]:
    """Country, registration number, VAT number, LEI and name of the legal entity."""
    if company is None:
        return (None,) * 5
    try:
        identity = normalise(
            company.country or None,
            company.registration_number or None,
            company.vat_number or None,
            company.lei or None,
        )
    except IdentityInvalid as error:
        raise refuse(f"/company/{error.field}", error.code, error.detail) from None
    return (
        identity.country,
        identity.registration_number,
        identity.vat_number,
        identity.lei,
        company.name or None,
    )


def _terms(terms: Terms | None) -> tuple[int | None, bool | None, int | None]:
    if terms is None:
        return None, None, None
    return terms.days, terms.end_of_month is True, terms.day_of_month or None


def _contacts(contacts: list[Contact]) -> str:
    for position, contact in enumerate(contacts):
        if not contact.name and not contact.email and not contact.phone:
            raise refuse(
                f"/contacts/{position}", "required", "expected a name, an e-mail address or a phone number"
            )
    return json_text(contacts)


def nothing_stated(values: Mapping[str, Any]) -> Stated | None:
    """A refused customer states no amount."""
    return None
