"""What every state has in common, and what more than one service tells."""

from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field


class State(BaseModel):
    """The state of a subject after the fact."""

    model_config = ConfigDict(extra="forbid")


class AlertConditionChanged(State):
    """Something that should be looked at holds, or no longer does: risk opens the alert and closes it.

    Subject: the condition, `alert_condition_id(kind, customer_id or company_id)`. Told by credit and dunning to risk; outside
    the house it is seen as `alert.opened` and `alert.closed`.
    """

    kind: str = Field(max_length=60)
    company_id: UUID
    customer_id: UUID | None = Field(
        description="set: an alert of collection, one a customer; null: one a company"
    )
    criticality: Literal["information", "warning", "critical"]
    raised: bool
    since: date
    facts: dict[str, Any] = Field(description="evidence as people read it: amounts are decimal strings")


def alert_condition_id(kind: str, subject_id: UUID) -> UUID:
    """The condition of a kind on a customer or a company: the same whoever asks, so that it is told once."""
    return uuid5(subject_id, kind)
