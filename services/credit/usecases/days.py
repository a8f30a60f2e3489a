"""What a day brings to limits: requests left alone expire, validities run out, guarantees and temporary limits begin and end."""

from datetime import date, timedelta
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.storage import checks, limits, other_guarantees, temporaries
from services.credit.usecases import send_mails
from services.credit.usecases.announce import announce_limits, hold_subject
from services.credit.usecases.limit_requests import expire_requests
from services.credit.usecases.revalidation import guarantees_changed
from services.credit.usecases.watch import watch_limits

#: Saying what is so twice does no harm.
_LOOK_BACK = timedelta(days=1)
_BATCH = 500


async def live_through(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Bring limits to `day`. Twice does no harm: states follow from dates."""

    async def work(tx: Tx) -> None:
        await expire_requests(tx)
        await checks.end_overdue(tx, tx.now)
        since = day - _LOOK_BACK
        moved = set(await limits.companies_ending_between(tx, since, day))
        moved |= set(await temporaries.companies_changing_on(tx, since, day))
        companies = sorted(moved)
        await limits.touch_limits(tx, companies)
        await announce_limits(tx, companies)
        released = await limits.limits_of(tx, await limits.companies_released_on(tx, since, day))
        tx.emit("hold.changed", [hold_subject(tx, row) for row in released])
        await guarantees_changed(tx, await other_guarantees.companies_changing_on(tx, since, day))
        tx.after_commit(lambda: send_mails.nudge(runtime, tenant.id))

    await runtime.db.run(tenant, work)
    await _watch_all(runtime, tenant)


async def _watch_all(runtime: Runtime, tenant: Tenant) -> None:
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        companies = await limits.with_amount(tx)
    for start in range(0, len(companies), _BATCH):
        part = companies[start : start + _BATCH]

        async def work(tx: Tx, part: list[UUID] = part) -> None:
            await watch_limits(tx, part)

        await runtime.db.run(tenant, work)
