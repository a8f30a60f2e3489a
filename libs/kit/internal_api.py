"""Paths under `/internal` that every service has: its feed, its state, its days. Reached with a service's token only."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict

from libs.kit import days
from libs.kit.feed import failures, sequencer
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import INTERNAL, Ctx, Router, scope
from libs.kit.tenants import Tenant

router = Router("Internal", prefix="/internal")


class Drain(BaseModel):
    """Which tenant's feeds to read to their heads."""

    model_config = ConfigDict(extra="forbid")
    tenant_id: UUID


class Clock(BaseModel):
    """The instant a sandbox tenant's clock shows."""

    model_config = ConfigDict(extra="forbid")
    tenant_id: UUID
    now: datetime


class Day(BaseModel):
    """A day of a sandbox tenant to work through, and the instant its clock shows meanwhile."""

    model_config = ConfigDict(extra="forbid")
    tenant_id: UUID
    now: datetime
    day: date


@router.get("/feed/heads", openapi_extra=scope(INTERNAL))
async def list_feed_heads(ctx: Ctx) -> Response:
    """Which tenants have events, and up to where."""
    return reply({"data": await sequencer.heads(ctx.runtime.db)})


@router.get("/feed", openapi_extra=scope(INTERNAL))
async def read_feed(
    ctx: Ctx,
    tenant_id: UUID,
    after: Annotated[int, Query(ge=0)] = 0,
    types: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 40,
) -> Response:
    """Events of a tenant after a position, in order, with the head to compare with."""
    wanted = types.split(",") if types else None
    return reply(await sequencer.read(ctx.runtime.db, tenant_id, after, wanted, limit))


@router.get("/state/{event_type}", openapi_extra=scope(INTERNAL))
async def read_state(
    ctx: Ctx,
    event_type: str,
    tenant_id: UUID,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> Response:
    """The present objects behind one event type, in order of id."""
    reader = ctx.runtime.service.states.get(event_type)
    if reader is None:
        raise not_found("state of", event_type)
    tenant = await ctx.runtime.tenant(tenant_id)
    async with ctx.runtime.db.transaction(tenant, readonly=True, snapshot=True) as tx:
        subjects = await reader(tx, after, limit)
    body: dict[str, Any] = {
        "occurred_at": tenant.now(),
        "next": subjects[-1].id if len(subjects) == limit else None,
        "data": subjects,
    }
    return reply(body)


@router.post("/feed/drain", openapi_extra=scope(INTERNAL))
async def drain_feeds(ctx: Ctx, body: Drain) -> Response:
    """Read all consumed feeds of a tenant to their heads; `settled` says whether that worked."""
    return reply({"settled": await ctx.runtime.feed.drain_all(body.tenant_id, within=60)})


@router.get("/feed/parked", openapi_extra=scope(INTERNAL))
async def list_parked(ctx: Ctx, tenant_id: UUID) -> Response:
    """Subjects of a tenant that failed five times and wait to be replayed."""
    async with ctx.runtime.db.transaction(Tenant(tenant_id), readonly=True) as tx:
        return reply({"data": await failures.parked(tx)})


@router.post("/feed/replay", openapi_extra=scope(INTERNAL))
async def replay_parked(ctx: Ctx, body: Drain) -> Response:
    """Apply a tenant's parked subjects again; `applied` of them went well."""
    return reply({"applied": await ctx.runtime.feed.replay(body.tenant_id)})


@router.post("/clock", openapi_extra=scope(INTERNAL))
async def set_clock(ctx: Ctx, body: Clock) -> Response:
    """Move this service's copy of a sandbox tenant's clock."""
    await days.set_clock(ctx.runtime, body.tenant_id, body.now)
    return reply({"now": body.now})


@router.post("/days", openapi_extra=scope(INTERNAL))
async def work_through_day(ctx: Ctx, body: Day) -> Response:
    """Set a sandbox tenant's clock and work through one of its days."""
    await days.set_clock(ctx.runtime, body.tenant_id, body.now)
    tenant = await ctx.runtime.tenant(body.tenant_id)
    await days.work_through(ctx.runtime, tenant, body.day)
    return reply({"day": body.day})
