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
_CLOSE = f"""
    UPDATE alerts a SET holds = false, state = 'closed', closed_at = coalesce(a.closed_at, $5), updated_at = $5,
                        version = a.version + 1
     WHERE a.tenant_id = $1 AND a.kind = $2 AND a.subject_id = ANY($3) AND a.holds
       AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset($4::jsonb) AS r(subject_id uuid, mark text)
                        WHERE r.subject_id = a.subject_id AND r.mark = a.mark)
    RETURNING {COLUMNS}
"""
_OPEN = f"""
    INSERT INTO alerts (tenant_id, id, kind, company_id, customer_id, subject_id, criticality, mark, evidence, state,
                        opened_at, by_hand, holds, created_at, updated_at, version)
    SELECT $1, r.id, $2, r.company_id, r.customer_id, r.subject_id, r.criticality, r.mark, r.evidence, 'open',
           $4, false, true, $4, $4, 1
      FROM jsonb_to_recordset($3::jsonb) AS r(id uuid, company_id uuid, customer_id uuid, subject_id uuid,
                                              criticality text, mark text, evidence jsonb)
     ORDER BY r.subject_id
    ON CONFLICT (tenant_id, kind, subject_id) WHERE holds DO NOTHING
    RETURNING {COLUMNS}
"""
_CLOSE_ALL = f"""
    UPDATE alerts a SET holds = false, state = 'closed', closed_at = coalesce(a.closed_at, $3), updated_at = $3,
                        version = a.version + 1
     WHERE a.tenant_id = $1 AND a.company_id = ANY($2) AND a.holds
    RETURNING {COLUMNS}
"""
_COUNT = """
    UPDATE company_profiles p SET open_alerts = s.n, critical = s.critical
      FROM (SELECT c.company_id, count(a.id) AS n, coalesce(bool_or(a.criticality = 'critical'), false) AS critical
              FROM unnest($2::uuid[]) AS c(company_id)
              LEFT JOIN alerts a ON a.tenant_id = $1 AND a.company_id = c.company_id AND a.state <> 'closed'
             GROUP BY 1) s
     WHERE p.tenant_id = $1 AND p.company_id = s.company_id AND (p.open_alerts, p.critical) <> (s.n, s.critical)
"""
_SHOWN = ", ".join(f"a.{name.strip()}" for name in COLUMNS.split(","))
_IN_SIGHT = (
    "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = a.tenant_id AND u.company_id = a.company_id"
    " AND u.business_unit_id = ANY({}) AND (a.customer_id IS NULL OR a.customer_id = u.id))"
)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; None is every one."""

    perimeter: Sequence[UUID] | None
    states: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    company_id: UUID | None = None
    customer_id: UUID | None = None
    criticalities: Sequence[str] | None = None


async def close_overcome(
    tx: Tx, kind: str, subjects: Sequence[UUID], raised: list[dict[str, Any]]
) -> list[Row]:
    """Close the live alerts of these subjects whose condition (with the same mark) is not among the raised."""
    still = json_bytes([{"subject_id": r["subject_id"], "mark": r["mark"]} for r in raised]).decode()
    return await tx.fetch(_CLOSE, tx.tenant_id, kind, subjects, still, tx.now)


async def open_all(tx: Tx, kind: str, raised: list[dict[str, Any]]) -> list[Row]:
    """Write an alert for each raised condition that has none alive; those written."""
    return await tx.fetch(_OPEN, tx.tenant_id, kind, json_bytes(raised).decode(), tx.now) if raised else []


async def close_of_companies(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """Close whatever lives on these companies: they ended."""
    return await tx.fetch(_CLOSE_ALL, tx.tenant_id, companies, tx.now)


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
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


def _narrowed(tx: Tx, wanted: AlertFilter) -> Statement:
    statement = Statement()
    statement.where("a.tenant_id = {}", tx.tenant_id)
    if wanted.perimeter is not None:
        statement.where(_IN_SIGHT, list(wanted.perimeter))
    for column, values in (
        ("state", wanted.states), ("kind", wanted.kinds), ("criticality", wanted.criticalities),
    ):  # fmt: skip
        if values:
            statement.where(f"a.{column} = ANY({{}})", list(values))
    if wanted.company_id is not None:
        statement.where("a.company_id = {}", wanted.company_id)
    if wanted.customer_id is not None:
        statement.where("a.customer_id = {}", wanted.customer_id)
    return statement
