"""Item rows into the ledger: first sights in one statement, items told again by the rules of the journal."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import asyncpg

from libs.kit.db import Tx
from services.ledger.domain.intake.errors import Fault
from services.ledger.domain.intake.items import ITEM_COLUMNS
from services.ledger.domain.payment_terms import PaymentTerms, due_date
from services.ledger.storage import journal, told_items
from services.ledger.usecases.imports.accounts import Accounts, find_accounts, snapshot_fault
from services.ledger.usecases.imports.push import SHOWN_CHANGES, Outcome, Push, Records
from services.ledger.usecases.imports.retold import tell_again

_UNDATED = ("/due_date", "due_date_unknown", "expected a due date, or payment terms of the customer")


async def apply_items(tx: Tx, push: Push, records: Records, stated_on: date) -> Outcome:
    """Bring a batch of ITEM_COLUMNS in. Locks: customers (when some are made), items by external_id, balances.

    Raises SerializationError, which the kit answers by beginning again, when another transaction made some of the items at the
    same moment.
    """
    outcome = Outcome()
    accounts = await find_accounts(tx, push, ITEM_COLUMNS, records, name_column="customer_name")
    await told_items.tell(tx, _told(tx, push, records, accounts, stated_on, outcome))
    for row in await told_items.undated(tx):
        outcome.reject(row["row"], *_UNDATED, row["currency"], row["direction"] * row["amount"])
    met = await told_items.meet(tx, push.taken_at)
    new = len(records) - outcome.refused - met.known
    if push.dry_run and new:
        for key in await told_items.unknown_keys(tx, SHOWN_CHANGES):
            outcome.show("created", key)
    retold = await tell_again(tx, push, met.differing, outcome)
    if new:
        first = await journal.insert_items(tx, told_items.new_items(met), push.id)
        if len(first.item_ids) < new:
            raise asyncpg.SerializationError("items were made at the same moment: they must be met")
        outcome.created = new
        outcome.touched += first
    await retold.write(tx, push, outcome)
    if met.confirmed:
        await told_items.confirm(tx, met.confirmed)
    outcome.unchanged = len(records) - outcome.refused - outcome.created - outcome.updated
    return outcome


def _told(
    tx: Tx, push: Push, records: Records, accounts: Accounts, stated_on: date, outcome: Outcome
) -> Iterator[tuple[Any, ...]]:
    """The rows of `told_items.COLUMNS`; rows that cannot be booked go to the outcome's errors instead."""
    taken_at = push.taken_at or tx.now
    for (
        row, unit, external_id, kind, side, customer_id, customer_key, _, number, source, version, issued, delivered, due,
        original_due, settled, currency, amount, tax, net, left, reference, order_reference, fields,
    ) in records:  # fmt: skip
        sign = 1 if side == "debit" else -1
        account = accounts.find(unit, customer_id, customer_key)
        fault = snapshot_fault(push, unit, source) if push.is_snapshot else None
        if isinstance(account, Fault):
            fault = account
        if fault is not None or isinstance(account, Fault):
            assert fault is not None
            outcome.reject(row, fault.pointer, fault.code, fault.detail, currency, sign * amount)
            continue
        yield (
            row, due is not None, unit, account["id"], kind, sign, external_id, currency, original_due, left, settled,
            stated_on, number, issued, delivered, due or _by_terms(issued, account), amount, tax, net, reference,
            order_reference, fields, source, version, taken_at if source else None,
        )  # fmt: skip


def _by_terms(issued: date, account: Any) -> date | None:
    if account["terms_days"] is None:
        return None
    terms = PaymentTerms(account["terms_days"], account["terms_end_of_month"], account["terms_day_of_month"])
    return due_date(issued, terms)
