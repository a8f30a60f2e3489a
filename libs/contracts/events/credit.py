"""What credit tells: limits, covers, guarantees, holds, clocks."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.events.state import State


class LimitChanged(State):
    """The credit limit of a company, minor units. Subject: the company.

    `amount` is what was approved together with what is on top of it today; `temporary_amount` is the part on top.
    """

    state: Literal["none", "pending", "approved", "not_validated", "expired", "blocked"]
    amount: int | None
    temporary_amount: int
    currency: str | None
    valid_from: date | None
    valid_until: date | None
    pending_request_id: UUID | None


class LimitRequestChanged(State):
    """A request for a limit moved. Subject: the request."""

    company_id: UUID
    amount: int
    currency: str
    state: Literal["pending", "approved", "rejected", "cancelled", "expired"]
    requested_by: UUID
    reason: str | None


class CoverChanged(State):
    """An insurer's cover of a company, minor units. Subject: the cover."""

    company_id: UUID
    policy_id: UUID
    layer: str
    amount: int
    currency: str
    percent: str | None
    effective_from: date
    expires_at: date | None


class OtherGuaranteeChanged(State):
    """A bank guarantee, deposit … Subject: the guarantee."""

    company_id: UUID
    kind: str
    amount: int
    currency: str
    valid_from: date
    valid_to: date | None


class HoldChanged(State):
    """Deliveries to a company are held or released. Subject: the company."""

    held: bool
    reason: str | None


class GuaranteeDecided(State):
    """An insurer decided. Subject: the decision."""

    company_id: UUID
    policy_id: UUID
    cover_id: UUID | None
    product: str
    status: str
    granted_amount: int | None
    currency: str
    effective_from: date | None
    expires_at: date | None
    decided_at: datetime


class ClockApproaching(State):
    """A cover clock is near its end. Subject: the clock. Without a company: the turnover declaration of a policy."""

    company_id: UUID | None
    policy_id: UUID | None
    kind: str
    date: date
    days_left: int
    item_id: UUID | None
    amount: int | None
    currency: str | None
    state: str


class GuaranteeRequestChanged(State):
    """A request for a guarantee moved. Subject: the request."""

    policy_id: UUID
    company_id: UUID
    product: str
    request_type: str
    amount: int
    temporary_amount: int | None
    currency: str
    state: str
    valid_from: date | None
    valid_to: date | None
    decision_id: UUID | None


class InsurerGradeChanged(State):
    """An insurer graded a company. Subject: the grade, `uuid5(policy_id, str(company_id))`: one a policy and company."""

    company_id: UUID
    insurer: str
    policy_id: UUID
    grade: str | None
    scale: dict[str, Any] | None = Field(
        description="min, max and better: high or low", examples=[{"min": 1, "max": 10, "better": "low"}]
    )
    graded_on: date | None
