"""What insurers sent, as it came: parked, quarantined and unclear messages, and their replay."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import Input, picked
from services.credit.storage.insurance import inbox
from services.credit.storage.insurance.rows import one
from services.credit.usecases.insurance.inbox import REPLAYABLE, take_in_one

router = Router("Insurer messages")
State = Literal["received", "applied", "parked", "needs_review", "quarantined", "dismissed"]
MessageId = Annotated[UUID, Path(description="the message's id")]


class InsurerMessage(BaseModel):
    """A message, and what became of it. `parked`: about a buyer or policy not known yet; matched later by itself."""

    id: UUID
    connection_id: UUID
    message_id: str = Field(description="as the sender named it", examples=["msg_01"])
    source: str = Field(description="webhook, reading or import", examples=["webhook"])
    state: State
    reason: str | None = Field(description="why it is not applied", examples=["buyer_unknown"])
    decision_id: UUID | None
    digest: str = Field(description="SHA-256 of the raw bytes, hex", examples=["9f86d08188…"])
    body: Any = Field(
        description="its JSON; a text where it is none", examples=[{"type": "guarantee.decided"}]
    )
    attempts: int
    received_at: datetime = Field(description="on the wall clock")
    created_at: datetime
    updated_at: datetime


class Dismissal(Input):
    """Why it is of no use."""

    comment: str = Field(min_length=1, max_length=2000, examples=["A test of the insurer's"])


@router.get(
    "/insurer-messages", response_model=Page[InsurerMessage], summary="List insurers' messages",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_insurer_messages(
    ctx: Ctx,
    state: Annotated[list[State] | None, Query(description="one or several states")] = None,
    connection_id: Annotated[UUID | None, Query(description="only those of this connection")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first."""
    rows = await inbox.page(ctx.tx, state, connection_id, cursor, limit)
    return reply(page(rows, limit, _message))


@router.get(
    "/insurer-messages/{message_id}", response_model=InsurerMessage, summary="Show an insurer's message",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def get_insurer_message(ctx: Ctx, message_id: MessageId) -> Response:
    """One message."""
    return reply(_message(await _found(ctx, message_id)))


@router.post(
    "/insurer-messages/{message_id}/replay", response_model=InsurerMessage, summary="Try a message again",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def replay_insurer_message(ctx: Ctx, message_id: MessageId) -> Response:
    """Take it in anew, after a buyer was confirmed or a policy added. An applied message is left as it is: 409."""
    row = await _found(ctx, message_id)
    if row["state"] not in REPLAYABLE or row["reason"] == "message_id_reused":
        raise Problem(
            409, "invalid_state", f"The message is {row['state']} ({row['reason']}).", state=row["state"]
        )
    await take_in_one(ctx.tx, message_id)
    return reply(_message(await _found(ctx, message_id)))


@router.post(
    "/insurer-messages/{message_id}/dismiss", response_model=InsurerMessage, summary="Put a message aside",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def dismiss_insurer_message(ctx: Ctx, message_id: MessageId, body: Dismissal) -> Response:
    """A person decided that nothing follows from it. It stays as evidence."""
    row = await inbox.lock(ctx.tx, message_id, REPLAYABLE)
    if row is None:
        known = await _found(ctx, message_id)
        raise Problem(409, "invalid_state", f"The message is {known['state']}.", state=known["state"])
    await inbox.settle(ctx.tx, message_id, "dismissed", row["reason"], row["decision_id"])
    ctx.tx.audit("insurer_message_dismissed", "insurer_message", message_id, after={"comment": body.comment})
    return reply(_message(await _found(ctx, message_id)))


async def _found(ctx: Ctx, message_id: UUID) -> Row:
    row = await one(ctx.tx, inbox.TABLE, message_id)
    if row is None:
        raise not_found("insurer message", message_id)
    return row


def _message(row: Row) -> dict[str, Any]:
    names = (
        "id", "connection_id", "message_id", "source", "state", "reason", "decision_id", "digest", "attempts", "received_at",
        "created_at", "updated_at",
    )  # fmt: skip
    try:
        body = msgspec.json.decode(row["body"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = bytes(row["body"]).decode("utf-8", "replace")
    return {**picked(row, names), "body": body}
