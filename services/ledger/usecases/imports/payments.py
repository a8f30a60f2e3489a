"""Payment rows into the ledger, with what they pay."""

from libs.kit.db import Tx
from services.ledger.usecases.imports.push import Outcome, Push, Records


async def apply_payments(tx: Tx, push: Push, records: Records) -> Outcome:
    """Bring a batch of PAYMENT_COLUMNS in."""
    raise NotImplementedError
