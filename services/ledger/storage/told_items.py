"""Item rows of a file against the items there are: which are known, which differ, which are told by an older file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from services.ledger.storage import journal
from services.ledger.storage.rowset import Rowset, definition

#: Columns of the temporary table, in the order of the records copied into it; `id` is made by the database. `due_stated`: the
#: file says the due date itself.
COLUMNS = ("row", "due_stated", *(name for name in journal.FIRST_SEEN if name != "id"))
_DEFINITION = "id uuid NOT NULL DEFAULT uuidv7(), row integer, due_stated boolean, " + definition(
    {name: kind for name, kind in journal.FIRST_SEEN.items() if name != "id"}
)
#: What a row may leave out; then what is there stays.
OPTIONAL = (
    "number", "delivery_date", "tax_amount", "net_amount", "reference", "order_reference", "custom_fields",
)  # fmt: skip
_FIXED = "customer_id kind direction currency amount issue_date".split()
_SAME_KEY = "i.tenant_id = $1 AND i.business_unit_id = t.business_unit_id AND i.external_id = t.external_id"
#: Its own source has said something newer: by version, else by the moment the file was taken.
_STALE = """
    i.source IS NOT DISTINCT FROM t.source
    AND coalesce(i.source_version > t.source_version,
                 t.source_version IS NULL AND i.source_version IS NULL AND i.source_taken_at > $2::timestamptz, false)
"""
_DIFFERS = (
    f"({', '.join(f'i.{n}' for n in _FIXED)}) IS DISTINCT FROM ({', '.join(f't.{n}' for n in _FIXED)})"
    " OR (t.due_stated AND t.due_date <> i.due_date)"
    " OR (t.open_amount IS NOT NULL AND t.open_amount <> i.open_amount)"
    + "".join(f" OR (t.{n} IS NOT NULL AND t.{n} IS DISTINCT FROM i.{n})" for n in OPTIONAL)
)
_NEWER = "(i.source IS DISTINCT FROM t.source OR t.source_version > coalesce(i.source_version, -1))"
# LATERAL … LIMIT: one index look-up a row, whatever the planner believes about a table that grows as we read.
_MEET = f"""
    SELECT count(*) AS known,
           array_agg(i.id) FILTER (WHERE i.differs AND NOT i.stale) AS differing,
           array_agg(i.id) FILTER (WHERE NOT i.differs AND NOT i.stale AND i.newer) AS confirmed
      FROM pg_temp.told t
     CROSS JOIN LATERAL (
        SELECT i.id, ({_STALE}) AS stale, ({_DIFFERS}) AS differs,
               coalesce(t.source IS NOT NULL AND {_NEWER}, false) AS newer
          FROM items i WHERE {_SAME_KEY} LIMIT 1) i
"""
_LOCK = f"""
    SELECT i.id, i.business_unit_id, i.external_id, i.customer_id, i.kind, i.direction, i.currency, i.number, i.issue_date,
           i.delivery_date, i.due_date, i.amount, i.tax_amount, i.net_amount, i.open_amount, i.reference,
           i.order_reference, i.custom_fields, ({_STALE}) AS stale, ({_DIFFERS}) AS differs,
           t.row, t.customer_id AS told_customer_id, t.kind AS told_kind, t.direction AS told_direction,
           t.currency AS told_currency, t.issue_date AS told_issue_date, t.amount AS told_amount,
           CASE WHEN t.due_stated THEN t.due_date END AS told_due_date, t.open_amount AS told_open_amount,
           t.settled_on, t.stated_on, t.source AS told_source, t.source_version AS told_source_version,
           t.source_taken_at AS told_source_taken_at, {", ".join(f"t.{n} AS told_{n}" for n in OPTIONAL)}
      FROM items i JOIN pg_temp.told t ON {_SAME_KEY}
     WHERE i.tenant_id = $1 AND i.id = ANY($3::uuid[])
     ORDER BY i.external_id, i.id FOR UPDATE OF i
"""
_CONFIRM = f"""
    WITH held AS MATERIALIZED (
        SELECT i.id FROM items i WHERE i.tenant_id = $1 AND i.id = ANY($2::uuid[])
         ORDER BY i.external_id, i.id FOR UPDATE)
    UPDATE items i
       SET source = t.source, source_version = t.source_version, source_taken_at = t.source_taken_at
      FROM pg_temp.told t, held h
     WHERE i.id = h.id AND {_SAME_KEY} AND {_NEWER}
"""
_UNKNOWN = f"NOT EXISTS (SELECT FROM items i WHERE {_SAME_KEY})"


@dataclass(frozen=True, slots=True)
class Met:
    """Of the rows told: how many items are known, the ids of those that differ, and of those that say the same in a newer
    version."""

    known: int
    differing: Sequence[UUID]
    confirmed: Sequence[UUID]


async def tell(tx: Tx, rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows of COLUMNS into the transaction's temporary table `told`."""
    await tx.execute("DROP TABLE IF EXISTS pg_temp.told")
    await tx.copy_to_temp("told", _DEFINITION, COLUMNS, rows)


async def meet(tx: Tx, taken_at: datetime | None) -> Met:
    """Compare what is told with what is there, without any lock."""
    row = await tx.fetchrow(_MEET, tx.tenant_id, taken_at)
    assert row is not None
    return Met(row["known"], row["differing"] or (), row["confirmed"] or ())


async def lock_differing(tx: Tx, ids: Sequence[UUID], taken_at: datetime | None) -> list[Row]:
    """The items under their locks, each with what is told of it (`told_…`), and whether it differs and is stale still."""
    return await tx.fetch(_LOCK, tx.tenant_id, taken_at, ids)


async def confirm(tx: Tx, ids: Sequence[UUID]) -> None:
    """Note that a source said the same again in a newer version, so that an older one that is late is known as such."""
    await tx.execute(_CONFIRM, tx.tenant_id, ids)


async def undated(tx: Tx) -> list[Row]:
    """New rows whose due date nobody can tell: row, currency, amount, direction."""
    return await tx.fetch(
        f"SELECT t.row, t.currency, t.amount, t.direction FROM pg_temp.told t WHERE t.due_date IS NULL AND {_UNKNOWN}"
        " ORDER BY t.row",
        tx.tenant_id,
    )


async def unknown_keys(tx: Tx, limit: int) -> list[str]:
    """The external ids of new rows, the first ones of the file."""
    rows = await tx.fetch(
        f"SELECT t.external_id FROM pg_temp.told t WHERE {_UNKNOWN} ORDER BY t.row LIMIT $2",
        tx.tenant_id,
        limit,
    )
    return [row["external_id"] for row in rows]


def new_items(met: Met) -> Rowset:
    """The rows of items not known yet, as `journal.insert_items` takes them."""
    unknown = f" AND {_UNKNOWN}" if met.known else ""
    return Rowset(f"(SELECT t.* FROM pg_temp.told t WHERE t.due_date IS NOT NULL{unknown}) AS given")
