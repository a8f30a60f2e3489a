"""Alerts as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

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
_SHOWN = ", ".join(f"a.{name.strip()}" for name in COLUMNS.split(","))
_IN_SIGHT = (
    "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = a.tenant_id AND u.company_id = a.company_id"
    " AND u.business_unit_id = ANY({}))"
)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; None is every one."""

    perimeter: Sequence[UUID] | None
    states: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    company_id: UUID | None = None


async def newly_overrun(tx: Tx, companies: Sequence[UUID], kind: str) -> list[Row]:
    """Companies over the limit in force for which no alert is live."""
    return await tx.fetch(_TO_OPEN, tx.tenant_id, companies, kind)


async def open_all(tx: Tx, kind: str, fresh: list[dict[str, Any]]) -> list[Row]:
    """Write alerts that open: id, company_id, evidence."""
    return await tx.fetch(_OPEN, tx.tenant_id, json_bytes(fresh).decode(), kind, tx.now) if fresh else []


async def close_overcome(tx: Tx, kind: str, companies: Sequence[UUID]) -> list[Row]:
    """Close the alerts whose condition has gone."""
    return await tx.fetch(_CLOSE, tx.tenant_id, companies, kind, tx.now)


async def count_anew(tx: Tx, companies: Sequence[UUID]) -> None:
    """Bring `open_alerts` of the profiles up to date."""
    await tx.execute(_COUNT, tx.tenant_id, companies)


async def update(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """Set members of an alert."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE alerts SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"
        f" RETURNING {COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the alert was locked before"
    return row


async def one(
    tx: Tx, identifier: UUID, perimeter: Sequence[UUID] | None, *, lock: bool = False
) -> Row | None:
    """An alert in sight."""
    statement = _narrowed(tx, AlertFilter(perimeter))
    statement.where("a.id = {}", identifier)
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(f"SELECT {_SHOWN} FROM alerts a {statement.clause()}{tail}", *statement.params)


async def newest_first(tx: Tx, wanted: AlertFilter, cursor: str | None, limit: int) -> list[Row]:
    """A page of alerts, one more than `limit` when there is another page."""
    keys = [SortKey("a.opened_at", "timestamptz", descending=True), SortKey("a.id", "uuid", descending=True)]
    statement = _narrowed(tx, wanted)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_SHOWN}, {cursor_columns(keys)} FROM alerts a {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


def _narrowed(tx: Tx, wanted: AlertFilter) -> Statement:
    statement = Statement()
    statement.where("a.tenant_id = {}", tx.tenant_id)
    if wanted.perimeter is not None:
        statement.where(_IN_SIGHT, list(wanted.perimeter))
    for column, values in (("state", wanted.states), ("kind", wanted.kinds)):
        if values:
            statement.where(f"a.{column} = ANY({{}})", list(values))
    if wanted.company_id is not None:
        statement.where("a.company_id = {}", wanted.company_id)
    return statement
