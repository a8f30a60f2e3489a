"""Items one by one: recorded, changed, written off, cancelled, reopened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.etag import require_match
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import raw
from services.ledger.domain import custom_fields
from services.ledger.domain import journal as rules
from services.ledger.domain.item_state import Direction, ItemKind, sign_of
from services.ledger.domain.journal import Entry, EntryKind, NewEntry
from services.ledger.domain.payment_terms import PaymentTerms, due_date
from services.ledger.storage import items, journal
from services.ledger.storage.announcements import announce
from services.ledger.storage.rowset import Rowset, inline
from services.ledger.usecases.accounts import AccountKey, Reach, find_account
from services.ledger.usecases.refusal import refused_at

#: Members of a change that are attributes; the others (amount too) move money.
_ATTRIBUTES = (
    "number", "issue_date", "delivery_date", "due_date", "amount", "tax_amount", "net_amount", "reference", "order_reference",
)  # fmt: skip
_MONEY = frozenset({"amount", "tax_amount", "net_amount", "open_amount"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """An item as a caller states it. Amounts in minor units: `amount` and its parts positive, `open_amount` signed;
    `due_date` None: by the customer's terms.
    """

    account: AccountKey
    kind: ItemKind
    issue_date: date
    currency: str
    amount: int
    direction: Direction | None = None
    external_id: str | None = None
    number: str | None = None
    source: str | None = None
    source_version: int | None = None
    delivery_date: date | None = None
    due_date: date | None = None
    original_due_date: date | None = None
    settled_on: date | None = None
    tax_amount: int | None = None
    net_amount: int | None = None
    open_amount: int | None = None
    reference: str | None = None
    order_reference: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)


async def create_item(tx: Tx, given: NewItem, reach: Reach) -> tuple[Row, bool]:
    """Record an item; its row, and False when it was known with the same content.

    Raises 422 for a customer or a due date that cannot be found, a direction or amounts that do not fit, 409
    `external_id_exists` when the key names an item of other content.
    """
    account = await find_account(tx, given.account, reach)
    record = item_record(given, account, tx)
    touched = await journal.insert_items(tx, inline(journal.FIRST_SEEN, [record]))
    if not touched.item_ids:
        return await _known(tx, given, record), False
    (row,) = await announce(tx, touched, shown=touched.item_ids)
    tx.audit(
        "item.created", "item", row["id"], None, audited(row, "kind", "customer_id", "currency", "amount")
    )
    return row, True


async def read_item(tx: Tx, item_id: UUID, perimeter: Sequence[UUID] | None) -> Row:
    """An item. Raises 404."""
    row = await items.get(tx, item_id, perimeter)
    if row is None:
        raise not_found("item", item_id)
    return row


async def lock_item(tx: Tx, item_id: UUID, reach: Reach, if_match: str | None) -> Row:
    """An item under its lock. Raises 404, 412."""
    rows = await items.lock(tx, [item_id], reach.perimeter)
    if not rows:
        raise not_found("item", item_id)
    require_match(if_match, rows[0]["version"])
    return rows[0]


async def change_item(
    tx: Tx, item_id: UUID, changes: Mapping[str, Any], reach: Reach, if_match: str | None
) -> Row:
    """Give an item new attributes, a new amount or what is open of it now; members that are absent stay.

    A new amount is an `amended` entry, a stated open amount makes the difference `settled_by_source` (or reopens), both as of
    today or `settled_on`. Raises 404, 412, 422.
    """
    before = await lock_item(tx, item_id, reach, if_match)
    after = {name: changes.get(name, before[name]) for name in _ATTRIBUTES}
    fields = custom_fields.replaced(before["custom_fields"], changes.get("custom_fields"))
    after["due_date"] = after["due_date"] or before["due_date"]
    after["amount"] = after["amount"] or before["amount"]
    after["issue_date"] = after["issue_date"] or before["issue_date"]
    _check_parts(after["amount"], after["tax_amount"], after["net_amount"])
    entries = await _told_again(tx, before, after["amount"], changes)
    touched = journal.Touched()
    if fields is not None or any(after[name] != before[name] for name in _ATTRIBUTES):
        row = {**after, "item_id": item_id, "customer_id": before["customer_id"]}
        row["custom_fields"] = raw(before["custom_fields"] if fields is None else fields)
        touched += await journal.update_items(tx, inline(journal.UPDATES, [row]))
    if entries:
        touched += await journal.apply_entries(tx, entry_rows([(item_id, e, None) for e in entries]))
    if not touched.item_ids:
        return before
    (row_after,) = await announce(tx, touched, shown=[item_id])
    named = [
        name for name in (*_ATTRIBUTES, "open_amount", "custom_fields") if before[name] != row_after[name]
    ]
    tx.audit("item.changed", "item", item_id, audited(before, *named), audited(row_after, *named))
    return row_after


async def write_off_item(
    tx: Tx,
    item_id: UUID,
    amount: int | None,
    on: date | None,
    reason: str | None,
    reach: Reach,
    if_match: str | None,
) -> Row:
    """Give up what is open of an item, or `amount` (positive minor units) of it. Raises 404, 409, 412, 422."""
    rule: _Rule = lambda entries: rules.write_off(entries, amount, on or tx.today, tx.today)  # noqa: E731
    return await _enter(tx, item_id, "item.written_off", rule, reason, reach, if_match)


async def cancel_item(
    tx: Tx, item_id: UUID, on: date | None, reason: str | None, reach: Reach, if_match: str | None
) -> Row:
    """Void what is open of an item that was issued in error. Raises 404, 409, 412, 422."""
    rule: _Rule = lambda entries: rules.cancel(entries, on or tx.today, tx.today)  # noqa: E731
    return await _enter(tx, item_id, "item.cancelled", rule, reason, reach, if_match)


async def reopen_item(
    tx: Tx, item_id: UUID, on: date | None, reason: str | None, reach: Reach, if_match: str | None
) -> Row:
    """Undo the last write-off, cancellation or settlement by the source of a closed item. Raises 404, 409, 412, 422."""
    rule: _Rule = lambda entries: rules.reopen(entries, on or tx.today, tx.today)  # noqa: E731
    return await _enter(tx, item_id, "item.reopened", rule, reason, reach, if_match)


_Rule = Callable[[list[Entry]], NewEntry]


async def _enter(
    tx: Tx, item_id: UUID, action: str, rule: _Rule, reason: str | None, reach: Reach, if_match: str | None
) -> Row:
    before = await lock_item(tx, item_id, reach, if_match)
    entries = await items.entries_of(tx, [item_id])
    with refused_at("/effective_on"):
        entry = rule(entries[item_id])
    touched = await journal.apply_entries(tx, entry_rows([(item_id, entry, None)], reason=reason))
    (after,) = await announce(tx, touched, shown=[item_id])
    tx.audit(
        action,
        "item",
        item_id,
        audited(before, "open_amount"),
        {**audited(after, "open_amount"), "reason": reason},
    )
    return after


def entry_rows(entries: Sequence[tuple[UUID, NewEntry, UUID | None]], *, reason: str | None = None) -> Rowset:
    """Entries as `journal.apply_entries` takes them: (item, entry, allocation)."""
    return inline(
        journal.ENTRIES,
        [
            {
                "item_id": item_id,
                "kind": entry.kind.value,
                "amount": entry.amount,
                "effective_on": entry.effective_on,
                "reverses": entry.reverses,
                "allocation_id": allocation_id,
                "reason": reason,
                "approximate": entry.as_of_approximate,
            }
            for item_id, entry, allocation_id in entries
        ],
    )


def audited(row: Row, *names: str) -> dict[str, Any]:
    """Members of an item as the audit log shows them: money as decimal strings."""
    return {name: _shown(row, name) for name in names}


def _shown(row: Row, name: str) -> Any:
    value = row[name]
    if name in _MONEY and value is not None:
        return from_minor(value, row["currency"])
    return raw(value) if name == "custom_fields" else value


def item_record(given: NewItem, account: Row, tx: Tx) -> dict[str, Any]:
    """The row of a first sight (journal.FIRST_SEEN). Raises 422 for a direction, amounts or a due date that do not fit."""
    with refused_at("/direction"):
        sign = sign_of(given.kind, given.direction)
    _check_parts(given.amount, given.tax_amount, given.net_amount)
    _check_open(given.open_amount, given.amount, sign)
    return {
        "id": new_id(),
        "business_unit_id": account["business_unit_id"],
        "customer_id": account["id"],
        "kind": given.kind,
        "direction": sign,
        "external_id": given.external_id,
        "number": given.number,
        "source": given.source,
        "source_version": given.source_version,
        "source_taken_at": tx.now if given.source else None,
        "issue_date": given.issue_date,
        "delivery_date": given.delivery_date,
        "due_date": given.due_date or _due_date(given, account, sign),
        "original_due_date": given.original_due_date,
        "settled_on": given.settled_on,
        "stated_on": tx.today,
        "currency": given.currency,
        "amount": given.amount,
        "tax_amount": given.tax_amount,
        "net_amount": given.net_amount,
        "open_amount": given.open_amount,
        "reference": given.reference,
        "order_reference": given.order_reference,
        "custom_fields": raw(custom_fields.encode(given.custom_fields)),
    }


def _due_date(given: NewItem, account: Row, sign: int) -> date:
    """A credit is due on its own date; a debit by the customer's terms."""
    if sign < 0:
        return given.issue_date
    days = account["terms_days"]
    with refused_at("/due_date"):
        terms = (
            None
            if days is None
            else PaymentTerms(days, account["terms_end_of_month"], account["terms_day_of_month"])
        )
        return due_date(given.issue_date, terms)


