"""Advancing a sandbox tenant's clock: each passed day is worked through in the order of the business.

Ledger first, then risk, credit and dunning, with the feeds drained between them; the operation succeeds when the last day
is settled everywhere. The work is the operation's row: a worker that dies is followed by another, which goes on at the day
that was not finished (the steps of a day may be run twice).
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from libs.kit import clock, operations
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from libs.kit.runtime import Runtime
from libs.kit.settings import ServiceName
from libs.kit.tenants import Tenant
from services.gateway.domain.clock import MAX_DAYS, days_between, target
from services.gateway.usecases import tenants

log = structlog.get_logger(__name__)
KIND = "clock_advance"
JOB = "advance_clock"
_DOWNSTREAM: tuple[ServiceName, ...] = ("risk", "credit", "dunning")
_EVERYBODY: tuple[ServiceName, ...] = ("ledger", *_DOWNSTREAM, "gateway")
_LEASE = timedelta(seconds=90)
_SLICE_SECONDS = 30.0
_SETTLE_ROUNDS = 20

_OPEN = (
    "SELECT id FROM operations WHERE tenant_id = $1 AND kind = $2 AND status IN ('queued', 'running') LIMIT 1"
)
_CLAIM = """
    UPDATE operations SET status = 'running', leased_until = $3, attempts = attempts + 1
     WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running') AND (leased_until IS NULL OR leased_until < $4)
 RETURNING input, done, attempts
"""
_RELEASE = "UPDATE operations SET leased_until = NULL, attempts = 0 WHERE tenant_id = $1 AND id = $2"
_WAITING = """
    SELECT tenant_id, id FROM operations
     WHERE kind = $1 AND status IN ('queued', 'running') AND (leased_until IS NULL OR leased_until < $2)
"""
MAX_ATTEMPTS = 5


async def start(tx: Tx, tenant: Tenant, days: int | None, to: date | datetime | None) -> UUID:
    """Write the operation down. Raises 409 `not_a_sandbox` or `advance_in_progress`, 422 for a target that is not ahead."""
    if tenant.frozen_at is None:
        raise Problem(409, "not_a_sandbox", "Only a sandbox tenant's clock can be advanced.")
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", str(tenant.id))
    running = await tx.fetchval(_OPEN, tx.tenant_id, KIND)
    if running is not None:
        operation = f"gateway.{running}"
        raise Problem(
            409, "advance_in_progress", "The clock is being advanced already.", operation_id=operation
        )
    end = target(tenant.frozen_at, tenant.time_zone, days, to)
    if end <= tenant.frozen_at:
        raise invalid("/to", "not_ahead", f"expected an instant after {tenant.frozen_at.isoformat()}")
    total = sum(1 for _ in days_between(tenant.frozen_at, end, tenant.time_zone))
    if total > MAX_DAYS:
        raise invalid("/days", "too_far", f"expected {MAX_DAYS} days at the most; advance again from there")
    given = {"start": tenant.frozen_at.isoformat(), "end": end.isoformat()}
    return await operations.start(tx, KIND, given, total=total)


async def run(runtime: Runtime, tenant_id: str, operation_id: str) -> None:
    """The job: work through days for half a minute, then let another nudge go on."""
    tenant = await runtime.tenant(UUID(tenant_id))
    identifier = UUID(operation_id)
    claimed = await _claim(runtime, tenant, identifier)
    if claimed is None:
        return
    try:
        finished = await _work(runtime, tenant, identifier, claimed)
    except Problem as problem:
        await _give_back(runtime, tenant, identifier, claimed, problem)
        return
    if not finished:
        await runtime.jobs.enqueue(JOB, tenant_id, operation_id)


async def sweep(runtime: Runtime) -> None:
    """Nudge advances that lost their worker."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_WAITING, KIND, clock.wall())
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), str(row["id"]))


