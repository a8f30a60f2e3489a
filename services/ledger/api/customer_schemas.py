"""Customers on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from services.ledger.api.fields import (
    CountryCode,
    CurrencyCode,
    CustomFields,
    Email,
    ExternalId,
    Input,
    Language,
)
from services.ledger.domain.payment_terms import MAX_DAYS

BuyerKind = Literal["private", "public", "individual", "related"]
ContactRole = Literal["dunning", "accounting", "sales", "other"]

_NAME: dict[str, Any] = {"min_length": 1, "max_length": 300}
Address = dict[Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=500)]]


class PaymentTerms(Input):
    """Days after the issue date; then, if so agreed, the end of that month; then the first such day of a month."""

    days: int = Field(ge=0, le=MAX_DAYS, examples=[30])
    end_of_month: bool = Field(False, examples=[True])
    day_of_month: int | None = Field(
        None, ge=1, le=31, description="31 is the last day of a shorter month", examples=[10]
    )


class ContactInput(Input):
    """A person or mailbox at the customer; it needs a name, an e-mail address or a phone number."""

    name: str | None = Field(None, max_length=300, examples=["Claire Morel"])
    email: Email | None = None
    phone: str | None = Field(None, max_length=128, examples=["+33 4 78 00 00 00"])
    role: ContactRole = Field("other", description="what to write to it about")
    language: Language | None = Field(None, description="null: the customer's")

    @model_validator(mode="after")
    def _reachable(self) -> "ContactInput":
        if not (self.name or self.email or self.phone):
            raise PydanticCustomError("required", "expected a name, an e-mail address or a phone number")
        return self


class ActorInput(Input):
    """One of your own people who looks after the customer."""

    user_id: UUID
    role: str = Field(
        description="in your own words: director, salesperson, sales assistant …",
        min_length=1,
        max_length=128,
        examples=["salesperson"],
    )


class CompanyClaim(Input):
    """The legal entity behind the customer, by what it is registered under.

    It is found by country and registration number, else by VAT number, else by LEI, and created where nothing is found; without
    any of these the customer has a company of its own. `name` is for a company that is created or has no identifier.
    """

    country: CountryCode | None = None
    registration_number: str | None = Field(
        None, max_length=128, description="SIREN or SIRET in France; checked", examples=["732829320"]
    )
    vat_number: str | None = Field(None, max_length=128, examples=["FR44732829320"])
    lei: str | None = Field(None, max_length=128, description="ISO 17442", examples=["969500WU8KVE8U3TL824"])
    name: str | None = Field(None, **_NAME, examples=["Aciéries du Rhône SA"])


class CustomerCreate(Input):
    """An account of a buyer with one of your business units."""

    external_id: ExternalId
    name: str = Field(**_NAME, examples=["Aciéries du Rhône"])
    business_unit_id: UUID | None = Field(None, description="null: the main one")
    company: CompanyClaim = Field(default_factory=lambda: CompanyClaim())
    language: Language | None = Field(None, description="null: the first language of the settings")
    currency: CurrencyCode | None = Field(None, description="the one it is usually invoiced in")
    payment_terms: PaymentTerms | None = None
    segment: str | None = Field(None, max_length=128, examples=["key accounts"])
    buyer_kind: BuyerKind = "private"
    prepaid: bool = Field(False, description="pays before delivery")
    collector_user_id: UUID | None = None
    contacts: list[ContactInput] = Field([], max_length=100)
    actors: list[ActorInput] = Field([], max_length=100)
    address: Address = Field(
        {},
        max_length=20,
        description="street, postal_code, city, region, country … as texts",
        examples=[{"street": "12 quai Perrache", "postal_code": "69002", "city": "Lyon", "country": "FR"}],
    )
    custom_fields: CustomFields = Field(default_factory=dict)


class CustomerUpdate(Input):
    """What to change; members left out stay. Lists, the address and the custom fields are replaced as a whole.

    The default factories are never read: only what was given counts. They keep null out where nothing can be empty.
    """

    external_id: ExternalId = Field(default_factory=str)
    name: str = Field(default_factory=str, **_NAME, examples=["Aciéries du Rhône"])
    company: CompanyClaim = Field(
        default_factory=lambda: CompanyClaim(),
        description="says anew which company it belongs to; identifiers left out are not compared",
    )
    language: Language = Field(default_factory=str)
    currency: CurrencyCode | None = None
    payment_terms: PaymentTerms | None = None
    segment: str | None = Field(None, max_length=128, examples=["key accounts"])
    buyer_kind: BuyerKind = Field(default_factory=lambda: "private")
    prepaid: bool = Field(default_factory=bool)
    collector_user_id: UUID | None = Field(
        None, description="set by hand: it goes before what the assignment rules say"
    )
    contacts: list[ContactInput] = Field(default_factory=list, max_length=100)
    actors: list[ActorInput] = Field(default_factory=list, max_length=100)
    address: Address = Field(default_factory=dict, max_length=20)
    custom_fields: CustomFields = Field(default_factory=dict)


class Contact(BaseModel):
    """A person or mailbox at the customer."""

    name: str | None = Field(examples=["Claire Morel"])
    email: str | None = Field(examples=["accounts.payable@example.com"])
    phone: str | None = Field(examples=["+33 4 78 00 00 00"])
    role: ContactRole
    language: str | None = Field(examples=["fr"])


class Actor(BaseModel):
    """One of your own people who looks after the customer."""

    user_id: UUID
    role: str = Field(examples=["salesperson"])


class Terms(BaseModel):
    """Payment terms."""

    days: int = Field(examples=[30])
    end_of_month: bool
    day_of_month: int | None = Field(examples=[10])


class CustomerCompany(BaseModel):
    """The legal entity behind the customer."""

    id: UUID
    name: str = Field(examples=["Aciéries du Rhône SA"])
    country: str | None = Field(examples=["FR"])
    registration_number: str | None = Field(examples=["732829320"])
    vat_number: str | None = Field(examples=["FR44732829320"])
    lei: str | None = Field(examples=["969500WU8KVE8U3TL824"])
    private: bool = Field(description="has no identifier and stands for this customer alone")
    group_id: UUID = Field(description="the topmost company of its group; itself where it has no parent")


class Customer(BaseModel):
    """An account of a buyer with one of your business units."""

    id: UUID
    external_id: str = Field(examples=["C-10442"])
    business_unit_id: UUID
    name: str = Field(examples=["Aciéries du Rhône"])
    company: CustomerCompany
    language: str = Field(examples=["fr"])
    currency: str | None = Field(examples=["EUR"])
    payment_terms: Terms | None = Field(description="null: an item then needs a due date of its own")
    segment: str | None = Field(examples=["key accounts"])
    buyer_kind: BuyerKind
    prepaid: bool
    collector_user_id: UUID | None
    contacts: list[Contact]
    actors: list[Actor]
    address: dict[str, str] = Field(examples=[{"city": "Lyon", "country": "FR"}])
    custom_fields: CustomFields
    archived: bool
    archived_at: datetime | None = Field(examples=[None])
    created_at: datetime
    updated_at: datetime


def columns(body: CustomerCreate | CustomerUpdate) -> dict[str, Any]:
    """The members that were given, as columns of the customer; the company and the business unit apart."""
    given = body.model_dump(exclude={"company", "business_unit_id", "payment_terms"}, exclude_unset=True)
    if isinstance(body, CustomerCreate):
        given = {name: value for name, value in given.items() if value is not None}
    for name in ("contacts", "actors"):
        if name in given:
            given[name] = [each.model_dump(mode="json") for each in getattr(body, name)]
    if "payment_terms" in body.model_fields_set:
        terms = body.payment_terms
        given["terms_days"] = terms.days if terms else None
        given["terms_end_of_month"] = terms.end_of_month if terms else False
        given["terms_day_of_month"] = terms.day_of_month if terms else None
    return given
