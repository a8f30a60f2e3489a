"""The day's step that writes down how much of what is late had a status."""

from datetime import date

from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.dunning.storage import status_report


async def keep(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Keep the day; keeping it again corrects it."""
    async with runtime.db.transaction(tenant) as tx:
        await status_report.write_day(tx, day)
