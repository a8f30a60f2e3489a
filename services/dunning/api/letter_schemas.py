"""What is taken and answered about writing to customers."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.dunning.api.schemas import Channel, Input, MailState

#: A language tag of the fifteen, or any other a tenant writes in.
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$", examples=["pt-BR"])]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
MessageChannel = Literal["email", "letter", "sms"]
Purpose = Literal["reminder", "confirmation", "statement", "notice", "reply"]


class Text(Input):
    """The words of a template in one language."""

    subject: str = Field(max_length=500, examples=["{{ sender.name }}: {{ total }} overdue"])
    text: str = Field(min_length=1, max_length=50_000, examples=["Dear {{ contact.name }},\n\n{{ listing }}"])
    html: str | None = Field(
        None, max_length=50_000, description="without it an e-mail has its text part only"
    )


_EXAMPLE = {
    "en": {
        "subject": "{{ total }} overdue",
        "text": "Dear {{ contact.name }},\n\n{{ listing }}\n",
        "html": None,
    }
}
Texts = Annotated[dict[Language, Text], Field(min_length=1, max_length=40, examples=[_EXAMPLE])]


class TemplateCreate(Input):
    """A template of your own."""

    code: Code = Field(description="your key for it", examples=["polite_reminder"])
    name: str = Field(min_length=1, max_length=200, examples=["A polite reminder"])
    channel: Channel
    texts: Texts
    attach_statement: bool = Field(False, description="e-mails go with a statement of the items as PDF")


class TemplateUpdate(Input):
    """Members to change; `texts` is replaced as a whole and makes the next version."""

    name: str = Field(default_factory=str, min_length=1, max_length=200, examples=["A polite reminder"])
    texts: Texts = Field(default_factory=dict)
    attach_statement: bool = False
    archived: bool = Field(False, description="hidden from lists; scenarios that name it go on")


class Template(BaseModel):
    """Words for a message, by language."""

    id: UUID
    code: str = Field(examples=["first_reminder"])
    name: str = Field(examples=["First reminder"])
    channel: Channel
    languages: list[str] = Field(examples=[["en", "fr"]])
    texts: dict[str, Any] = Field(description="language → subject, text, html")
    attach_statement: bool
    number: int = Field(description="of this version, from 1")
    built_in: bool = Field(description="came with the product; yours to change")
    archived: bool
    created_at: datetime
    updated_at: datetime


class TemplateVersion(BaseModel):
    """The words as they once were."""

    number: int
    texts: dict[str, Any]
    attach_statement: bool
    created_by: str = Field(description="user, key or system")
    created_at: datetime


class Variable(BaseModel):
    """Something a template may name."""

    name: str = Field(examples=["leader.due_date"])
    type: Literal["text", "date", "number", "money", "list", "table"]
    description: str = Field(description="what it stands for")
    members: list[str] = Field(description="of each element, for a list")


class RenderRequest(Input):
    """Whom to render for, and what the message would speak of."""

    customer_id: UUID
    language: Language | None = Field(None, description="the contact's, then the customer's, when left out")
    item_ids: list[UUID] | None = Field(
        None, max_length=500, description="of the customer; all open ones when left out"
    )
    comment: str | None = Field(None, max_length=2000, description="shown where the template says comment")


class Rendered(BaseModel):
    """A message as it would read now."""

    channel: Channel
    language: str = Field(description="the words are in")
    subject: str = Field(description="the subject line")
    text: str = Field(description="the plain text part")
    html: str | None = Field(description="the HTML part")
    attachments: list[str] = Field(description="names of what would hang on it")


class Recipient(BaseModel):
    """Somebody written to."""

    name: str | None = Field(description="who")
    email: str | None = Field(description="an e-mail address")
    phone: str | None = Field(description="a phone number")
    address: list[str] | None = Field(description="a postal address, line by line")


class Message(BaseModel):
    """A message as archived."""

    id: UUID
    customer_id: UUID | None
    purpose: str = Field(examples=["reminder"])
    action_id: UUID | None = Field(description="the action it carries out; null for other messages")
    channel: MessageChannel
    state: MailState
    to: list[Recipient]
    cc: list[Recipient]
    sender: str = Field(description="address it comes from")
    reply_to: str | None = Field(description="where answers go")
    subject: str = Field(description="empty until it leaves: the words are chosen then")
    language: str | None = Field(description="the words are in; null until it leaves")
    items: list[UUID] = Field(description="the items it speaks of")
    header_message_id: str = Field(description="the Message-ID it bears")
    in_reply_to: str | None = Field(
        description="the Message-ID it answers to: the one before it in its thread"
    )
    not_before: datetime
    sent_at: datetime | None
    attempts: int
    error: str | None = Field(description="why it did not leave, did not arrive, or may not have")
    created_at: datetime
    updated_at: datetime


class AttachmentInfo(BaseModel):
    """A document that goes with a message."""

    position: int
    filename: str = Field(examples=["statement-C1-2026-03-02.pdf"])
    content_type: str = Field(examples=["application/pdf"])
    size: int = Field(description="bytes")
    sha256: str = Field(description="of its content, in hex")


class MessageContent(BaseModel):
    """The words of a message."""

    id: UUID
    subject: str = Field(description="the subject line")
    text: str = Field(description="the plain text part")
    html: str | None = Field(description="the HTML part")
    attachments: list[AttachmentInfo]


class BlockedAddressCreate(Input):
    """An address to write to no more."""

    kind: Literal["email", "phone"]
    address: str = Field(min_length=3, max_length=254, examples=["gone@example.com"])
    reason: Literal["complaint", "no_contact", "wrong_person", "manual"] = "manual"
    comment: str | None = Field(None, max_length=500, description="why")


class BlockedAddress(BaseModel):
    """An address nobody writes to."""

    id: UUID
    kind: Literal["email", "phone"]
    address: str = Field(description="in lower case")
    reason: Literal["bounced", "complaint", "no_contact", "wrong_person", "manual"]
    comment: str | None = Field(description="why")
    message_id: UUID | None = Field(description="the message that bounced")
    created_at: datetime
    updated_at: datetime
