"""What a tenant has set about its messages."""

from dataclasses import dataclass

import msgspec

from libs.contracts.tenant_settings import TenantSettings
from libs.kit.db import Tx


@dataclass(frozen=True, slots=True)
class House:
    """The tenant's settings."""

    settings: TenantSettings


async def house_of(tx: Tx) -> House:
    """The transaction's tenant's settings, defaults where it set none."""
    text = await tx.fetchval("SELECT settings FROM tenants WHERE tenant_id = $1", tx.tenant_id)
    return House(TenantSettings.model_validate(msgspec.json.decode(text) if text else {}))
