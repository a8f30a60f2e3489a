"""What credit tells: limits, covers, guarantees, holds, clocks."""

from datetime import date
from typing import Literal
from uuid import UUID

from libs.contracts.events.state import State


class LimitChanged(State):
    """The credit limit of a company, minor units. Subject: the company.

    `amount` is what was approved together with what is on top of it today; `temporary_amount` is the part on top.
    """

    state: Literal["none", "pending", "approved", "not_validated", "expired", "blocked"]
    amount: int | None
    temporary_amount: int = 0
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
    status: str
    granted_amount: int | None
    currency: str
    effective_from: date | None


class ClockApproaching(State):
    """A cover clock is near its end. Subject: the clock."""

    company_id: UUID
    kind: str
    date: date
    days_left: int
