"""The tenant's events as a stream: everything that happened, in one order, read at the reader's own pace."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.contracts.events import CATALOGUE
from libs.kit.db import Tx
from libs.kit.paging import Limit
from libs.kit.problems import Problem, invalid
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.gateway.domain.event_owners import SCOPE_OF, readable
from services.gateway.storage import public_events

router = Router("Events")
_PREFIX = b"e1:"


class EventSubject(BaseModel):
    """What a fact is about."""

    type: str = Field(examples=["customer"])
    id: UUID


class Event(BaseModel):
    """A fact."""

    id: UUID = Field(description="names the event; the same in every reading and delivery")
    type: str = Field(examples=["customer.changed"])
    occurred_at: datetime = Field(description="the tenant's business clock")
    subject: EventSubject
    subject_version: int = Field(
        description="rises with every change of the subject: apply an event only if it is newer than what you hold"
    )
    data: dict[str, Any] = Field(description="the whole state of the subject; its schema is that of the type")


class Events(BaseModel):
    """A stretch of the stream."""

    data: list[Event]
    next_cursor: str = Field(description="pass as `after` to read on, now or later", examples=["ZTE6NDI"])
    has_more: bool = Field(description="whether more is there already")


class EventType(BaseModel):
    """A type of event."""

    type: str = Field(examples=["customer.changed"])
    description: str = Field(examples=["An account of a buyer with one business unit."])
    required_scope: str = Field(examples=["ledger:read"])


class EventTypes(BaseModel):
    """The catalogue."""

    data: list[EventType]


@router.get("/events", response_model=Events, summary="Read the events", openapi_extra=scope(""))
async def list_events(
    ctx: Ctx,
    after: Annotated[
        str | None,
        Query(max_length=200, description="`next_cursor` of the reading before; left out: the oldest"),
    ] = None,
    types: Annotated[
        str | None,
        Query(max_length=2000, description="separated by commas; left out: all the caller may read"),
    ] = None,
    limit: Limit = 50,
) -> Response:
    """Events after a cursor in the order they were recorded, kept for 30 days. Each type needs the read scope of the
    service that tells it; a caller with a perimeter of business units reads none, for the stream is the whole tenant's."""
    require_whole_tenant(ctx)
    wanted = types_in_sight(ctx, types.split(",") if types else None, "?types")
    position = read_cursor(after)
    newest = await public_events.head(ctx.tx)
    await _refuse_lost(ctx.tx, position, newest, from_start=after is None)
    rows = await public_events.read(ctx.tx, position, wanted, limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    reached = shown[-1]["position"] if more else max(newest, position, *(row["position"] for row in shown))
    data = [public_events.as_told(row, raw(row["data"])) for row in shown]
    return reply({"data": data, "next_cursor": write_cursor(reached), "has_more": more})


@router.get(
    "/event-types", response_model=EventTypes, summary="List the types of events", openapi_extra=scope("")
)
async def list_event_types(ctx: Ctx) -> Response:
    """Every type, what it says, and the scope to read it. Its schema is `/openapi/events/{type}.schema.json`."""
    data = [
        {
            "type": name,
            "description": " ".join((state.__doc__ or "").split()),
            "required_scope": SCOPE_OF[name],
        }
        for name, state in sorted(CATALOGUE.items())
    ]
    return reply({"data": data})


def require_whole_tenant(ctx: Ctx) -> None:
    """Raise 403 `perimeter_limited` for a caller who sees some business units only."""
    if ctx.caller.perimeter is not None:
        detail = "This shows the whole tenant; your perimeter is limited to some of its business units."
        raise Problem(403, "perimeter_limited", detail)


def types_in_sight(ctx: Ctx, named: list[str] | None, pointer: str) -> list[str]:
    """The event types a caller asks for. Raises 422 for one that does not exist, 403 for one out of their scopes."""
    allowed = readable(ctx.caller.scopes)
    for name in named or ():
        if name not in SCOPE_OF:
            raise invalid(pointer, "event_type_unknown", "expected types of GET /v1/event-types")
        if name not in allowed:
            ctx.caller.require(SCOPE_OF[name])
    if not allowed:
        raise Problem(403, "scope_missing", "Reading events needs the read scope of a service.")
    return named or allowed


def write_cursor(position: int) -> str:
    """A position, opaque."""
    return base64.urlsafe_b64encode(_PREFIX + str(position).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> int:
    """The position behind a cursor; 0 without one. Raises 422."""
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        digits = text.removeprefix(_PREFIX)
        if text.startswith(_PREFIX) and digits.isdigit() and len(digits) < 19:
            return int(digits)
    except (binascii.Error, ValueError):
        pass
    raise invalid("?after", "cursor_invalid", "expected the next_cursor of a reading of this stream")


async def _refuse_lost(tx: Tx, position: int, newest: int, *, from_start: bool) -> None:
    if position > newest:
        raise invalid("?after", "cursor_invalid", "expected a cursor of this tenant's stream")
    if from_start or position == newest:
        return
    kept = await public_events.oldest(tx)
    if kept is None or kept > position + 1:
        detail = "Events after this cursor were deleted after 30 days: read the present state, then begin without one."
        raise Problem(422, "cursor_expired", detail)
