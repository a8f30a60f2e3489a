"""Imports are kept as long as the tenant's settings say; what they brought stays."""

from datetime import date, timedelta
from functools import partial

from libs.kit.db import Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.ledger.storage import imports
from services.ledger.usecases.imports.deciding import cancel
from services.ledger.usecases.tenant_settings import settings_of

_BATCH = 200


async def forget_imports(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """The day's step: delete imports, with their faults, that ended longer ago than `retention.imports` days, and cancel those
    still held by then, which keep their files."""

    async def work(tx: Tx) -> bool:
        kept = timedelta(days=(await settings_of(tx)).retention.imports)
        undecided = await imports.held_before(tx, tx.now - kept, _BATCH)
        for row in undecided:
            await cancel(tx, row)
        if undecided:
            tx.after_commit(partial(runtime.ring, tx))
        return await imports.forget_before(tx, tx.now - kept, _BATCH) == _BATCH or len(undecided) == _BATCH

    while await runtime.db.run(tenant, work):
        pass
