"""What risk keeps of the gateway: the tenant, whose reporting currency all profiles are in."""

from dataclasses import replace

from libs.kit.db import Tx
from libs.kit.service import Incoming
from libs.kit.tenant_registry import keep_tenants
from services.risk.usecases.profiles import join_all_anew


async def keep_tenant(tx: Tx, subjects: list[Incoming]) -> None:
    """`tenant.changed`: another reporting currency means other figures everywhere."""
    before = await tx.fetchval("SELECT currency FROM tenants WHERE tenant_id = $1", tx.tenant_id)
    await keep_tenants(tx, subjects)
    after = await tx.fetchval("SELECT currency FROM tenants WHERE tenant_id = $1", tx.tenant_id)
    if before is not None and before != after:
        tx.tenant = replace(tx.tenant, currency=after)
        await join_all_anew(tx)
