"""Exchange rates in the database: units of the quote currency for one of the base, from a day on."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Rate
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

# A rate is known by its pair and day; its id is made from them, so that the same rate has the same id wherever it is made.
_ID = "md5(r.base || r.quote || to_char(r.valid_on, 'YYYY-MM-DD'))::uuid"
COLUMNS = f"{_ID} AS id, r.base, r.quote, r.valid_on, trim_scale(r.rate)::text AS rate, r.created_at, r.updated_at, r.version"
_NEWEST_FIRST = (
    SortKey("r.valid_on", "date", descending=True),
    SortKey("r.base", "bpchar"),
    SortKey("r.quote", "bpchar"),
)
_UPSERT = f"""
    INSERT INTO exchange_rates AS r (tenant_id, base, quote, valid_on, rate, created_at, updated_at, version)
    SELECT $1, n.base, n.quote, n.valid_on, n.rate, $3, $3, 1
      FROM jsonb_to_recordset($2::jsonb) AS n(base char(3), quote char(3), valid_on date, rate numeric(24, 12))
     ORDER BY n.base, n.quote, n.valid_on
    ON CONFLICT (tenant_id, base, quote, valid_on) DO UPDATE
       SET rate = excluded.rate, updated_at = excluded.updated_at, version = r.version + 1
     WHERE r.rate <> excluded.rate
 RETURNING {COLUMNS}, old.version IS NULL AS is_new, trim_scale(old.rate)::text AS old_rate
"""
_LATEST = """
    SELECT DISTINCT ON (r.base, r.quote) r.base, r.quote, r.valid_on, r.rate
      FROM exchange_rates r
     WHERE r.tenant_id = $1 AND r.valid_on <= $4
       AND ((r.base = $2 AND r.quote = ANY($3::bpchar[])) OR (r.quote = $2 AND r.base = ANY($3::bpchar[])))
     ORDER BY r.base, r.quote, r.valid_on DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFilter:
    """Which rates to list."""

    bases: Sequence[str] = ()
    quotes: Sequence[str] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    updated_since: datetime | None = None


async def upsert(tx: Tx, rates: Iterable[Rate]) -> list[Row]:
    """Set rates, each pair and day once; the rows that are new or differ now, with `is_new` and `old_rate`."""
    rows: list[dict[str, Any]] = [
        {"base": each.base, "quote": each.quote, "valid_on": each.valid_on, "rate": each.rate}
        for each in rates
    ]
    return await tx.fetch(_UPSERT, tx.tenant_id, json_bytes(rows).decode(), tx.now)


async def list_rates(tx: Tx, wanted: RateFilter, cursor: str | None, limit: int) -> list[Row]:
    """Newest day first; one row more than `limit`, for `paging.page`."""
    statement = Statement()
    statement.where("r.tenant_id = {}", tx.tenant_id)
    if wanted.bases:
        statement.where("r.base = ANY({}::bpchar[])", list(wanted.bases))
    if wanted.quotes:
        statement.where("r.quote = ANY({}::bpchar[])", list(wanted.quotes))
    if wanted.valid_from is not None:
        statement.where("r.valid_on >= {}", wanted.valid_from)
    if wanted.valid_to is not None:
        statement.where("r.valid_on <= {}", wanted.valid_to)
    if wanted.updated_since is not None:
        statement.where("r.updated_at >= {}", wanted.updated_since)
    order = keyset(statement, _NEWEST_FIRST, cursor)
    return await tx.fetch(
        f"SELECT {COLUMNS}, {cursor_columns(_NEWEST_FIRST)} FROM exchange_rates r {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def latest(tx: Tx, target: str, currencies: Collection[str], as_of: date) -> list[Rate]:
    """For `exchange.find_conversion`: the latest rate ≤ as_of between the target and each currency, quoted either way."""
    rows = await tx.fetch(_LATEST, tx.tenant_id, target, list(currencies), as_of)
    return [Rate(row["base"], row["quote"], row["rate"], row["valid_on"]) for row in rows]


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present rates in order of id, for a consumer that rebuilds."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM exchange_rates r WHERE r.tenant_id = $1 AND ($2::uuid IS NULL OR {_ID} > $2)"
        f" ORDER BY {_ID} LIMIT $3",
        tx.tenant_id,
        after,
        limit,
    )
    return [subject(row) for row in rows]


def subject(row: Row) -> Subject:
    """The `rate.changed` of a row."""
    return Subject(
        row["id"], row["version"], {name: row[name] for name in ("base", "quote", "valid_on", "rate")}
    )
