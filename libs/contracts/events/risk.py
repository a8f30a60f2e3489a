"""What risk tells: provider data, legal status, grades, assignments, monitorings, alerts."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.events.state import State


class ProviderDataChanged(State):
    """What providers say of a company, a value a field as the conflict policy chose it. Subject: the company.

    `fields`: name → {state: known | no_data | not_supplied | error, value, currency, normalised (0–100, 100 best), scale,
    provider, as_of}. Money values are decimal strings of the `currency` beside them.
    """

    provider: str | None = Field(description="who tells the score, else the first by priority")
    fields: dict[str, Any]


class LegalStatusChanged(State):
    """A company entered or left collective proceedings. Subject: the company.

    `status`: none, conciliation, safeguard, receivership, liquidation, closed_insolvency, ceased, other_proceeding, unknown.
    """

    status: str
    kind: str | None = Field(description="of the notice that decided it")
    judged_on: date | None
    published_on: date | None
    provider: str | None = Field(description="who says so")


class GradeChanged(State):
    """The internal grade of a company. Subject: the company."""

    grade: str | None
    points: str | None


class AssignmentChanged(State):
    """Who or what looks after a customer. Subject: the customer."""

    kind: str
    value: str | None
    manual: bool
    rule_id: UUID | None


class MonitoringChanged(State):
    """Membership of a company in a provider's portfolio. Subject: the monitoring."""

    company_id: UUID
    provider_connection_id: UUID
    provider: str
    state: Literal["adding", "member", "removing", "failed", "unknown", "absent"]


class AlertChanged(State):
    """An alert opened or closed. Subject: the alert."""

    kind: str
    company_id: UUID | None
    customer_id: UUID | None
    criticality: str
    state: Literal["open", "acknowledged", "closed"]