def _check_parts(amount: int, tax_amount: int | None, net_amount: int | None) -> None:
    if amount <= 0:
        raise invalid(
            "/amount",
            "amount_not_positive",
            "expected an amount above zero: kind and direction give the sign",
        )
    for name, part in (("tax_amount", tax_amount), ("net_amount", net_amount)):
        if part is not None and not 0 <= part <= amount:
            raise invalid(
                f"/{name}", "amount_out_of_range", "expected a part of the amount: from zero up to it"
            )


def _check_open(open_amount: int | None, amount: int, sign: int) -> None:
    if open_amount is not None and not 0 <= open_amount * sign <= amount:
        expected = "from 0 up to the amount" if sign > 0 else "from minus the amount up to 0"
        raise invalid("/open_amount", "open_amount_out_of_range", f"expected an open amount {expected}")


async def _told_again(tx: Tx, before: Row, amount: int, changes: Mapping[str, Any]) -> list[NewEntry]:
    """The entries of a new amount or a stated open amount."""
    pushed_open: int | None = changes.get("open_amount")
    if amount == before["amount"] and pushed_open is None:
        return []
    sign = before["direction"]
    _check_open(pushed_open, amount, sign)
    entries = (await items.entries_of(tx, [before["id"]]))[before["id"]]
    issued_on = next(entry.effective_on for entry in entries if entry.kind is EntryKind.ISSUED)
    since = rules.open_since(entries, before["open_amount"]) if before["open_amount"] else issued_on
    return rules.pushed_again(
        sign * before["amount"],
        before["open_amount"],
        sign * amount,
        pushed_open,
        file_date=tx.today,
        today=tx.today,
        not_before=since or issued_on,
        settled_on=changes.get("settled_on"),
    )


async def _known(tx: Tx, given: NewItem, record: Mapping[str, Any]) -> Row:
    """The item that has the key already. Raises 409 `external_id_exists` where what was stated differs from it."""
    known = await items.find(tx, record["business_unit_id"], record["external_id"])
    assert known is not None, "items are never deleted"
    stated = {
        "due_date": given.due_date,
        "original_due_date": given.original_due_date,
        "open_amount": given.open_amount,
    }
    same = all(known[name] == record[name] for name in _CONTENT) and all(
        value is None or known[name] == value for name, value in stated.items()
    )
    if not same or not custom_fields.same(known["custom_fields"], given.custom_fields):
        detail = "This external_id names an item of other content: change that one instead."
        raise Problem(409, "external_id_exists", detail, existing_id=str(known["id"]))
    return known


_CONTENT = (
    "customer_id", "kind", "direction", "currency", "amount", "issue_date", "number", "delivery_date", "tax_amount",
    "net_amount", "reference", "order_reference",
)  # fmt: skip
