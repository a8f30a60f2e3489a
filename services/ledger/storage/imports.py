"""Imports in the database: what was asked, how far it is, its raw chunks, the rows it refused, and saved ways of reading."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

COLUMNS = """
    i.id, i.kind, i.mode, i.source, i.business_unit_id, i.taken_at, i.status, i.dry_run, i.options, i.counts, i.totals, i.held,
    i.diff, i.error, i.received_bytes, i.rows_received, i.rows_applied, i.operation_id, i.attempts,
    i.created_at, i.updated_at, i.version
"""
#: A body that has not arrived within this time never will.
ARRIVES_WITHIN = timedelta(hours=1)
_JSON = frozenset({"options", "counts", "totals", "held", "diff", "error"})
_INSERT_ERRORS = """
    INSERT INTO import_errors (tenant_id, import_id, row, number, pointer, code, detail)
    SELECT $1, $2, e.row, row_number() OVER (PARTITION BY e.row ORDER BY e.place), e.pointer, e.code, e.detail
      FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS e(row, pointer, code, detail, place)
    ON CONFLICT DO NOTHING
"""
_ERROR_KEYS = [SortKey("e.row", "bigint"), SortKey("e.number", "integer")]
_LIST_KEYS = [SortKey("i.created_at", "timestamptz", True), SortKey("i.id", "uuid", True)]


async def insert(tx: Tx, columns: Mapping[str, Any]) -> None:
    """Write an import down; JSON members are plain values. Until its lease ends no sweep touches it."""
    values = {
        "status": "processing",
        "counts": {},
        "totals": {},
        "received_bytes": 0,
        "rows_applied": 0,
        "attempts": 0,
        "leased_until": clock.wall() + ARRIVES_WITHIN,
        "created_at": tx.now,
        "updated_at": tx.now,
        "version": 1,
        **columns,
    }
    names = ", ".join(values)
    marks = ", ".join(f"${place}" for place in range(2, len(values) + 2))
    await tx.execute(
        f"INSERT INTO imports (tenant_id, {names}) VALUES ($1, {marks})", tx.tenant_id, *_stored(values)
    )


async def update(tx: Tx, import_id: UUID, **columns: Any) -> None:
    """Set columns of an import; JSON members are plain values."""
    values = {**columns, "updated_at": tx.now}
    assignments = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 3))
    await tx.execute(
        f"UPDATE imports SET {assignments}, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, import_id, *_stored(values),
    )  # fmt: skip


async def read(
    tx: Tx, import_id: UUID, perimeter: Sequence[UUID] | None = None, *, lock: bool = False
) -> Row | None:
    """An import whose body has arrived; None for an unknown one or one outside the perimeter."""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM imports i WHERE i.tenant_id = $1 AND i.id = $2 AND i.status <> 'receiving'"
        f" AND ($3::uuid[] IS NULL OR i.business_unit_id = ANY($3)){' FOR UPDATE' if lock else ''}",
        tx.tenant_id, import_id, perimeter,
    )  # fmt: skip


async def read_page(tx: Tx, wanted: Statement, cursor: str | None, limit: int) -> list[Row]:
    """A page of imports, newest first, one more row than `limit` when there are more."""
    order = keyset(wanted, _LIST_KEYS, cursor)
    return await tx.fetch(
        f"SELECT {COLUMNS}, {cursor_columns(_LIST_KEYS)} FROM imports i {wanted.clause()} {order} LIMIT {limit + 1:d}",
        *wanted.params,
    )


def narrowed(
    tx: Tx,
    perimeter: Sequence[UUID] | None,
    *,
    kinds: Sequence[str],
    statuses: Sequence[str],
    sources: Sequence[str],
    business_unit_ids: Sequence[UUID],
) -> Statement:
    """The conditions of a list of imports; what is empty narrows nothing."""
    wanted = Statement([tx.tenant_id], ["i.tenant_id = $1", "i.status <> 'receiving'"])
    if perimeter is not None:
        wanted.where("i.business_unit_id = ANY({})", list(perimeter))
    for column, values in (
        ("i.kind", kinds),
        ("i.status", statuses),
        ("i.source", sources),
        ("i.business_unit_id", business_unit_ids),
    ):
        if values:
            wanted.where(f"{column} = ANY({{}})", list(values))
    return wanted


async def add_errors(tx: Tx, import_id: UUID, errors: Sequence[tuple[int, str, str, str]]) -> None:
    """Write rows' faults down: (row, pointer, code, detail)."""
    if errors:
        columns = [list(column) for column in zip(*errors, strict=True)]
        await tx.execute(_INSERT_ERRORS, tx.tenant_id, import_id, *columns)


