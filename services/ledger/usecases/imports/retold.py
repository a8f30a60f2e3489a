"""Items that a file tells again with other values: what changes, by the rules of the journal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.responses import raw
from services.ledger.domain import journal as rules
from services.ledger.domain.intake.errors import Fault
from services.ledger.domain.journal import Entry, EntryKind, NewEntry
from services.ledger.storage import items, journal, told_items
from services.ledger.storage.rowset import Rowset, definition, inline, temporary
from services.ledger.usecases.imports.push import Outcome, Push

#: What an item is: a source that tells it otherwise means another item.
_IDENTITY = ("kind", "direction", "currency")
_ATTRIBUTES = (
    "customer_id", "number", "issue_date", "delivery_date", "due_date", "amount", "tax_amount", "net_amount", "reference",
    "order_reference",
)  # fmt: skip
_MONEY = frozenset({"amount", "tax_amount", "net_amount", "open_amount"})
#: Beyond so many rows a temporary table is faster than a parameter.
_INLINE = 100


@dataclass(slots=True)
class Retold:
    """What is to be written for items that are locked now."""

    updates: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    async def write(self, tx: Tx, push: Push, outcome: Outcome) -> None:
        """Write it; the outcome knows what was touched."""
        if self.updates:
            rows = await given(tx, "retold_updates", journal.UPDATES, self.updates)
            outcome.touched += await journal.update_items(tx, rows)
        if self.entries:
            rows = await given(tx, "retold_entries", journal.ENTRIES, self.entries)
            outcome.touched += await journal.apply_entries(tx, rows, push.id)


async def tell_again(tx: Tx, push: Push, differing: Sequence[UUID], outcome: Outcome) -> Retold:
    """Lock the items that differ and find what changes; rows that contradict what the item is are rejected.

    A value that is left out leaves what is there. A new amount is an `amended` entry, a stated open amount makes the
    difference `settled_by_source` (or reopens).
    """
    retold = Retold()
    if not differing:
        return retold
    rows = [row for row in await told_items.lock_differing(tx, differing, push.taken_at) if row["differs"]]
    rows = [row for row in rows if not row["stale"]]
    moving = [row["id"] for row in rows if _moves(row)]
    journals = await items.entries_of(tx, moving) if moving else {}
    for row in rows:
        fault = _contradiction(row)
        if fault is not None:
            signed = row["told_direction"] * row["told_amount"]
            outcome.reject(row["row"], fault.pointer, fault.code, fault.detail, row["told_currency"], signed)
            continue
        outcome.updated += 1
        source = {name: row[f"told_{name}"] for name in ("source", "source_version", "source_taken_at")}
        after = _after(row)
        if any(after[name] != row[name] for name in (*_ATTRIBUTES, "custom_fields")):
            retold.updates.append({"item_id": row["id"], **after, **source})
        if row["id"] in journals:
            new = _entries(row, journals[row["id"]], tx.today)
            retold.entries += [entry_record(row["id"], entry, source) for entry in new]
        if push.dry_run:
            outcome.show("updated", row["external_id"], **_difference(row, after))
    return retold


def entry_record(item_id: UUID, entry: NewEntry, source: dict[str, Any]) -> dict[str, Any]:
    """An entry of `journal.ENTRIES` that a source told."""
    return {
        "item_id": item_id,
        "kind": entry.kind.value,
        "amount": entry.amount,
        "effective_on": entry.effective_on,
        "approximate": entry.as_of_approximate,
        **source,
    }


async def given(tx: Tx, table: str, columns: dict[str, str], rows: Sequence[dict[str, Any]]) -> Rowset:
    """Rows for a set-based statement, by the way that is fastest for so many; a member that is missing is null."""
    if len(rows) <= _INLINE:
        return inline(columns, [_json_row(row) for row in rows])
    await tx.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
    records = [tuple(row.get(name) for name in columns) for row in rows]
    await tx.copy_to_temp(table, definition(columns), list(columns), records)
    return temporary(table)


def _json_row(row: dict[str, Any]) -> dict[str, Any]:
    fields = row.get("custom_fields")
    return row if fields is None else {**row, "custom_fields": raw(fields)}


def _moves(row: Row) -> bool:
    stated = row["told_open_amount"]
    return row["told_amount"] != row["amount"] or (stated is not None and stated != row["open_amount"])


def _contradiction(row: Row) -> Fault | None:
    for name in _IDENTITY:
        if row[name] != row[f"told_{name}"]:
            detail = f"expected the {name} it was first seen with: an item keeps it"
            return Fault(f"/{name}", f"{name}_changed", detail)
    return None


def _after(row: Row) -> dict[str, Any]:
    """The attributes as they are to be, all of them."""
    after = {name: row[name] if row[f"told_{name}"] is None else row[f"told_{name}"] for name in _ATTRIBUTES}
    fields = row["told_custom_fields"]
    after["custom_fields"] = row["custom_fields"] if fields is None else fields
    return after


def _entries(row: Row, entries: Sequence[Entry], today: date) -> list[NewEntry]:
    sign = row["direction"]
    issued_on = next(entry.effective_on for entry in entries if entry.kind is EntryKind.ISSUED)
    since = rules.open_since(entries, row["open_amount"]) if row["open_amount"] else issued_on
    return rules.pushed_again(
        sign * row["amount"],
        row["open_amount"],
        sign * row["told_amount"],
        row["told_open_amount"],
        file_date=row["stated_on"],
        today=today,
        not_before=since or issued_on,
        settled_on=row["settled_on"],
    )


def _difference(row: Row, after: dict[str, Any]) -> dict[str, Any]:
    """What changes, as people read it."""
    if row["told_open_amount"] is not None:
        after = {**after, "open_amount": row["told_open_amount"]}
    names = [name for name, value in after.items() if value != row[name]]
    return {
        "before": {name: _readable(row, name, row[name]) for name in names},
        "after": {name: _readable(row, name, after[name]) for name in names},
    }


def _readable(row: Row, name: str, value: Any) -> Any:
    if name in _MONEY and value is not None:
        return from_minor(value, row["currency"])
    if name == "custom_fields":
        return raw(value)
    return value
