"""What credit takes and answers."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText
from services.credit.api.fields import Currency, Input
from services.credit.domain.policy import ApprovalPolicy


class LimitRequestCreate(Input):
    """A limit asked for a company."""

    company_id: UUID
    amount: Amount = Field(description="not negative; zero allows nothing")
    currency: str = Currency
    valid_from: date | None = Field(None, description="first day of a temporary limit; today when left out")
    valid_until: date | None = Field(
        None, description="last day that counts; the policy's default when left out"
    )
    temporary: bool = Field(False, description="on top of the limit in force, until valid_until")
    reason: str | None = Field(None, max_length=2000, examples=["Orders for the spring season"])
    documents: list[UUID] = Field([], max_length=20, description="ids of files")


class Comment(Input):
    """Words under a decision."""

    comment: str | None = Field(None, max_length=2000, examples=["Pays within terms since 2019"])


class Amendment(Input):
    """Another amount; the decisions taken so far are void."""

    amount: Amount
    reason: str | None = Field(None, max_length=2000, description="replaces the reason given before")
    documents: list[UUID] | None = Field(
        None, max_length=20, description="ids of files; replace those given before"
    )


class Unconverted(BaseModel):
    """An amount without an exchange rate: in no total."""

    currency: str = Field(description="without a rate, ISO 4217")
    outstanding: AmountText


class Exposure(BaseModel):
    """What a company owes, in one currency."""

    currency: str = Field(examples=["EUR"])
    outstanding: AmountText
    order_book: AmountText
    used_percent: str | None = Field(description="of the limit in force; null without one", examples=["72.4"])
    exceeded_by: AmountText
    rate_date: date | None = Field(description="day of the oldest rate used; null when none was needed")
    unconverted: list[Unconverted]


class RouteStep(BaseModel):
    """One decision a request needs. No user_ids: anybody with the scope credit:approve."""

    level: str = Field(examples=["approvers"])
    user_ids: list[UUID]
    decision: Literal["approved", "rejected", "expired"] | None = Field(
        description="expired: nobody decided in time, the request went to the next level"
    )
    by: UUID | None
    on_behalf_of: UUID | None = Field(description="whom the person stood in for")
    at: datetime | None
    comment: str | None = Field(description="words under the decision")


class GuaranteeConsidered(BaseModel):
    """A guarantee that was looked at, and what of it counts."""

    source: Literal["cover", "other_guarantee"]
    id: UUID
    layer: str = Field(examples=["permanent"])
    amount: AmountText
    currency: str = Field(description="of amount, ISO 4217", examples=["EUR"])
    valid_from: date
    valid_to: date | None = Field(description="last day that counts")
    counted_amount: AmountText = Field(description="in the request's currency")
    standing: Literal["counted", "not_yet_in_force", "ends_too_early", "no_evidence", "rate_missing"]


class TemporaryLimit(BaseModel):
    """What comes on top of a limit between two days."""

    id: UUID
    amount: AmountText
    currency: str = Field(description="ISO 4217", examples=["EUR"])
    valid_from: date
    valid_until: date = Field(description="last day that counts")
    request_id: UUID


class KeptProposal(BaseModel):
    """What a method proposed when a request was made; `policy` is what the tenant's policy made of them."""

    method: Literal["need", "afdcc", "capacity", "provider", "history", "policy"]
    value: AmountText | None
    currency: str = Field(description="of value, ISO 4217", examples=["EUR"])
    missing: list[str] = Field(description="facts the method lacked", examples=[["equity"]])


class LimitRequest(BaseModel):
    """A request and how it stands."""

    id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    valid_from: date | None = Field(description="first day of a temporary limit")
    valid_until: date | None
    temporary: bool
    reason: str | None = Field(description="why the limit is needed")
    documents: list[UUID]
    state: Literal["pending", "approved", "rejected", "cancelled", "expired"]
    requested_by: UUID
    previous_amount: AmountText | None
    unsecured_amount: AmountText = Field(description="limit less guarantees")
    guarantees_considered: list[GuaranteeConsidered]
    exposure_at_request: Exposure
    proposals: list[KeptProposal] = Field(description="as they stood when it was asked")
    route: list[RouteStep]
    expires_at: datetime | None
    decided_at: datetime | None
    can_decide: bool = Field(description="whether the caller may decide now")
    created_at: datetime
    updated_at: datetime


class Hold(BaseModel):
    """Why deliveries are on hold."""

    reason: str = Field(examples=["Cheque returned unpaid"])
    until: date | None = Field(description="last day of the hold; null until somebody lifts it")
    by: UUID | None
    at: datetime


class CreditLimit(BaseModel):
    """The limit of a company on the tenant's today."""

    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    state: Literal["none", "pending", "approved", "not_validated", "expired", "blocked"]
    color: Literal["red", "orange", "green"]
    amount: AmountText | None = Field(description="as last approved; null where none ever was")
    currency: str | None = Field(description="of amount, ISO 4217")
    valid_from: date | None
    valid_until: date | None = Field(description="last day that counts")
    temporary: list[TemporaryLimit] = Field(description="what is, or will be, on top of it")
    allowed_amount: AmountText | None = Field(
        description="what may be owed today: the limit and what is on top of it; zero on hold, null without one"
    )
    request_id: UUID | None = Field(description="the request that waits, else the one that was approved")
    needs_review: bool
    exposure: Exposure
    used_percent: str | None = Field(examples=["72.4"])
    exceeded_by: AmountText
    reason: str | None = Field(description="of the hold, else as given with the request that was approved")
    hold: Hold | None = Field(description="null: deliveries are not on hold")
    unvalidated_since: date | None = Field(description="a guarantee fell below what was approved")
    updated_at: datetime | None


class LimitEvent(BaseModel):
    """Something that happened to a limit."""

    id: UUID
    event: str = Field(examples=["approved"])
    state: str = Field(examples=["approved"])
    amount: AmountText | None
    currency: str | None = Field(description="of amount, ISO 4217")
    valid_from: date | None
    valid_until: date | None
    request_id: UUID | None
    user_id: UUID | None
    comment: str | None = Field(description="words under the decision")
    recorded_at: datetime


class Policy(ApprovalPolicy):
    """The policy in force."""

    updated_at: datetime | None = Field(description="null: the default policy")
