"""Writing the journal: items as they are first seen, entries on items there are, changed attributes.

Each statement also moves the balances, and serves one row as well as ten thousand (see rowset). What an item has open is
the sum of its entries because nothing else writes `open_amount`.

Lock order: items by (external_id, id), then balances. `apply_entries` and `update_items` need the items locked by an
*earlier* statement of the transaction (`items.lock`, or the caller's own in that order), for they read them as the
statement's snapshot has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from services.ledger.domain.journal import EntryKind
from services.ledger.storage.balances import MOVE
from services.ledger.storage.rowset import Rowset

#: What may stand in the attributes of an item that is told again.
_ATTRIBUTES = {
    "number": "text",
    "issue_date": "date",
    "delivery_date": "date",
    "due_date": "date",
    "amount": "bigint",
    "tax_amount": "bigint",
    "net_amount": "bigint",
    "reference": "text",
    "order_reference": "text",
    "custom_fields": "jsonb",
}
_SOURCE = {"source": "text", "source_version": "bigint", "source_taken_at": "timestamptz"}

#: Rows of `insert_items`. Amounts in minor units; `amount`, `tax_amount` and `net_amount` positive, `open_amount` signed
#: (null: all of it is open); `stated_on`: the day of the file or call that tells it.
FIRST_SEEN = {
    "id": "uuid",
    "business_unit_id": "uuid",
    "customer_id": "uuid",
    "kind": "text",
    "direction": "smallint",
    "external_id": "text",
    "currency": "char(3)",
    "original_due_date": "date",
    "open_amount": "bigint",
    "settled_on": "date",
    "stated_on": "date",
    **_ATTRIBUTES,
    **_SOURCE,
}
#: Rows of `apply_entries`, several an item as it may be. `amount` is signed; a null `id` is made (by the
#: database: its clock orders a journal); the source's members say
#: who told it, and are null where nobody outside did.
ENTRIES = {
    "id": "uuid",
    "item_id": "uuid",
    "kind": "smallint",
    "amount": "bigint",
    "effective_on": "date",
    "reverses": "uuid",
    "allocation_id": "uuid",
    "reason": "text",
    "approximate": "boolean",
    **_SOURCE,
}
#: Rows of `update_items`: the attributes as they are to be, all of them.
UPDATES = {"item_id": "uuid", "customer_id": "uuid", **_ATTRIBUTES, **_SOURCE}

_INSERT_ITEMS = f"""
    WITH given AS MATERIALIZED (
        SELECT given.*, amount * direction AS signed, least(issue_date, $3::date) AS issued_on FROM {{given}}),
    told AS MATERIALIZED (
        SELECT given.*, greatest(issued_on, least(coalesce(settled_on, stated_on), $3::date)) AS left_on FROM given),
    written AS (
        INSERT INTO items (tenant_id, id, business_unit_id, customer_id, kind, direction, external_id, number, source,
                           source_version, source_taken_at, issue_date, delivery_date, due_date, original_due_date,
                           currency, amount, tax_amount, net_amount, open_amount, reference, order_reference,
                           custom_fields, closed_on, cancelled, as_of_approximate, created_at, updated_at, version)
        SELECT $1::uuid, id, business_unit_id, customer_id, kind, direction, external_id, number, source,
               source_version, source_taken_at, issue_date, delivery_date, due_date, coalesce(original_due_date, due_date),
               currency, amount, tax_amount, net_amount, coalesce(open_amount, signed), reference, order_reference,
               coalesce(custom_fields, '{{}}'), CASE WHEN open_amount = 0 THEN left_on END, false,
               (open_amount <> signed AND settled_on IS NULL) IS TRUE, $2::timestamptz, $2::timestamptz, 1
          FROM told ORDER BY external_id, id
        ON CONFLICT (tenant_id, business_unit_id, external_id) DO NOTHING
        RETURNING id, customer_id, currency, due_date, open_amount),
    entered AS (
        INSERT INTO entries (tenant_id, item_id, id, kind, amount, effective_on, recorded_at, import_id)
        SELECT $1::uuid, t.id, uuidv7(), {EntryKind.ISSUED:d}, t.signed, t.issued_on, $2::timestamptz, $4::uuid
          FROM told t JOIN written w ON w.id = t.id
        UNION ALL
        SELECT $1::uuid, t.id, uuidv7(), {EntryKind.SETTLED_BY_SOURCE:d}, t.open_amount - t.signed, t.left_on,
               $2::timestamptz, $4::uuid
          FROM told t JOIN written w ON w.id = t.id
         WHERE t.open_amount <> t.signed),
    moves AS (
        SELECT customer_id, currency, due_date, open_amount, 0 AS ordered, 1 AS side FROM written),
    {MOVE}
    SELECT (SELECT array_agg(id) FROM written) AS item_ids,
           (SELECT array_agg(DISTINCT customer_id) FROM moved) AS customer_ids
