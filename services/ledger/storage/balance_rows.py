"""Balances by customer, company or group, at today or a past day."""

from collections.abc import Sequence

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.ledger.storage.open_items import KEYS, Moment, Scope, joined, narrow

#: Today's rows of customers are kept: only what depends on the day is computed, for the rows of the page alone.
_KEPT = """
    SELECT b.customer_id AS key, c.name, b.currency, b.outstanding, b.credits, b.order_book, b.items_count,
           coalesce(l.overdue, 0)::bigint AS overdue, l.oldest_due_date
      FROM balances b
      JOIN customers c ON c.tenant_id = b.tenant_id AND c.id = b.customer_id
      JOIN companies p ON p.tenant_id = c.tenant_id AND p.id = c.company_id
      LEFT JOIN LATERAL (
           SELECT sum(i.open_amount) FILTER (WHERE i.due_date < {today}) AS overdue, min(i.due_date) AS oldest_due_date
             FROM items i
            WHERE i.tenant_id = b.tenant_id AND i.customer_id = b.customer_id AND i.currency = b.currency
              AND i.open_amount <> 0 AND i.open_amount > 0) l ON true
"""
_ORDERS = """
    SELECT {key} AS key, b.currency, sum(b.order_book)::bigint AS order_book
      FROM balances b
      JOIN customers c ON c.tenant_id = b.tenant_id AND c.id = b.customer_id
      JOIN companies p ON p.tenant_id = c.tenant_id AND p.id = c.company_id {join}
     WHERE b.tenant_id = {tenant} AND {key} = ANY({keys}) GROUP BY 1, 2
"""


async def kept_rows(tx: Tx, scope: Scope, cursor: str | None, limit: int) -> list[Row]:
    """Today's balances of customers, in order of customer and currency."""
    statement = Statement()
    today = f"{statement.bind(tx.today)}::date"
    statement.where("b.tenant_id = {}", tx.tenant_id)
    statement.where("b.items_count <> 0 OR b.order_book <> 0 OR b.outstanding <> 0")
    for column, value in (
        ("b.customer_id", scope.customer_id),
        ("c.company_id", scope.company_id),
        ("p.group_id", scope.group_id),
        ("b.currency", scope.currency),
    ):
        if value is not None:
            statement.where(f"{column} = {{}}", value)
    for units in (scope.business_unit_id, scope.perimeter):
        if units is not None:
            statement.where("c.business_unit_id = ANY({})", list(units))
    keys = [SortKey("b.customer_id", "uuid"), SortKey("b.currency", "bpchar")]
    order = keyset(statement, keys, cursor)
    # The page first, its days afterwards: LIMIT stands below the lateral join.
    return await tx.fetch(
        f"{_KEPT.format(today=today)} {statement.clause()} {order} LIMIT {statement.bind(limit + 1)}".replace(
            "SELECT b.customer_id AS key", f"SELECT {cursor_columns(keys)}, b.customer_id AS key", 1
        ),
        *statement.params,
    )


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
        f" {cursor_columns(keys)} FROM ({inner}) q {outer.clause()} {order} LIMIT {outer.bind(limit + 1)}",
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
