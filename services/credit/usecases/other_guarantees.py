"""Guarantees that are no insurer's: written down, changed, released."""

from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from services.credit.storage import other_guarantees as storage
from services.credit.usecases.revalidation import guarantees_changed

_SHOWN = ("amount", "currency", "valid_from", "valid_to", "kind")


async def add(tx: Tx, values: dict[str, Any]) -> Row:
    """Write a guarantee down. Amount in minor units of its currency."""
    row = await storage.insert(tx, new_id(), values)
    tx.emit("other_guarantee.changed", [storage.subject(row)])
    tx.audit(
        "other_guarantee_added", "other_guarantee", row["id"], None, {name: row[name] for name in _SHOWN}
    )
    await guarantees_changed(tx, [row["company_id"]])
    return row


async def change(tx: Tx, row: Row, changes: dict[str, Any]) -> Row:
    """Change a locked guarantee. Raises 409 `invalid_state` once it was released."""
    _require_held(row)
    changed = await storage.update(tx, row["id"], **changes)
    tx.emit("other_guarantee.changed", [storage.subject(changed)])
    before = {name: row[name] for name in changes}
    tx.audit("other_guarantee_changed", "other_guarantee", row["id"], before, changes)
    await guarantees_changed(tx, [row["company_id"]])
    return changed


async def release(tx: Tx, row: Row, day: date) -> Row:
    """Give it back: it no longer counts from `day` on. Raises 409 `invalid_state` when that was done already."""
    _require_held(row)
    changed = await storage.update(tx, row["id"], released_on=day)
    tx.emit("other_guarantee.changed", [storage.subject(changed)])
    tx.audit("other_guarantee_released", "other_guarantee", row["id"], None, {"released_on": day})
    await guarantees_changed(tx, [row["company_id"]])
    return changed


async def the_guarantee(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row:
    """A guarantee. Raises 404."""
    row = await storage.guarantee(tx, identifier, lock=lock)
    if row is None:
        raise not_found("guarantee", identifier)
    return row


def _require_held(row: Row) -> None:
    if row["released_on"] is not None:
        detail = f"The guarantee was released on {row['released_on']}."
        raise Problem(409, "invalid_state", detail, state="released")
