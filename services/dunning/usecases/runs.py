"""Dunning runs: plan batch by batch, each its own transaction, then send. Killed anywhere, another worker goes on."""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from libs.kit.responses import json_bytes
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.dunning.storage import planning, run_parts, scenarios
from services.dunning.storage.lists import RUN_COLUMNS
from services.dunning.usecases import pauses, send
from services.dunning.usecases.house import house_of
from services.dunning.usecases.plan import BATCH, plan_customers
from services.dunning.usecases.promises import judge_promises
from services.dunning.usecases.specific import send_next_due

JOB = "run_dunning"
#: Workers that share a run, at the most: further parts wait for whoever is free.
_HANDS = 4
_START = f"""
    UPDATE dunning_runs SET status = CASE WHEN status = 'queued' THEN 'planning' ELSE status END
     WHERE tenant_id = $1 AND id = $2 AND status NOT IN ('succeeded', 'failed')
 RETURNING {RUN_COLUMNS}
"""
_LINES = """
    INSERT INTO dunning_run_lines (tenant_id, run_id, customer_id, outcome, code, action_id, plan)
    SELECT $1, $2, l.customer_id, l.outcome, l.code, l.action_id, l.plan
      FROM jsonb_to_recordset($3::jsonb) AS l(customer_id uuid, outcome text, code text, action_id uuid, plan jsonb)
    ON CONFLICT DO NOTHING
"""
_WAITING = """
    SELECT tenant_id, id FROM dunning_runs
     WHERE status NOT IN ('succeeded', 'failed')
"""


async def start(
    tx: Tx, as_of: date, requested_by: str, *, dry_run: bool, send_now: bool, customer_ids: list[UUID] | None
) -> Row:
    """Write a run down. Raises 422 for a day that has not come, unless it is a dry run."""
    if as_of > tx.today and not dry_run:
        raise invalid("/as_of", "not_yet", f"expected {tx.today} or an earlier day; a dry run may look ahead")
    row = await tx.fetchrow(
        "INSERT INTO dunning_runs (tenant_id, id, as_of, dry_run, send_now, customer_ids, status, requested_by,"
        f" created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $8, 1)"
        f" RETURNING {RUN_COLUMNS}",
        tx.tenant_id, new_id(), as_of, dry_run, send_now, customer_ids, requested_by, tx.now,
    )  # fmt: skip
    assert row is not None, "an insert without a conflict clause returns its row"
    tx.audit("dunning_run_started", "dunning_run", row["id"], after={"as_of": as_of, "dry_run": dry_run})
    return row


async def run(runtime: Runtime, tenant_id: str, run_id: str) -> None:
    """The job, done by several workers at once: each takes parts that nobody is at until none is left. Whoever finds all parts
    planned sends, and ends the run."""
    tenant = await runtime.tenant(UUID(tenant_id))
    identifier = UUID(run_id)
    try:
        await runtime.feed.require_fresh("ledger", tenant.id)
        claimed, fresh = await _open(runtime, tenant, identifier)
        if claimed is None:
            return
        for _ in range(min(fresh, _HANDS) - 1):
            await runtime.jobs.enqueue(JOB, tenant_id, run_id)
        while await _plan_part(runtime, tenant, claimed):
            pass
        async with runtime.db.transaction(tenant, readonly=True) as tx:
            if await run_parts.unfinished(tx, identifier):
                return  # others are at it: the last of them ends the run
        if not claimed["dry_run"]:
            await send.send_all_due(runtime, tenant)
    except Problem as problem:
        await _end(runtime, tenant, identifier, problem)
        return
    await _end(runtime, tenant, identifier, None)


