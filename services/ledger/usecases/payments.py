"""Payments: money received, what it pays, and taking it back when the bank does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from services.ledger.domain import custom_fields
from services.ledger.domain.allocation import reverse_payment
from services.ledger.domain.item_state import ItemKind
from services.ledger.domain.journal import DateInFuture
from services.ledger.storage import allocations, items, journal, payments
from services.ledger.storage.announcements import announce
from services.ledger.storage.rowset import inline
from services.ledger.usecases.accounts import AccountKey, Reach, find_account
from services.ledger.usecases.allocations import (
    Wish,
    allocate_credit,
    announce_allocation,
    record_reversals,
    take_back,
)
from services.ledger.usecases.items import NewItem, item_record, lock_item
from services.ledger.usecases.refusal import problem_of, refused_at


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """Money received. `amount` in positive minor units of `currency`."""

    account: AccountKey
    amount: int
    currency: str
    paid_on: date
    wish: Wish = field(default_factory=Wish)
    external_id: str | None = None
    source: str | None = None
    reference: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)


async def create_payment(tx: Tx, given: NewPayment, reach: Reach) -> tuple[Row, bool]:
    """Record a payment and allocate it; its row, and False when it was known with the same content.

    Raises 422 for a customer that cannot be found, a day in the future, items in another currency, 409 `over_allocated` and
    `external_id_exists`.
    """
    if given.paid_on > tx.today:
        raise problem_of(DateInFuture(f"expected a date up to today, {tx.today.isoformat()}"), "/paid_on")
    account = await find_account(tx, given.account, reach)
    record = item_record(_as_item(given), account, tx)
    record["source_taken_at"] = None  # a receipt: no snapshot closes it
    recorded = await journal.insert_items(tx, inline(journal.FIRST_SEEN, [record]))
    if not recorded.item_ids:
        return await _known(tx, given, account), False
    payment_id = recorded.item_ids[0]
    touched = recorded
    if given.wish.lines or given.wish.mode != "none":
        touched += await allocate_credit(tx, payment_id, given.wish, reach)
    await announce(tx, touched)
    row = await read_payment(tx, payment_id, None)
    after = {
        "amount": from_minor(row["amount"], row["currency"]),
        "currency": row["currency"],
        "customer_id": account["id"],
    }
    tx.audit("payment.created", "payment", payment_id, None, after)
    return row, True


async def read_payment(tx: Tx, payment_id: UUID, perimeter: Sequence[UUID] | None) -> Row:
    """A payment. Raises 404, also for an item of another kind."""
    row = await payments.get(tx, payment_id, perimeter)
    if row is None:
        raise not_found("payment", payment_id)
    return row


async def allocate_payment(tx: Tx, payment_id: UUID, wish: Wish, reach: Reach, if_match: str | None) -> Row:
    """Spend what is left of a payment. Raises as `allocate_credit` does."""
    await read_payment(tx, payment_id, reach.perimeter)
    touched = await allocate_credit(tx, payment_id, wish, reach, if_match)
    await announce_allocation(tx, payment_id, "payment.allocated", touched)
    return await read_payment(tx, payment_id, None)


async def take_back_allocation(
    tx: Tx, payment_id: UUID, allocation_id: UUID, on: date | None, reason: str | None, reach: Reach
) -> Row:
    """Undo one allocation of a payment. Raises as `take_back` does."""
    await read_payment(tx, payment_id, reach.perimeter)
    touched = await take_back(tx, payment_id, allocation_id, on, reason, reach)
    await announce_allocation(tx, payment_id, "payment.unallocated", touched)
    return await read_payment(tx, payment_id, None)


async def reverse_received_payment(
    tx: Tx, payment_id: UUID, reason: str, on: date | None, reach: Reach, if_match: str | None
) -> Row:
    """Take back a payment that bounced, was returned or never was: what it paid is open again, with its original dates.

    Raises 404, 409 `invalid_state` when it was reversed before, 412, 422 `date_in_future`.
    """
    await read_payment(tx, payment_id, reach.perimeter)
    paid = [allocation["debit_item_id"] for allocation in await allocations.live(tx, payment_id)]
    await items.lock(tx, [payment_id, *paid], None)
    await lock_item(tx, payment_id, reach, if_match)
    live = await allocations.live(tx, payment_id)
    await items.lock(tx, [allocation["debit_item_id"] for allocation in live], None)
    pairs = await allocations.pairs_of(tx, [allocation["id"] for allocation in live])
    entries = (await items.entries_of(tx, [payment_id]))[payment_id]
    with refused_at("/reversed_on"):
        taken_back, cancelled = reverse_payment(
            entries, [pairs[allocation["id"]] for allocation in live], on or tx.today, tx.today
        )
    touched = await record_reversals(tx, live, taken_back, reason, (payment_id, cancelled, None))
    await announce(tx, touched)
    row = await read_payment(tx, payment_id, None)
    tx.audit("payment.reversed", "payment", payment_id, None, {"reason": reason, "items": list(paid)})
    return row


def _as_item(given: NewPayment) -> NewItem:
    """A payment is the item of kind payment: issued and due on the day it was paid."""
    return NewItem(
        account=given.account,
        kind=ItemKind.PAYMENT,
        issue_date=given.paid_on,
        currency=given.currency,
        amount=given.amount,
        external_id=given.external_id,
        source=given.source,
        due_date=given.paid_on,
        reference=given.reference,
        custom_fields=given.custom_fields,
    )


async def _known(tx: Tx, given: NewPayment, account: Row) -> Row:
    """The payment that has the key already. Raises 409 `external_id_exists` where what was stated differs from it."""
    assert given.external_id is not None, "only a key can be taken"
    known = await payments.find(tx, account["business_unit_id"], given.external_id)
    same = known is not None and (
        known["customer_id"] == account["id"]
        and known["amount"] == given.amount
        and known["currency"] == given.currency
        and known["paid_on"] == given.paid_on
        and known["reference"] == given.reference
        and custom_fields.same(known["custom_fields"], given.custom_fields)
        and all(_pays(known, line.item_id, line.item_external_id, line.amount) for line in given.wish.lines)
    )
    if known is None or not same:
        other = known or await items.find(tx, account["business_unit_id"], given.external_id)
        detail = "This external_id names an item of other content."
        raise Problem(409, "external_id_exists", detail, existing_id=str(other["id"]) if other else None)
    return known


def _pays(payment: Row, item_id: UUID | None, item_external_id: str | None, amount: int) -> bool:
    """Whether the payment was ever allocated so."""
    return any(
        amount == paid and (item_id == debit_id or (item_id is None and item_external_id == key))
        for _, debit_id, key, _, paid, _, _, _ in payment["allocations"]
    )
