"""Provider connections as rows."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

COLUMNS = (
    "id, name, provider, product, contract_holder, adapter, mapping_version, base_url, credentials_sealed,"
    " credentials_set_at, options, sync_at, refresh, full_refresh_days, priority, rate_calls, rate_seconds, budget,"
    " stale_after_days, state, error, events_cursor, last_sync_id, last_sync_at, failures, closed_until, breaks,"
    " leased_until, created_at, updated_at, version"
)
_JSON = frozenset(("options", "error"))
_CLAIM = f"""
    UPDATE provider_connections SET leased_until = $3
     WHERE tenant_id = $1 AND id = $2 AND state = 'active' AND (leased_until IS NULL OR leased_until < $4)
    RETURNING {COLUMNS}
"""
_COUNT = """
    INSERT INTO billed_calls (tenant_id, connection_id, month, calls) VALUES ($1, $2, date_trunc('month', $3::date)::date, $4)
    ON CONFLICT (tenant_id, connection_id, month) DO UPDATE SET calls = greatest(0, billed_calls.calls + excluded.calls)
    RETURNING calls
"""
#: Connections with something to do now: a portfolio to change, or a sync that is due.
_WORK = """
    SELECT c.tenant_id, c.id FROM provider_connections c
     WHERE c.state = 'active' AND (c.leased_until IS NULL OR c.leased_until < $1)
       AND (c.closed_until IS NULL OR c.closed_until < $1)
       AND (EXISTS (SELECT 1 FROM sync_runs r WHERE r.tenant_id = c.tenant_id AND r.connection_id = c.id
                       AND r.finished_at IS NULL AND r.not_before <= $1)
         OR EXISTS (SELECT 1 FROM monitorings m WHERE m.tenant_id = c.tenant_id AND m.connection_id = c.id
                       AND m.state IN ('adding', 'removing', 'unknown')
                       AND (m.next_attempt_at IS NULL OR m.next_attempt_at <= $1)))
     LIMIT 500
"""


async def insert(tx: Tx, members: Mapping[str, Any]) -> Row:
    """Write a new connection. Raises asyncpg.UniqueViolationError for a name that is taken."""
    values = {
        "state": "active", "failures": 0, "breaks": 0, "created_at": tx.now, "updated_at": tx.now,
        "version": 1, **members,
    }  # fmt: skip
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(2, len(values) + 2))
    row = await tx.fetchrow(
        f"INSERT INTO provider_connections (tenant_id, {names}) VALUES ($1, {places}) RETURNING {COLUMNS}",
        tx.tenant_id,
        *_stored(values),
    )
    assert row is not None, "an insert returns its row"
    return row


async def update(tx: Tx, identifier: UUID, members: Mapping[str, Any]) -> Row:
    """Set members of a connection; its version rises."""
    row = await _set(tx, identifier, {**members, "updated_at": tx.now}, "version = version + 1")
    assert row is not None, "the connection was locked before"
    return row


async def note(tx: Tx, identifier: UUID, members: Mapping[str, Any]) -> None:
    """Set what is no setting (the breaker, the last sync, the lease): the version stays."""
    await _set(tx, identifier, members, None)


async def _set(tx: Tx, identifier: UUID, members: Mapping[str, Any], more: str | None) -> Row | None:
    sets = [f"{name} = ${number}" for number, name in enumerate(members, start=3)] + ([more] if more else [])
    return await tx.fetchrow(
        f"UPDATE provider_connections SET {', '.join(sets)} WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}",
        tx.tenant_id,
        identifier,
        *_stored(members),
    )


def _stored(members: Mapping[str, Any]) -> list[Any]:
    return [
        json_bytes(value).decode() if name in _JSON and value is not None else value
        for name, value in members.items()
    ]


async def one(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A connection."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM provider_connections WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id,
        identifier,
    )


async def every(tx: Tx) -> list[Row]:
    """All connections of the tenant; there are never many."""
    return await tx.fetch(
        f"SELECT {COLUMNS} FROM provider_connections WHERE tenant_id = $1 ORDER BY priority, name",
        tx.tenant_id,
    )


async def page_of(tx: Tx, cursor: str | None, limit: int) -> list[Row]:
    """A page by name, one more than `limit` when there is another."""
    keys = [SortKey("c.name", "text"), SortKey("c.id", "uuid")]
    statement = Statement()
    statement.where("c.tenant_id = {}", tx.tenant_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {COLUMNS}, {cursor_columns(keys)} FROM provider_connections c {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def in_use(tx: Tx, identifier: UUID) -> bool:
    """Whether anything hangs on it that deleting would lose."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM monitorings WHERE tenant_id = $1 AND connection_id = $2)"
            " OR EXISTS (SELECT 1 FROM snapshots WHERE tenant_id = $1 AND connection_id = $2)",
            tx.tenant_id,
            identifier,
        )
    )


async def free_for(tx: Tx, company_id: UUID) -> bool:
    """Whether an active connection does not watch the company."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM provider_connections c WHERE c.tenant_id = $1 AND c.state = 'active' AND NOT EXISTS"
            " (SELECT 1 FROM monitorings m WHERE m.tenant_id = $1 AND m.connection_id = c.id AND m.company_id = $2"
            " AND m.state IN ('adding', 'member', 'unknown')))",
            tx.tenant_id,
            company_id,
        )
    )


async def delete(tx: Tx, identifier: UUID) -> None:
    """Remove a connection that was never used."""
    for table, column in (
        ("sync_runs", "connection_id"),
        ("billed_calls", "connection_id"),
        ("provider_connections", "id"),
    ):
        await tx.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND {column} = $2", tx.tenant_id, identifier
        )


async def claim(tx: Tx, identifier: UUID, until: datetime, now: datetime) -> Row | None:
    """Take the connection's one seat until then (wall clock); None when it is taken or the connection rests."""
    return await tx.fetchrow(_CLAIM, tx.tenant_id, identifier, until, now)


async def count_billed(tx: Tx, identifier: UUID, day: date, calls: int) -> int:
    """Add to (or give back) the month's billed calls; their number now."""
    counted: int = await tx.fetchval(_COUNT, tx.tenant_id, identifier, day, calls)
    return counted


async def billed(tx: Tx, day: date) -> dict[UUID, int]:
    """Billed calls of the day's month, a connection."""
    rows = await tx.fetch(
        "SELECT connection_id, calls FROM billed_calls WHERE tenant_id = $1 AND month = date_trunc('month', $2::date)::date",
        tx.tenant_id,
        day,
    )
    return {row["connection_id"]: row["calls"] for row in rows}


async def with_work(connection: Any, now: datetime) -> list[tuple[UUID, UUID]]:
    """(tenant, connection) where something is due and nobody is at it; over all tenants, on a system connection."""
    return [(row["tenant_id"], row["id"]) for row in await connection.fetch(_WORK, now)]


async def rules(tx: Tx) -> dict[str, str]:
    """The conflict policy: field → rule, where one was set."""
    rows = await tx.fetch("SELECT field, rule FROM field_rules WHERE tenant_id = $1", tx.tenant_id)
    return {row["field"]: row["rule"] for row in rows}


async def set_rules(tx: Tx, given: Mapping[str, str]) -> None:
    """Replace the conflict policy."""
    await tx.execute("DELETE FROM field_rules WHERE tenant_id = $1", tx.tenant_id)
    await tx.execute(
        "INSERT INTO field_rules (tenant_id, field, rule) SELECT $1, * FROM unnest($2::text[], $3::text[])",
        tx.tenant_id,
        list(given),
        list(given.values()),
    )
