"""What the ledger does with the gateway's `business_unit.changed`."""

from libs.kit.db import Tx
from libs.kit.service import Incoming
from services.ledger.storage import business_units


async def keep_business_units(tx: Tx, subjects: list[Incoming]) -> None:
    """Keep the newest state of each unit."""
    await business_units.keep(tx, [{**s.data, "id": s.id, "version": s.version} for s in subjects])


async def distrust_business_units(tx: Tx) -> None:
    """Before a resync with the gateway."""
    await business_units.distrust(tx)
