"""What a day brings to covers: they begin, change, end."""

from datetime import date

from libs.kit.db import Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.usecases.insurance.projecting import tell_boundaries


async def change_covers(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Tell of covers whose worth changes on that day. Twice does no harm: what is told follows from dates."""

    async def work(tx: Tx) -> None:
        await tell_boundaries(tx, day)
        tx.after_commit(lambda: runtime.ring(tx))

    await runtime.db.run(tenant, work)
