"""The archive of messages, with what became of them."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Path, Query, Response

from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.pdf import PDF
from libs.kit.problems import Problem, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.letter_schemas import Message, MessageChannel, MessageContent
from services.dunning.api.schemas import MailState
from services.dunning.storage import letter_lists, lists
from services.dunning.storage.actions import decoded

messages = Router("Messages")
MessageId = Annotated[UUID, Path(description="the message's id")]


@messages.get(
    "/messages", response_model=Page[Message], summary="List messages", openapi_extra=scope("dunning:read")
)
async def list_messages(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[MailState] | None, Query(description="one or several states")] = None,
    channel: Annotated[list[MessageChannel] | None, Query(description="one or several channels")] = None,
    purpose: Annotated[str | None, Query(max_length=40, description="reminder, confirmation …")] = None,
    customer_id: UUID | None = None,
    item_id: Annotated[UUID | None, Query(description="that speak of this item")] = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Messages to customers in the caller's perimeter, newest first, with what became of them."""
    wanted = lists.MessageFilter(
        ctx.caller.perimeter,
        state,
        customer_id,
        updated_since,
        channels=channel,
        purpose=purpose,
        item_id=item_id,
    )
    rows = await lists.messages(ctx.tx, wanted, cursor, limit)
    return reply(page(rows, limit, _message))


@messages.get(
    "/messages/{message_id}",
    response_model=Message,
    summary="Show a message",
    openapi_extra=scope("dunning:read"),
)
async def get_message(ctx: Ctx, message_id: MessageId) -> Response:
    """A message and what became of it."""
    row = await _one(ctx, message_id)
    return reply(_message(row), headers={"ETag": etag(row["version"])})


@messages.get(
    "/messages/{message_id}/content",
    response_model=MessageContent,
    summary="Show a message's words",
    openapi_extra=scope("dunning:read"),
)
async def get_message_content(ctx: Ctx, message_id: MessageId) -> Response:
    """The words as they left, and what hung on them. Before it leaves there are none: 409 `not_written_yet`."""
    row = await _one(ctx, message_id)
    if not row["text"]:
        raise Problem(409, "not_written_yet", "The words are chosen when the message leaves; it has not.")
    hanging = await letter_lists.attachments(ctx.tx, message_id)
    return reply(
        {
            **{name: row[name] for name in ("id", "subject", "text", "html")},
            "attachments": [dict(one) for one in hanging],
        }
    )


@messages.get(
    "/messages/{message_id}/attachments/{position}",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}, "application/octet-stream": {}}}},
    summary="Download a message's document",
    openapi_extra=scope("dunning:read"),
)
async def get_message_attachment(
    ctx: Ctx, message_id: MessageId, position: Annotated[int, Path(ge=0, le=99, description="from 0")]
) -> Response:
    """The document as it left: a statement, or the letter to print."""
    await _one(ctx, message_id)
    row = await letter_lists.attachment(ctx.tx, message_id, position)
    if row is None:
        raise not_found("attachment", position)
    known = row["content_type"] == PDF
    name = quote(row["filename"], safe="")
    return Response(
        row["content"],
        media_type=PDF if known else "application/octet-stream",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


async def _one(ctx: Ctx, message_id: UUID) -> Row:
    row = await lists.message(ctx.tx, message_id, ctx.caller.perimeter)
    if row is None:
        raise not_found("message", message_id)
    return row


def _message(row: Row) -> dict[str, Any]:
    names = (
        "id", "customer_id", "purpose", "channel", "state", "subject", "language", "reply_to", "not_before", "sent_at",
        "attempts", "error", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "action_id": row["object_id"] if row["purpose"] == "reminder" else None,
        "to": [_person(one) for one in decoded(row, "recipients")],
        "cc": [_person(one) for one in decoded(row, "cc")],
        "sender": row["sender_email"],
        "items": row["about"],
        "header_message_id": row["header_id"],
        "in_reply_to": row["answers_to"][-1] if row["answers_to"] else None,
    }


def _person(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one.get(name) for name in ("name", "email", "phone", "address")}
