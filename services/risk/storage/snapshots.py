"""What providers answered: raw, as immutable snapshots, as the present record, and as a history of changes."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

RECORD = (
    'r.connection_id, r.company_id, r.snapshot_id, r.raw_id, r."values", r.notices, r.fingerprint, r.mapping_version,'
    " r.as_of, r.fetched_at, r.checked_at"
)
_OF_COMPANIES = f"""
    SELECT {RECORD}, c.provider, c.product, c.contract_holder, c.name AS connection_name, c.priority, c.stale_after_days,
           c.adapter
      FROM provider_records r
      JOIN provider_connections c ON c.tenant_id = r.tenant_id AND c.id = r.connection_id
     WHERE r.tenant_id = $1 AND r.company_id = ANY($2) ORDER BY r.company_id, c.priority, c.name
"""
_LOCK = f"""
    SELECT {RECORD} FROM provider_records r
     WHERE r.tenant_id = $1 AND r.connection_id = $2 AND r.company_id = ANY($3) ORDER BY r.company_id FOR UPDATE
"""
_SNAPSHOTS = """
    INSERT INTO snapshots (tenant_id, id, connection_id, company_id, provider, product, origin, mapping_version, as_of,
                           fetched_at, "values", notices, raw_id)
    SELECT $1, s.id, $3, s.company_id, s.provider, s.product, s.origin, s.mapping_version, s.as_of, s.fetched_at, s."values",
           s.notices, s.raw_id
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, company_id uuid, provider text, product text, origin text,
           mapping_version integer, as_of date, fetched_at timestamptz, "values" jsonb, notices jsonb, raw_id uuid)
"""
_RECORDS = """
    INSERT INTO provider_records (tenant_id, connection_id, company_id, snapshot_id, raw_id, "values", notices, fingerprint,
                                  mapping_version, as_of, fetched_at, checked_at, created_at, updated_at, version)
    SELECT $1, $3, s.company_id, s.id, s.raw_id, s.merged, s.notices, s.fingerprint, s.mapping_version, s.as_of,
           s.fetched_at, s.checked_at, $4, $4, 1
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, company_id uuid, raw_id uuid, merged jsonb, notices jsonb,
           fingerprint text, mapping_version integer, as_of date, fetched_at timestamptz, checked_at timestamptz)
     ORDER BY s.company_id
    ON CONFLICT (tenant_id, connection_id, company_id) DO UPDATE SET
        snapshot_id = excluded.snapshot_id, raw_id = excluded.raw_id, "values" = excluded."values",
        notices = excluded.notices, fingerprint = excluded.fingerprint, mapping_version = excluded.mapping_version,
        as_of = excluded.as_of, fetched_at = excluded.fetched_at, checked_at = excluded.checked_at,
        updated_at = excluded.updated_at, version = provider_records.version + 1
"""
_CHECKED = """
    UPDATE provider_records r SET checked_at = s.checked_at, fetched_at = s.fetched_at, as_of = coalesce(s.as_of, r.as_of),
           raw_id = coalesce(s.raw_id, r.raw_id), mapping_version = s.mapping_version
      FROM jsonb_to_recordset($2::jsonb) AS s(company_id uuid, raw_id uuid, checked_at timestamptz,
                                              fetched_at timestamptz, as_of date, mapping_version integer)
     WHERE r.tenant_id = $1 AND r.connection_id = $3 AND r.company_id = s.company_id
"""
#: Only the newest answer and those that snapshots were made of are kept.
_DROP_RAW = """
    DELETE FROM raw_answers a WHERE a.tenant_id = $1 AND a.id = ANY($2)
       AND NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.tenant_id = $1 AND s.company_id = a.company_id AND s.raw_id = a.id)
"""
_CHANGES = """
    INSERT INTO field_changes (tenant_id, id, connection_id, company_id, provider, product, field, old, new, as_of, on_day,
                               fetched_at, origin, snapshot_id)
    SELECT $1, s.id, s.connection_id, s.company_id, s.provider, s.product, s.field, s.old, s.new, s.as_of, s.on_day,
           s.fetched_at, s.origin, s.snapshot_id
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, connection_id uuid, company_id uuid, provider text, product text,
           field text, old jsonb, new jsonb, as_of date, on_day date, fetched_at timestamptz, origin text, snapshot_id uuid)
     WHERE s.origin <> 'back_filled' OR NOT EXISTS (
           SELECT 1 FROM field_changes f WHERE f.tenant_id = $1 AND f.company_id = s.company_id
              AND f.connection_id = s.connection_id AND f.field = s.field AND f.on_day = s.on_day)
     ORDER BY s.company_id, s.on_day, s.id
    ON CONFLICT DO NOTHING