async def sweep(runtime: Runtime) -> None:
    """Nudge runs that lost their worker."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_WAITING)
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), str(row["id"]), job_id=f"{JOB}:{row['id']}")


async def live_through(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """The day's step: plan what the day brings, and send it. A sandbox tenant's day is over when this returns."""
    await runtime.feed.require_fresh("ledger", tenant.id)
    async with runtime.db.transaction(tenant) as tx:
        await pauses.end_past(tx, day)
        await judge_promises(tx, day)
    while await _follow_up(runtime, tenant, day):
        pass
    after: UUID | None = None
    while True:
        async with runtime.db.transaction(tenant) as tx:
            customers = await planning.customers_to_look_at(tx, day, after, None, BATCH)
            if not customers:
                break
            await plan_customers(tx, customers, await scenarios.in_force(tx), day, await house_of(tx))
            after = customers[-1]
    if tenant.frozen_at is not None:
        await send.send_all_due(runtime, tenant)
    else:
        await runtime.jobs.enqueue(send.JOB, str(tenant.id), job_id=f"{send.JOB}:{tenant.id}")


async def _follow_up(runtime: Runtime, tenant: Tenant, day: date) -> bool:
    """Queue one message beside the scenarios; whether there was one."""
    async with runtime.db.transaction(tenant) as tx:
        return await send_next_due(tx, day, await house_of(tx))


async def _open(runtime: Runtime, tenant: Tenant, identifier: UUID) -> tuple[Row | None, int]:
    """The run, unless it has ended, divided into parts by whoever comes first; how many parts that made."""
    async with runtime.db.transaction(tenant) as tx:
        claimed = await tx.fetchrow(_START, tx.tenant_id, identifier)
        if claimed is None:
            return None, 0
        known = await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM dunning_run_parts WHERE tenant_id = $1 AND run_id = $2)",
            tx.tenant_id,
            identifier,
        )
        return claimed, 0 if known else await run_parts.divide(tx, identifier, claimed["customer_ids"])


async def _plan_part(runtime: Runtime, tenant: Tenant, claimed: Row) -> bool:
    """Plan a part that nobody is at, from where it was left; whether there was one. A run asked for looks at every customer
    named, or at every one with something open: the report says why not."""
    run_id = claimed["id"]
    async with runtime.db.transaction(tenant) as tx:
        part = await run_parts.claim(tx, run_id)
    if part is None:
        return False
    try:
        while await _plan_batch(runtime, tenant, claimed, part):
            pass
    except BaseException:
        async with runtime.db.transaction(tenant) as tx:
            await run_parts.let_go(tx, run_id, part["number"])
        raise
    async with runtime.db.transaction(tenant) as tx:
        await run_parts.finish(tx, run_id, part["number"])
    return True


async def _plan_batch(runtime: Runtime, tenant: Tenant, claimed: Row, part: Row) -> bool:
    run_id, number = claimed["id"], part["number"]
    async with runtime.db.transaction(tenant) as tx:
        customers = await run_parts.customers(
            tx, run_id, number, part["until_customer_id"], claimed["customer_ids"], BATCH
        )
        if not customers:
            return False
        outcome = await plan_customers(
            tx, customers, await scenarios.in_force(tx), claimed["as_of"], await house_of(tx),
            run_id=run_id, send_now=claimed["send_now"], dry_run=claimed["dry_run"],
        )  # fmt: skip
        await tx.execute(_LINES, tx.tenant_id, run_id, json_bytes(outcome.lines).decode())
        await run_parts.advance(
            tx, run_id, number, customers[-1], outcome.counts + Counter(customers=len(customers))
        )
    return True


async def _end(runtime: Runtime, tenant: Tenant, identifier: UUID, problem: Problem | None) -> None:
    """A peer that is down lets the run wait for the next sweep; anything else ends it."""
    if problem is not None and problem.status == 503:
        return
    error: dict[str, Any] | None = None
    if problem is not None:
        error = {"status": problem.status, "code": problem.code, "detail": problem.detail}
    async with runtime.db.transaction(tenant) as tx:
        await tx.execute(
            "UPDATE dunning_runs SET status = $3, error = $4, updated_at = $5, version = version + 1"
            " WHERE tenant_id = $1 AND id = $2 AND status NOT IN ('succeeded', 'failed')",
            tx.tenant_id, identifier, "failed" if error else "succeeded",
            json_bytes(error).decode() if error else None, tx.now,
        )  # fmt: skip
