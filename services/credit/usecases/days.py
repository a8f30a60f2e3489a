"""What a day brings to limits: requests left alone expire, validities run out, guarantees and temporary limits begin and end."""

from datetime import date, timedelta
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.storage import checks, limits, other_guarantees, proposal_facts, temporaries
from services.credit.usecases import send_mails
from services.credit.usecases.agenda import plan_action
from services.credit.usecases.announce import announce_limits, hold_subject
from services.credit.usecases.limit_requests import expire_requests
from services.credit.usecases.revalidation import guarantees_changed
from services.credit.usecases.reviews import review_what_ends
from services.credit.usecases.watch import watch_limits

#: Saying what is so twice does no harm.
_LOOK_BACK = timedelta(days=1)
#: So many days before a limit or a guarantee ends, it stands in the agenda.
_REVIEW_AHEAD = timedelta(days=30)
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
        await proposal_facts.keep_peaks(tx, day)
        await review_what_ends(tx, day + _REVIEW_AHEAD - _LOOK_BACK, day + _REVIEW_AHEAD)
        await _plan_ends_of_guarantees(tx, day)
        await guarantees_changed(tx, await other_guarantees.companies_changing_on(tx, since, day))
        tx.after_commit(lambda: send_mails.nudge(runtime, tenant.id))

    await runtime.db.run(tenant, work)
    await _watch_all(runtime, tenant)


async def _plan_ends_of_guarantees(tx: Tx, day: date) -> None:
    rows = await other_guarantees.ending_between(tx, day + _REVIEW_AHEAD - _LOOK_BACK, day + _REVIEW_AHEAD)
    for row in rows:
        await plan_action(
            tx, kind="guarantee_end", company_id=row["company_id"], due_on=row["valid_to"],
            title="A guarantee ends: prolong or replace it", amount_at_stake=row["amount"], currency=row["currency"],
            object_id=row["id"], source_key=f"guarantee_end:{row['id']}:{row['valid_to']}",
        )  # fmt: skip


async def _watch_all(runtime: Runtime, tenant: Tenant) -> None:
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        companies = await limits.with_amount(tx)
    for start in range(0, len(companies), _BATCH):
        part = companies[start : start + _BATCH]

        async def work(tx: Tx, part: list[UUID] = part) -> None:
            await watch_limits(tx, part)

        await runtime.db.run(tenant, work)
