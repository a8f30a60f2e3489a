"""Syncs: runs over a connection's companies, and what came of each company."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

_NAMES = (
    "id", "connection_id", "operation_id", "reason", "day", "state", "not_before", "events", "events_cursor", "error",
    "finished_at", "created_at", "updated_at", "version",
)  # fmt: skip
COLUMNS = ", ".join(_NAMES)
_COUNTS = """
    SELECT run_id, count(*) AS companies, count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE billed) AS billed,
           count(*) FILTER (WHERE outcome = 'changed') AS changed, count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE outcome = 'not_found') AS not_found, count(*) FILTER (WHERE outcome = 'failed') AS failed,
           count(*) FILTER (WHERE outcome = 'unknown') AS unknown,
           count(*) FILTER (WHERE outcome = 'over_budget') AS over_budget
      FROM sync_companies WHERE tenant_id = $1 AND run_id = ANY($2) GROUP BY 1
"""
_START = f"""
    INSERT INTO sync_runs (tenant_id, id, connection_id, operation_id, reason, day, state, not_before, events, created_at,
                           updated_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, '[]', $8, $8, 1)
    ON CONFLICT (tenant_id, connection_id, day) WHERE day IS NOT NULL DO NOTHING
    RETURNING {COLUMNS}
"""
#: Who is read: everybody, or (with events) who moved, was never read, was read too long ago or went wrong last time.
_ENLIST = """
    INSERT INTO sync_companies (tenant_id, run_id, company_id, state, billed)
    SELECT m.tenant_id, $2, m.company_id, 'pending', false
      FROM monitorings m
      LEFT JOIN provider_records r
             ON r.tenant_id = m.tenant_id AND r.connection_id = m.connection_id AND r.company_id = m.company_id
     WHERE m.tenant_id = $1 AND m.connection_id = $3 AND m.state = 'member'
       AND ($4 OR m.company_id = ANY($5) OR r.company_id IS NULL OR r.fetched_at < $6
            OR m.last_outcome IN ('failed', 'unknown', 'over_budget'))
     ORDER BY m.company_id
    ON CONFLICT DO NOTHING
"""
_ENLIST_SOME = """
    INSERT INTO sync_companies (tenant_id, run_id, company_id, state, billed)
    SELECT m.tenant_id, $2, m.company_id, 'pending', false
      FROM monitorings m
     WHERE m.tenant_id = $1 AND m.connection_id = $3 AND m.state = 'member' AND m.company_id = ANY($4)
     ORDER BY m.company_id
    ON CONFLICT DO NOTHING
"""
_ENLIST_RECORDS = """
    INSERT INTO sync_companies (tenant_id, run_id, company_id, state, billed)
    SELECT r.tenant_id, $2, r.company_id, 'pending', false
      FROM provider_records r
     WHERE r.tenant_id = $1 AND r.connection_id = $3 AND r.raw_id IS NOT NULL AND r.mapping_version <> $4
     ORDER BY r.company_id
    ON CONFLICT DO NOTHING
"""
_CLAIM = """
    WITH next AS (
        SELECT s.company_id FROM sync_companies s
         WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.state = 'pending' ORDER BY s.company_id LIMIT $3
    ), taken AS (
        UPDATE sync_companies s SET state = 'asking' FROM next
         WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.company_id = next.company_id
        RETURNING s.company_id
    )
    SELECT k.id AS company_id, k.name, k.country, k.registration_number, k.vat_number, m.provider_ref
      FROM taken t JOIN companies k ON k.tenant_id = $1 AND k.id = t.company_id
      LEFT JOIN monitorings m ON m.tenant_id = $1 AND m.connection_id = $4 AND m.company_id = k.id
     ORDER BY k.id
"""
_DONE = """
    UPDATE sync_companies s SET state = 'done', outcome = d.outcome, error = d.error, billed = s.billed OR d.billed,
                                done_at = $4
      FROM jsonb_to_recordset($3::jsonb) AS d(company_id uuid, outcome text, error jsonb, billed boolean)
     WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.company_id = d.company_id
"""
_REMEMBER = """
    UPDATE monitorings m SET last_outcome = d.outcome, error = d.error,
           last_checked_at = CASE WHEN d.outcome IN ('changed', 'unchanged', 'not_found') THEN $4 ELSE m.last_checked_at END
      FROM jsonb_to_recordset($3::jsonb) AS d(company_id uuid, outcome text, error jsonb)
     WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.company_id = d.company_id
