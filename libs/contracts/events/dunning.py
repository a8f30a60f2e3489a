"""What dunning tells: qualifications, promises, disputes, pauses, actions, messages."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from libs.contracts.events.state import State


class QualificationChanged(State):
    """An item got a status, or another resolution owner. Subject: the item."""

    status_code: str | None
    category: str | None
    follow_up_on: date | None
    resolution_owner_id: UUID | None
    comment: str | None
    excluded_by: str | None = (
        None  # what keeps the item out of its scenario: specific_action, dispute, promise …
    )


class PromiseChanged(State):
    """A promise to pay, minor units. Subject: the promise."""

    customer_id: UUID
    item_ids: list[UUID]
    amount: int
    currency: str
    promised_on: date
    state: Literal["open", "kept", "partly", "broken", "cancelled"]


class DisputeChanged(State):
    """A dispute. Subject: the dispute."""

    customer_id: UUID
    item_ids: list[UUID]
    kind: str
    state: Literal["open", "resolved"]


class PauseChanged(State):
    """A pause of collection. Subject: the customer."""

    paused_until: date | None
    reason: str | None


class ActionChanged(State):
    """An action of the agenda. Subject: the action."""

    customer_id: UUID
    kind: str
    channel: str
    state: Literal["proposed", "to_confirm", "due", "done", "skipped", "cancelled", "blocked"]
    due_on: date
    leader_item_id: UUID | None
    item_ids: list[UUID]


class ScenarioAssignmentChanged(State):
    """Which scenario a customer follows by somebody's decision; null: the tenant's default. Subject: the customer."""

    scenario_id: UUID | None
    manual: bool
    assigned_by: str


class MessageSent(State):
    """A message left the house. Subject: the message."""

    customer_id: UUID
    channel: str
    subject: str
    to: list[str]
    item_ids: list[UUID]
    sent_at: datetime
