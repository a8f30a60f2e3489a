"""What each customer owes in each currency, kept in the statements that change it.

A balance moves by differences, never by being computed anew. What is overdue depends on the day, so each row says as of
which `day` it is right and every difference is taken as of that day: a transaction that began before midnight and ends
after the new day was rolled is counted rightly too.

Whoever changes a balance holds all rows of its customer, in order of (customer, currency). Whoever makes a new row (the
first in a currency) holds the customer itself before, and all its rows when it tells of the change. So no two tell of
different states under one version, which is the sum of the versions of the customer's rows.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from libs.kit.db import Row, Tx

#: CTEs that move balances by what `moves(customer_id, currency, due_date, open_amount, ordered, side)` says: the state
#: before with side -1, the state after with side 1, `ordered` is what counts in the order book. Parameters: $1 tenant, $2
#: now, $3 today. `moved(customer_id)` holds whoever's balance changed. Rows are looked up one by one, whatever the planner
#: believes about a tenant that its statistics do not know yet.
MOVE = """
    pairs AS MATERIALIZED (SELECT DISTINCT customer_id, currency FROM moves),
    beginners AS MATERIALIZED (
        SELECT c.id
          FROM (SELECT DISTINCT c.external_id, c.business_unit_id, c.id
                  FROM pairs p
                 CROSS JOIN LATERAL (SELECT c.external_id, c.business_unit_id, c.id FROM customers c
                                      WHERE c.tenant_id = $1::uuid AND c.id = p.customer_id OFFSET 0) c
                 WHERE NOT (SELECT count(*) > 0 FROM balances b
                             WHERE b.tenant_id = $1::uuid AND b.customer_id = p.customer_id AND b.currency = p.currency)
                 ORDER BY 1, 2) new
         CROSS JOIN LATERAL (SELECT c.id FROM customers c
                              WHERE c.tenant_id = $1::uuid AND c.id = new.id FOR NO KEY UPDATE) c),
    locked AS MATERIALIZED (
        SELECT b.customer_id, b.currency, b.day
          FROM (SELECT DISTINCT customer_id FROM pairs
                 WHERE (SELECT count(*) FROM beginners) >= 0 -- whose locks come first
                 ORDER BY customer_id) who
         CROSS JOIN LATERAL (SELECT b.customer_id, b.currency, b.day FROM balances b
                              WHERE b.tenant_id = $1::uuid AND b.customer_id = who.customer_id
                              ORDER BY b.currency FOR UPDATE) b),
    deltas AS (
        SELECT m.customer_id, m.currency, coalesce(l.day, $3::date) AS day,
               sum(m.side * m.open_amount) AS outstanding,
               sum(m.side * least(m.open_amount, 0)) AS credits,
               sum(CASE WHEN m.due_date < coalesce(l.day, $3::date) THEN m.side * greatest(m.open_amount, 0) ELSE 0 END)
                   AS overdue,
               sum(m.side * m.ordered) AS order_book,
               sum(CASE WHEN m.open_amount <> 0 THEN m.side ELSE 0 END) AS items_count
          FROM moves m
          LEFT JOIN locked l ON l.customer_id = m.customer_id AND l.currency = m.currency
         GROUP BY 1, 2, 3),
    moved AS (
        INSERT INTO balances AS b (tenant_id, customer_id, currency, outstanding, credits, overdue, day, order_book,
                                   items_count, version, updated_at)
        SELECT $1::uuid, customer_id, currency, outstanding, credits, overdue, day, order_book, items_count, 1, $2::timestamptz
          FROM deltas
         WHERE outstanding <> 0 OR credits <> 0 OR overdue <> 0 OR order_book <> 0 OR items_count <> 0
         ORDER BY customer_id, currency
        ON CONFLICT (tenant_id, customer_id, currency) DO UPDATE SET
            outstanding = b.outstanding + excluded.outstanding, credits = b.credits + excluded.credits,
            overdue = b.overdue + excluded.overdue, day = least(b.day, excluded.day),
            order_book = b.order_book + excluded.order_book, items_count = b.items_count + excluded.items_count,
            version = b.version + 1, updated_at = excluded.updated_at
        RETURNING customer_id)
"""

_LOCK_BEHIND = """
    SELECT customer_id, currency FROM balances
     WHERE tenant_id = $1 AND day < $2 AND (customer_id, currency) > ($3, $4)
     ORDER BY customer_id, currency LIMIT $5
       FOR UPDATE
"""
#: A statement of its own, after the locks: it must see what committed while they were waited for.
_ROLL = """
    WITH late AS (
        SELECT k.customer_id, k.currency,
               (SELECT coalesce(sum(i.open_amount), 0) FROM items i
                 WHERE i.tenant_id = $1 AND i.customer_id = k.customer_id AND i.currency = k.currency
                   AND i.due_date < $2 AND i.open_amount <> 0 AND i.open_amount > 0) AS amount
          FROM unnest($4::uuid[], $5::text[]) AS k(customer_id, currency)),
    rolled AS (
        UPDATE balances b
           SET overdue = late.amount, day = $2,
               version = b.version + (b.overdue <> late.amount)::int,
               updated_at = CASE WHEN b.overdue <> late.amount THEN $3 ELSE b.updated_at END
          FROM late
         WHERE b.tenant_id = $1 AND b.customer_id = late.customer_id AND b.currency = late.currency
        RETURNING b.customer_id, old.overdue <> new.overdue AS changed)
    SELECT DISTINCT customer_id FROM rolled WHERE changed
"""
_BEFORE_ALL = UUID(int=0)


async def roll(tx: Tx, day: date, after: Row | None, limit: int) -> tuple[Row | None, Sequence[UUID]]:
    """Bring up to `limit` balance rows, in order from `after`, to a new day.

    Returns where to go on (None at the end) and the customers whose overdue amount changed.
    """
    start = (_BEFORE_ALL, "") if after is None else (after["customer_id"], after["currency"])
    behind = await tx.fetch(_LOCK_BEHIND, tx.tenant_id, day, *start, limit)
    if not behind:
        return None, ()
    keys = [row["customer_id"] for row in behind], [row["currency"] for row in behind]
    changed = await tx.fetch(_ROLL, tx.tenant_id, day, tx.now, *keys)
    last = behind[-1] if len(behind) == limit else None
    return last, [row["customer_id"] for row in changed]
