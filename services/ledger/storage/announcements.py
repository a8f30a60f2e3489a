"""The ledger's events about what is owed, written by the database from the rows as they stand.

One statement announces one item or ten thousand: the whole state of each, up to 500 subjects an event. It runs after the
statements that changed the rows and while their locks are held, so version and state belong together.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from libs.kit import clock, context
from libs.kit.db import Row, Tx
from libs.kit.feed.events import SUBJECTS_PER_EVENT, Subject
from services.ledger.domain.journal import EntryKind
from services.ledger.storage import items
from services.ledger.storage.journal import Touched

# Rows are looked up one by one (OFFSET 0 keeps the planner from turning the join round): for a tenant that its statistics
# do not know yet it expects a single row, and would read all the tenant's items, or customers, for each of ten thousand.
_EACH_ITEM = """
    unnest($5::uuid[]) AS chosen(id)
     CROSS JOIN LATERAL (SELECT i.* FROM items i WHERE i.tenant_id = $1 AND i.id = chosen.id OFFSET 0)"""
_ITEM_STATE = """
    SELECT i.id, i.version, row_to_json(s) AS data, i.kind, i.customer_id, i.currency, i.amount, i.open_amount, i.issue_date,
           i.reference, i.cancelled
      FROM {items} i
     CROSS JOIN LATERAL (SELECT c.company_id FROM customers c
                          WHERE c.tenant_id = i.tenant_id AND c.id = i.customer_id OFFSET 0) c
     CROSS JOIN LATERAL (
        SELECT i.business_unit_id, i.customer_id, c.company_id, i.kind, i.direction, i.external_id, i.number, i.issue_date,
               i.delivery_date, i.due_date, i.original_due_date, i.currency, i.amount, i.tax_amount, i.open_amount,
               i.reference, i.order_reference, i.custom_fields, i.closed_on, i.cancelled) s
"""
_PAYMENT_STATE = f"""
    SELECT i.id, i.version, row_to_json(s) AS data
      FROM {{items}} i
     CROSS JOIN LATERAL (
        SELECT i.customer_id, i.currency, i.amount, i.open_amount, i.issue_date AS paid_on, i.reference,
               (SELECT coalesce(json_agg(json_build_object(
                           'id', a.id, 'item_id', a.debit_item_id, 'amount', a.amount, 'currency', a.currency,
                           'allocated_on', a.allocated_on) ORDER BY a.id), '[]')
                  FROM allocations a
                 WHERE a.tenant_id = $1 AND a.credit_item_id = i.id AND a.reversed_on IS NULL) AS allocations,
               (SELECT e.reason FROM entries e
                 WHERE i.cancelled AND e.tenant_id = $1 AND e.item_id = i.id AND e.kind = {EntryKind.CANCELLED:d}
                 ORDER BY e.id DESC LIMIT 1) AS reversed_reason) s
"""
_BALANCE_STATE = """
    SELECT b.customer_id AS id, sum(b.version)::bigint AS version,
           json_build_object(
               'company_id', c.company_id, 'business_unit_id', c.business_unit_id, 'day', min(b.day),
               'rows', json_agg(json_build_object(
                   'currency', b.currency, 'outstanding', b.outstanding, 'overdue', b.overdue, 'credits', b.credits,
                   'order_book', b.order_book, 'items_count', b.items_count) ORDER BY b.currency)) AS data
      FROM {balances} b
     CROSS JOIN LATERAL (SELECT c.company_id, c.business_unit_id FROM customers c
                          WHERE c.tenant_id = b.tenant_id AND c.id = b.customer_id OFFSET 0) c
     WHERE {chosen}
     GROUP BY b.customer_id, c.company_id, c.business_unit_id
"""
#: Under their locks and as they are then: see balances on whoever makes a new row.
_BALANCES_HELD = """
    SELECT b.*
      FROM (SELECT id FROM unnest($7::uuid[]) AS t(id) ORDER BY id) chosen
     CROSS JOIN LATERAL (SELECT b.* FROM balances b WHERE b.tenant_id = $1 AND b.customer_id = chosen.id
                          ORDER BY b.currency FOR UPDATE) b