"""
#: No event about a member: the provider says that nothing moved, which is an answer, too.
_SILENT = """
    WITH silent AS (
        UPDATE monitorings m SET last_outcome = 'no_event', last_checked_at = $4, error = NULL
         WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.state = 'member'
           AND NOT EXISTS (SELECT 1 FROM sync_companies s WHERE s.tenant_id = $1 AND s.run_id = $3
                              AND s.company_id = m.company_id)
        RETURNING m.company_id
    )
    UPDATE provider_records r SET checked_at = $4 FROM silent
     WHERE r.tenant_id = $1 AND r.connection_id = $2 AND r.company_id = silent.company_id
    RETURNING r.company_id
"""


async def start(
    tx: Tx,
    connection_id: UUID,
    operation_id: UUID,
    reason: str,
    not_before: datetime,
    day: date | None = None,
) -> Row | None:
    """Write a run down; None when the day has one."""
    return await tx.fetchrow(
        _START, tx.tenant_id, new_id(), connection_id, operation_id, reason, day, not_before, tx.now
    )


async def enlist(
    tx: Tx, run_id: UUID, connection_id: UUID, *, everybody: bool, moved: Sequence[UUID], older_than: datetime
) -> int:
    """Put the members to be read on the run's list."""
    return await tx.execute(_ENLIST, tx.tenant_id, run_id, connection_id, everybody, list(moved), older_than)


async def enlist_some(tx: Tx, run_id: UUID, connection_id: UUID, companies: Sequence[UUID]) -> int:
    """Put those of these companies that are members on the list."""
    return await tx.execute(_ENLIST_SOME, tx.tenant_id, run_id, connection_id, list(companies))


async def enlist_records(tx: Tx, run_id: UUID, connection_id: UUID, mapping_version: int) -> int:
    """Put every company whose record another mapping made on the list."""
    return await tx.execute(_ENLIST_RECORDS, tx.tenant_id, run_id, connection_id, mapping_version)


async def next_of(tx: Tx, connection_id: UUID, now: datetime) -> Row | None:
    """The run of a connection that is due and not finished: re-mapping first (it asks nobody), then the oldest."""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM sync_runs WHERE tenant_id = $1 AND connection_id = $2 AND finished_at IS NULL"
        " AND not_before <= $3 ORDER BY reason <> 'remap', id LIMIT 1",
        tx.tenant_id,
        connection_id,
        now,
    )


async def update(tx: Tx, run_id: UUID, members: Mapping[str, Any]) -> None:
    """Set members of a run."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(members, start=4))
    values = [
        json_bytes(value).decode() if name in ("events", "error") and value is not None else value
        for name, value in members.items()
    ]
    await tx.execute(
        f"UPDATE sync_runs SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, run_id, tx.now, *values,
    )  # fmt: skip


async def claim(tx: Tx, run_id: UUID, connection_id: UUID, limit: int) -> list[Row]:
    """Take the next companies to ask for, with what identifies them."""
    return await tx.fetch(_CLAIM, tx.tenant_id, run_id, limit, connection_id)


async def orphans(tx: Tx, connection_id: UUID, *, ask_again: bool) -> list[UUID]:
    """Companies a worker that is gone was asking for: asked again where that is free, else of unknown outcome."""
    outcome = (
        "state = 'pending'"
        if ask_again
        else "state = 'done', outcome = 'unknown', billed = true, done_at = $3"
    )
    rows = await tx.fetch(
        f"UPDATE sync_companies s SET {outcome} FROM sync_runs r"
        " WHERE s.tenant_id = $1 AND s.state = 'asking' AND r.tenant_id = $1 AND r.id = s.run_id AND r.connection_id = $2"
        " AND r.finished_at IS NULL AND $3::timestamptz IS NOT NULL RETURNING s.company_id",
        tx.tenant_id,
        connection_id,
        tx.now,
    )
    return [row["company_id"] for row in rows]


async def done(tx: Tx, run: Row, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Write what came of some companies, in the run and beside their membership."""
    text = json_bytes(list(outcomes)).decode()
    await tx.execute(_DONE, tx.tenant_id, run["id"], text, tx.now)
    if run["reason"] != "remap":
        await tx.execute(_REMEMBER, tx.tenant_id, run["connection_id"], text, tx.now)


