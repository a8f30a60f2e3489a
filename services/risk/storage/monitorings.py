"""Monitorings: which companies stand in which provider's portfolio."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

_NAMES = (
    "id", "connection_id", "company_id", "state", "provider_ref", "match_kind", "error", "attempts", "next_attempt_at",
    "requested_by", "member_since", "last_outcome", "last_checked_at", "created_at", "updated_at", "version",
)  # fmt: skip
COLUMNS = ", ".join(_NAMES)
_SHOWN = (
    ", ".join(f"m.{name}" for name in _NAMES) + ", c.provider, k.name AS company_name, k.registration_number"
)
_JOINED = (
    "monitorings m JOIN provider_connections c ON c.tenant_id = m.tenant_id AND c.id = m.connection_id"
    " JOIN companies k ON k.tenant_id = m.tenant_id AND k.id = m.company_id"
)
IN_SIGHT = (
    "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = m.tenant_id AND u.company_id = m.company_id"
    " AND u.business_unit_id = ANY({}))"
)
#: A company that is there already stays as it is; one that failed or was removed is tried (again).
_ADD = f"""
    INSERT INTO monitorings (tenant_id, id, connection_id, company_id, state, attempts, requested_by, created_at,
                             updated_at, version)
    SELECT $1, a.id, $3, a.company_id, 'adding', 0, $4, $5, $5, 1
      FROM jsonb_to_recordset($2::jsonb) AS a(id uuid, company_id uuid)
     ORDER BY a.company_id
    ON CONFLICT (tenant_id, connection_id, company_id) DO UPDATE SET
        state = 'adding', attempts = 0, error = NULL, next_attempt_at = NULL, requested_by = excluded.requested_by,
        updated_at = excluded.updated_at, version = monitorings.version + 1
      WHERE monitorings.state IN ('failed', 'unknown', 'absent', 'removing')
    RETURNING {COLUMNS}, old.id IS NULL AS fresh
"""
_DUE = """
    SELECT m.id, m.company_id, m.state, m.provider_ref, m.match_kind, m.attempts, k.name, k.country,
           k.registration_number, k.vat_number
      FROM monitorings m JOIN companies k ON k.tenant_id = m.tenant_id AND k.id = m.company_id
     WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.state IN ('adding', 'removing', 'unknown')
       AND (m.next_attempt_at IS NULL OR m.next_attempt_at <= $3)
     ORDER BY m.id LIMIT $4
"""
_SETTLE = f"""
    UPDATE monitorings m SET state = s.state, provider_ref = coalesce(s.provider_ref, m.provider_ref),
           match_kind = coalesce(s.match_kind, m.match_kind), error = s.error, attempts = s.attempts,
           next_attempt_at = s.next_attempt_at,
           member_since = CASE WHEN s.state = 'member' THEN coalesce(m.member_since, $3)
                               WHEN s.state = 'absent' THEN NULL ELSE m.member_since END,
           updated_at = $3, version = m.version + 1
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, state text, provider_ref text, match_kind text, error jsonb,
                                              attempts integer, next_attempt_at timestamptz, seen text)
     WHERE m.tenant_id = $1 AND m.id = s.id AND m.state = s.seen
    RETURNING {", ".join(f"m.{name}" for name in _NAMES)}
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which monitorings; None is every one (removed ones only when asked for)."""

    perimeter: Sequence[UUID] | None
    connection_id: UUID | None = None
    company_id: UUID | None = None
    states: Sequence[str] | None = None


async def add(tx: Tx, connection_id: UUID, companies: Iterable[UUID], user_id: UUID | None) -> list[Row]:
    """Ask for companies to be added; those for whom something is to be done (`fresh`: never asked before)."""
    rows = [{"id": new_id(), "company_id": company} for company in sorted(set(companies))]
    return await tx.fetch(_ADD, tx.tenant_id, json_bytes(rows).decode(), connection_id, user_id, tx.now)


async def set_state(tx: Tx, identifier: UUID, members: Mapping[str, Any]) -> None:
    """Set members of one; its version rises."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(members, start=4))
    await tx.execute(
        f"UPDATE monitorings SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, tx.now, *members.values(),
    )  # fmt: skip


async def due(tx: Tx, connection_id: UUID, now: datetime, limit: int) -> list[Row]:
    """Memberships to change at the provider, oldest first, with what is known of the company."""
    return await tx.fetch(_DUE, tx.tenant_id, connection_id, now, limit)


async def settle(tx: Tx, outcomes: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Write what came of them, unless somebody has changed their mind meanwhile (`seen`: the state that was acted on)."""
    return await tx.fetch(_SETTLE, tx.tenant_id, json_bytes(list(outcomes)).decode(), tx.now)


async def one(
    tx: Tx, identifier: UUID, perimeter: Sequence[UUID] | None, *, lock: bool = False
) -> Row | None:
    """A monitoring in sight."""
    statement = _narrowed(
        tx, Wanted(perimeter, states=("adding", "member", "removing", "failed", "unknown", "absent"))
    )
    statement.where("m.id = {}", identifier)
    tail = " FOR UPDATE OF m" if lock else ""
    return await tx.fetchrow(f"SELECT {_SHOWN} FROM {_JOINED} {statement.clause()}{tail}", *statement.params)


async def of_company(tx: Tx, connection_id: UUID, company_id: UUID) -> Row | None:
    """The monitoring of a company through a connection."""
    return await tx.fetchrow(
        f"SELECT {_SHOWN} FROM {_JOINED} WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.company_id = $3",
        tx.tenant_id, connection_id, company_id,
    )  # fmt: skip


async def page_of(tx: Tx, wanted: Wanted, cursor: str | None, limit: int) -> list[Row]:
    """A page, newest first, one more than `limit` when there is another."""
    keys = [SortKey("m.id", "uuid", descending=True)]
    statement = _narrowed(tx, wanted)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_SHOWN}, {cursor_columns(keys)} FROM {_JOINED} {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Row]:
    """A page of all, for a reader that rebuilds."""
    return await tx.fetch(
        f"SELECT {_SHOWN} FROM {_JOINED} WHERE m.tenant_id = $1 AND ($2::uuid IS NULL OR m.id > $2) ORDER BY m.id LIMIT $3",
        tx.tenant_id,
        after,
        limit,
    )


async def counts(tx: Tx, connection_id: UUID) -> dict[str, int]:
    """How many companies a state."""
    rows = await tx.fetch(
        "SELECT state, count(*) AS n FROM monitorings WHERE tenant_id = $1 AND connection_id = $2 GROUP BY 1",
        tx.tenant_id,
        connection_id,
    )
    return {row["state"]: row["n"] for row in rows}


def _narrowed(tx: Tx, wanted: Wanted) -> Statement:
    statement = Statement()
    statement.where("m.tenant_id = {}", tx.tenant_id)
    if wanted.perimeter is not None:
        statement.where(IN_SIGHT, list(wanted.perimeter))
    if wanted.connection_id is not None:
        statement.where("m.connection_id = {}", wanted.connection_id)
    if wanted.company_id is not None:
        statement.where("m.company_id = {}", wanted.company_id)
    if wanted.states:
        statement.where("m.state = ANY({})", list(wanted.states))
    else:
        statement.where("m.state <> 'absent'")
    return statement
