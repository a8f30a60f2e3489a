"""How much of what is late has a status: today from the items themselves, on past days from what was written down then."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

By = Literal["collector", "status", "customer", "business_unit"]
NOBODY = UUID(int=0)
_WEEKS = 12
#: Debits past their due date. Credit notes and what is not due stay out: nobody qualifies them.
_LATE = """
    SELECT c.id AS customer_id, c.business_unit_id, coalesce(c.collector_user_id, '00000000-0000-0000-0000-000000000000')
           AS collector_user_id, coalesce(s.status_code, '') AS status_code, s.category, i.currency,
           1 AS count, i.open_amount AS amount,
           (s.status_code IS NOT NULL AND s.follow_up_on >= {day})::int AS alive_count,
           CASE WHEN s.status_code IS NOT NULL AND s.follow_up_on >= {day} THEN i.open_amount ELSE 0 END AS alive_amount
      FROM items i
      JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id
      LEFT JOIN situations s ON s.tenant_id = i.tenant_id AND s.item_id = i.id
     WHERE i.tenant_id = {tenant} AND i.open_amount > 0 AND i.due_date < {day}
"""
_KEPT = """
    SELECT NULL::uuid AS customer_id, business_unit_id, collector_user_id, status_code, category, currency, count, amount,
           alive_count, alive_amount
      FROM status_days WHERE tenant_id = {tenant} AND day = {day}
"""
_KEYS = {
    "status": ("''::text", "NULL::text", ""),
    "collector": ("l.collector_user_id::text", "u.name",
                  "LEFT JOIN users u ON u.tenant_id = {tenant} AND u.id = l.collector_user_id"),
    "business_unit": ("l.business_unit_id::text", "u.name",
                      "LEFT JOIN business_units u ON u.tenant_id = {tenant} AND u.id = l.business_unit_id"),
    "customer": ("l.customer_id::text", "u.name", "LEFT JOIN customers u ON u.tenant_id = {tenant} AND u.id = l.customer_id"),
}  # fmt: skip
_WRITE = f"""
    INSERT INTO status_days (tenant_id, day, business_unit_id, collector_user_id, status_code, currency, category, count, amount,
                             alive_count, alive_amount)
    SELECT $1, $2, business_unit_id, collector_user_id, status_code, currency, max(category), sum(count), sum(amount),
           sum(alive_count), sum(alive_amount)
      FROM ({_LATE.format(tenant="$1", day="$2::date")}) l
     GROUP BY business_unit_id, collector_user_id, status_code, currency
    ON CONFLICT (tenant_id, day, business_unit_id, collector_user_id, status_code, currency) DO UPDATE SET
        category = excluded.category, count = excluded.count, amount = excluded.amount,
        alive_count = excluded.alive_count, alive_amount = excluded.alive_amount
"""
_SUMS = """
    sum(l.count)::bigint AS count, sum(l.amount)::bigint AS amount,
    coalesce(sum(l.count) FILTER (WHERE l.status_code <> ''), 0)::bigint AS qualified_count,
    coalesce(sum(l.amount) FILTER (WHERE l.status_code <> ''), 0)::bigint AS qualified_amount,
    sum(l.alive_count)::bigint AS alive_count, sum(l.alive_amount)::bigint AS alive_amount
"""


async def write_day(tx: Tx, day: date) -> None:
    """Keep how a day ended; writing it again corrects it."""
    await tx.execute("DELETE FROM status_days WHERE tenant_id = $1 AND day = $2", tx.tenant_id, day)
    await tx.execute(_WRITE, tx.tenant_id, day)


async def rows(
    tx: Tx, day: date, by: By, perimeter: Sequence[UUID] | None, cursor: str | None, limit: int | None
) -> list[Row]:
    """A page of (key, currency, status) with their share of the key's amount in that currency."""
    key, name, join = _KEYS[by]
    statement = Statement()
    source = _source(statement, tx, day, perimeter)
    grouped = (
        f"SELECT {key} AS key, max({name}) AS name, l.currency, l.status_code, max(l.category) AS category,"
        " sum(l.count)::bigint AS count, sum(l.amount)::bigint AS amount,"
        f" sum(sum(l.amount)) OVER (PARTITION BY {key}, l.currency)::bigint AS whole"
        f" FROM ({source}) l {join.format(tenant='$1')} GROUP BY {key}, l.currency, l.status_code"
    )
    keys = [SortKey("g.key", "text"), SortKey("g.currency", "text"), SortKey("g.status_code", "text")]
    order = keyset(statement, keys, cursor)
    end = f" LIMIT {statement.bind(limit + 1)}" if limit is not None else ""
    return await tx.fetch(
        f"SELECT g.*, s.labels, {cursor_columns(keys)} FROM ({grouped}) g"
        f" LEFT JOIN statuses s ON s.tenant_id = $1 AND s.code = g.status_code {statement.clause()} {order}{end}",
        *statement.params,
    )


async def totals(tx: Tx, day: date, perimeter: Sequence[UUID] | None) -> list[Row]:
    """What is late, what of it has a status, and a status whose follow-up has not passed; a row a currency."""
    statement = Statement()
    source = _source(statement, tx, day, perimeter)
    return await tx.fetch(
        f"SELECT l.currency, {_SUMS} FROM ({source}) l GROUP BY l.currency ORDER BY l.currency",
        *statement.params,
    )


async def trend(tx: Tx, day: date, perimeter: Sequence[UUID] | None) -> list[Row]:
    """The last day kept of each of the last twelve weeks, up to a day."""
    return await tx.fetch(
        "WITH ends AS (SELECT max(day) AS day FROM status_days WHERE tenant_id = $1 AND day <= $2 AND day > $2 - 7 * $3"
        " GROUP BY date_trunc('week', day))"
        f" SELECT l.day, l.currency, {_SUMS} FROM status_days l JOIN ends e ON e.day = l.day"
        " WHERE l.tenant_id = $1 AND ($4::uuid[] IS NULL OR l.business_unit_id = ANY($4))"
        " GROUP BY l.day, l.currency ORDER BY l.day, l.currency",
        tx.tenant_id, day, _WEEKS, None if perimeter is None else list(perimeter),
    )  # fmt: skip


async def is_kept(tx: Tx, day: date) -> bool:
    """Whether a past day was written down."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM day_runs WHERE tenant_id = $1 AND day = $2 AND step = 'statuses' AND state = 'done')",
        tx.tenant_id, day,
    )  # fmt: skip
    return found


def _source(statement: Statement, tx: Tx, day: date, perimeter: Sequence[UUID] | None) -> str:
    tenant, bound = statement.bind(tx.tenant_id), statement.bind(day)
    source = (_LATE if day == tx.today else _KEPT).format(tenant=tenant, day=f"{bound}::date")
    if perimeter is None:
        return source
    units = statement.bind(list(perimeter))
    column = "c.business_unit_id" if day == tx.today else "business_unit_id"
    return f"{source} AND {column} = ANY({units})"
