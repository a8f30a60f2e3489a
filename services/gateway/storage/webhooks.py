"""Webhook endpoints as rows, and the deliveries the stream makes for them: one an (endpoint, event), whatever happens twice.

Instants here are of the wall clock, except an endpoint's created_at and updated_at.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

ENDPOINT_COLUMNS = (
    "id, url, description, types, header_names, headers_sealed, secrets_sealed, old_secret_until, enabled,"
    " disabled_reason, failing_since, failures, paused_until, created_at, updated_at, version"
)
DELIVERY_COLUMNS = (
    "id, endpoint_id, event_id, type, subject_id, state, attempts, next_at, attempted_at, response_status, error, log,"
    " created_at, updated_at"
)
_FAN_OUT = """
    WITH made AS (
        INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, event_id, type, subject_id, position, state, attempts,
                                        next_at, log, created_at, updated_at)
        SELECT p.tenant_id, uuidv7(), e.id, p.id, p.type, p.subject_id, p.position, 'waiting', 0, $3, '[]', $3, $3
          FROM public_events p
          JOIN webhook_endpoints e ON e.tenant_id = p.tenant_id AND e.enabled
           AND (e.types = '{}' OR p.type = ANY(e.types))
         WHERE p.tenant_id = $1 AND p.position > $2
         ORDER BY p.position
            ON CONFLICT (tenant_id, endpoint_id, event_id) DO NOTHING
     RETURNING endpoint_id)
    SELECT DISTINCT endpoint_id FROM made
"""
# What waits already is left to its schedule: a replay never makes a delivery later than it would have been.
_AGAIN = """
    INSERT INTO webhook_deliveries AS d (tenant_id, id, endpoint_id, event_id, type, subject_id, position, state, attempts,
                                         next_at, log, created_at, updated_at)
    SELECT p.tenant_id, uuidv7(), e.id, p.id, p.type, p.subject_id, p.position, 'waiting', 0, $3::timestamptz, '[]',
           $3::timestamptz, $3::timestamptz
      FROM public_events p
      JOIN webhook_endpoints e ON e.tenant_id = p.tenant_id AND e.id = $2 AND (e.types = '{{}}' OR p.type = ANY(e.types))
     WHERE p.tenant_id = $1 AND {condition}
     ORDER BY p.position
        ON CONFLICT (tenant_id, endpoint_id, event_id)
        DO UPDATE SET state = 'waiting', attempts = 0, next_at = excluded.next_at, updated_at = excluded.updated_at
           WHERE d.state <> 'waiting'
"""
_CLAIM = """
    UPDATE webhook_endpoints SET leased_until = $3
     WHERE tenant_id = $1 AND id = $2 AND (leased_until IS NULL OR leased_until < $4)
       AND (paused_until IS NULL OR paused_until <= $4)
 RETURNING {columns}
"""
_DUE = """
    SELECT d.id, d.event_id, d.type, d.subject_id, d.attempts, d.body, p.subject_type, p.subject_version, p.occurred_at,
           p.data
      FROM webhook_deliveries d
      LEFT JOIN public_events p ON p.tenant_id = d.tenant_id AND p.id = d.event_id
     WHERE d.tenant_id = $1 AND d.endpoint_id = $2 AND d.state = 'waiting' AND d.next_at <= $3
       AND ($4 OR d.position = 0)
     ORDER BY d.position, d.id LIMIT $5
"""
_WITH_WORK = """
    SELECT e.tenant_id, e.id FROM webhook_endpoints e
     WHERE (e.leased_until IS NULL OR e.leased_until < $1) AND (e.paused_until IS NULL OR e.paused_until <= $1)
       AND EXISTS (SELECT 1 FROM webhook_deliveries d
                    WHERE d.tenant_id = e.tenant_id AND d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= $1)
"""
_RECORD = """
    UPDATE webhook_deliveries
       SET state = $3, attempts = attempts + 1, next_at = $4, attempted_at = $5, response_status = $6, error = $7,
           log = log || $8::jsonb, updated_at = $5
     WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'
"""
#: Columns of the endpoint that a success clears.
_WELL = """
    UPDATE webhook_endpoints SET failing_since = NULL, failures = 0, paused_until = NULL
     WHERE tenant_id = $1 AND id = $2 AND failures > 0
"""
_ILL = """
    UPDATE webhook_endpoints SET failures = failures + 1, failing_since = coalesce(failing_since, $3)
     WHERE tenant_id = $1 AND id = $2 RETURNING failures, failing_since
