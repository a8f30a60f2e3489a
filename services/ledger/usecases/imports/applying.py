"""A batch of any kind into the ledger, and told to the other services."""

from datetime import date
from typing import Any

from libs.kit import clock
from libs.kit.db import Tx
from services.ledger.domain.intake.pipeline import Batch
from services.ledger.storage.announcements import announce
from services.ledger.usecases.imports.credit_limits import apply_credit_limits
from services.ledger.usecases.imports.customers import apply_customers
from services.ledger.usecases.imports.items import apply_items
from services.ledger.usecases.imports.orders import apply_orders
from services.ledger.usecases.imports.payments import apply_payments
from services.ledger.usecases.imports.push import Outcome, Push


async def apply_batch(tx: Tx, push: Push, batch: Batch) -> Outcome:
    """Bring a batch in. The outcome counts all its rows, those that the intake refused or left out too."""
    orders: tuple[Any, ...] = ()
    if not batch.records:
        outcome = Outcome()
    elif push.kind == "items":
        outcome = await apply_items(tx, push, batch.records, file_day(tx, push))
    elif push.kind == "customers":
        outcome = await apply_customers(tx, push, batch.records)
    elif push.kind == "orders":
        outcome, orders = await apply_orders(tx, push, batch.records)
    elif push.kind == "credit_limits":
        outcome = await apply_credit_limits(tx, push, batch.records)
    else:
        outcome = await apply_payments(tx, push, batch.records)
    if not push.dry_run:
        await announce(tx, outcome.touched, order_ids=orders)
    outcome.unchanged += batch.duplicates
    outcome.refused += batch.rejected
    outcome.errors += batch.errors
    return outcome


def file_day(tx: Tx, push: Push) -> date:
    """The tenant's day as of which the file speaks: that of `taken_at`, else today."""
    if push.taken_at is None:
        return tx.today
    return min(tx.today, clock.local_date(push.taken_at, tx.tenant.time_zone))
