"""Payment plans: what is owed is paid in instalments, each of them a promise, judged one after the other."""

from collections.abc import Sequence
from datetime import date

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.dunning.domain.promise import PromiseState
from services.dunning.storage import situations
from services.dunning.storage.records import PLANS, PROMISES
from services.dunning.usecases import promises, specific


async def agree(
    tx: Tx, items: Sequence[Row], instalments: Sequence[tuple[date, int]], comment: str | None
) -> Row:
    """Write a plan down. `instalments`: (day, minor units), rising days. It replaces open promises and plans on its items."""
    customer_id, ids = items[0]["customer_id"], [row["id"] for row in items]
    for old in await PLANS.covering(tx, customer_id, ids, "open"):
        await cancel(tx, old)
    for promise in await PROMISES.covering(tx, customer_id, ids, "open"):
        await promises.cancel(tx, promise)
    await specific.release(tx, customer_id, ids)
    row = await PLANS.insert(
        tx,
        {
            "customer_id": customer_id,
            "item_ids": ids,
            "amount": sum(amount for _, amount in instalments),
            "currency": items[0]["currency"],
            "comment": comment,
            "state": "open",
        },
    )
    for position, (day, amount) in enumerate(instalments):
        await promises.make(
            tx, items, day, amount, channel=None, comment=comment, plan_id=row["id"], position=position
        )
    tx.audit("payment_plan_agreed", "payment_plan", row["id"], after={"instalments": len(instalments)})
    await situations.refresh_exclusions(tx, [customer_id])
    return row


async def cancel(tx: Tx, row: Row) -> Row:
    """End a plan: instalments still open are void, the items return to the scenario. Raises 409 once it has ended."""
    if row["state"] != "open":
        raise Problem(409, "invalid_state", f"The plan is {row['state']}.", state=row["state"])
    for promise in await instalments_of(tx, row):
        if promise["state"] == PromiseState.OPEN:
            await promises.cancel(tx, promise)
    changed = await PLANS.update(tx, row["id"], state="cancelled")
    tx.audit("payment_plan_cancelled", "payment_plan", row["id"], {"state": "open"}, {"state": "cancelled"})
    await situations.refresh_exclusions(tx, [row["customer_id"]])
    return changed


async def instalments_of(tx: Tx, row: Row) -> list[Row]:
    """A plan's promises, in order."""
    return await tx.fetch(
        f"SELECT {PROMISES.listed()} FROM promises WHERE tenant_id = $1 AND customer_id = $2 AND plan_id = $3"
        " ORDER BY position",
        tx.tenant_id, row["customer_id"], row["id"],
    )  # fmt: skip
