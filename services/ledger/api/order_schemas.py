"""Orders on the wire."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText
from services.ledger.api.amounts import Day, Text
from services.ledger.api.fields import LEFT_OUT, CurrencyCode, CustomFields, ExternalId, Input
from services.ledger.api.item_schemas import SourceVersion

OrderStatus = Literal["open", "closed", "cancelled"]


class OrderCreate(Input):
    """What a customer has ordered."""

    external_id: ExternalId = Field(
        description="your key; unique in the business unit", examples=["SO-2026-118"]
    )
    customer_id: UUID | None = Field(None, description="this or customer_external_id", examples=[None])
    customer_external_id: ExternalId | None = Field(None, examples=["C-10442"])
    business_unit_id: UUID | None = Field(None, description="null: the customer's; for its key, the main one")
    source: Text | None = Field(None, description="the system that tells it", examples=["sap"])
    source_version: SourceVersion | None = None
    currency: CurrencyCode
    amount: Amount
    tax_included: bool = Field(True, description="whether the amounts hold the tax that the invoice will")
    invoiced_amount: Amount | None = Field(
        None, description="what of it is an item by now", examples=["0.00"]
    )
    expected_on: Day | None = Field(None, description="when it is to be delivered")
    status: OrderStatus = "open"
    reference: Text | None = Field(None, examples=["PO 4500017"])
    custom_fields: CustomFields = Field(default_factory=dict)


class OrderUpdate(Input):
    """What to change; members left out stay. The custom fields are replaced as a whole."""

    amount: Amount = Field(default=LEFT_OUT)
    tax_included: bool = Field(default=LEFT_OUT)
    invoiced_amount: Amount = Field(default=LEFT_OUT, description="what of it is an item by now")
    expected_on: Day | None = None
    status: OrderStatus = Field(default=LEFT_OUT, description="only open orders stand in the order book")
    reference: Text | None = Field(None, description="the buyer's own reference")
    custom_fields: CustomFields = Field(default=LEFT_OUT)


class Order(BaseModel):
    """An order. What of an open one is not invoiced yet stands in the customer's order book."""

    id: UUID
    business_unit_id: UUID
    customer_id: UUID
    customer_external_id: str = Field(examples=["C-10442"])
    company_id: UUID
    external_id: str = Field(examples=["SO-2026-118"])
    source: str | None = Field(examples=["sap"])
    source_version: int | None = Field(examples=[None])
    currency: str = Field(examples=["EUR"])
    amount: AmountText
    tax_included: bool
    invoiced_amount: AmountText
    expected_on: date | None
    status: OrderStatus
    reference: str | None = Field(examples=["PO 4500017"])
    custom_fields: CustomFields
    created_at: datetime
    updated_at: datetime
