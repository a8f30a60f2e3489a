"""Account statements on the wire."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from libs.contracts.money import AmountText
from services.ledger.api.item_facts import ItemFacts
from services.ledger.api.item_schemas import DirectionName, Kind


class StatementLine(ItemFacts):
    """One item of a statement."""

    item_id: UUID
    kind: Kind
    direction: DirectionName
    external_id: str | None = Field(examples=["F-2026-00317"])
    number: str | None = Field(examples=["2026-00317"])
    reference: str | None = Field(examples=["PO 4500017"])
    order_reference: str | None = Field(examples=["SO-2026-118"])
    issue_date: date
    due_date: date
    days_late: int = Field(examples=[12])
    currency: str = Field(examples=["EUR"])
    amount: AmountText = Field(description="signed: credits are negative")
    open_amount: AmountText = Field(description="signed: what is open of it on the day")
    balance: AmountText = Field(description="open amounts of this currency up to and including this line")
    status: Literal["open", "closed"]


class StatementTotal(BaseModel):
    """One currency, over all lines: outstanding = not_due + overdue + credits."""

    currency: str = Field(examples=["EUR"])
    outstanding: AmountText
    not_due: AmountText
    overdue: AmountText
    credits: AmountText = Field(examples=["0.00"])
    items_count: int = Field(description="open items", examples=[7])


class Statement(BaseModel):
    """The account of a customer on a day; lines in order of currency, issue date and id."""

    customer_id: UUID
    customer_external_id: str = Field(examples=["C-10442"])
    customer_name: str = Field(examples=["Aciéries du Rhône"])
    as_of: date
    data: list[StatementLine]
    totals: list[StatementTotal]
    next_cursor: str | None = Field(description="pass as `cursor` to read on", examples=[None])
