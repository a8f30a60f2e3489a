"""Old data is said to be old: a flag on the company, and an alert."""

from libs.kit.db import Tx
from services.risk.storage import monitored
from services.risk.usecases.profiles import join_anew


async def mark(tx: Tx) -> None:
    """Join the profiles of companies whose data has become stale, or fresh again."""
    await join_anew(tx, await monitored.turned(tx))
