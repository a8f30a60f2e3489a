"""What a day brings: rates, covers that begin or end, the daily syncs, data that has grown old."""

import asyncio
import time
from datetime import date, timedelta

from libs.kit.db import Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.risk.storage import company_risk, profiles, syncs
from services.risk.usecases import canonical, desk, staleness, sync_run
from services.risk.usecases.profiles import join_all_anew, join_anew

#: What came of each company of a sync is kept so long; its changes stay in the history for ever.
_KEPT = timedelta(days=30)
_PATIENCE_SECONDS = 900


async def use_rates_of_the_day(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Join all profiles anew when a rate begins to count on this day, else those for which anything begins or ends."""

    async def work(tx: Tx) -> None:
        tx.after_commit(lambda: runtime.ring(tx))
        if await profiles.rates_begin(tx, day):
            await join_all_anew(tx)
        else:
            await join_anew(tx, await profiles.turning(tx))

    await runtime.db.run(tenant, work)


async def synchronise(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Plan the day's sync of every connection. A sandbox tenant's day is over only when they have ended; for everybody else the
    hour of the connection comes, and a worker with it."""
    sandbox = tenant.frozen_at is not None
    planned = await runtime.db.run(tenant, lambda tx: sync_run.plan_day(tx, day, at_once=sandbox))
    if not sandbox:
        return
    patience = time.monotonic() + _PATIENCE_SECONDS
    for connection_id in planned:
        while await _busy(runtime, tenant, connection_id) and time.monotonic() < patience:
            await desk.serve(runtime, tenant, connection_id)
            await asyncio.sleep(0.02)  # somebody else may have the seat


async def _busy(runtime: Runtime, tenant: Tenant, connection_id: object) -> bool:
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        return await syncs.is_open(tx, connection_id)


async def grow_older(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Mark data that has become stale, weigh falls of scores anew, and drop the lists of old syncs."""

    async def work(tx: Tx) -> None:
        tx.after_commit(lambda: runtime.ring(tx))
        await canonical.choose_anew(tx, await company_risk.with_falls(tx))
        await staleness.mark(tx)
        await syncs.forget_before(tx, day - _KEPT)

    await runtime.db.run(tenant, work)
