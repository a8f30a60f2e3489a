"""The risk report's statements: one index scan a page, one aggregate for the totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

COLUMNS = (
    "p.company_id, p.name, p.country, p.registration_number, p.segment, p.group_id, p.currency, p.outstanding, p.overdue,"
    " p.credits, p.order_book, p.unconverted, p.rate_date, p.limit_state, p.limit_amount, p.limit_original,"
    " p.limit_currency, p.limit_valid_until, p.limit_used_permille, p.overrun, p.pending_request_id, p.payer_class,"
    " p.open_alerts, p.critical, p.updated_at"
)
SORTS = {
    "name": SortKey("p.name", "text"),
    "outstanding": SortKey("p.outstanding", "bigint"),
    "overdue": SortKey("p.overdue", "bigint"),
    "overrun": SortKey("coalesce(p.overrun, -1)", "bigint"),
    "limit_used_percent": SortKey("coalesce(p.limit_used_permille, -1)", "bigint"),
    "real_risk": SortKey("p.outstanding", "bigint"),
    "potential_risk": SortKey("(p.outstanding + p.order_book)", "bigint"),
    "order_book": SortKey("p.order_book", "bigint"),
}
_TOTALS = """
    SELECT count(*) AS companies, coalesce(sum(p.outstanding), 0)::bigint AS outstanding,
           coalesce(sum(p.overdue), 0)::bigint AS overdue, coalesce(sum(p.credits), 0)::bigint AS credits,
           coalesce(sum(p.order_book), 0)::bigint AS order_book,
           coalesce(sum(p.limit_amount) FILTER (WHERE p.limit_state = 'approved'), 0)::bigint AS limits,
           coalesce(sum(p.overrun), 0)::bigint AS overrun,
           coalesce(sum(greatest(p.outstanding, 0)), 0)::bigint AS uncovered,
           coalesce(sum(greatest(-p.outstanding, 0)), 0)::bigint AS spare_cover
      FROM company_profiles p
"""
_UNCONVERTED = """
    SELECT u.key AS currency, sum(u.value::bigint)::bigint AS amount
      FROM company_profiles p CROSS JOIN LATERAL jsonb_each_text(p.unconverted) AS u
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the caller wants to see; None is everything."""

    q: str | None = None
    country: Sequence[str] | None = None
    segment: Sequence[str] | None = None
    limit_state: Sequence[str] | None = None
    collector_user_id: UUID | None = None
    group_id: UUID | None = None
    overrun_only: bool = False
    min_outstanding: int | None = None


async def rows(
    tx: Tx,
    filters: Filters,
    perimeter: Sequence[UUID] | None,
    keys: Sequence[SortKey],
    cursor: str | None,
    limit: int,
) -> list[Row]:
    """A page of the report, one row more than `limit` when there is another page."""
    statement = _filtered(tx, filters, perimeter)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {COLUMNS}, {cursor_columns(keys)} FROM company_profiles p {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def totals(tx: Tx, filters: Filters, perimeter: Sequence[UUID] | None) -> tuple[Row, list[Row]]:
    """Sums over everything the filters keep, and what stands unconverted."""
    statement = _filtered(tx, filters, perimeter)
    sums = await tx.fetchrow(f"{_TOTALS} {statement.clause()}", *statement.params)
    assert sums is not None, "an aggregate has a row"
    statement.conditions.append("p.unconverted <> '{}'")
    apart = await tx.fetch(f"{_UNCONVERTED} {statement.clause()} GROUP BY 1 ORDER BY 1", *statement.params)
    return sums, apart


async def position(tx: Tx) -> int:
    """Up to which position of the ledger's feed the figures go."""
    found: int | None = await tx.fetchval(
        "SELECT position FROM feed_cursors WHERE tenant_id = $1 AND producer = 'ledger'", tx.tenant_id
    )
    return found or 0


def _filtered(tx: Tx, filters: Filters, perimeter: Sequence[UUID] | None) -> Statement:
    statement = Statement()
    statement.where("p.tenant_id = {}", tx.tenant_id)
    in_customers: list[tuple[str, Any]] = []
    if perimeter is not None:
        in_customers.append(("u.business_unit_id = ANY({})", list(perimeter)))
    if filters.collector_user_id is not None:
        in_customers.append(("u.collector_user_id = {}", filters.collector_user_id))
    for condition, value in in_customers:
        statement.where(
            "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = p.tenant_id AND u.company_id = p.company_id"
            f" AND {condition})",
            value,
        )
    for column in ("country", "segment", "limit_state"):
        wanted = getattr(filters, column)
        if wanted:
            statement.where(f"p.{column} = ANY({{}})", list(wanted))
    if filters.q:
        pattern = "%" + filters.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        statement.where("p.name ILIKE {} OR p.registration_number ILIKE {}", pattern, pattern)
    if filters.group_id is not None:
        statement.where("p.group_id = {}", filters.group_id)
    if filters.overrun_only:
        statement.where("p.overrun > 0")
    if filters.min_outstanding is not None:
        statement.where("p.outstanding >= {}", filters.min_outstanding)
    return statement
