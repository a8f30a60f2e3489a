"""What risk keeps of dunning: the conditions it watches."""

from libs.kit.db import Tx
from services.risk.storage import alert_conditions


async def forget(tx: Tx) -> None:
    """Doubt what came from dunning, before its state is read anew."""
    await alert_conditions.doubt(tx, "dunning")