def errors_listed(
    tx: Tx, import_id: UUID, cursor: str | None = None, limit: int | None = None
) -> tuple[Any, ...]:
    """The query of an import's faults in order of rows: all, or a page and one more than `limit` when there are more."""
    wanted = Statement([tx.tenant_id, import_id], ["e.tenant_id = $1", "e.import_id = $2"])
    order = keyset(wanted, _ERROR_KEYS, cursor)
    bound = "" if limit is None else f"LIMIT {limit + 1:d}"
    columns = f"e.row, e.pointer, e.code, e.detail, {cursor_columns(_ERROR_KEYS)}"
    return f"SELECT {columns} FROM import_errors e {wanted.clause()} {order} {bound}", *wanted.params


async def first_errors(tx: Tx, import_id: UUID, limit: int) -> list[Row]:
    """The first faults of an import."""
    return await tx.fetch(
        "SELECT row, pointer, code, detail FROM import_errors WHERE tenant_id = $1 AND import_id = $2"
        " ORDER BY row, number LIMIT $3",
        tx.tenant_id, import_id, limit,
    )  # fmt: skip


# -- the raw body ---------------------------------------------------------------------------------------------------


async def add_chunk(tx: Tx, import_id: UUID, number: int, body: bytes) -> None:
    """Put a piece of the body away."""
    await tx.execute(
        "INSERT INTO import_chunks (tenant_id, import_id, number, body) VALUES ($1, $2, $3, $4)",
        tx.tenant_id, import_id, number, body,
    )  # fmt: skip


async def chunk(tx: Tx, import_id: UUID, number: int) -> bytes | None:
    """A piece of the body; None after the last one."""
    body: bytes | None = await tx.fetchval(
        "SELECT body FROM import_chunks WHERE tenant_id = $1 AND import_id = $2 AND number = $3",
        tx.tenant_id, import_id, number,
    )  # fmt: skip
    return body


async def drop_body(tx: Tx, import_id: UUID) -> None:
    """Forget the body and what was noted on the way: the import has ended."""
    for table in ("import_chunks", "import_batches"):
        await tx.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND import_id = $2", tx.tenant_id, import_id
        )


async def discard(tx: Tx, import_id: UUID) -> None:
    """Remove an import whose body never arrived whole."""
    receiving = await tx.fetchval(
        "SELECT id FROM imports WHERE tenant_id = $1 AND id = $2 AND status = 'receiving' FOR UPDATE",
        tx.tenant_id, import_id,
    )  # fmt: skip
    if receiving is not None:
        await drop_body(tx, import_id)
        await tx.execute("DELETE FROM imports WHERE tenant_id = $1 AND id = $2", tx.tenant_id, import_id)


# -- the work of a large one ----------------------------------------------------------------------------------------


async def add_named(
    tx: Tx, import_id: UUID, first_row: int, last_row: int, named: Sequence[str], unidentified: int
) -> None:
    """Note which external ids some rows of a snapshot name."""
    await tx.execute(
        "INSERT INTO import_batches (tenant_id, import_id, first_row, last_row, named, unidentified)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        tx.tenant_id, import_id, first_row, last_row, list(named), unidentified,
    )  # fmt: skip