"""
_GIVE_UP_WAITING = """
    UPDATE webhook_deliveries SET state = 'failed', next_at = NULL, error = $3, updated_at = $4
     WHERE tenant_id = $1 AND endpoint_id = $2 AND state = 'waiting'
"""


async def insert(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """Write an endpoint."""
    row = await tx.fetchrow(
        "INSERT INTO webhook_endpoints (tenant_id, id, url, description, types, header_names, headers_sealed,"
        " secrets_sealed, enabled, failures, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $10, 1) RETURNING {ENDPOINT_COLUMNS}",
        tx.tenant_id, identifier, values["url"], values["description"], values["types"], values["header_names"],
        values["headers_sealed"], values["secrets_sealed"], values["enabled"], tx.now,
    )  # fmt: skip
    assert row is not None, "an insert without a conflict clause returns its row"
    return row


async def count(tx: Tx) -> int:
    """How many endpoints the tenant has; locked against two who add the last one at once."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 5))", str(tx.tenant_id))
    number: int = await tx.fetchval(
        "SELECT count(*) FROM webhook_endpoints WHERE tenant_id = $1", tx.tenant_id
    )
    return number


async def endpoint(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """An endpoint."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {ENDPOINT_COLUMNS} FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id,
        identifier,
    )


async def endpoints(tx: Tx, cursor: str | None, limit: int) -> list[Row]:
    """The endpoints, oldest first; one more than `limit` when there is another page."""
    keys = [SortKey("created_at", "timestamptz"), SortKey("id", "uuid")]
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {ENDPOINT_COLUMNS}, {cursor_columns(keys)} FROM webhook_endpoints {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def change(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """Set members of an endpoint and raise its version."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        "UPDATE webhook_endpoints SET " + (f"{sets}, " if sets else "") + "updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {ENDPOINT_COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the endpoint was read before"
    return row


async def delete(tx: Tx, identifier: UUID) -> bool:
    """Remove an endpoint and its deliveries; False when there is none."""
    ids = (tx.tenant_id, identifier)
    await tx.execute("DELETE FROM webhook_deliveries WHERE tenant_id = $1 AND endpoint_id = $2", *ids)
    return bool(await tx.execute("DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2", *ids))


# -- deliveries --------------------------------------------------------------------------------------------------------


async def fan_out(tx: Tx, after: int) -> list[UUID]:
    """Make the deliveries of the events after a position; the endpoints that got some."""
    rows = await tx.fetch(_FAN_OUT, tx.tenant_id, after, clock.wall())
    return [row["endpoint_id"] for row in rows]


async def again_since(tx: Tx, endpoint_id: UUID, since: datetime) -> int:
    """Deliver once more what occurred at or after an instant; how many."""
    sql = _AGAIN.format(condition="p.occurred_at >= $4")
    return await tx.execute(sql, tx.tenant_id, endpoint_id, clock.wall(), since)


async def again_after(tx: Tx, endpoint_id: UUID, event_id: UUID) -> int | None:
    """Deliver once more what stands after an event in the stream; how many, None when the event is not kept."""
    position = await tx.fetchval(
        "SELECT position FROM public_events WHERE tenant_id = $1 AND id = $2", tx.tenant_id, event_id
    )
    if position is None:
        return None
    sql = _AGAIN.format(condition="p.position > $4")
    return await tx.execute(sql, tx.tenant_id, endpoint_id, clock.wall(), position)


async def again(tx: Tx, endpoint_id: UUID, delivery_id: UUID) -> int:
    """Deliver one once more; 0 when it is not there, or its event is no longer kept."""
    return await tx.execute(
        "UPDATE webhook_deliveries d SET state = 'waiting', attempts = 0, next_at = $4, updated_at = $4"
        " WHERE d.tenant_id = $1 AND d.endpoint_id = $2 AND d.id = $3"
        " AND (d.body IS NOT NULL OR EXISTS (SELECT 1 FROM public_events p WHERE p.tenant_id = $1 AND p.id = d.event_id))",
        tx.tenant_id, endpoint_id, delivery_id, clock.wall(),
    )  # fmt: skip


async def insert_ping(tx: Tx, endpoint_id: UUID, delivery_id: UUID, event_type: str, body: str) -> Row:
    """Write the delivery of a ping."""
    row = await tx.fetchrow(
        "INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, event_id, type, subject_id, position, body, state,"
        " attempts, next_at, log, created_at, updated_at)"
        f" VALUES ($1, $2, $3, $2, $4, $3, 0, $5, 'waiting', 0, $6, '[]', $6, $6) RETURNING {DELIVERY_COLUMNS}",
        tx.tenant_id, delivery_id, endpoint_id, event_type, body, clock.wall(),
    )  # fmt: skip
    assert row is not None, "an insert without a conflict clause returns its row"
    return row


async def delivery(tx: Tx, endpoint_id: UUID, identifier: UUID) -> Row | None:
    """A delivery."""
    return await tx.fetchrow(
        f"SELECT {DELIVERY_COLUMNS} FROM webhook_deliveries WHERE tenant_id = $1 AND endpoint_id = $2 AND id = $3",
        tx.tenant_id, endpoint_id, identifier,
    )  # fmt: skip


async def deliveries(
    tx: Tx, endpoint_id: UUID, filters: dict[str, Any], cursor: str | None, limit: int
) -> list[Row]:
    """Deliveries to an endpoint, newest first; `filters` by column, None where there is none."""
    keys = [SortKey("id", "uuid", descending=True)]
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    statement.where("endpoint_id = {}", endpoint_id)
    for column, value in filters.items():
        if value is not None:
            statement.where(f"{column} = {{}}", value)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {DELIVERY_COLUMNS}, {cursor_columns(keys)} FROM webhook_deliveries {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


# -- sending -----------------------------------------------------------------------------------------------------------


async def claim(tx: Tx, endpoint_id: UUID, lease: timedelta) -> Row | None:
    """Take an endpoint for a while; None when another worker has it, it is left alone, or gone."""
    now = clock.wall()
    sql = _CLAIM.format(columns=ENDPOINT_COLUMNS)
    return await tx.fetchrow(sql, tx.tenant_id, endpoint_id, now + lease, now)


async def release(tx: Tx, endpoint_id: UUID) -> None:
    """Let another worker have the endpoint."""
    await tx.execute(
        "UPDATE webhook_endpoints SET leased_until = NULL WHERE tenant_id = $1 AND id = $2", tx.tenant_id, endpoint_id
    )  # fmt: skip


async def due(tx: Tx, endpoint_id: UUID, limit: int, *, enabled: bool) -> list[Row]:
    """What is to be sent now, in the order of the stream; to an endpoint that is switched off, pings alone."""
    return await tx.fetch(_DUE, tx.tenant_id, endpoint_id, clock.wall(), enabled, limit)


async def with_work(connection: Any) -> list[Row]:
    """(tenant_id, id) of every endpoint that something waits for and nobody works on."""
    rows: list[Row] = await connection.fetch(_WITH_WORK, clock.wall())
    return rows


async def record(
    tx: Tx, delivery_id: UUID, state: str, next_at: datetime | None, status: int | None, error: str | None, log: str
) -> None:  # fmt: skip
    """Write down what came of an attempt; `log` is a JSON array of one entry."""
    await tx.execute(_RECORD, tx.tenant_id, delivery_id, state, next_at, clock.wall(), status, error, log)


async def went_well(tx: Tx, endpoint_id: UUID) -> None:
    """The endpoint took something."""
    await tx.execute(_WELL, tx.tenant_id, endpoint_id)


async def went_ill(tx: Tx, endpoint_id: UUID) -> Row | None:
    """The endpoint did not take something: `failures` in a row, `failing_since`; None when it is gone."""
    return await tx.fetchrow(_ILL, tx.tenant_id, endpoint_id, clock.wall())


async def pause(tx: Tx, endpoint_id: UUID, until: datetime) -> None:
    """Leave an endpoint alone for a while."""
    await tx.execute(
        "UPDATE webhook_endpoints SET paused_until = greatest(paused_until, $3) WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, endpoint_id, until,
    )  # fmt: skip


async def end_pause(tx: Tx, endpoint_id: UUID) -> None:
    """Somebody asks for something to be sent: try now."""
    await tx.execute(
        "UPDATE webhook_endpoints SET paused_until = NULL WHERE tenant_id = $1 AND id = $2", tx.tenant_id, endpoint_id
    )  # fmt: skip


async def give_up_waiting(tx: Tx, endpoint_id: UUID, reason: str) -> None:
    """Nothing more is sent to an endpoint that was switched off; a replay can fetch it back."""
    await tx.execute(_GIVE_UP_WAITING, tx.tenant_id, endpoint_id, reason, clock.wall())


async def forget(tx: Tx, before: datetime) -> None:
    """Delete deliveries made before an instant that are over."""
    await tx.execute(
        "DELETE FROM webhook_deliveries WHERE tenant_id = $1 AND created_at < $2 AND state <> 'waiting'",
        tx.tenant_id, before,
    )  # fmt: skip
