"""Replies: what customers answered, what it may mean, and what a person made of it."""

from datetime import date as Day  # noqa: N812 - a member is called date
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import CategoryName, Code, Comment, IfMatch, Input, Kind
from services.dunning.api.letter_schemas import AttachmentInfo
from services.dunning.storage import replies
from services.dunning.storage.actions import decoded
from services.dunning.usecases import hear
from services.dunning.usecases.qualify import Answer

router = Router("Replies")
Id = Annotated[UUID, Path(description="the reply's id")]
State = Literal["open", "accepted", "dismissed", "settled"]
ProposalKind = Literal[
    "promise", "already_paid", "dispute", "wrong_person", "out_of_office", "document_request", "other"
]


class ReplyProposal(BaseModel):
    """What a reply may mean. A person decides."""

    kind: ProposalKind
    because: str = Field(description="the words it rests on", examples=["we will pay"])
    on: Day | None = Field(description="the day a payment is announced for, or was made on")
    category: CategoryName | None = Field(
        description="of the status it stands for; the built-in status has the same code"
    )


class Reply(BaseModel):
    """An answer of a customer."""

    id: UUID
    source: Literal["webhook", "imap", "page"]
    kind: Literal["reply", "automatic", "bounce"]
    state: State
    customer_id: UUID | None = Field(description="null when nobody known writes from there")
    message_id: UUID | None = Field(description="the message it answers to")
    threaded_by: str | None = Field(
        description="message_id, plus_address, sender_address or page", examples=["message_id"]
    )
    sender_email: str = Field(examples=["compta@example.com"])
    sender_name: str = Field(description="as it signs")
    subject: str = Field(description="the subject line")
    text: str = Field(description="what is new in it, without what is quoted")
    proposals: list[ReplyProposal]
    items: list[UUID] = Field(description="the open items it names, else those of the message it answers to")
    decision: dict[str, Any] | None
    decided_by: UUID | None
    decided_at: datetime | None
    qualification_id: UUID | None
    received_at: datetime
    created_at: datetime
    updated_at: datetime


class ReplyDetail(Reply):
    """An answer with what came with it."""

    attachments: list[AttachmentInfo]


class ReplyAccept(Input):
    """What it means; members left out are taken from the first proposal and the reply itself."""

    status_code: Code | None = Field(None, description="of GET /v1/statuses", examples=["promise"])
    date: Day | None = Field(None, description="promised for, disputed on …")
    item_ids: list[UUID] | None = Field(None, min_length=1, max_length=1000)
    follow_up_on: Day | None = None
    amount: Amount | None = Field(None, description="when only part of the items is meant")
    comment: Comment | None = Field(None, description="the words of the reply when left out")
    dispute_kind: Kind | None = Field(None, description="what is disputed", examples=["price"])
    resolution_owner_id: UUID | None = None


class ReplyDismiss(Input):
    """Why nothing follows."""

    reason: str | None = Field(None, max_length=500, description="for whoever asks later")


@router.get(
    "/replies", response_model=Page[Reply], summary="List replies", openapi_extra=scope("dunning:read")
)
async def list_replies(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or several states")] = None,
    customer_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Replies of customers in the caller's perimeter, newest first; `state=open` are those a person has to look at."""
    perimeter = ctx.caller.perimeter
    rows = await replies.replies(ctx.tx, perimeter, state, customer_id, updated_since, cursor, limit)
    return reply(page(rows, limit, _reply))


@router.get(
    "/replies/{reply_id}",
    response_model=ReplyDetail,
    summary="Show a reply",
    openapi_extra=scope("dunning:read"),
)
async def get_reply(ctx: Ctx, reply_id: Id) -> Response:
    """One reply with what it may mean."""
    row = await _one(ctx, reply_id)
    attachments = [dict(one) for one in await replies.attachments(ctx.tx, reply_id)]
    return reply({**_reply(row), "attachments": attachments}, headers={"ETag": etag(row["version"])})


@router.get(
    "/replies/{reply_id}/attachments/{position}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
    summary="Download a reply's file",
    openapi_extra=scope("dunning:read"),
)
async def get_reply_attachment(
    ctx: Ctx, reply_id: Id, position: Annotated[int, Path(ge=0, le=99, description="from 0")]
) -> Response:
    """A file that came with it, as a download: a stranger sent it."""
    await _one(ctx, reply_id)
    row = await replies.attachment(ctx.tx, reply_id, position)
    if row is None:
        raise not_found("attachment", position)
    name = quote(row["filename"], safe="")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(row["content"], media_type="application/octet-stream", headers=headers)


@router.post(
    "/replies/{reply_id}/accept",
    response_model=Reply,
    summary="Accept what a reply means",
    openapi_extra=scope("dunning:write"),
)
async def accept_reply(ctx: Ctx, reply_id: Id, body: ReplyAccept, if_match: IfMatch = None) -> Response:
    """Qualify its items as proposed, or as the body says. 422 when neither says a status or an item."""
    row = await _one(ctx, reply_id, lock=True)
    require_match(if_match, row["version"])
    answer = _answer(row, body)
    changed = await hear.accept(ctx.tx, row, answer, ctx.caller.perimeter, ctx.caller.user_id)
    return reply(_reply(changed), headers={"ETag": etag(changed["version"])})


@router.post(
    "/replies/{reply_id}/dismiss",
    response_model=Reply,
    summary="Dismiss a reply",
    openapi_extra=scope("dunning:write"),
)
async def dismiss_reply(ctx: Ctx, reply_id: Id, body: ReplyDismiss, if_match: IfMatch = None) -> Response:
    """It was read, and nothing follows for the items."""
    row = await _one(ctx, reply_id, lock=True)
    require_match(if_match, row["version"])
    changed = await hear.dismiss(ctx.tx, row, body.reason, ctx.caller.user_id)
    return reply(_reply(changed), headers={"ETag": etag(changed["version"])})


def _answer(row: Row, body: ReplyAccept) -> Answer:
    proposal = next((one for one in decoded(row, "proposals") if one["category"]), None)
    code = body.status_code or (proposal["category"] if proposal else None)
    if code is None:
        raise invalid("/status_code", "missing", "expected a status: the reply proposes none")
    items = body.item_ids or row["item_ids"]
    if not items:
        raise invalid("/item_ids", "missing", "expected items: the reply names none")
    proposed = proposal if proposal and proposal["category"] == code else None
    day = body.date
    if day is None and proposed and proposed["on"] and code == "promise":
        day = Day.fromisoformat(proposed["on"])
    return Answer(
        item_ids=items,
        status_code=code,
        day=day,
        follow_up_on=body.follow_up_on,
        amount=body.amount,
        comment=body.comment or row["text"][:4000] or None,
        resolution_owner_id=body.resolution_owner_id,
        dispute_kind=body.dispute_kind,
    )


async def _one(ctx: Ctx, reply_id: UUID, *, lock: bool = False) -> Row:
    row = await replies.reply(ctx.tx, reply_id, ctx.caller.perimeter, lock=lock)
    if row is None:
        raise not_found("reply", reply_id)
    return row


def _reply(row: Row) -> dict[str, Any]:
    names = (
        "id", "source", "kind", "state", "customer_id", "threaded_by", "sender_email", "sender_name", "subject", "text",
        "decided_by", "decided_at", "qualification_id", "received_at", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "message_id": row["mail_id"],
        "items": row["item_ids"],
        "proposals": raw(row["proposals"]),
        "decision": raw(row["decision"]) if row["decision"] else None,
    }
