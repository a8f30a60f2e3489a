"""What a day brings to profiles: the rates of that day."""

from datetime import date

from libs.kit.db import Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.risk.usecases.profiles import join_all_anew

_OTHER_CURRENCIES = "SELECT EXISTS (SELECT 1 FROM exchange_rates WHERE tenant_id = $1 AND valid_on = $2)"


async def use_rates_of_the_day(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Join all profiles anew when a rate begins to count on this day. Twice does no harm."""

    async def work(tx: Tx) -> None:
        if await tx.fetchval(_OTHER_CURRENCIES, tx.tenant_id, day):
            await join_all_anew(tx)

    await runtime.db.run(tenant, work)
