"""What the tenant has set, from the ledger's copy of it."""

import msgspec

from libs.contracts.tenant_settings import TenantSettings
from libs.kit.db import Tx


async def settings_of(tx: Tx) -> TenantSettings:
    """The settings, with the defaults for what was never set."""
    text = await tx.fetchval("SELECT settings FROM tenants WHERE tenant_id = $1", tx.tenant_id)
    return TenantSettings.model_validate(msgspec.json.decode(text) if text else {})
