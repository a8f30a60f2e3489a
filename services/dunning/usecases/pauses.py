"""Pauses: a customer is left alone for a reason and a while."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.problems import Problem, invalid
from services.dunning.storage import planning
from services.dunning.storage.records import PAUSES

_STATE = """
    SELECT c.customer_id, sum(c.version)::bigint AS version,
           max(c.until) FILTER (WHERE c.state = 'active') AS paused_until,
           max(c.reason) FILTER (WHERE c.state = 'active') AS reason
      FROM pauses c WHERE c.tenant_id = $1 AND {which} GROUP BY c.customer_id ORDER BY c.customer_id
"""


async def pause(tx: Tx, customer_id: UUID, reason: str, until: date | None, comment: str | None) -> Row:
    """Leave a customer alone up to and including a day. Raises 409 `already_paused`, 422 for a past day."""
    if until is not None and until < tx.today:
        raise invalid("/until", "in_the_past", "expected today or a later day")
    try:
        async with tx.savepoint():
            row = await PAUSES.insert(
                tx,
                {
                    "customer_id": customer_id,
                    "reason": reason,
                    "comment": comment,
                    "starts_on": tx.today,
                    "until": until,
                    "state": "active",
                    "paused_by": tx.actor.subject,
                },
            )
    except asyncpg.UniqueViolationError:
        existing = await tx.fetchval(
            "SELECT id FROM pauses WHERE tenant_id = $1 AND customer_id = $2 AND state = 'active'",
            tx.tenant_id, customer_id,
        )  # fmt: skip
        detail = "The customer is paused already: change or end that pause."
        raise Problem(409, "already_paused", detail, existing_id=str(existing)) from None
    tx.audit("customer_paused", "pause", row["id"], after={"reason": reason, "until": until})
    await _tell(tx, [customer_id])
    return row


async def change(tx: Tx, row: Row, until: date | None) -> Row:
    """Another end. Raises 409 once it has ended, 422 for a past day."""
    _require_active(row)
    if until is not None and until < tx.today:
        raise invalid("/until", "in_the_past", "expected today or a later day")
    changed = await PAUSES.update(tx, row["id"], until=until)
    tx.audit("pause_changed", "pause", row["id"], {"until": row["until"]}, {"until": until})
    await _tell(tx, [row["customer_id"]])
    return changed


async def end(tx: Tx, row: Row) -> Row:
    """End it now: the scenario goes on. Raises 409 once it has ended."""
    _require_active(row)
    changed = await PAUSES.update(tx, row["id"], state="ended", ended_on=tx.today)
    tx.audit("pause_ended", "pause", row["id"], {"state": "active"}, {"state": "ended"})
    await _tell(tx, [row["customer_id"]])
    return changed


async def end_past(tx: Tx, day: date) -> None:
    """End the pauses whose last day is behind us."""
    rows = await tx.fetch(
        "UPDATE pauses SET state = 'ended', ended_on = until + 1, updated_at = $3, version = version + 1"
        " WHERE tenant_id = $1 AND state = 'active' AND until < $2 RETURNING customer_id",
        tx.tenant_id, day, tx.now,
    )  # fmt: skip
    if rows:
        await _tell(tx, [row["customer_id"] for row in rows])


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present state behind `pause.changed`, by customer."""
    ids = await tx.fetch(
        "SELECT DISTINCT customer_id FROM pauses WHERE tenant_id = $1 AND ($2::uuid IS NULL OR customer_id > $2)"
        " ORDER BY customer_id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    return await _states(tx, [row["customer_id"] for row in ids])


async def _tell(tx: Tx, customers: Sequence[UUID]) -> None:
    tx.emit("pause.changed", await _states(tx, customers))
    await planning.look_again(tx, dict.fromkeys(customers, tx.today))


async def _states(tx: Tx, customers: Sequence[UUID]) -> list[Subject]:
    rows = await tx.fetch(_STATE.format(which="c.customer_id = ANY($2)"), tx.tenant_id, list(customers))
    return [
        Subject(row["customer_id"], row["version"], {name: row[name] for name in ("paused_until", "reason")})
        for row in rows
    ]


def _require_active(row: Row) -> None:
    if row["state"] != "active":
        raise Problem(409, "invalid_state", "The pause has ended.", state=row["state"])