async def give_up_rest(tx: Tx, run: Row, outcome: str, error: Mapping[str, Any] | None) -> None:
    """End what has not been asked for, all with one outcome."""
    rows = await tx.fetch(
        "SELECT company_id FROM sync_companies WHERE tenant_id = $1 AND run_id = $2 AND state <> 'done'",
        tx.tenant_id,
        run["id"],
    )
    await done(
        tx,
        run,
        [
            {"company_id": row["company_id"], "outcome": outcome, "error": error, "billed": False}
            for row in rows
        ],
    )


async def not_read(tx: Tx, run_id: UUID) -> set[str]:
    """Companies of a run that could not be read."""
    rows = await tx.fetch(
        "SELECT company_id FROM sync_companies WHERE tenant_id = $1 AND run_id = $2"
        " AND outcome IN ('failed', 'unknown', 'over_budget')",
        tx.tenant_id,
        run_id,
    )
    return {str(row["company_id"]) for row in rows}


async def silent_members(tx: Tx, run: Row) -> list[UUID]:
    """Note of all members not on the list that the provider had nothing to say; those with a record."""
    rows = await tx.fetch(_SILENT, tx.tenant_id, run["connection_id"], run["id"], tx.now)
    return [row["company_id"] for row in rows]


async def counts(tx: Tx, runs: Sequence[UUID]) -> dict[UUID, Row]:
    """How far runs are and what came of their companies."""
    return {row["run_id"]: row for row in await tx.fetch(_COUNTS, tx.tenant_id, list(runs))}


async def one(tx: Tx, connection_id: UUID, run_id: UUID) -> Row | None:
    """A run."""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM sync_runs WHERE tenant_id = $1 AND connection_id = $2 AND id = $3",
        tx.tenant_id,
        connection_id,
        run_id,
    )


async def page_of(tx: Tx, connection_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A page of runs, newest first."""
    keys = [SortKey("r.id", "uuid", descending=True)]
    statement = Statement()
    statement.where("r.tenant_id = {}", tx.tenant_id)
    statement.where("r.connection_id = {}", connection_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {COLUMNS}, {cursor_columns(keys)} FROM sync_runs r {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def is_open(tx: Tx, connection_id: object) -> bool:
    """Whether a run of the connection is under way or due."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM sync_runs r JOIN provider_connections c ON c.tenant_id = r.tenant_id"
            " AND c.id = r.connection_id WHERE r.tenant_id = $1 AND r.connection_id = $2 AND r.finished_at IS NULL"
            " AND c.state = 'active')",
            tx.tenant_id,
            connection_id,
        )
    )


async def companies_of(
    tx: Tx,
    run_id: UUID,
    outcomes: Sequence[str] | None,
    perimeter: Sequence[UUID] | None,
    cursor: str | None,
    limit: int,
) -> list[Row]:
    """A page of a run's companies."""
    keys = [SortKey("s.company_id", "uuid")]
    statement = Statement()
    statement.where("s.tenant_id = {}", tx.tenant_id)
    statement.where("s.run_id = {}", run_id)
    if outcomes:
        statement.where("s.outcome = ANY({})", list(outcomes))
    if perimeter is not None:
        statement.where(
            "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = s.tenant_id AND u.company_id = s.company_id"
            " AND u.business_unit_id = ANY({}))",
            list(perimeter),
        )
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        "SELECT s.company_id, k.name AS company_name, k.registration_number, s.state, s.outcome, s.error, s.billed,"
        f" s.done_at, {cursor_columns(keys)} FROM sync_companies s JOIN companies k ON k.tenant_id = s.tenant_id"
        f" AND k.id = s.company_id {statement.clause()} {order} LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def forget_before(tx: Tx, day: date) -> None:
    """Drop the companies of runs created before a day: what came of them stands in their history."""
    await tx.execute(
        "DELETE FROM sync_companies s USING sync_runs r WHERE s.tenant_id = $1 AND r.tenant_id = $1 AND r.id = s.run_id"
        " AND r.finished_at IS NOT NULL AND r.created_at < $2",
        tx.tenant_id,
        datetime.combine(day, datetime.min.time()).astimezone(),
    )
