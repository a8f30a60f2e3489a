"""What guarantees and decisions look like."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from libs.contracts.money import Amount, AmountText
from services.credit.api.insurance.fields import Currency, Input
from services.credit.domain.insurance.vocabulary import Layer, Product, Status


class Period(BaseModel):
    """Days of equal worth; both count."""

    starts_on: date
    ends_on: date | None = Field(description="last day that counts; null: open")
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    percent: str | None = Field(description="insured share; null: the policy's", examples=["90.00"])
    status: Status
    decision_id: UUID


class Guarantee(BaseModel):
    """A layer of a company's cover under a policy, as of a day."""

    id: UUID
    policy_id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    layer: Layer
    product: Product
    status: Status = Field(description="of the insurer's newest decision; pending before the first")
    amount: AmountText = Field(description="in force on the day shown")
    currency: str = Field(examples=["EUR"])
    percent: str | None = Field(
        description="insured share, in percent; null: the policy's", examples=["90.00"]
    )
    effective_from: date | None = Field(description="first day that counts")
    expires_at: date | None = Field(description="last day that counts")
    cover_reference: str | None = Field(description="as the insurer calls it", examples=["789"])
    decision_id: UUID | None
    decided_at: datetime | None
    conditions: list[dict[str, Any]] = Field(
        examples=[[{"code": "C1", "type": None, "text": "Terms of 60 days at most"}]]
    )
    evidence: dict[str, Any] | None = Field(
        description="what justifies a discretionary limit", examples=[None]
    )
    needs_review: bool
    review_reason: str | None = Field(description="why a person should look", examples=["decisions_tied"])
    timeline: list[Period]
    created_at: datetime
    updated_at: datetime


class Decision(BaseModel):
    """What was decided, as it was told; it never changes."""

    id: UUID
    policy_id: UUID
    company_id: UUID
    guarantee_id: UUID | None
    request_id: UUID | None
    insurer_decision_id: str = Field(description="as the insurer calls it", examples=["d-1"])
    product: Product
    status: Status
    raw_status: str | None = Field(description="the insurer's own word", examples=["DC04"])
    is_preliminary: bool
    sequence: int
    decided_at: datetime
    requested_amount: AmountText | None
    granted_amount: AmountText | None = Field(
        description="null where the decision gives none; never zero for unknown"
    )
    currency: str = Field(examples=["EUR"])
    insured_percent: str | None = Field(description="null: the policy's", examples=["90.00"])
    effective_from: date
    expires_at: date | None
    withdrawal_date: date | None = Field(description="first day without cover")
    tranches: list[dict[str, Any]] = Field(examples=[[]])
    conditions: list[dict[str, Any]] = Field(examples=[[]])
    reasons: list[dict[str, Any]] = Field(examples=[[]])
    source: str = Field(description="webhook, reading, manual or import", examples=["webhook"])
    author: str = Field(description="who told it", examples=["insurer:sandbox"])
    comment: str | None = Field(description="of whoever typed it in", examples=[None])
    documents: list[str] = Field(description="ids of files", examples=[[]])
    evidence: dict[str, Any] | None = Field(
        description="what justifies a discretionary limit", examples=[None]
    )
    needs_review: bool
    reviewed_by: UUID | None
    recorded_at: datetime


class Evidence(Input):
    """What justifies a discretionary limit; it must be older than the delivery it covers."""

    kind: Literal["credit_report", "trading_history", "bank_reference", "other"]
    dated_on: date
    document_id: UUID | None = Field(None, description="a file")
    text: str | None = Field(None, max_length=4000, examples=["Paid 14 invoices within terms since 2024"])


class TrancheIn(Input):
    """Part of a grant with dates of its own."""

    kind: Literal["permanent", "temporary", "second"] = "permanent"
    amount: Amount = Field(ge=0)
    starts_on: date | None = Field(None, alias="from")
    ends_on: date | None = Field(None, alias="to", description="last day that counts")


class DecisionCreate(Input):
    """A decision as a person knows it."""

    status: Status = Field(examples=["partially_approved"])
    granted_amount: Amount | None = Field(None, ge=0)
    currency: Currency | None = Field(None, description="ISO 4217; the policy's when left out")
    insured_percent: Annotated[Decimal, Field(ge=0, le=100)] | None = Field(
        None, description="null: the policy's"
    )
    effective_from: date | None = Field(
        None, description="first day that counts; that of the decision when left out"
    )
    expires_at: date | None = Field(None, description="last day that counts")
    withdrawal_date: date | None = Field(None, description="first day without cover")
    decided_at: AwareDatetime | None = Field(None, description="now when left out")
    sequence: int = Field(0, ge=0, description="tells decisions of one instant apart")
    tranches: list[TrancheIn] = Field([], max_length=20)
    conditions: list[dict[str, Any]] = Field(
        [], max_length=100, examples=[[{"code": None, "text": "Terms of 60 days"}]]
    )
    reasons: list[dict[str, Any]] = Field(
        [], max_length=100, examples=[[{"code": "12", "text": "Adverse information"}]]
    )
    insurer_reference: str | None = Field(
        None, min_length=1, max_length=128, description="the insurer's id of the decision"
    )
    cover_reference: str | None = Field(
        None, min_length=1, max_length=128, description="the insurer's id of the cover"
    )
    comment: str | None = Field(None, max_length=4000, description="of whoever types it in")
    documents: list[UUID] = Field([], max_length=20, description="ids of files")
    evidence: Evidence | None = None


class GuaranteeCreate(DecisionCreate):
    """A first decision on a buyer: a manual insurer's, or a cover you set within the policy (dcl, non_named)."""

    policy_id: UUID
    company_id: UUID
    product: Product = "permanent"
    status: Status = Field("approved", examples=["approved"])


class Review(Input):
    """What a person found."""

    comment: str = Field(min_length=1, max_length=4000, examples=["The insurer confirms the lower amount"])
