"""Pauses: customers that are left alone, why, and until when."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field

from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import Comment, IfMatch, Input, Stamped
from services.dunning.api.sight import customer_in_sight, one_of
from services.dunning.storage import scenarios
from services.dunning.storage.records import PAUSES
from services.dunning.usecases import pauses
from services.dunning.usecases.plan import withdraw_overtaken

router = Router("Pauses")
Id = Annotated[UUID, Path(description="the pause's id")]
State = Literal["active", "ended"]
Until = Annotated[date | None, Field(description="its last day; null: until somebody ends it")]


class PauseCreate(Input):
    """A pause."""

    customer_id: UUID
    reason: str = Field(min_length=1, max_length=200, examples=["Cannot pay before its bank reopens"])
    until: Until = None
    comment: Comment | None = Field(None, description="more about it")


class PausePatch(Input):
    """Another end."""

    until: Until


class Pause(Stamped):
    """A pause: nothing is proposed or sent meanwhile."""

    customer_id: UUID
    reason: str = Field(examples=["Cannot pay before its bank reopens"])
    comment: str | None = Field(description="more about it")
    starts_on: date
    until: date | None
    state: State
    ended_on: date | None
    paused_by: str = Field(description="who asked for it", examples=["user:0199…"])


@router.get("/pauses", response_model=Page[Pause], summary="List pauses", openapi_extra=scope("dunning:read"))
async def list_pauses(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or both states")] = None,
    customer_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Pauses of customers in the caller's perimeter, the past ones too, newest first."""
    wanted = {"state": state, "customer_id": customer_id, "updated_since": updated_since}
    rows = await PAUSES.page(ctx.tx, ctx.caller.perimeter, wanted, cursor, limit)
    return reply(page(rows, limit, _present))


@router.post(
    "/pauses",
    status_code=201,
    response_model=Pause,
    summary="Pause a customer",
    openapi_extra=scope("dunning:write"),
)
async def create_pause(ctx: Ctx, body: PauseCreate) -> Response:
    """Leave a customer alone. What was planned is withdrawn; the scenario goes on by itself after the last day. A customer that
    is paused already: 409 `already_paused`."""
    customer = await customer_in_sight(ctx, body.customer_id, pointer="/customer_id")
    row = await pauses.pause(ctx.tx, customer["id"], body.reason, body.until, body.comment)
    await withdraw_overtaken(ctx.tx, customer["id"], await scenarios.in_force(ctx.tx), ctx.tx.today)
    return reply(_present(row), 201, {"Location": f"/v1/pauses/{row['id']}", "ETag": etag(row["version"])})


@router.get(
    "/pauses/{pause_id}", response_model=Pause, summary="Show a pause", openapi_extra=scope("dunning:read")
)
async def get_pause(ctx: Ctx, pause_id: Id) -> Response:
    """One pause."""
    return _answer(await one_of(ctx, PAUSES, "pause", pause_id))


@router.patch(
    "/pauses/{pause_id}",
    response_model=Pause,
    summary="Change a pause's end",
    openapi_extra=scope("dunning:write"),
)
async def update_pause(ctx: Ctx, pause_id: Id, body: PausePatch, if_match: IfMatch = None) -> Response:
    """Let it end on another day."""
    row = await one_of(ctx, PAUSES, "pause", pause_id, if_match, lock=True)
    return _answer(await pauses.change(ctx.tx, row, body.until))


@router.post(
    "/pauses/{pause_id}/end",
    response_model=Pause,
    summary="End a pause",
    openapi_extra=scope("dunning:write"),
)
async def end_pause(ctx: Ctx, pause_id: Id, if_match: IfMatch = None) -> Response:
    """End it now: the scenario goes on."""
    row = await one_of(ctx, PAUSES, "pause", pause_id, if_match, lock=True)
    return _answer(await pauses.end(ctx.tx, row))


def _answer(row: Row) -> Response:
    return reply(_present(row), headers={"ETag": etag(row["version"])})


def _present(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in Pause.model_fields}