"""
_POINTS = """
    SELECT company_id, on_day, connection_id, new->>'normalised' AS normalised FROM field_changes
     WHERE tenant_id = $1 AND company_id = ANY($2) AND field = 'score' AND new->>'normalised' IS NOT NULL
     ORDER BY company_id, on_day, id
"""
#: A privilege was added when a count or an amount rose (or first was above zero), as known values on both sides.
_PRIVILEGES_ROSE = """
    SELECT company_id, max(on_day) AS on_day FROM field_changes
     WHERE tenant_id = $1 AND company_id = ANY($2) AND field IN ('privileges_amount', 'privileges_count')
       AND new->>'state' = 'known' AND (new->>'value')::numeric > coalesce((old->>'value')::numeric, 0)
     GROUP BY 1
"""


async def records_of(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """The present records of companies, through all connections, first by priority."""
    return await tx.fetch(_OF_COMPANIES, tx.tenant_id, list(companies))


async def locked(tx: Tx, connection_id: UUID, companies: Sequence[UUID]) -> dict[UUID, Row]:
    """The records that are about to be replaced."""
    rows = await tx.fetch(_LOCK, tx.tenant_id, connection_id, list(companies))
    return {row["company_id"]: row for row in rows}


async def companies_with_records(tx: Tx) -> list[UUID]:
    """Every company some provider or insurer said something of."""
    rows = await tx.fetch(
        "SELECT company_id FROM provider_records WHERE tenant_id = $1"
        " UNION SELECT company_id FROM insurer_grades WHERE tenant_id = $1",
        tx.tenant_id,
    )
    return [row["company_id"] for row in rows]


async def keep_raw(tx: Tx, rows: Sequence[tuple[UUID, UUID, UUID, Any, bytes, bytes]]) -> None:
    """Store answers: (id, connection, company, fetched at, SHA-256, content); the content is deflated here."""
    await tx.executemany(
        "INSERT INTO raw_answers (tenant_id, id, connection_id, company_id, fetched_at, sha256, content)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(tx.tenant_id, *row[:5], zlib.compress(row[5], 6)) for row in rows],
    )


async def raw_shas(tx: Tx, identifiers: Sequence[UUID]) -> dict[UUID, bytes]:
    """The SHA-256 of stored answers."""
    rows = await tx.fetch(
        "SELECT id, sha256 FROM raw_answers WHERE tenant_id = $1 AND id = ANY($2)",
        tx.tenant_id,
        list(identifiers),
    )
    return {row["id"]: row["sha256"] for row in rows}


async def raw_of(tx: Tx, connection_id: UUID, companies: Sequence[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
    """The newest answer of each company: its id and content."""
    rows = await tx.fetch(
        "SELECT a.company_id, a.id, a.content FROM provider_records r"
        " JOIN raw_answers a ON a.tenant_id = r.tenant_id AND a.id = r.raw_id"
        " WHERE r.tenant_id = $1 AND r.connection_id = $2 AND r.company_id = ANY($3)",
        tx.tenant_id, connection_id, list(companies),
    )  # fmt: skip
    return {row["company_id"]: (row["id"], zlib.decompress(row["content"])) for row in rows}


async def write(
    tx: Tx,
    connection_id: UUID,
    snapshots: Sequence[Mapping[str, Any]],
    checked: Sequence[Mapping[str, Any]],
    replaced_raw: Sequence[UUID],
) -> None:
    """Write new snapshots with their records, move the time of check of what did not change, drop answers no longer needed."""
    if snapshots:
        text = json_bytes(list(snapshots)).decode()
        await tx.execute(_SNAPSHOTS, tx.tenant_id, text, connection_id)
        await tx.execute(_RECORDS, tx.tenant_id, text, connection_id, tx.now)
    if checked:
        await tx.execute(_CHECKED, tx.tenant_id, json_bytes(list(checked)).decode(), connection_id)
    if replaced_raw:
        await tx.execute(_DROP_RAW, tx.tenant_id, list(replaced_raw))


async def write_changes(tx: Tx, changes: Sequence[Mapping[str, Any]]) -> None:
    """Add to the history; a back-filled value gives way to what is known of its day already."""
    if changes:
        await tx.execute(_CHANGES, tx.tenant_id, json_bytes(list(changes)).decode())


async def score_points(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """Normalised scores over time, oldest first."""
    return await tx.fetch(_POINTS, tx.tenant_id, list(companies))


async def privileges_rose(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, date]:
    """When a privilege was last added, by company."""
    rows = await tx.fetch(_PRIVILEGES_ROSE, tx.tenant_id, list(companies))
    return {row["company_id"]: row["on_day"] for row in rows}


async def history(
    tx: Tx,
    company_id: UUID,
    fields: Sequence[str] | None,
    connection_id: UUID | None,
    since: date | None,
    cursor: str | None,
    limit: int,
) -> list[Row]:
    """A page of changes, newest first."""
    keys = [SortKey("f.on_day", "date", descending=True), SortKey("f.id", "uuid", descending=True)]
    statement = Statement()
    statement.where("f.tenant_id = {}", tx.tenant_id)
    statement.where("f.company_id = {}", company_id)
    if fields:
        statement.where("f.field = ANY({})", list(fields))
    if connection_id is not None:
        statement.where("f.connection_id = {}", connection_id)
    if since is not None:
        statement.where("f.on_day >= {}", since)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        "SELECT f.id, f.connection_id, f.provider, f.product, f.field, f.old, f.new, f.as_of, f.on_day, f.fetched_at,"
        f" f.origin, f.snapshot_id, {cursor_columns(keys)} FROM field_changes f {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def last_changes(tx: Tx, company_id: UUID) -> list[Row]:
    """The newest change of each field from each source."""
    return await tx.fetch(
        "SELECT DISTINCT ON (field, connection_id) field, connection_id, old, on_day, fetched_at FROM field_changes"
        " WHERE tenant_id = $1 AND company_id = $2 AND origin <> 'back_filled'"
        " ORDER BY field, connection_id, on_day DESC, id DESC",
        tx.tenant_id,
        company_id,
    )


async def series(tx: Tx, company_id: UUID, fields: Sequence[str], since: date) -> list[Row]:
    """Every value of some fields since a day, and the last one before it, oldest first."""
    return await tx.fetch(
        "SELECT f.field, f.on_day, f.provider, f.connection_id, f.new FROM field_changes f"
        " WHERE f.tenant_id = $1 AND f.company_id = $2 AND f.field = ANY($3) AND f.on_day >= coalesce("
        "   (SELECT max(g.on_day) FROM field_changes g WHERE g.tenant_id = $1 AND g.company_id = $2 AND g.field = f.field"
        "       AND g.connection_id IS NOT DISTINCT FROM f.connection_id AND g.on_day < $4), $4)"
        " ORDER BY f.field, f.on_day, f.id",
        tx.tenant_id, company_id, list(fields), since,
    )  # fmt: skip


async def snapshots_of(tx: Tx, company_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A page of the snapshots of a company, newest first."""
    keys = [SortKey("s.id", "uuid", descending=True)]
    statement = Statement()
    statement.where("s.tenant_id = {}", tx.tenant_id)
    statement.where("s.company_id = {}", company_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        "SELECT s.id, s.connection_id, s.company_id, s.provider, s.product, s.origin, s.mapping_version, s.as_of,"
        f' s.fetched_at, s."values", s.notices, s.raw_id, a.sha256, {cursor_columns(keys)} FROM snapshots s'
        f" LEFT JOIN raw_answers a ON a.tenant_id = s.tenant_id AND a.id = s.raw_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def raw_of_snapshot(tx: Tx, company_id: UUID, snapshot_id: UUID) -> list[dict[str, Any]] | None:
    """The answers a snapshot was made of; None when there is no such snapshot or none was kept."""
    content = await tx.fetchval(
        "SELECT a.content FROM snapshots s JOIN raw_answers a ON a.tenant_id = s.tenant_id AND a.id = s.raw_id"
        " WHERE s.tenant_id = $1 AND s.company_id = $2 AND s.id = $3",
        tx.tenant_id, company_id, snapshot_id,
    )  # fmt: skip
    if content is None:
        return None
    answers: list[dict[str, Any]] = msgspec.json.decode(zlib.decompress(content))
    return answers