"""

_APPLY_ENTRIES = f"""
    WITH given AS MATERIALIZED (SELECT given.* FROM {{given}}),
    entered AS (
        INSERT INTO entries (tenant_id, item_id, id, kind, amount, effective_on, recorded_at, reverses, allocation_id,
                             import_id, reason)
        SELECT $1::uuid, item_id, coalesce(id, uuidv7()), kind, amount, effective_on, $2::timestamptz, reverses, allocation_id,
               $4::uuid, reason
          FROM given),
    sums AS (
        SELECT item_id, sum(amount) AS amount, bool_or(kind = {EntryKind.CANCELLED:d}) AS cancelled,
               bool_or(kind = {EntryKind.REOPENED:d}) AS reopened, bool_or(approximate) AS approximate,
               max(source) AS source, max(source_version) AS source_version, max(source_taken_at) AS source_taken_at
          FROM given GROUP BY item_id),
    daily AS (
        SELECT item_id, effective_on, sum(sum(amount)) OVER (PARTITION BY item_id ORDER BY effective_on) AS running
          FROM (SELECT g.item_id, g.effective_on, g.amount FROM given g
                UNION ALL
                SELECT e.item_id, e.effective_on, e.amount
                  FROM sums s
                  JOIN items i ON i.tenant_id = $1::uuid AND i.id = s.item_id
                  JOIN entries e ON e.tenant_id = $1::uuid AND e.item_id = s.item_id
                 WHERE i.open_amount + s.amount = 0) AS every_entry
         GROUP BY item_id, effective_on),
    closed AS (
        SELECT item_id, min(effective_on) AS closed_on
          FROM (SELECT item_id, effective_on,
                       max(effective_on) FILTER (WHERE running <> 0) OVER (PARTITION BY item_id) AS last_open
                  FROM daily) AS days
         WHERE last_open IS NULL OR effective_on > last_open
         GROUP BY item_id),
    -- Joined before the items are met: of those PostgreSQL expects one where it knows nothing of the tenant, and would work
    -- out `closed` again for each of ten thousand.
    changes AS MATERIALIZED (
        SELECT s.*, c.closed_on FROM sums s LEFT JOIN closed c ON c.item_id = s.item_id),
    written AS (
        UPDATE items i
           SET open_amount = i.open_amount + s.amount,
               closed_on = CASE WHEN i.open_amount + s.amount = 0 THEN s.closed_on END,
               cancelled = s.cancelled OR (i.cancelled AND NOT s.reopened),
               as_of_approximate = i.as_of_approximate OR coalesce(s.approximate, false),
               source = coalesce(s.source, i.source), source_version = coalesce(s.source_version, i.source_version),
               source_taken_at = coalesce(s.source_taken_at, i.source_taken_at),
               updated_at = $2::timestamptz, version = i.version + 1
          FROM changes s
         WHERE i.tenant_id = $1::uuid AND i.id = s.item_id
        RETURNING i.id, i.customer_id, i.currency, i.due_date, old.open_amount AS was, new.open_amount AS remains),
    moves AS (
        SELECT customer_id, currency, due_date, was AS open_amount, 0 AS ordered, -1 AS side FROM written
        UNION ALL
        SELECT customer_id, currency, due_date, remains, 0, 1 FROM written),
    {MOVE}
    SELECT (SELECT array_agg(id) FROM written) AS item_ids,
           (SELECT array_agg(DISTINCT customer_id) FROM moved) AS customer_ids