async def _claim(runtime: Runtime, tenant: Tenant, identifier: UUID) -> Row | None:
    now = clock.wall()
    async with runtime.db.transaction(tenant) as tx:
        return await tx.fetchrow(_CLAIM, tx.tenant_id, identifier, now + _LEASE, now)


async def _work(runtime: Runtime, tenant: Tenant, identifier: UUID, claimed: Row) -> bool:
    given: dict[str, Any] = msgspec.json.decode(claimed["input"])
    start, end = datetime.fromisoformat(given["start"]), datetime.fromisoformat(given["end"])
    days = list(days_between(start, end, tenant.time_zone))
    began = time.monotonic()
    for done, (day, instant) in enumerate(days):
        if done < claimed["done"]:
            continue
        if time.monotonic() - began > _SLICE_SECONDS:
            async with runtime.db.transaction(tenant) as tx:
                await tx.execute(_RELEASE, tx.tenant_id, identifier)
            return False
        await _pass_day(runtime, tenant, day, instant)
        async with runtime.db.transaction(tenant) as tx:
            await operations.progress(tx, identifier, done + 1)
    await _set_clocks(runtime, tenant, end)
    await _settle(runtime, tenant)
    async with runtime.db.transaction(await runtime.tenant(tenant.id)) as tx:
        await operations.succeed(tx, identifier, {"now": end.isoformat(), "days": len(days)})
    return True


async def _pass_day(runtime: Runtime, tenant: Tenant, day: date, instant: datetime) -> None:
    await tenants.set_clock(runtime.db, tenant, instant)
    body = {"tenant_id": str(tenant.id), "now": instant.isoformat(), "day": day.isoformat()}
    await runtime.peers.post("ledger", "/internal/days", body, within=300)
    await _drain(runtime, tenant, _DOWNSTREAM)
    for service in _DOWNSTREAM:
        await runtime.peers.post(service, "/internal/days", body, within=300)
    await _drain(runtime, tenant, _EVERYBODY)


async def _set_clocks(runtime: Runtime, tenant: Tenant, instant: datetime) -> None:
    await tenants.set_clock(runtime.db, tenant, instant)
    body = {"tenant_id": str(tenant.id), "now": instant.isoformat()}
    await asyncio.gather(
        *[runtime.peers.post(service, "/internal/clock", body) for service in ("ledger", *_DOWNSTREAM)]
    )


async def _settle(runtime: Runtime, tenant: Tenant) -> None:
    """Let every service read the others' feeds to their heads; twice, for what the first reading caused."""
    for _ in range(2):
        await _drain(runtime, tenant, _EVERYBODY)


async def _drain(runtime: Runtime, tenant: Tenant, services: Sequence[ServiceName]) -> None:
    await asyncio.gather(*[_drain_one(runtime, tenant, service) for service in services])


async def _drain_one(runtime: Runtime, tenant: Tenant, service: ServiceName) -> None:
    for _ in range(_SETTLE_ROUNDS):
        answer = await runtime.peers.post(
            service, "/internal/feed/drain", {"tenant_id": str(tenant.id)}, within=90
        )
        if answer and answer["settled"]:
            return
        await asyncio.sleep(0.2)
    raise Problem(503, "not_settled", f"The {service} service cannot apply what the others say.")


async def _give_back(
    runtime: Runtime, tenant: Tenant, identifier: UUID, claimed: Row, problem: Problem
) -> None:
    log.warning(
        "advance_interrupted", operation=str(identifier), code=problem.code, attempt=claimed["attempts"]
    )
    async with runtime.db.transaction(tenant) as tx:
        if claimed["attempts"] >= MAX_ATTEMPTS:
            await operations.fail(tx, identifier, problem)
        else:
            await tx.execute(
                "UPDATE operations SET leased_until = $3 WHERE tenant_id = $1 AND id = $2",
                tx.tenant_id, identifier, clock.wall() + timedelta(seconds=2),
            )  # fmt: skip
