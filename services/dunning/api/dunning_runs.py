"""Dunning runs: plan what is due, send what may leave."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response

from libs.kit.db import Row, Tx
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.schemas import PlannedAction, Run, RunCreate
from services.dunning.storage import lists, run_parts
from services.dunning.storage.actions import decoded
from services.dunning.usecases import runs

router = Router("Dunning runs")
Id = Annotated[UUID, Path(description="the run's id")]
_COUNTS = ("customers", "planned", "to_confirm", "skipped", "blocked")


@router.post(
    "/dunning-runs",
    status_code=202,
    response_model=Run,
    summary="Start a dunning run",
    openapi_extra=scope("dunning:send"),
)
async def create_dunning_run(ctx: Ctx, body: RunCreate) -> Response:
    """Plan every step that is due and send what sends itself, within sending hours. The same run twice does nothing twice.

    Needs the whole tenant in sight: a caller with a perimeter names the customers of that perimeter.
    """
    tx = ctx.tx
    await _require_sight(ctx, body.customer_ids)
    row = await runs.start(
        tx, body.as_of or tx.today, ctx.caller.subject, dry_run=body.dry_run, send_now=body.send_now,
        customer_ids=body.customer_ids,
    )  # fmt: skip
    tenant_id, run_id = str(tx.tenant_id), str(row["id"])

    async def nudge() -> None:
        await ctx.runtime.jobs.enqueue(runs.JOB, tenant_id, run_id)

    tx.after_commit(nudge)
    address = f"/v1/dunning-runs/{run_id}"
    return reply(await _run(tx, row), 202, {"Location": address, "Operation-Location": address})


@router.get(
    "/dunning-runs",
    response_model=Page[Run],
    summary="List dunning runs",
    openapi_extra=scope("dunning:read"),
)
async def list_dunning_runs(ctx: Ctx, limit: Limit = 20, cursor: Cursor = None) -> Response:
    """Runs that were asked for, newest first; the daily ones run by themselves and are not listed."""
    rows = await lists.runs(ctx.tx, cursor, limit)
    shown = {row["id"]: await _run(ctx.tx, row) for row in rows[:limit]}
    return reply(page(rows, limit, lambda row: shown[row["id"]]))


@router.get(
    "/dunning-runs/{run_id}",
    response_model=Run,
    summary="Show a dunning run",
    openapi_extra=scope("dunning:read"),
)
async def get_dunning_run(ctx: Ctx, run_id: Id) -> Response:
    """How far a run is and what came of it."""
    return reply(await _run(ctx.tx, await _one(ctx, run_id)))


@router.get(
    "/dunning-runs/{run_id}/actions",
    response_model=Page[PlannedAction],
    summary="List what a run planned",
    openapi_extra=scope("dunning:read"),
)
async def list_dunning_run_actions(
    ctx: Ctx, run_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """What was planned for each customer, as it was planned; a dry run's too."""
    await _one(ctx, run_id)
    rows = await lists.plans(ctx.tx, run_id, ctx.caller.perimeter, cursor, limit)
    return reply(page(rows, limit, _planned))


async def _require_sight(ctx: Ctx, customer_ids: list[UUID] | None) -> None:
    perimeter = ctx.caller.perimeter
    if perimeter is None:
        return
    if customer_ids is None:
        raise Problem(403, "perimeter", "Name the customers: your perimeter does not cover the whole tenant.")
    if await lists.customers_in(ctx.tx, customer_ids, perimeter) != len(set(customer_ids)):
        raise not_found("customer", "of that id in your perimeter")


async def _one(ctx: Ctx, run_id: UUID) -> Row:
    row = await lists.run(ctx.tx, run_id)
    if row is None:
        raise not_found("dunning run", run_id)
    return row


async def _run(tx: Tx, row: Row) -> dict[str, Any]:
    counts = await run_parts.counts(tx, row["id"])
    sent = await lists.sent_by(tx, row["id"])
    skipped = await lists.skipped_by(tx, row["id"])
    names = ("id", "as_of", "dry_run", "send_now", "status", "created_at", "updated_at")
    return {
        **{name: row[name] for name in names},
        "counts": {**{name: counts[name] for name in _COUNTS}, "sent": sent},
        "skipped": [dict(one) for one in skipped],
        "error": raw(row["error"]),
    }


def _planned(row: Row) -> dict[str, Any]:
    action_id = None if row["dry_run"] else row["action_id"]
    return {"customer_id": row["customer_id"], "action_id": action_id, **decoded(row, "plan")}
