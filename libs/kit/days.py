"""The work of a day: a row a tenant, day and step, so that an outage is caught up and nothing is done twice.

Steps compute from facts at a date, never from "last run + n". A day that was missed is worked through later, in order.
"""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from libs.kit import clock
from libs.kit.db import Tx
from libs.kit.metrics import DAYS
from libs.kit.problems import Problem
from libs.kit.tenants import Tenant

if TYPE_CHECKING:
    from libs.kit.runtime import Runtime

log = structlog.get_logger(__name__)
#: After a longer silence only the newest days are caught up; older ones would only repeat what the newest say.
MAX_CAUGHT_UP = 31
_LEASE = timedelta(minutes=10)

_CLAIM = """
    INSERT INTO day_runs (tenant_id, day, step, state, leased_until)
    VALUES ($1, $2, $3, 'running', $4)
    ON CONFLICT (tenant_id, day, step) DO UPDATE SET leased_until = excluded.leased_until, state = 'running'
      WHERE day_runs.state <> 'done' AND (day_runs.leased_until IS NULL OR day_runs.leased_until < $5)
    RETURNING true
"""
_DONE = """
    UPDATE day_runs SET state = 'done', finished_at = $4, leased_until = NULL
     WHERE tenant_id = $1 AND day = $2 AND step = $3
"""
_FREE = "UPDATE day_runs SET leased_until = NULL WHERE tenant_id = $1 AND day = $2 AND step = $3 AND state <> 'done'"
_STATE = "SELECT state FROM day_runs WHERE tenant_id = $1 AND day = $2 AND step = $3"
_LAST_DONE = "SELECT max(day) FROM day_runs WHERE tenant_id = $1 AND step = $2 AND state = 'done'"


async def set_clock(runtime: "Runtime", tenant_id: UUID, now: datetime) -> None:
    """Move this service's copy of a sandbox tenant's clock forward; it never goes back."""
    tenant = await runtime.tenant(tenant_id)
    async with runtime.db.transaction(tenant) as tx:
        await tx.execute(
            "UPDATE tenants SET frozen_at = $2 WHERE tenant_id = $1 AND sandbox AND (frozen_at IS NULL OR frozen_at < $2)",
            tenant_id, now,
        )  # fmt: skip
    runtime.tenants.forget(tenant_id)


async def work_through(runtime: "Runtime", tenant: Tenant, day: date) -> None:
    """Run each step of a day that is not done; steps in their declared order.

    Raises Problem 503 `day_in_progress` when another process is at a step: what follows must not overtake it.
    """
    for step, action in runtime.service.day_steps.items():
        async with runtime.db.transaction(tenant) as tx:
            if not await _claim(tx, day, step):
                if await tx.fetchval(_STATE, tenant.id, day, step) == "done":
                    continue
                detail = f"The step {step} of {day} is being worked through by another process."
                raise Problem(503, "day_in_progress", detail, headers={"Retry-After": "5"})
        try:
            await action(runtime, tenant, day)
        except BaseException:
            async with runtime.db.transaction(tenant) as tx:
                await tx.execute(_FREE, tenant.id, day, step)
            raise
        async with runtime.db.transaction(tenant) as tx:
            await tx.execute(_DONE, tenant.id, day, step, clock.wall())
        DAYS.labels(runtime.service.name, step).inc()


async def sweep(runtime: "Runtime") -> None:
    """Work through every day that has come for every tenant; sandbox tenants' days pass only when their clock is advanced."""
    for tenant in await runtime.tenants.active():
        if tenant.frozen_at is not None:
            continue
        today = tenant.today()
        try:
            for day in await _days_to_do(runtime, tenant, today):
                await work_through(runtime, tenant, day)
        except Problem as busy:
            log.info("day_postponed", tenant=str(tenant.id), code=busy.code)
        except Exception as error:  # one tenant's trouble must not cost the others their day
            log.exception("day_failed", tenant=str(tenant.id), error=repr(error))


async def _days_to_do(runtime: "Runtime", tenant: Tenant, today: date) -> list[date]:
    first = today
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        for step in runtime.service.day_steps:
            last = await tx.fetchval(_LAST_DONE, tenant.id, step)
            if last is not None:
                first = min(first, last + timedelta(days=1))
    first = max(first, today - timedelta(days=MAX_CAUGHT_UP))
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


async def _claim(tx: Tx, day: date, step: str) -> bool:
    now = clock.wall()
    return bool(await tx.fetchval(_CLAIM, tx.tenant_id, day, step, now + _LEASE, now))