async def lease(tx: Tx, import_id: UUID, until: datetime) -> Row | None:
    """Take an import that nobody works on; None when somebody does, or nothing is to be done."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM imports i WHERE i.tenant_id = $1 AND i.id = $2 AND i.status = 'processing'"
        " AND (i.leased_until IS NULL OR i.leased_until < $3) FOR UPDATE SKIP LOCKED",
        tx.tenant_id, import_id, clock.wall(),
    )  # fmt: skip
    if row is not None:
        await tx.execute(
            "UPDATE imports SET leased_until = $3, attempts = attempts + 1 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id, import_id, until,
        )  # fmt: skip
    return row


async def renew(tx: Tx, import_id: UUID, until: datetime | None, *, attempts: int | None = None) -> None:
    """Hold on to an import until then; None lets it go. With `attempts`, the turns that count."""
    await tx.execute(
        "UPDATE imports SET leased_until = $3, attempts = coalesce($4, attempts) WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, import_id, until, attempts,
    )  # fmt: skip


async def forget_before(tx: Tx, instant: datetime, limit: int) -> int:
    """Delete imports that ended before an instant, at most so many, with the faults of their rows; how many they were."""
    rows = await tx.fetch(
        "SELECT id FROM imports WHERE tenant_id = $1 AND updated_at < $2"
        " AND status IN ('completed', 'failed', 'cancelled') ORDER BY created_at, id LIMIT $3 FOR UPDATE SKIP LOCKED",
        tx.tenant_id, instant, limit,
    )  # fmt: skip
    ids = [row["id"] for row in rows]
    for table in ("import_errors", "import_chunks", "import_batches"):
        await tx.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND import_id = ANY($2)", tx.tenant_id, ids
        )
    await tx.execute("DELETE FROM imports WHERE tenant_id = $1 AND id = ANY($2)", tx.tenant_id, ids)
    return len(ids)


async def held_before(tx: Tx, instant: datetime, limit: int) -> list[Row]:
    """Imports that nobody has decided on since an instant, at most so many, under their locks."""
    return await tx.fetch(
        f"SELECT {COLUMNS} FROM imports i WHERE i.tenant_id = $1 AND i.updated_at < $2 AND i.status = 'held'"
        " ORDER BY i.created_at, i.id LIMIT $3 FOR UPDATE SKIP LOCKED",
        tx.tenant_id, instant, limit,
    )  # fmt: skip


# -- saved ways of reading a source's files -------------------------------------------------------------------------

_SOURCE = "name, kind, dialect, mapping, created_at, updated_at, version"


async def find_source(tx: Tx, name: str, kind: str) -> Row | None:
    """How files of a kind from a source are read."""
    return await tx.fetchrow(
        f"SELECT {_SOURCE} FROM import_sources WHERE tenant_id = $1 AND name = $2 AND kind = $3",
        tx.tenant_id, name, kind,
    )  # fmt: skip


async def save_source(tx: Tx, name: str, kind: str, dialect: Any, mapping: Any) -> Row:
    """Keep how files of a kind from a source are read."""
    row = await tx.fetchrow(
        "INSERT INTO import_sources AS s (tenant_id, name, kind, dialect, mapping, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6, 1)"
        " ON CONFLICT (tenant_id, name, kind) DO UPDATE SET dialect = excluded.dialect, mapping = excluded.mapping,"
        " updated_at = excluded.updated_at, version = s.version + 1"
        f" RETURNING {_SOURCE}",
        tx.tenant_id, name, kind, json_bytes(dialect).decode(), json_bytes(mapping).decode(), tx.now,
    )  # fmt: skip
    assert row is not None
    return row


async def delete_source(tx: Tx, name: str, kind: str) -> bool:
    """Forget it; False when there was none."""
    deleted = await tx.execute(
        "DELETE FROM import_sources WHERE tenant_id = $1 AND name = $2 AND kind = $3",
        tx.tenant_id,
        name,
        kind,
    )
    return deleted > 0


async def sources_page(tx: Tx, cursor: str | None, limit: int) -> list[Row]:
    """A page of saved ways of reading, by name and kind."""
    wanted = Statement([tx.tenant_id], ["s.tenant_id = $1"])
    keys = [SortKey("s.name", "text"), SortKey("s.kind", "text")]
    order = keyset(wanted, keys, cursor)
    return await tx.fetch(
        f"SELECT {_SOURCE}, {cursor_columns(keys)} FROM import_sources s {wanted.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *wanted.params,
    )


def _stored(values: Mapping[str, Any]) -> list[Any]:
    return [
        json_bytes(value).decode() if name in _JSON and value is not None else value
        for name, value in values.items()
    ]


# -- work that lost its nudge ---------------------------------------------------------------------------------------


async def abandoned(connection: Any) -> list[Row]:
    """Imports of all tenants that nobody works on, though somebody should: tenant_id, id, status."""
    rows: list[Row] = await connection.fetch(
        "SELECT tenant_id, id, status FROM imports WHERE status IN ('receiving', 'processing')"
        " AND (leased_until IS NULL OR leased_until < $1) ORDER BY id LIMIT 100",
        clock.wall(),
    )
    return rows