"""

_UPDATE_ITEMS = f"""
    WITH given AS MATERIALIZED (SELECT given.* FROM {{given}}),
    written AS (
        UPDATE items i
           SET customer_id = g.customer_id, number = g.number, issue_date = g.issue_date,
               delivery_date = g.delivery_date, due_date = g.due_date, amount = g.amount, tax_amount = g.tax_amount,
               net_amount = g.net_amount, reference = g.reference, order_reference = g.order_reference,
               custom_fields = g.custom_fields,
               source = coalesce(g.source, i.source), source_version = coalesce(g.source_version, i.source_version),
               source_taken_at = coalesce(g.source_taken_at, i.source_taken_at),
               updated_at = $2::timestamptz, version = i.version + 1
          FROM given g
         WHERE i.tenant_id = $1::uuid AND i.id = g.item_id
        RETURNING i.id, i.currency, i.open_amount, old.customer_id AS old_customer, new.customer_id AS new_customer,
                  old.due_date AS old_due, new.due_date AS new_due, old.version AS old_version,
                  jsonb_build_object(
                      'number', old.number, 'issue_date', old.issue_date, 'delivery_date', old.delivery_date,
                      'amount', old.amount, 'tax_amount', old.tax_amount, 'net_amount', old.net_amount,
                      'reference', old.reference, 'order_reference', old.order_reference,
                      'custom_fields', old.custom_fields) AS attributes),
    superseded AS (
        INSERT INTO item_versions (tenant_id, item_id, version, superseded_at, due_date, customer_id, attributes)
        SELECT $1::uuid, id, old_version, $2::timestamptz, old_due, old_customer, attributes FROM written),
    moves AS (
        SELECT old_customer AS customer_id, currency, old_due AS due_date, open_amount, 0 AS ordered, -1 AS side
          FROM written
        UNION ALL
        SELECT new_customer, currency, new_due, open_amount, 0, 1 FROM written),
    {MOVE}
    SELECT (SELECT array_agg(id) FROM written) AS item_ids,
           (SELECT array_agg(DISTINCT customer_id) FROM moved) AS customer_ids
"""


@dataclass(frozen=True, slots=True)
class Touched:
    """Items that were written and customers whose balance moved: what is to be announced."""

    item_ids: tuple[UUID, ...] = ()
    customer_ids: tuple[UUID, ...] = ()

    def __add__(self, other: "Touched") -> "Touched":
        return Touched(
            tuple(dict.fromkeys(self.item_ids + other.item_ids)),
            tuple(dict.fromkeys(self.customer_ids + other.customer_ids)),
        )


async def insert_items(tx: Tx, rows: Rowset, import_id: UUID | None = None) -> Touched:
    """Add items of columns FIRST_SEEN with their first entries, as `domain.journal.first_sight` says them.

    An external_id that the business unit has already is passed over: it is missing in the answer's `item_ids`.
    """
    return await _run(tx, _INSERT_ITEMS, rows, import_id)


async def apply_entries(tx: Tx, rows: Rowset, import_id: UUID | None = None) -> Touched:
    """Add entries of columns ENTRIES to items that an earlier statement has locked."""
    return await _run(tx, _APPLY_ENTRIES, rows, import_id)


async def update_items(tx: Tx, rows: Rowset) -> Touched:
    """Give items of columns UPDATES new attributes, keeping the old ones in `item_versions`; the original due date stays.

    A new amount moves nothing by itself: it goes with an `amended` entry. Items locked by an earlier statement.
    """
    statement = rows.put_into(_UPDATE_ITEMS, 4)
    return _touched(await tx.fetch(statement, tx.tenant_id, tx.now, tx.today, *rows.args))


async def _run(tx: Tx, statement: str, rows: Rowset, import_id: UUID | None) -> Touched:
    text = rows.put_into(statement, 5)
    return _touched(await tx.fetch(text, tx.tenant_id, tx.now, tx.today, import_id, *rows.args))


def _touched(answer: Sequence[Any]) -> Touched:
    row = answer[0]
    return Touched(tuple(row["item_ids"] or ()), tuple(row["customer_ids"] or ()))
