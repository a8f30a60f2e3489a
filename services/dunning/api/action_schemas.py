"""Actions planned by hand, and changed many at once."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.dunning.api.fields import ChannelName, Comment, Input, ItemIds, ModeName


class ActionCreate(Input):
    """An action beside the scenario."""

    kind: Literal["specific_action", "out_of_scenario"] = "specific_action"
    item_ids: ItemIds = Field(description="open items of one customer")
    channel: ChannelName
    due_on: date
    template_id: UUID | None = Field(None, description="of the message; a call or a task needs none")
    mode: ModeName | None = Field(
        None, description="automatic for messages, manual for calls and tasks when left out"
    )
    assignee: UUID | None = Field(
        None, description="user who does it; the customer's collector when left out"
    )
    comment: Comment | None = Field(None, description="what to bear in mind")


class Mass(Input):
    """Many actions and what to say of them."""

    action_ids: list[UUID] = Field(min_length=1, max_length=500)
    outcome: str | None = Field(
        None, max_length=500, description="of complete and skip", examples=["Left a message"]
    )
    reason: str | None = Field(None, max_length=200, description="of cancel")
    due_on: date | None = Field(None, description="of reschedule")


class Changed(BaseModel):
    """What came of one action."""

    id: UUID
    outcome: str = Field(description="changed, or the code of what stood in the way", examples=["changed"])
    state: str | None = Field(description="it is in now", examples=["done"])


class MassOutcome(BaseModel):
    """What came of each, by id."""

    data: list[Changed]
