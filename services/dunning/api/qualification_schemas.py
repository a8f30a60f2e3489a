"""What a qualification, its preview and its history look like."""

from datetime import date as Day  # noqa: N812 - a member is called date
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from libs.contracts.money import Amount, AmountText
from services.dunning.api.fields import (
    CategoryName,
    ChannelName,
    Code,
    Comment,
    Input,
    ItemIds,
    Kind,
    ModeName,
    NextScenarioAction,
)


class LetScenarioRun(Input):
    """Let the scenario decide."""

    kind: Literal["scenario"]


class SpecificAction(Input):
    """Take the items out of the scenario until this is finished."""

    kind: Literal["specific_action"]
    template_id: UUID | None = Field(
        None, description="of the message; its channel is taken when none is named"
    )
    channel: ChannelName | None = Field(None, description="how the customer is approached")
    due_on: Day | None = Field(None, description="the follow-up date when left out")
    assignee: UUID | None = Field(
        None, description="user who does it; the customer's collector when left out"
    )
    mode: ModeName | None = Field(None, description="automatic for messages when left out")


class Confirmation(Input):
    """A message that confirms it, to the customer's contacts or to users; the usual contact when nobody is named."""

    contact_ids: list[UUID] = Field([], max_length=20, description="of the customer: the preview lists them")
    user_ids: list[UUID] = Field([], max_length=20, description="people inside the house")
    cc: list[Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]] = Field(
        [], max_length=20, description="addresses that get a copy", examples=[["sales@example.com"]]
    )
    template_id: UUID | None = Field(None, description="the usual words for the status when left out")
    subject: str | None = Field(
        None, min_length=1, max_length=300, description="with body: words of your own"
    )
    body: str | None = Field(
        None, min_length=1, max_length=20_000, description="with subject: words of your own, plain text"
    )
    attach_statement: bool = Field(False, description="with words of your own; a template says so itself")

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.subject is None) != (self.body is None):
            raise ValueError("subject and body go together")
        return self


class Qualification(Input):
    """What a customer answered about some of its items."""

    item_ids: ItemIds = Field(description="of one customer")
    status_code: Code = Field(examples=["promise"])
    date: Annotated[
        Day | None, Field(description="of a promise the day promised (required), else of the answer; today")
    ] = None
    follow_up_on: Annotated[
        Day | None, Field(description="when to come back; else the day promised, else the status's delay")
    ] = None
    amount: Amount | None = Field(None, description="the part of the items it is about; all when left out")
    comment: Comment | None = Field(
        None, description="what the customer said", examples=["Cheque sent on Friday"]
    )
    resolution_owner_id: UUID | None = Field(None, description="user in charge of resolving it")
    dispute_kind: Kind | None = Field(
        None, description="of the dispute it opens; the status's own when left out"
    )
    promise_channel: ChannelName | None = Field(None, description="how a promise was made")
    confirmation: Confirmation | None = Field(None, description="nothing is sent when left out")
    next: Annotated[LetScenarioRun | SpecificAction, Field(discriminator="kind")] | None = Field(
        None, description="what follows; what the status sets off when left out"
    )


class ItemOutcome(BaseModel):
    """What came of one item."""

    id: UUID
    outcome: Literal["qualified", "closed", "not_found"]


class Qualified(BaseModel):
    """What a qualification came to."""

    id: UUID
    customer_id: UUID
    status_code: str = Field(examples=["promise"])
    category: CategoryName
    date: Day
    follow_up_on: Day
    items: list[ItemOutcome]
    message_id: UUID | None = Field(description="the confirmation's")
    action_id: UUID | None = Field(description="the specific action's")
    promise_id: UUID | None
    dispute_id: UUID | None
    next_scenario_action: NextScenarioAction | None


class ContactOut(BaseModel):
    """Somebody at the customer's who could be written to."""

    id: UUID
    name: str = Field(description="who", examples=["Mme Petit"])
    email: str | None = Field(description="an e-mail address")
    role: str = Field(examples=["accounting"])
    blocked: bool = Field(description="must not be written to")


class ConfirmationPreview(BaseModel):
    """The confirmation as it would leave."""

    to: list[str] = Field(description="addresses", examples=[["compta@example.com"]])
    cc: list[str] = Field(description="addresses", examples=[[]])
    language: str = Field(description="of its words", examples=["fr"])
    subject: str = Field(description="the subject line")
    text: str = Field(description="the plain text part")
    html: str | None = Field(description="the HTML part")
    attachments: list[str] = Field(description="names of files", examples=[["statement.pdf"]])


class Preview(BaseModel):
    """What a qualification would come to; nothing is written."""

    customer_id: UUID
    status_code: str = Field(examples=["promise"])
    status_label: str = Field(description="in the customer's language", examples=["Promesse de règlement"])
    category: CategoryName
    date: Day
    follow_up_on: Day
    items: list[ItemOutcome]
    amounts: dict[str, AmountText] = Field(
        description="open on the items, by currency", examples=[{"EUR": "1234.56"}]
    )
    contacts: list[ContactOut]
    confirmation: ConfirmationPreview | None = Field(description="null when none was asked for")


class PastQualification(BaseModel):
    """One qualification of an item."""

    id: UUID
    status_code: str = Field(examples=["promise"])
    category: CategoryName
    date: Day
    follow_up_on: Day
    comment: str | None = Field(description="what the customer said")
    resolution_owner_id: UUID | None
    amount: AmountText | None
    open_amount: AmountText
    currency: str = Field(examples=["EUR"])
    next_kind: Literal["scenario", "specific_action"]
    message_id: UUID | None
    action_id: UUID | None
    promise_id: UUID | None
    dispute_id: UUID | None
    qualified_on: Day
    qualified_by: str = Field(description="user or key", examples=["user:0199…"])
    created_at: datetime
    updated_at: datetime


class OwnerPatch(Input):
    """Who resolves an item."""

    resolution_owner_id: UUID | None = Field(description="a user; null: nobody")


class Situation(BaseModel):
    """Where an item stands."""

    item_id: UUID
    customer_id: UUID
    status_code: str | None = Field(examples=["promise"])
    category: CategoryName | None
    date: Day | None
    follow_up_on: Day | None
    amount: AmountText | None
    comment: str | None = Field(description="the last one")
    resolution_owner_id: UUID | None
    excluded_by: str | None = Field(description="what holds it out of the scenario", examples=["dispute"])
    excluded_until: Day | None
    updated_at: datetime | None = Field(description="null when nobody ever spoke about it")
