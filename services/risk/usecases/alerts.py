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
from libs.kit.responses import json_bytes

LIMIT_EXCEEDED = "limit_exceeded"
COLUMNS = (
    "id, kind, company_id, customer_id, criticality, state, evidence, opened_at, acknowledged_at, acknowledged_by,"
    " closed_at, by_hand, holds, created_at, updated_at, version"
)
_TO_OPEN = """
    SELECT p.company_id, p.outstanding, p.limit_amount, p.overrun, p.currency
      FROM company_profiles p
     WHERE p.tenant_id = $1 AND p.company_id = ANY($2) AND p.overrun > 0
       AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.tenant_id = p.tenant_id AND a.kind = $3
                          AND a.company_id = p.company_id AND a.holds)
     ORDER BY p.company_id
"""
_OPEN = f"""
    INSERT INTO alerts (tenant_id, id, kind, company_id, criticality, state, evidence, opened_at, by_hand, holds,
                        created_at, updated_at, version)
    SELECT $1, a.id, $3, a.company_id, 'warning', 'open', a.evidence, $4, false, true, $4, $4, 1
      FROM jsonb_to_recordset($2::jsonb) AS a(id uuid, company_id uuid, evidence jsonb) ORDER BY a.company_id
    RETURNING {COLUMNS}
"""
_CLOSE = f"""
    UPDATE alerts a SET holds = false, state = 'closed', closed_at = coalesce(a.closed_at, $4), updated_at = $4,
                        version = a.version + 1
     WHERE a.tenant_id = $1 AND a.kind = $3 AND a.company_id = ANY($2) AND a.holds
       AND NOT EXISTS (SELECT 1 FROM company_profiles p WHERE p.tenant_id = a.tenant_id AND p.company_id = a.company_id
                          AND p.overrun > 0)
    RETURNING {COLUMNS}
"""
_COUNT = """
    UPDATE company_profiles p SET open_alerts = s.n
      FROM (SELECT c.company_id, count(a.id) AS n FROM unnest($2::uuid[]) AS c(company_id)
              LEFT JOIN alerts a ON a.tenant_id = $1 AND a.company_id = c.company_id AND a.state <> 'closed'
             GROUP BY 1) s
     WHERE p.tenant_id = $1 AND p.company_id = s.company_id AND p.open_alerts <> s.n
"""


async def watch_limits(tx: Tx, companies: Sequence[UUID]) -> None:
    """Open `limit_exceeded` where a limit in force is overrun, close it where it no longer is."""
    fresh = [_exceeded(row) for row in await tx.fetch(_TO_OPEN, tx.tenant_id, companies, LIMIT_EXCEEDED)]
    opened = (
        await tx.fetch(_OPEN, tx.tenant_id, json_bytes(fresh).decode(), LIMIT_EXCEEDED, tx.now)
        if fresh
        else []
    )
    closed = await tx.fetch(_CLOSE, tx.tenant_id, companies, LIMIT_EXCEEDED, tx.now)
    tx.emit("alert.opened", [_subject(row) for row in opened])
    tx.emit("alert.closed", [_subject(row) for row in closed if not row["by_hand"]])
    if opened or closed:
        await count_anew(tx, companies)


async def acknowledge(tx: Tx, row: Row, user_id: UUID | None) -> Row:
    """Somebody has seen it. Raises 409 `invalid_state` for one that is not open."""
    if row["state"] != "open":
        raise Problem(409, "invalid_state", f"The alert is {row['state']}.", state=row["state"])
    return await _set(
        tx, row["id"], "state = 'acknowledged', acknowledged_at = $3, acknowledged_by = $4", user_id
    )


async def close(tx: Tx, row: Row) -> Row:
    """Close by hand. Raises 409 `invalid_state` for one that is closed."""
    if row["state"] == "closed":
        raise Problem(409, "invalid_state", "The alert is closed already.", state="closed")
    closed = await _set(tx, row["id"], "state = 'closed', closed_at = $3, by_hand = true")
    tx.emit("alert.closed", [_subject(closed)])
    await count_anew(tx, [closed["company_id"]])
    return closed


async def count_anew(tx: Tx, companies: Sequence[UUID]) -> None:
    """Bring `open_alerts` of the profiles up to date."""
    await tx.execute(_COUNT, tx.tenant_id, companies)


async def _set(tx: Tx, identifier: UUID, sets: str, *values: Any) -> Row:
    row = await tx.fetchrow(
        f"UPDATE alerts SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values,
    )  # fmt: skip
    assert row is not None, "the alert was locked before"
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
