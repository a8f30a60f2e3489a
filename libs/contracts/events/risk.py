"""What risk tells: provider data, legal status, grades, assignments, monitorings, alerts."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from libs.contracts.events.state import State


class ProviderDataChanged(State):
    """A provider's field of a company got another value. Subject: the company."""

    provider: str
    fields: dict[str, Any]


class LegalStatusChanged(State):
    """A company entered or left collective proceedings. Subject: the company."""

    status: str
    kind: str | None
    judged_on: date | None
    published_on: date | None


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
    """Membership of a company in a provider's portfolio. Subject: the company."""

    provider: str
    state: Literal["adding", "member", "removing", "failed", "unknown"]


class AlertChanged(State):
    """An alert opened or closed. Subject: the alert."""

    kind: str
    company_id: UUID | None
    customer_id: UUID | None
    criticality: str
    state: Literal["open", "acknowledged", "closed"]
