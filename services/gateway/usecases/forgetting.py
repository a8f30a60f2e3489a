"""What the gateway keeps for a time only: events and webhooks a month, the audit log as long as the tenant says."""

from datetime import date, timedelta

import msgspec

from libs.contracts.tenant_settings import TenantSettings
from libs.kit import clock
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.gateway.storage import access, audit_log, public_events, webhooks

STEP = "forget_old"
EVENTS_LIVE = timedelta(days=30)


async def forget_old(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """The day's step. Ages are counted on the wall clock."""
    now = clock.wall()
    async with runtime.db.transaction(tenant) as tx:
        row = await access.tenant(tx)
        if row is None:
            return
        settings = TenantSettings.model_validate(msgspec.json.decode(row["settings"]))
        await public_events.forget(tx, now - EVENTS_LIVE)
        await webhooks.forget(tx, now - EVENTS_LIVE)
        await audit_log.forget(tx, now - timedelta(days=settings.retention.audit))
