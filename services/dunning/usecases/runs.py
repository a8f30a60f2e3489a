"""Dunning runs: plan batch by batch, each its own transaction, then send. Killed anywhere, another worker goes on."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from libs.kit.responses import json_bytes
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.dunning.storage import planning, scenarios
from services.dunning.storage.lists import RUN_COLUMNS
from services.dunning.usecases import pauses, send
from services.dunning.usecases.house import house_of
from services.dunning.usecases.plan import BATCH, Outcome, plan_customers
from services.dunning.usecases.promises import judge_promises
from services.dunning.usecases.specific import send_next_due

JOB = "run_dunning"
_LEASE = timedelta(seconds=90)
_CLAIM = f"""
    UPDATE dunning_runs SET status = CASE WHEN status = 'queued' THEN 'planning' ELSE status END, leased_until = $3
     WHERE tenant_id = $1 AND id = $2 AND status NOT IN ('succeeded', 'failed')
       AND (leased_until IS NULL OR leased_until < $4)
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
     WHERE status NOT IN ('succeeded', 'failed') AND (leased_until IS NULL OR leased_until < $1)
"""


async def start(
    tx: Tx, as_of: date, requested_by: str, *, dry_run: bool, send_now: bool, customer_ids: list[UUID] | None
) -> Row:
    """Write a run down. Raises 422 for a day that has not come, unless it is a dry run."""
    if as_of > tx.today and not dry_run:
        raise invalid("/as_of", "not_yet", f"expected {tx.today} or an earlier day; a dry run may look ahead")
    row = await tx.fetchrow(
        "INSERT INTO dunning_runs (tenant_id, id, as_of, dry_run, send_now, customer_ids, status, counts, requested_by,"
        f" created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, 'queued', '{{}}', $7, $8, $8, 1)"
        f" RETURNING {RUN_COLUMNS}",
        tx.tenant_id, new_id(), as_of, dry_run, send_now, customer_ids, requested_by, tx.now,
    )  # fmt: skip
    assert row is not None, "an insert without a conflict clause returns its row"
    tx.audit("dunning_run_started", "dunning_run", row["id"], after={"as_of": as_of, "dry_run": dry_run})
    return row


async def run(runtime: Runtime, tenant_id: str, run_id: str) -> None:
    """The job."""
    tenant = await runtime.tenant(UUID(tenant_id))
    identifier = UUID(run_id)
    now = clock.wall()
    async with runtime.db.transaction(tenant) as tx:
        claimed = await tx.fetchrow(_CLAIM, tx.tenant_id, identifier, now + _LEASE, now)
    if claimed is None:
        return
    try:
        await runtime.feed.require_fresh("ledger", tenant.id)
        await _plan(runtime, tenant, claimed)
        if not claimed["dry_run"]:
            await send.send_all_due(runtime, tenant)
    except Problem as problem:
        await _end(runtime, tenant, identifier, problem)
        return
    except BaseException:
        await _let_go(
            runtime, tenant, identifier
        )  # the next nudge goes on at once, not when the lease has run out
        raise
    await _end(runtime, tenant, identifier, None)


async def sweep(runtime: Runtime) -> None:
    """Nudge runs that lost their worker."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_WAITING, clock.wall())
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), str(row["id"]))


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


async def _plan(runtime: Runtime, tenant: Tenant, claimed: Row) -> None:
    """A run asked for looks at every customer named, or at every one with something open: the report says why not."""
    after: UUID | None = claimed["after_customer_id"]
    while True:
        async with runtime.db.transaction(tenant) as tx:
            customers = await _next_customers(tx, claimed, after)
            if not customers:
                return
            outcome = await plan_customers(
                tx, customers, await scenarios.in_force(tx), claimed["as_of"], await house_of(tx),
                run_id=claimed["id"], send_now=claimed["send_now"], dry_run=claimed["dry_run"],
            )  # fmt: skip
            after = customers[-1]
            await _record(tx, claimed["id"], after, outcome, len(customers))


async def _next_customers(tx: Tx, claimed: Row, after: UUID | None) -> list[UUID]:
    rows = await tx.fetch(
        "SELECT c.id FROM customers c WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR c.id > $2)"
        " AND ($3::uuid[] IS NULL OR c.id = ANY($3)) AND ($3::uuid[] IS NOT NULL OR EXISTS (SELECT 1 FROM items i"
        " WHERE i.tenant_id = c.tenant_id AND i.customer_id = c.id AND i.open_amount > 0)) ORDER BY c.id LIMIT $4",
        tx.tenant_id, after, claimed["customer_ids"], BATCH,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def _record(tx: Tx, run_id: UUID, after: UUID, outcome: Outcome, looked_at: int) -> None:
    text = await tx.fetchval(
        "SELECT counts FROM dunning_runs WHERE tenant_id = $1 AND id = $2 FOR UPDATE", tx.tenant_id, run_id
    )
    counts: Counter[str] = Counter(msgspec.json.decode(text)) + outcome.counts
    counts["customers"] += looked_at
    await tx.execute(_LINES, tx.tenant_id, run_id, json_bytes(outcome.lines).decode())
    await tx.execute(
        "UPDATE dunning_runs SET counts = $3, after_customer_id = $4, leased_until = $5, updated_at = $6,"
        " version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, run_id, json_bytes(dict(counts)).decode(), after, clock.wall() + _LEASE, tx.now,
    )  # fmt: skip


async def _end(runtime: Runtime, tenant: Tenant, identifier: UUID, problem: Problem | None) -> None:
    """A peer that is down lets the run wait for the next sweep; anything else ends it."""
    if problem is not None and problem.status == 503:
        await _let_go(runtime, tenant, identifier)
        return
    error: dict[str, Any] | None = None
    if problem is not None:
        error = {"status": problem.status, "code": problem.code, "detail": problem.detail}
    async with runtime.db.transaction(tenant) as tx:
        await tx.execute(
            "UPDATE dunning_runs SET status = $3, error = $4, leased_until = NULL, updated_at = $5, version = version + 1"
            " WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id, identifier, "failed" if error else "succeeded",
            json_bytes(error).decode() if error else None, tx.now,
        )  # fmt: skip


async def _let_go(runtime: Runtime, tenant: Tenant, identifier: UUID) -> None:
    async with runtime.db.transaction(tenant) as tx:
        await tx.execute(
            "UPDATE dunning_runs SET leased_until = $3 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id, identifier, clock.wall() + timedelta(seconds=1),
        )  # fmt: skip
