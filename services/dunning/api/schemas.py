"""What dunning takes and answers."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.money import AmountText

ActionState = Literal["proposed", "to_confirm", "due", "done", "skipped", "cancelled", "blocked"]
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
    kind: Literal["scenario"]
    channel: Channel
    mode: Literal["automatic", "to_confirm", "manual"]
    state: ActionState
    due_on: date
    leader_item_id: UUID
    items: list[UUID] = Field(description="what is claimed and the credits set against it, oldest first")
    amount: AmountText | None = Field(
        description="net; null when the items are in several currencies: see net"
    )
    currency: str | None = Field(description="of amount, ISO 4217")
    net: dict[str, AmountText] = Field(examples=[{"EUR": "1234.56"}])
    contact: Person | None
    reason: str | None = Field(description="what a person must mend, or why it was withdrawn")
    outcome: str | None = Field(description="what came of it")
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


class Leader(BaseModel):
    """The item that drives the scenario."""

    item_id: UUID
    number: str = Field(description="as printed on the document")
    due_date: date
    days_late: int
    open_amount: AmountText
    currency: str = Field(description="ISO 4217")


class CustomerDunning(BaseModel):
    """Where a customer stands in its scenario, and why."""

    customer_id: UUID
    scenario_id: UUID
    scenario_version_id: UUID
    why: Literal["tenant_default"] = Field(description="how the scenario came to the customer")
    leader_item: Leader | None
    next_step: int | None = Field(description="place of the next step, from 0")
    next_channel: Channel | None
    next_due_on: date | None
    nothing_because: str | None = Field(examples=["nothing_open"])
    blocked_by: str | None = Field(description="what a person must mend before the next step")
    actions: list[Action] = Field(description="live ones")
    paused_until: date | None
    excluded_items: list[UUID]


class Recipient(BaseModel):
    """An address."""

    name: str | None = Field(description="who")
    email: str = Field(description="an e-mail address")


class Step(BaseModel):
    """One step of a scenario."""

    channel: Channel
    mode: Literal["automatic", "to_confirm", "manual"]
    template_id: UUID | None
    offset_days: int | None = Field(description="from the leader's due date")
    after_days: int | None = Field(description="since the step before")


class Scenario(BaseModel):
    """An ordered way of asking for money."""

    id: UUID
    name: str = Field(examples=["Standard"])
    is_default: bool
    version_id: UUID
    version: int
    steps: list[Step]
    cap_days: int = Field(description="at most one automatic message a customer in so many days")
    created_at: datetime
    updated_at: datetime
