"""Disputes: opened, handed to somebody, resolved. While one is open its items are asked of nobody."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.problems import Problem
from services.dunning.domain.statuses import Category
from services.dunning.storage import situations
from services.dunning.storage.records import DISPUTES, PROMISES
from services.dunning.usecases import promises

_TOLD = ("customer_id", "item_ids", "kind", "state")
_RESOLVED_STATUS = """
    SELECT code FROM statuses WHERE tenant_id = $1 AND category = 'dispute_resolved' AND active
     ORDER BY (code <> 'dispute_resolved'), created_at, code LIMIT 1
"""


async def open_dispute(tx: Tx, items: Sequence[Row], values: dict[str, Any]) -> Row:
    """Write a dispute on items of one customer down. A promise on them is void: nobody pays what he contests.

    Items that are in another open dispute move to this one. `values`: kind, amount, currency, comment, owner_user_id,
    expected_on.
    """
    customer_id = items[0]["customer_id"]
    ids = [row["id"] for row in items]
    for promise in await PROMISES.covering(tx, customer_id, ids, "open"):
        if promise["plan_id"] is None:
            await promises.cancel(tx, promise)
    await release(tx, customer_id, ids)
    row = await DISPUTES.insert(
        tx,
        {"customer_id": customer_id, "item_ids": ids, "opened_on": tx.today, "state": "open", **values},
    )
    announce(tx, [row])
    return row


async def resolve(tx: Tx, row: Row, outcome: str, resolution: str | None) -> Row:
    """End a dispute: its items can be claimed again, with a status that says so. Raises 409 when it is resolved."""
    if row["state"] != "open":
        raise Problem(409, "invalid_state", "The dispute is resolved already.", state=row["state"])
    changed = await DISPUTES.update(
        tx, row["id"], state="resolved", outcome=outcome, resolution=resolution, resolved_on=tx.today
    )
    announce(tx, [changed])
    tx.audit(
        "dispute_resolved", "dispute", row["id"], {"state": "open"}, {"state": "resolved", "outcome": outcome}
    )
    await _mark_resolved(tx, row["customer_id"], row["item_ids"], resolution)
    await situations.refresh_exclusions(tx, [row["customer_id"]])
    return changed


async def change(tx: Tx, row: Row, values: dict[str, Any]) -> Row:
    """Another owner, kind, amount, comment or expected day."""
    before = {name: row[name] for name in values}
    changed = await DISPUTES.update(tx, row["id"], **values)
    announce(tx, [changed])
    tx.audit("dispute_changed", "dispute", row["id"], before, values)
    return changed


async def release(tx: Tx, customer_id: UUID, item_ids: Sequence[UUID]) -> None:
    """Take items out of their open disputes; a dispute without items left is resolved."""
    for old in await DISPUTES.covering(tx, customer_id, item_ids, "open"):
        left = [one for one in old["item_ids"] if one not in set(item_ids)]
        if left:
            changed = await DISPUTES.update(tx, old["id"], item_ids=left)
        else:
            changed = await DISPUTES.update(
                tx, old["id"], state="resolved", outcome="requalified", resolved_on=tx.today
            )
        announce(tx, [changed])


def announce(tx: Tx, rows: Sequence[Row]) -> None:
    """`dispute.changed`."""
    tx.emit("dispute.changed", [_told(row) for row in rows])


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present state behind `dispute.changed`."""
    return [_told(row) for row in await DISPUTES.after(tx, after, limit)]


def _told(row: Row) -> Subject:
    return Subject(row["id"], row["version"], {name: row[name] for name in _TOLD})


async def _mark_resolved(tx: Tx, customer_id: UUID, item_ids: Sequence[UUID], comment: str | None) -> None:
    """Items that still say "dispute" say "dispute resolved" from now on."""
    code = await tx.fetchval(_RESOLVED_STATUS, tx.tenant_id)
    disputed = [
        row["item_id"]
        for row in await tx.fetch(
            "SELECT item_id FROM situations WHERE tenant_id = $1 AND item_id = ANY($2) AND category = 'dispute'",
            tx.tenant_id, list(item_ids),
        )
    ]  # fmt: skip
    if code is None or not disputed:
        return
    values = {
        "status_code": code,
        "category": Category.DISPUTE_RESOLVED.value,
        "date": tx.today,
        "follow_up_on": tx.today,
        "amount": None,
        "comment": comment,
        "resolution_owner_id": None,
    }
    await situations.qualify(tx, customer_id, disputed, values)
