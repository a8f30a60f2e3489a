"""Connections to providers: one a contract, tried, synchronised, and watched over."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query, Response

from libs.kit import operations
from libs.kit.db import Row, Tx
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope, streamed
from services.risk.api.provider_schemas import (
    Outcome,
    ProviderConnection,
    ProviderConnectionCreate,
    ProviderConnectionPatch,
    Sync,
    SyncAsk,
    SyncedCompany,
    TestResult,
)
from services.risk.storage import connections as rows_of
from services.risk.storage import monitorings, syncs
from services.risk.usecases import connections, desk, sync_run
from services.risk.usecases.companies import companies_in_sight
from services.risk.usecases.connecting import adapter_of

router = Router("Provider connections")
Id = Annotated[UUID, Path(description="the connection's id")]
IfMatch = Annotated[str | None, Header(description="the ETag you read")]


@router.post(
    "/provider-connections",
    status_code=201,
    response_model=ProviderConnection,
    summary="Connect a provider",
    openapi_extra=scope("admin"),
)
async def create_provider_connection(ctx: Ctx, body: ProviderConnectionCreate) -> Response:
    """Write a contract down. Credentials are sealed and never shown again; `/test` tells whether they are right."""
    given = _members(body.model_dump(exclude_unset=True))
    given["adapter"] = body.adapter or body.provider
    row = await connections.create(ctx.runtime, ctx.tx, given)
    return _answer(await _shown(ctx.tx, row), row, 201, {"Location": f"/v1/provider-connections/{row['id']}"})


@router.get(
    "/provider-connections",
    response_model=Page[ProviderConnection],
    summary="List provider connections",
    openapi_extra=scope("risk:read"),
)
async def list_provider_connections(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Connections by name, with what they cost, how they are, and when they last answered."""
    rows = await rows_of.page_of(ctx.tx, cursor, limit)
    shown = {row["id"]: await _shown(ctx.tx, row) for row in rows[:limit]}
    return reply(page(rows, limit, lambda row: shown[row["id"]]))


@router.get(
    "/provider-connections/{connection_id}",
    response_model=ProviderConnection,
    summary="Show a provider connection",
    openapi_extra=scope("risk:read"),
)
async def get_provider_connection(ctx: Ctx, connection_id: Id) -> Response:
    """One connection."""
    row = await connections.find(ctx.tx, connection_id)
    return _answer(await _shown(ctx.tx, row), row)


@router.patch(
    "/provider-connections/{connection_id}",
    response_model=ProviderConnection,
    summary="Change a provider connection",
    openapi_extra=scope("admin"),
)
async def update_provider_connection(
    ctx: Ctx, connection_id: Id, body: ProviderConnectionPatch, if_match: IfMatch = None
) -> Response:
    """Change settings. Credentials given replace all that were set."""
    row = await connections.find(ctx.tx, connection_id, lock=True)
    require_match(if_match, row["version"])
    changed = await connections.change(
        ctx.runtime, ctx.tx, row, _members(body.model_dump(exclude_unset=True))
    )
    return _answer(await _shown(ctx.tx, changed), changed)


@router.delete(
    "/provider-connections/{connection_id}",
    status_code=204,
    summary="Delete a provider connection",
    openapi_extra=scope("admin"),
)
async def delete_provider_connection(ctx: Ctx, connection_id: Id) -> Response:
    """Delete one that was never used; 409 `in_use` otherwise: pause it."""
    await connections.remove(ctx.tx, await connections.find(ctx.tx, connection_id, lock=True))
    return Response(status_code=204)


@router.post(
    "/provider-connections/{connection_id}/test",
    response_model=TestResult,
    summary="Test a provider connection",
    openapi_extra=streamed("admin"),
)
async def test_provider_connection(ctx: Ctx, connection_id: Id) -> Response:
    """Ask the provider something harmless and free: are credentials, address and format right?"""
    tenant = ctx.caller.tenant
    async with ctx.runtime.db.transaction(tenant, readonly=True) as tx:
        row = await connections.find(tx, connection_id)
    return reply(await connections.try_out(ctx.runtime, tenant, row))


@router.post(
    "/provider-connections/{connection_id}/sync",
    status_code=202,
    response_model=Sync,
    summary="Synchronise now",
    openapi_extra=scope("risk:write"),
)
async def sync_provider_connection(ctx: Ctx, connection_id: Id, body: SyncAsk | None = None) -> Response:
    """Read every member of the portfolio, or the companies named, without waiting for the daily hour."""
    row = await connections.find(ctx.tx, connection_id)
    wanted = None if body is None else body.company_ids
    if wanted is not None:
        wanted = await companies_in_sight(ctx.tx, ctx.runtime, ctx.caller, wanted)
    run, operation = await sync_run.ask(ctx.tx, row, wanted)
    return await _started(ctx, run, operation)


@router.post(
    "/provider-connections/{connection_id}/remap",
    status_code=202,
    response_model=Sync,
    summary="Understand stored answers anew",
    openapi_extra=scope("admin"),
)
async def remap_provider_connection(ctx: Ctx, connection_id: Id) -> Response:
    """Run the newest mapping over the stored raw answers; nobody is asked, nothing is paid."""
    row = await connections.find(ctx.tx, connection_id)
    run, operation = await sync_run.remap(ctx.tx, row, adapter_of(row["adapter"]).mapping_version)
    return await _started(ctx, run, operation)


