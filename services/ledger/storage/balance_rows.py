"""Balances by customer, company or group, at today or a past day."""

from collections.abc import Sequence

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.ledger.storage.open_items import KEYS, Moment, Scope, joined, narrow

#: Today's rows of customers are kept: the page is cut first, and only what depends on the day is computed, for its rows alone.
#: The position is read with the figures: read after them, it would count events that they do not hold yet.
_KEPT = """
    SELECT {cursor}, b.customer_id AS key, c.name, b.currency, b.outstanding, b.credits, b.order_book, b.items_count,
           coalesce(l.overdue, 0)::bigint AS overdue, l.oldest_due_date,
           (SELECT h.head FROM feed_heads h WHERE h.tenant_id = $1) AS position
      FROM ({cut}) b
      JOIN customers c ON c.tenant_id = b.tenant_id AND c.id = b.customer_id
      LEFT JOIN LATERAL (
           SELECT sum(i.open_amount) FILTER (WHERE i.due_date < $2::date) AS overdue, min(i.due_date) AS oldest_due_date
             FROM items i
            WHERE i.tenant_id = b.tenant_id AND i.customer_id = b.customer_id AND i.currency = b.currency
              AND i.open_amount <> 0 AND i.open_amount > 0) l ON true
     {order}
"""
_OF_CUSTOMERS = (
    "b.customer_id IN (SELECT c.id FROM customers c WHERE c.tenant_id = b.tenant_id AND {condition})"
)
_OF_GROUP = (
    "b.customer_id IN (SELECT c.id FROM customers c JOIN companies p ON p.tenant_id = c.tenant_id AND p.id = c.company_id"
    " WHERE c.tenant_id = b.tenant_id AND p.group_id = {})"
)
_ORDERS = """
    SELECT {key} AS key, b.currency, sum(b.order_book)::bigint AS order_book
      FROM balances b
      JOIN customers c ON c.tenant_id = b.tenant_id AND c.id = b.customer_id
      JOIN companies p ON p.tenant_id = c.tenant_id AND p.id = c.company_id {join}
     WHERE b.tenant_id = {tenant} AND {key} = ANY({keys}) GROUP BY 1, 2
"""


async def kept_rows(tx: Tx, scope: Scope, cursor: str | None, limit: int) -> list[Row]:
    """Today's balances of customers, in order of customer and currency, each with the `position` all of them go up to."""
    statement = Statement([tx.tenant_id, tx.today], ["b.tenant_id = $1"])
    statement.where("b.items_count <> 0 OR b.order_book <> 0 OR b.outstanding <> 0")
    for condition, value in (
        ("b.customer_id = {}", scope.customer_id),
        (_OF_CUSTOMERS.replace("{condition}", "c.company_id = {}"), scope.company_id),
        (_OF_GROUP, scope.group_id),
        ("b.currency = {}", scope.currency),
    ):
        if value is not None:
            statement.where(condition, value)
    for units in (scope.business_unit_id, scope.perimeter):
        if units is not None:
            statement.where(_OF_CUSTOMERS.replace("{condition}", "c.business_unit_id = ANY({})"), list(units))
    keys = [SortKey("b.customer_id", "uuid"), SortKey("b.currency", "bpchar")]
    order = keyset(statement, keys, cursor)
    cut = f"SELECT b.* FROM balances b {statement.clause()} {order} LIMIT {limit + 1:d}"
    kept = _KEPT.format(cursor=cursor_columns(keys), cut=cut, order=order)
    return await tx.fetch(kept, *statement.params)


async def computed_rows(
    tx: Tx, by: str, when: Moment, scope: Scope, cursor: str | None, limit: int
) -> list[Row]:
    """Balances by any key at any day, from the open items, in order of key and currency."""
    key, name, _ = KEYS[by]
    statement = Statement()
    source = joined(tx, statement, when, by)
    day = f"{statement.bind(when.as_of)}::date"
    narrow(statement, scope, whole_companies=by in ("company", "group"))
    inner = (
        f"SELECT {key} AS key, min({name}) AS name, o.currency, sum(o.open_amount)::bigint AS outstanding,"
        " coalesce(sum(o.open_amount) FILTER (WHERE o.open_amount < 0), 0)::bigint AS credits,"
        f" coalesce(sum(o.open_amount) FILTER (WHERE o.open_amount > 0 AND o.due_date < {day}), 0)::bigint AS overdue,"
        " min(o.due_date) FILTER (WHERE o.open_amount > 0) AS oldest_due_date, count(*)::int AS items_count"
        f" {source} {statement.clause()} GROUP BY 1, 3"
    )
    outer = Statement(params=statement.params)
    keys = [SortKey("q.key", "uuid"), SortKey("q.currency", "bpchar")]
    order = keyset(outer, keys, cursor)
    return await tx.fetch(
        f"SELECT q.key, q.name, q.currency, q.outstanding, q.credits, q.overdue, q.oldest_due_date, q.items_count,"
        f" {cursor_columns(keys)} FROM ({inner}) q {outer.clause()} {order} LIMIT {limit + 1:d}",
        *outer.params,
    )


async def order_books(tx: Tx, by: str, rows: Sequence[Row]) -> dict[tuple[object, str], int]:
    """Today's order book of the keys of a page."""
    key, _, join = KEYS[by]
    statement = Statement()
    text = _ORDERS.format(
        key=key, join=join, tenant=f"{statement.bind(tx.tenant_id)}::uuid",
        keys=f"{statement.bind([row['key'] for row in rows])}::uuid[]",
    )  # fmt: skip
    return {
        (row["key"], row["currency"]): row["order_book"] for row in await tx.fetch(text, *statement.params)
    }


async def position(tx: Tx) -> int:
    """Up to which event the figures go."""
    found: int | None = await tx.fetchval("SELECT head FROM feed_heads WHERE tenant_id = $1", tx.tenant_id)
    return found or 0
