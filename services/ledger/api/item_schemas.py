"""Items on the wire."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from libs.contracts.money import Amount, AmountText
from services.ledger.api.amounts import Day, Text
from services.ledger.api.fields import LEFT_OUT, CurrencyCode, CustomFields, ExternalId, Input
from services.ledger.api.item_facts import ItemFacts

Kind = Literal["invoice", "credit_note", "payment", "other"]
DirectionName = Literal["debit", "credit"]
EntryName = Literal[
    "issued",
    "amended",
    "allocated",
    "unallocated",
    "settled_by_source",
    "reopened",
    "written_off",
    "cancelled",
]
SourceVersion = Annotated[int, Field(ge=0, le=2**63 - 1, description="grows with every change at the source")]
Reason = Annotated[str | None, Field(max_length=500, examples=["Agreed with the customer"])]


class ItemCreate(Input):
    """An invoice, credit note, payment or other item, as your books have it."""

    kind: Kind
    direction: DirectionName | None = Field(
        None, description="of kind other only: debit is owed to you, credit by you", examples=[None]
    )
    external_id: ExternalId | None = Field(
        None, description="your key; all kinds of items share one namespace"
    )
    number: Text | None = Field(None, examples=["2026-00317"])
    customer_id: UUID | None = Field(None, description="this or customer_external_id", examples=[None])
    customer_external_id: ExternalId | None = Field(None, examples=["C-10442"])
    business_unit_id: UUID | None = Field(None, description="null: the customer's; for its key, the main one")
    source: Text | None = Field(None, description="the system that tells it", examples=["sap"])
    source_version: SourceVersion | None = None
    issue_date: Day = Field(description="counts from this day, from today where it is still to come")
    delivery_date: Day | None = None
    due_date: Day | None = Field(None, description="null: by the customer's payment terms")
    original_due_date: Day | None = Field(None, description="the first one ever; null: due_date")
    settled_on: Day | None = Field(
        None, description="when what is no longer open was settled, if open_amount is given"
    )
    currency: CurrencyCode
    amount: Amount = Field(description="with tax, above zero whatever the kind")
    tax_amount: Amount | None = None
    net_amount: Amount | None = None
    open_amount: Amount | None = Field(
        None, description="what is still open, negative for a credit; null: all of it", examples=["1234.56"]
    )
    reference: Text | None = Field(None, examples=["PO 4500017"])
    order_reference: Text | None = Field(None, examples=["SO-2026-118"])
    custom_fields: CustomFields = Field(default_factory=dict)


class ItemUpdate(Input):
    """What to change; members left out stay, null empties those that may be empty. The custom fields are replaced as a whole.

    A new `amount` and a stated `open_amount` are entries of the journal as of today; the original due date never changes.
    """

    number: Text | None = Field(None, description="as printed on the document")
    issue_date: Day = Field(
        default=LEFT_OUT, description="an attribute: the journal keeps the day it counts from"
    )
    delivery_date: Day | None = None
    due_date: Day = Field(default=LEFT_OUT)
    amount: Amount = Field(default=LEFT_OUT)
    tax_amount: Amount | None = None
    net_amount: Amount | None = None
    open_amount: Amount = Field(
        default=LEFT_OUT, description="what is open now: the difference was settled by the source"
    )
    settled_on: Day = Field(default=LEFT_OUT, description="when, if open_amount is given; today otherwise")
    reference: Text | None = Field(None, description="the buyer's own reference")
    order_reference: Text | None = Field(None, description="the order it belongs to")
    custom_fields: CustomFields = Field(default=LEFT_OUT)


class WriteOff(Input):
    """What to give up."""

    amount: Amount | None = Field(None, description="above zero; null: all that is open", examples=[None])
    effective_on: Day | None = Field(None, description="up to today; null: today")
    reason: Reason = None


class Correction(Input):
    """Since when, and why."""

    effective_on: Day | None = Field(None, description="up to today; null: today")
    reason: Reason = None


class AllocationLine(Input):
    """So much on this item, named by its id or by your key."""

    item_id: UUID | None = Field(None, description="this or item_external_id", examples=[None])
    item_external_id: ExternalId | None = Field(None, examples=["F-2026-00317"])
    amount: Amount

    @model_validator(mode="after")
    def _named_once(self) -> "AllocationLine":
        if (self.item_id is None) == (self.item_external_id is None):
            raise PydanticCustomError("required", "expected either item_id or item_external_id")
        return self


class AllocationCreate(Input):
    """What to allocate: lines, or a way to choose them."""

    allocations: list[AllocationLine] = Field([], max_length=1000)
    allocate: Literal["oldest", "exact"] | None = Field(
        None,
        description="instead of lines, for a credit: the oldest items first, or what fits to the cent",
        examples=[None],
    )
    allocated_on: Day | None = Field(None, description="up to today; null: today")

    @model_validator(mode="after")
    def _one_way(self) -> "AllocationCreate":
        if bool(self.allocations) == (self.allocate is not None):
            raise PydanticCustomError("allocation_ambiguous", "expected either allocations or allocate")
        return self


class AllocationReversal(Input):
    """Since when the allocation no longer holds, and why."""

    reversed_on: Day | None = Field(None, description="up to today; null: today")
    reason: Reason = None


class Item(ItemFacts):
    """An item as the ledger has it. `amount` is positive; `open_amount` is signed: negative is owed by you."""

    id: UUID
    business_unit_id: UUID
    customer_id: UUID
    customer_external_id: str = Field(examples=["C-10442"])
    customer_name: str = Field(examples=["Aciéries du Rhône"])
    company_id: UUID
    kind: Kind
    direction: DirectionName
    external_id: str | None = Field(examples=["F-2026-00317"])
    number: str | None = Field(examples=["2026-00317"])
    source: str | None = Field(description="the system that changed it last", examples=["sap"])
    source_version: int | None = Field(examples=[None])
    issue_date: date
    delivery_date: date | None
    due_date: date
    original_due_date: date = Field(description="as it was first told")
    currency: str = Field(examples=["EUR"])
    amount: AmountText
    tax_amount: AmountText | None
    net_amount: AmountText | None
    open_amount: AmountText
    reference: str | None = Field(examples=["PO 4500017"])
    order_reference: str | None = Field(examples=["SO-2026-118"])
    custom_fields: CustomFields
    status: Literal["open", "closed"]
    days_late: int = Field(
        description="past the due date, or when it was closed; 0 for credits", examples=[12]
    )
    closed_on: date | None = Field(examples=[None])
    cancelled: bool
    as_of_approximate: bool = Field(
        description="when it was settled is known only from the day of the file that told so"
    )
    created_at: datetime
    updated_at: datetime


class ItemEntry(BaseModel):
    """One entry of an item's journal. The entries of an item sum to what is open."""

    id: UUID
    item_id: UUID
    kind: EntryName
    amount: AmountText = Field(description="signed")
    currency: str = Field(examples=["EUR"])
    effective_on: date = Field(description="since when it counts")
    recorded_at: datetime = Field(description="when the ledger knew")
    reverses: UUID | None = Field(description="the entry it takes back", examples=[None])
    allocation_id: UUID | None = Field(examples=[None])
    import_id: UUID | None = Field(examples=[None])
    reason: str | None = Field(examples=[None])


class ItemAllocation(BaseModel):
    """What a credit paid of a debit."""

    id: UUID
    credit_item_id: UUID = Field(description="the payment or credit note")
    credit_kind: Kind
    credit_number: str | None = Field(examples=["AV-2026-004"])
    credit_external_id: str | None = Field(examples=["AV-2026-004"])
    debit_item_id: UUID
    debit_number: str | None = Field(examples=["2026-00317"])
    debit_external_id: str | None = Field(examples=["F-2026-00317"])
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    allocated_on: date
    reversed_on: date | None = Field(description="since when it no longer holds", examples=[None])
    reversal_reason: str | None = Field(examples=[None])
    created_at: datetime
    updated_at: datetime
