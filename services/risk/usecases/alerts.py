"""Built-in alerts: edge-triggered, once a company while the condition holds.

An alert a person closed stays closed until the condition has gone and come back.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.problems import Problem
from services.risk.storage import alerts

LIMIT_EXCEEDED = "limit_exceeded"


async def watch_limits(tx: Tx, companies: Sequence[UUID]) -> None:
    """Open `limit_exceeded` where a limit in force is overrun, close it where it no longer is."""
    fresh = [_exceeded(row) for row in await alerts.newly_overrun(tx, companies, LIMIT_EXCEEDED)]
    opened = await alerts.open_all(tx, LIMIT_EXCEEDED, fresh)
    closed = await alerts.close_overcome(tx, LIMIT_EXCEEDED, companies)
    tx.emit("alert.opened", [_subject(row) for row in opened])
    tx.emit("alert.closed", [_subject(row) for row in closed if not row["by_hand"]])
    if opened or closed:
        await alerts.count_anew(tx, companies)


async def acknowledge(tx: Tx, row: Row, user_id: UUID | None) -> Row:
    """Somebody has seen it. Raises 409 `invalid_state` for one that is not open."""
    if row["state"] != "open":
        raise Problem(409, "invalid_state", f"The alert is {row['state']}.", state=row["state"])
    return await _set(tx, row["id"], state="acknowledged", acknowledged_at=tx.now, acknowledged_by=user_id)


async def close(tx: Tx, row: Row) -> Row:
    """Close by hand. Raises 409 `invalid_state` for one that is closed."""
    if row["state"] == "closed":
        raise Problem(409, "invalid_state", "The alert is closed already.", state="closed")
    closed = await _set(tx, row["id"], state="closed", closed_at=tx.now, by_hand=True)
    tx.emit("alert.closed", [_subject(closed)])
    await alerts.count_anew(tx, [closed["company_id"]])
    return closed


async def _set(tx: Tx, identifier: UUID, **values: Any) -> Row:
    row = await alerts.update(tx, identifier, **values)
    tx.audit(f"alert_{row['state']}", "alert", identifier, after={"state": row["state"]})
    return row


def _exceeded(row: Row) -> dict[str, Any]:
    currency = row["currency"]
    names = ("outstanding", "limit_amount", "overrun")
    evidence = {"currency": currency, **{name: _text(row[name], currency) for name in names}}
    return {"id": new_id(), "company_id": row["company_id"], "evidence": evidence}


def _text(amount: int | None, currency: str) -> str | None:
    return None if amount is None else from_minor(amount, currency)


def _subject(row: Row) -> Subject:
    names = ("kind", "company_id", "customer_id", "criticality", "state")
    return Subject(row["id"], row["version"], {name: row[name] for name in names})
