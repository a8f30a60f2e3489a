"""The ledger's step of each day: what fell due becomes overdue."""

from datetime import date
from functools import partial

from libs.kit.db import Row
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.ledger.storage import balances
from services.ledger.storage.announcements import announce
from services.ledger.storage.journal import Touched

#: Balance rows a transaction: each holds its customers' locks for some ten milliseconds.
_BATCH = 2_000


async def roll_overdue(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Bring every balance to `day`: overdue is what was due before it.

    Each row knows the day it stands at, so that missed days are made up for in one go and a second run finds nothing to do.
    """
    after: Row | None = None
    while True:
        async with runtime.db.transaction(tenant) as tx:
            after, changed = await balances.roll(tx, day, after, _BATCH)
            if changed:
                await announce(tx, Touched(customer_ids=tuple(changed)))
                tx.after_commit(partial(runtime.ring, tx))
        if after is None:
            return