@router.get(
    "/provider-connections/{connection_id}/syncs",
    response_model=Page[Sync],
    summary="List syncs",
    openapi_extra=scope("risk:read"),
)
async def list_provider_syncs(
    ctx: Ctx, connection_id: Id, limit: Limit = 20, cursor: Cursor = None
) -> Response:
    """Synchronisations of a connection, newest first, with what came of them."""
    await connections.find(ctx.tx, connection_id)
    rows = await syncs.page_of(ctx.tx, connection_id, cursor, limit)
    counts = await syncs.counts(ctx.tx, [row["id"] for row in rows])
    return reply(page(rows, limit, lambda row: _sync(row, sync_run.counts(counts, row["id"]))))


@router.get(
    "/provider-connections/{connection_id}/syncs/{sync_id}/companies",
    response_model=Page[SyncedCompany],
    summary="List a sync's companies",
    openapi_extra=scope("risk:read"),
)
async def list_synced_companies(
    ctx: Ctx,
    connection_id: Id,
    sync_id: Annotated[UUID, Path(description="the sync's id")],
    outcome: Annotated[list[Outcome] | None, Query(description="one or several outcomes")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What came of each company of a sync; kept for thirty days."""
    if await syncs.one(ctx.tx, connection_id, sync_id) is None:
        raise not_found("sync", sync_id)
    rows = await syncs.companies_of(ctx.tx, sync_id, outcome, ctx.caller.perimeter, cursor, limit)
    return reply(page(rows, limit, _synced))


def _members(given: dict[str, Any]) -> dict[str, Any]:
    """The row's members from what the API takes."""
    schedule, budget, rate = (given.pop(name, None) for name in ("schedule", "budget", "rate"))
    if schedule is not None:
        names = {"at": "sync_at", "refresh": "refresh", "full_refresh_days": "full_refresh_days"}
        given |= {
            names[name]: value
            for name, value in schedule.items()
            if not (name == "refresh" and value is None)
        }
    if budget is not None:
        given["budget"] = budget["billed_calls_per_month"]
    if rate is not None:
        given |= {"rate_calls": rate["calls"], "rate_seconds": rate["seconds"]}
    nullable = {"contract_holder", "base_url", "sync_at", "full_refresh_days", "budget"}
    return {name: value for name, value in given.items() if value is not None or name in nullable}


async def _started(ctx: Ctx, run: Row, operation: UUID) -> Response:
    tenant_id, connection_id = ctx.tx.tenant_id, run["connection_id"]
    ctx.tx.after_commit(lambda: desk.nudge(ctx.runtime, tenant_id, connection_id))
    counted = sync_run.counts(await syncs.counts(ctx.tx, [run["id"]]), run["id"])
    return reply(_sync(run, counted), 202, operations.location("risk", operation))


def _sync(row: Row, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "provider_connection_id": row["connection_id"],
        "operation_id": f"risk.{row['operation_id']}",
        "reason": row["reason"],
        "day": row["day"],
        "state": row["state"],
        "counts": counts,
        "error": raw(row["error"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "finished_at": row["finished_at"],
    }


def _synced(row: Row) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name != "_cursor"}
    return {**shown, "error": raw(row["error"])}


def _answer(
    shown: dict[str, Any], row: Row, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return reply(shown, status, {**(headers or {}), "ETag": etag(row["version"])})


async def _shown(tx: Tx, row: Row) -> dict[str, Any]:
    adapter = adapter_of(row["adapter"])
    capabilities = adapter.capabilities(desk.connection_options(row))
    breaker = connections.breaker_of(row)
    month: date = tx.today
    return {
        **{
            name: row[name]
            for name in ("id", "name", "provider", "adapter", "product", "contract_holder", "mapping_version")
        },
        "latest_mapping_version": adapter.mapping_version,
        "base_url": row["base_url"],
        "credentials_set": row["credentials_sealed"] is not None,
        "credentials_set_at": row["credentials_set_at"],
        "options": raw(row["options"]),
        "capabilities": capabilities.as_json(),
        "schedule": {
            "at": row["sync_at"],
            "refresh": row["refresh"],
            "full_refresh_days": row["full_refresh_days"],
        },
        "budget": {
            "billed_calls_per_month": row["budget"],
            "billed_calls_this_month": (await connections.spent(tx, month)).get(row["id"], 0),
        },
        "rate": {
            "calls": row["rate_calls"] or capabilities.rate.calls,
            "seconds": row["rate_seconds"] or capabilities.rate.seconds,
        },
        "priority": row["priority"],
        "stale_after_days": row["stale_after_days"],
        "state": row["state"],
        "error": raw(row["error"]),
        "circuit": {"state": breaker.state, "failures": breaker.failures, "open_until": breaker.closed_until},
        "last_sync": None
        if row["last_sync_id"] is None
        else {"id": row["last_sync_id"], "ended_at": row["last_sync_at"]},
        "portfolio": await monitorings.counts(tx, row["id"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
