"""Order rows into the ledger: one upsert, which moves the order book."""

from collections.abc import Iterator, Sequence
from typing import Any

from libs.kit.db import Row, Tx
from services.ledger.domain.intake.errors import Fault
from services.ledger.domain.intake.orders import ORDER_COLUMNS
from services.ledger.storage import orders, told_orders
from services.ledger.storage.announcements import announce
from services.ledger.usecases.imports.accounts import Accounts, find_accounts, snapshot_fault
from services.ledger.usecases.imports.push import Outcome, Push, Records


async def apply_orders(tx: Tx, push: Push, records: Records) -> tuple[Outcome, tuple[Any, ...]]:
    """Bring a batch of ORDER_COLUMNS in; the outcome, and the ids of the orders that were written."""
    outcome = Outcome()
    accounts = await find_accounts(tx, push, ORDER_COLUMNS, records)
    await told_orders.tell(tx, _told(tx, push, records, accounts, outcome))
    written = await orders.upsert_orders(tx, told_orders.ROWS)
    outcome.created = len(written.created_ids)
    outcome.updated = len(written.order_ids) - outcome.created
    outcome.unchanged = len(records) - outcome.refused - len(written.order_ids)
    outcome.touched += written.touched
    if push.dry_run:
        created = set(written.created_ids)
        for row in await told_orders.keys_of(tx, written.order_ids[:100]):
            outcome.show("created" if row["id"] in created else "updated", row["external_id"])
    return outcome, written.order_ids


def _told(
    tx: Tx, push: Push, records: Records, accounts: Accounts, outcome: Outcome
) -> Iterator[tuple[Any, ...]]:
    taken_at = push.taken_at or tx.now
    for (
        row, unit, external_id, source, version, customer_id, customer_key, expected_on, currency, amount, tax_included,
        invoiced, status, reference, fields,
    ) in records:  # fmt: skip
        account = accounts.find(unit, customer_id, customer_key)
        fault = snapshot_fault(push, unit, source) if push.is_snapshot else None
        if isinstance(account, Fault):
            fault = account
        if fault is not None or isinstance(account, Fault):
            assert fault is not None
            outcome.reject(row, fault.pointer, fault.code, fault.detail, currency, amount)
            continue
        yield (
            unit, account["id"], external_id, currency, amount, tax_included, invoiced, expected_on, status, reference,
            fields, source, version, taken_at if source else None,
        )  # fmt: skip


async def close_orders(tx: Tx, push: Push, gone: Sequence[Row]) -> Outcome:
    """Close orders that their source no longer names; they are locked. The order book moves with them."""
    outcome = Outcome(closed=len(gone))
    written = await orders.close(tx, [row["id"] for row in gone], push.taken_at)
    outcome.touched += written.touched
    if push.dry_run:
        for row in gone:
            outcome.show("closed", row["external_id"])
    else:
        await announce(tx, outcome.touched, order_ids=written.order_ids)
    return outcome
