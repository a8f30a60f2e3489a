"""Members that several objects of dunning have in common."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,49}$")]
Comment = Annotated[str, StringConstraints(max_length=4000)]
CategoryName = Literal["ongoing", "promise", "dispute", "dispute_resolved", "litigation"]
ChannelName = Literal["email", "letter", "call", "sms", "task"]
ModeName = Literal["automatic", "to_confirm", "manual"]
ItemIds = Annotated[list[UUID], Field(min_length=1, max_length=1000)]
IfMatch = Annotated[str | None, Header(description="the ETag you read")]


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class Stamped(BaseModel):
    """What every object has."""

    id: UUID
    created_at: datetime
    updated_at: datetime


class NextScenarioAction(BaseModel):
    """What the scenario will do next, if nothing else happens."""

    due_on: date
    channel: ChannelName
    mode: ModeName
    step: int = Field(description="its place in the scenario, from 0")
    leader_item_id: UUID
    template_id: UUID | None
    blocked_by: str | None = Field(description="what a person must mend first", examples=["no_contact"])
