"""What dunning takes and answers."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.money import AmountText

ActionState = Literal["proposed", "to_confirm", "due", "done", "skipped", "cancelled", "blocked"]
ActionKind = Literal["scenario", "specific_action", "out_of_scenario", "broken_promise", "reply"]
Channel = Literal["email", "letter", "call", "sms", "task"]
MailState = Literal["queued", "sending", "sent", "unknown", "failed", "bounced", "cancelled"]


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class RunCreate(Input):
    """A dunning run to start."""

    as_of: date | None = Field(
        None, description="today when left out; a later day needs dry_run", examples=["2026-03-31"]
    )
    dry_run: bool = Field(False, description="plan only: nothing is written, nothing leaves")
    customer_ids: list[UUID] | None = Field(None, max_length=10_000, description="only these customers")
    send_now: bool = Field(False, description="outside sending hours too; never above the frequency cap")


class RunCounts(BaseModel):
    """How many."""

    customers: int = Field(description="looked at so far")
    planned: int
    sent: int = Field(description="messages of this run that have left")
    to_confirm: int
    skipped: int
    blocked: int = Field(description="planned, but a person must mend something first")


class Skipped(BaseModel):
    """A customer for whom nothing was planned, and why."""

    customer_id: UUID
    code: str = Field(examples=["nothing_due"])


class Run(BaseModel):
    """A dunning run."""

    id: UUID
    as_of: date
    dry_run: bool
    send_now: bool
    status: Literal["queued", "planning", "sending", "succeeded", "failed"]
    counts: RunCounts
    skipped: list[Skipped] = Field(description="the first hundred")
    error: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


class PlannedAction(BaseModel):
    """What a run planned for a customer."""

    customer_id: UUID
    action_id: UUID | None = Field(description="null in a dry run")
    channel: Channel
    state: str = Field(description="due, to_confirm or blocked")
    due_on: date
    leader_item_id: UUID
    item_ids: list[UUID]
    net: dict[str, AmountText] = Field(description="by currency", examples=[{"EUR": "1234.56"}])
    reason: str | None = Field(description="what a person must mend, when blocked")


class Person(BaseModel):
    """Whom to write to or call."""

    name: str | None = Field(description="who")
    email: str | None = Field(description="an e-mail address")
    phone: str | None = Field(description="a phone number")


class Action(BaseModel):
    """Something to do for a customer, or done."""

    id: UUID
    customer_id: UUID
    customer_name: str = Field(examples=["Fonderie des Alpes"])
    kind: ActionKind = Field(
        description="a scenario's step, one that takes its items out of it, or one beside it"
    )
    channel: Channel
    mode: Literal["automatic", "to_confirm", "manual"]
    state: ActionState
    due_on: date
    leader_item_id: UUID | None
    items: list[UUID] = Field(description="what is claimed and the credits set against it, oldest first")
    amount: AmountText | None = Field(
        description="net; null when the items are in several currencies: see net"
    )
    currency: str | None = Field(description="of amount, ISO 4217")
    net: dict[str, AmountText] = Field(examples=[{"EUR": "1234.56"}])
    contact: Person | None
    reason: str | None = Field(description="what a person must mend, or why it was withdrawn")
    outcome: str | None = Field(description="what came of it")
    comment: str | None = Field(description="what to bear in mind")
    template_id: UUID | None
    scenario_id: UUID | None
    qualification_id: UUID | None
    promise_id: UUID | None
    assignee_user_id: UUID | None
    message_id: UUID | None
    done_on: date | None
    created_at: datetime
    updated_at: datetime


class Done(Input):
    """What came of it."""

    outcome: str | None = Field(None, max_length=500, examples=["Promised to pay on Friday"])


class Reschedule(Input):
    """Another day."""

    due_on: date


class Cancel(Input):
    """Why."""

    reason: str | None = Field(None, max_length=200, description="why it is withdrawn")


class Recipient(BaseModel):
    """An address."""

    name: str | None = Field(description="who")
    email: str = Field(description="an e-mail address")
