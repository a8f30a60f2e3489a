"""Imports on the wire."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from libs.contracts.money import AmountText
from services.ledger.api.fields import Input

Kind = Literal["items", "customers", "orders", "payments", "credit_limits"]
Mode = Literal["delta", "snapshot"]
Status = Literal["processing", "held", "completed", "failed", "cancelled"]


class ImportCounts(BaseModel):
    """Rows by what became of them; `closed` counts items that a snapshot did not name."""

    received: int = Field(examples=[1000])
    created: int = Field(examples=[940])
    updated: int = Field(examples=[37])
    unchanged: int = Field(description="said nothing new, or something older than we know", examples=[20])
    closed: int = Field(examples=[0])
    rejected: int = Field(examples=[3])


class ImportTotals(BaseModel):
    """Signed sums of the rows by currency: accepted = received - rejected."""

    currency: str = Field(examples=["EUR"])
    received: AmountText
    accepted: AmountText
    rejected: AmountText


class RowFault(BaseModel):
    """What is wrong with a row."""

    row: int = Field(description="from 1; header and blank lines left out", examples=[17])
    pointer: str = Field(description="JSON pointer into the row", examples=["/due_date"])
    code: str = Field(examples=["due_date_unknown"])
    detail: str = Field(examples=["expected a due date, or payment terms of the customer"])


class ClosingAmount(BaseModel):
    """What would leave the ledger."""

    currency: str = Field(examples=["EUR"])
    amount: AmountText


class Held(BaseModel):
    """Why a snapshot waits for a person."""

    reason: Literal["brake_count", "brake_amount", "unidentified_rows"]
    closing_count: int = Field(examples=[4210])
    closing_amounts: list[ClosingAmount]
    diff_hash: str = Field(
        description="names what would close: confirm with it", examples=["9f86d081884c7d65"]
    )


class Change(BaseModel):
    """One of the first changes."""

    change: Literal["created", "updated", "closed"]
    external_id: str = Field(examples=["INV-2026-0017"])
    before: dict[str, Any] | None = Field(
        description="values that would change", examples=[{"amount": "10.00"}]
    )
    after: dict[str, Any] | None = Field(examples=[{"amount": "12.00"}])


class ImportDiff(BaseModel):
    """What a dry run would have done."""

    counts: ImportCounts
    held: Held | None = Field(description="what the brake would say")
    changes: list[Change] = Field(description="the first hundred")


class ImportFailure(BaseModel):
    """Why a file could not be used at all."""

    code: str = Field(examples=["control_sum_mismatch"])
    detail: str = Field(examples=["expected a sum of 100.00, received 99.00 EUR"])


class Import(BaseModel):
    """A push of many rows, and what became of it."""

    id: UUID
    kind: Kind
    mode: Mode
    source: str | None = Field(examples=["sap"])
    business_unit_id: UUID
    taken_at: datetime | None
    dry_run: bool
    status: Status
    counts: ImportCounts
    totals: list[ImportTotals]
    errors: list[RowFault] = Field(description="the first hundred; all of them at /errors")
    held: Held | None
    diff: ImportDiff | None = Field(description="of a dry run")
    error: ImportFailure | None = Field(description="of a failed one")
    operation_id: str | None = Field(
        description="of a large one", examples=["ledger.019a0000-0000-7000-8000-000000000000"]
    )
    created_at: datetime
    updated_at: datetime


class ImportConfirm(Input):
    """The list a person has agreed to."""

    diff_hash: str = Field(min_length=64, max_length=64, description="`held.diff_hash` of the import")
