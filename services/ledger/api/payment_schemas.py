"""Payments on the wire."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from libs.contracts.money import Amount, AmountText
from services.ledger.api.amounts import Day, Text
from services.ledger.api.fields import CurrencyCode, CustomFields, ExternalId, Input
from services.ledger.api.item_schemas import AllocationLine

ReversalReason = Literal["bounced", "returned", "error"]


class PaymentCreate(Input):
    """Money received, and what it pays where you know."""

    external_id: ExternalId | None = Field(
        None, description="your key, in the namespace of the items", examples=["PAY-2026-0091"]
    )
    customer_id: UUID | None = Field(None, description="this or customer_external_id", examples=[None])
    customer_external_id: ExternalId | None = Field(None, examples=["C-10442"])
    business_unit_id: UUID | None = Field(None, description="null: the customer's; for its key, the main one")
    source: Text | None = Field(None, description="the system that tells it", examples=[None])
    amount: Amount = Field(description="above zero")
    currency: CurrencyCode
    paid_on: Day = Field(description="counts from this day; up to today")
    reference: Text | None = Field(None, examples=["VIR SEPA 2026-00317"])
    allocations: list[AllocationLine] = Field([], max_length=1000)
    allocate: Literal["oldest", "exact", "none"] = Field(
        "none",
        description="without lines: to the oldest items first, to what fits to the cent, or not at all",
    )
    allocated_on: Day | None = Field(None, description="up to today; null: paid_on")
    custom_fields: CustomFields = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> "PaymentCreate":
        if self.allocations and self.allocate != "none":
            raise PydanticCustomError("allocation_ambiguous", "expected either allocations or allocate")
        return self


class PaymentReverse(Input):
    """Why the money went back, and when."""

    reason: ReversalReason
    reversed_on: Day | None = Field(None, description="up to today; null: today")


class PaymentAllocation(BaseModel):
    """What of the payment was spent on which item."""

    id: UUID
    item_id: UUID
    item_external_id: str | None = Field(examples=["F-2026-00317"])
    item_number: str | None = Field(examples=["2026-00317"])
    amount: AmountText
    allocated_on: date
    reversed_on: date | None = Field(description="since when it no longer holds", examples=[None])
    reversal_reason: str | None = Field(examples=[None])


class Payment(BaseModel):
    """Money received: the item of kind payment with the same id."""

    id: UUID
    business_unit_id: UUID
    customer_id: UUID
    customer_external_id: str = Field(examples=["C-10442"])
    company_id: UUID
    external_id: str | None = Field(examples=["PAY-2026-0091"])
    source: str | None = Field(examples=[None])
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    paid_on: date
    open_amount: AmountText = Field(description="signed as its item: 0 or below", examples=["0.00"])
    unallocated_amount: AmountText = Field(description="what is left to allocate", examples=["0.00"])
    status: Literal["open", "closed"]
    reference: str | None = Field(examples=["VIR SEPA 2026-00317"])
    reversed_reason: str | None = Field(description="once it was taken back", examples=[None])
    allocations: list[PaymentAllocation] = Field(description="oldest first, those taken back too")
    custom_fields: CustomFields
    created_at: datetime
    updated_at: datetime
