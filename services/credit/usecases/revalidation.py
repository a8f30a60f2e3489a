"""A guarantee that falls re-opens what was approved on the strength of it (DOMAIN §1, page 002).

Whoever changes a guarantee (a cover, a deposit) calls `guarantees_changed` in the same transaction; the day's step does so for
those that begin or end by their dates.
"""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.credit.domain.security import unsecured
from services.credit.storage import limits, temporaries
from services.credit.usecases.announce import announce_limits
from services.credit.usecases.limit_requests import end_request, weigh_anew
from services.credit.usecases.security import considered
from services.credit.usecases.watch import overcome, watch_limits


async def guarantees_changed(tx: Tx, companies: Sequence[UUID]) -> None:
    """Look again at limits and requests of companies whose guarantees changed.

    A limit of which more stands without a guarantee today than was approved is `not_validated` from today; once guarantees are
    back, or it is approved anew, it is in force again. A pending request is routed anew, its decisions void.
    """
    rows = await limits.lock_limits(tx, companies)
    live = [row for row in rows if row["state"] == "approved" and row["amount"] is not None]
    extra = await temporaries.totals_on(tx, [row["company_id"] for row in live], tx.today)
    known = await considered(tx, {row["company_id"]: row["currency"] for row in live}, tx.today, tx.today)
    changed = []
    for row in live:
        company = row["company_id"]
        bare = unsecured(row["amount"] + extra.get(company, 0), known[company])
        fell = row["authorised_unsecured"] is not None and bare > row["authorised_unsecured"]
        if fell != (row["unvalidated_since"] is not None):
            await _mark(tx, row, fell=fell)
            changed.append(company)
    await announce_limits(tx, changed)
    await watch_limits(tx, changed)
    for request in await limits.pending_of(tx, companies):
        await _weigh_again(tx, request)


async def _mark(tx: Tx, row: Row, *, fell: bool) -> None:
    if not fell:
        await overcome(tx, row)
    kept = await limits.change_limit(tx, row["company_id"], unvalidated_since=tx.today if fell else None)
    event = "guarantee_fell" if fell else "guarantee_restored"
    await limits.add_history(
        tx,
        row["company_id"],
        event,
        kept,
        user_id=None,
        comment=None,
        request_id=row["request_id"],
        state="not_validated" if fell else None,
    )


async def _weigh_again(tx: Tx, request: Row) -> None:
    try:
        async with tx.savepoint():
            await weigh_anew(tx, request, only_if_changed=True)
    except Problem as problem:
        await end_request(tx, request, "rejected", None, comment=problem.detail)