"""
_ORDER_STATE = """
    SELECT o.id, o.version, row_to_json(s) AS data
      FROM orders o
     CROSS JOIN LATERAL (SELECT c.company_id FROM customers c
                          WHERE c.tenant_id = o.tenant_id AND c.id = o.customer_id OFFSET 0) c
     CROSS JOIN LATERAL (
        SELECT o.business_unit_id, o.customer_id, c.company_id, o.external_id, o.currency, o.amount, o.tax_included,
               o.invoiced_amount, o.expected_on, o.status) s
"""

_ANNOUNCE = f"""
    WITH held AS MATERIALIZED ({_BALANCES_HELD}),
    item_states AS MATERIALIZED ({_ITEM_STATE.format(items=_EACH_ITEM)}),
    subjects AS (
        SELECT 1 AS rank, 'item.changed' AS type, id, version, data FROM item_states
        UNION ALL
        SELECT 2, 'payment.changed', p.id, p.version, p.data
          FROM ({_PAYMENT_STATE.format(items="item_states")} WHERE i.kind = 'payment') p
        UNION ALL
        SELECT 3, 'order.changed', o.id, o.version, o.data
          FROM ({_ORDER_STATE} WHERE o.tenant_id = $1 AND o.id = ANY($6::uuid[])) o
        UNION ALL
        SELECT 4, 'balance.changed', b.id, b.version, b.data
          FROM ({_BALANCE_STATE.format(balances="held", chosen="true")}) b),
    parts AS (
        SELECT rank, type, (row_number() OVER (PARTITION BY rank ORDER BY id) - 1) / {SUBJECTS_PER_EVENT} AS part,
               json_build_object('id', id, 'version', version, 'data', data) AS subject
          FROM subjects),
    told AS (
        INSERT INTO events (tenant_id, id, type, subjects, subject_count, occurred_at, recorded_at, traceparent)
        SELECT $1, uuidv7(), type, json_agg(subject), count(*), $2, $3, $4
          FROM parts GROUP BY rank, type, part ORDER BY rank, part)
    SELECT {items.COLUMNS} {items.FROM} WHERE i.tenant_id = $1 AND i.id = ANY($8::uuid[])
"""


async def announce(
    tx: Tx, touched: Touched, *, order_ids: Sequence[UUID] = (), shown: Sequence[UUID] = ()
) -> list[Row]:
    """Write `item.changed` (and `payment.changed`), `order.changed` and `balance.changed` for what was touched.

    Returns the items in `shown` as the API shows them, which spares the caller a round trip.
    """
    if touched.item_ids or touched.customer_ids or order_ids:
        tx.events.written = True
    return await tx.fetch(
        _ANNOUNCE, tx.tenant_id, tx.now, clock.wall(), context.traceparent(),
        touched.item_ids, order_ids, touched.customer_ids, shown,
    )  # fmt: skip


async def read_items(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `item.changed`, in order of id."""
    return await _states(
        tx,
        f"{_ITEM_STATE.format(items='items')} WHERE i.tenant_id = $1 AND {_AFTER.format('i.id')}",
        after,
        limit,
    )


async def read_payments(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `payment.changed`, in order of id."""
    chosen = f"i.tenant_id = $1 AND i.kind = 'payment' AND {_AFTER.format('i.id')}"
    return await _states(tx, f"{_PAYMENT_STATE.format(items='items')} WHERE {chosen}", after, limit)


async def read_orders(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `order.changed`, in order of id."""
    return await _states(
        tx, f"{_ORDER_STATE} WHERE o.tenant_id = $1 AND {_AFTER.format('o.id')}", after, limit
    )


async def read_balances(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `balance.changed`, in order of the customer's id."""
    chosen = f"b.tenant_id = $1 AND {_AFTER.format('b.customer_id')}"
    return await _states(tx, _BALANCE_STATE.format(balances="balances", chosen=chosen), after, limit)


_AFTER = "($2::uuid IS NULL OR {} > $2)"


async def _states(tx: Tx, state: str, after: UUID | None, limit: int) -> list[Subject]:
    rows = await tx.fetch(f"{state} ORDER BY id LIMIT $3", tx.tenant_id, after, limit)
    return [Subject(row["id"], row["version"], _state_decoder.decode(row["data"])) for row in rows]


_state_decoder = msgspec.json.Decoder(dict[str, Any])
