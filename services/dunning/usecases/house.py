"""What a tenant has set about its messages."""

from dataclasses import dataclass

import msgspec

from libs.contracts.tenant_settings import TenantSettings
from libs.kit.db import Tx
from services.dunning.domain.sending_window import SendingWindow


@dataclass(frozen=True, slots=True)
class House:
    """The tenant's settings."""

    settings: TenantSettings

    def window(self, time_zone: str) -> SendingWindow:
        """Monday to Friday, 8 to 18 where the tenant is, its country's public holidays left out."""
        try:
            return SendingWindow(time_zone, self.settings.calendar_country)
        except ValueError:  # a country without a known calendar: its weekdays still count
            return SendingWindow(time_zone)


async def house_of(tx: Tx) -> House:
    """The transaction's tenant's settings, defaults where it set none."""
    text = await tx.fetchval("SELECT settings FROM tenants WHERE tenant_id = $1", tx.tenant_id)
    return House(TenantSettings.model_validate(msgspec.json.decode(text) if text else {}))
