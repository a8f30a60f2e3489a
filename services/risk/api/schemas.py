"""What risk answers."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from libs.contracts.money import AmountText

LimitState = Literal["none", "pending", "approved", "not_validated", "expired", "blocked"]


class CompanyName(BaseModel):
    """Which company a row is about."""

    id: UUID
    name: str = Field(examples=["Fonderie des Alpes"])
    registration_number: str | None = Field(examples=["732829320"])
    country: str | None = Field(examples=["FR"])
    segment: str | None = Field(description="of its customers, where they agree", examples=["Industry"])
    group_id: UUID


class Unconverted(BaseModel):
    """An amount without an exchange rate: in no other figure."""

    currency: str = Field(examples=["USD"])
    amount: AmountText


class Guarantees(BaseModel):
    """Cover in force by layer, in the reporting currency; null where none was ever told of."""

    permanent: AmountText | None
    temporary: AmountText | None
    topup: AmountText | None
    discretionary: AmountText | None
    non_named: AmountText | None


class NextClock(BaseModel):
    """The cover clock that ends first."""

    kind: str = Field(description="which clock")
    date: date
    item_id: UUID | None


class RiskRow(BaseModel):
    """A company's risk in the reporting currency. A provider's column is null unless it is known: GET
    /v1/companies/{id}/risk says of every field why."""

    company: CompanyName
    currency: str = Field(examples=["EUR"])
    outstanding: AmountText
    not_due: AmountText
    overdue: AmountText
    credits: AmountText = Field(description="open credit notes and unallocated payments, never positive")
    order_book: AmountText
    limit: AmountText | None = Field(
        description="in the reporting currency; null where none was approved, or without a rate"
    )
    limit_state: LimitState
    limit_valid_until: date | None
    limit_used_percent: str | None = Field(examples=["72.4"])
    overrun: AmountText | None = Field(
        description="outstanding above the limit in force; null where no limit is in force"
    )
    pending_request_id: UUID | None
    guarantees: Guarantees
    cover_expires_at: date | None
    conditions: str | None = Field(description="of the insurer")
    other_guarantees: AmountText | None
    real_risk: AmountText = Field(description="outstanding less guarantees; signed")
    potential_risk: AmountText = Field(description="real risk plus the order book; signed")
    uncovered: AmountText = Field(description="the positive part of real_risk")
    spare_cover: AmountText = Field(description="the negative part of real_risk, shown positive")
    provider_data: Literal["not_connected", "not_monitored", "awaited", "known"] = Field(
        description="why the provider's columns are null, or not; awaited: watched, and not read yet"
    )
    score: str | None = Field(description="as the provider scales it", examples=["14"])
    score_scale: str | None = Field(description="what the score runs from and to", examples=["0-20"])
    score_normalised: str | None = Field(description="0 to 100, 100 best", examples=["70.00"])
    trend: Literal["up", "stable", "down", "unknown"] | None
    by_provider: dict[str, Any] = Field(
        description="what each source says of the main fields, by provider",
        examples=[
            {"altares": {"product": "score", "as_of": "2026-03-30", "fields": {"score": {"value": "14"}}}}
        ],
    )
    paydex: int | None = Field(examples=[72])
    privileges_amount: AmountText | None
    privileges_count: int | None
    legal_status: str | None = Field(
        description="whether under collective proceedings; null while nobody could tell", examples=["none"]
    )
    turnover: AmountText | None
    activity: str | None = Field(description="code of the sector", examples=["2451Z"])
    portal_url: str | None = Field(description="the company at its provider", examples=[None])
    recommended_credit: AmountText | None
    recommended_minus_outstanding: AmountText | None = Field(
        description="negative: more is owed than is advised"
    )
    recommended_minus_limit: AmountText | None = Field(description="null where no limit is in force")
    insurer_grade: str | None = Field(description="the insurer's own grade")
    grade: str | None = Field(description="internal grade")
    payer_class: str | None = Field(examples=["good"])
    next_clock: NextClock | None
    next_review_on: date | None
    open_alerts: int
    critical: bool = Field(description="a critical alert is open")
    stale: bool = Field(
        description="a provider has not confirmed its data for longer than its connection allows"
    )
    as_of_position: int = Field(description="position of the ledger's feed the figures go up to")
    rate_date: date | None = Field(description="day of the oldest exchange rate used")
    unconverted: list[Unconverted]
    updated_at: datetime


class RiskTotals(BaseModel):
    """Sums over every company the filters keep, whatever the page.

    What is owed is summed by currency and then converted, as in the ledger's reports. `uncovered` is the sum of the rows'
    uncovered: one company's spare cover never pays another's gap.
    """

    companies: int
    currency: str = Field(description="of every amount, ISO 4217")
    outstanding: AmountText
    not_due: AmountText
    overdue: AmountText
    credits: AmountText
    order_book: AmountText
    limit: AmountText
    overrun: AmountText
    guarantees: Guarantees
    other_guarantees: AmountText
    recommended_credit: AmountText
    real_risk: AmountText
    potential_risk: AmountText
    uncovered: AmountText
    spare_cover: AmountText
    unconverted: list[Unconverted]


class RiskReport(BaseModel):
    """The risk report."""

    as_of: date
    currency: str = Field(examples=["EUR"])
    as_of_position: int = Field(description="position of the ledger's feed the figures go up to")
    data: list[RiskRow]
    totals: RiskTotals
    next_cursor: str | None = Field(description="pass as `cursor` to read on; null on the last page")


class Alert(BaseModel):
    """Something that should be looked at."""

    id: UUID
    kind: str = Field(examples=["limit_exceeded"])
    type: Literal["collection", "risk"]
    company_id: UUID | None
    customer_id: UUID | None
    criticality: Literal["information", "warning", "critical"]
    state: Literal["open", "acknowledged", "closed"]
    evidence: dict[str, Any] = Field(
        examples=[{"currency": "EUR", "outstanding": "12000.00", "limit_amount": "10000.00"}]
    )
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
