"""The risk report's statements: one index scan a page, one aggregate for the totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

_NAMES = (
    "company_id", "name", "country", "registration_number", "segment", "group_id", "currency", "outstanding", "overdue",
    "credits", "order_book", "unconverted", "rate_date", "limit_state", "limit_amount", "limit_original", "limit_currency",
    "limit_valid_until", "limit_used_permille", "overrun", "pending_request_id", "payer_class", "open_alerts", "critical",
    "cover_permanent", "cover_temporary", "cover_topup", "cover_discretionary", "cover_non_named", "cover_expires_at",
    "cover_conditions", "other_guarantees", "real_risk", "potential_risk", "provider_state", "score", "paydex",
    "privileges_amount", "legal_status", "trend", "turnover", "activity", "recommended_credit",
    "recommended_minus_outstanding", "recommended_minus_limit", "provider_values", "by_provider", "insurer_grade",
    "next_clock", "next_review_on", "stale", "updated_at",
)  # fmt: skip
COLUMNS = ", ".join(f"p.{name}" for name in _NAMES)
#: Lower than any amount: where nulls stand in an order.
_NONE = -(2**63)
SORTS = {
    "name": SortKey("p.name", "text"),
    "outstanding": SortKey("p.outstanding", "bigint"),
    "overdue": SortKey("p.overdue", "bigint"),
    "order_book": SortKey("p.order_book", "bigint"),
    "limit": SortKey("coalesce(p.limit_amount, -1)", "bigint"),
    "overrun": SortKey("coalesce(p.overrun, -1)", "bigint"),
    "limit_used_percent": SortKey("coalesce(p.limit_used_permille, -1)", "bigint"),
    "real_risk": SortKey("p.real_risk", "bigint"),
    "potential_risk": SortKey("p.potential_risk", "bigint"),
    "uncovered": SortKey("greatest(p.real_risk, 0)", "bigint"),
    "score": SortKey("coalesce(p.score, -1)", "bigint"),
    "paydex": SortKey("coalesce(p.paydex, -1)", "bigint"),
    "privileges_amount": SortKey("coalesce(p.privileges_amount, -1)", "bigint"),
    "turnover": SortKey(f"coalesce(p.turnover, {_NONE})", "bigint"),
    "recommended_credit": SortKey("coalesce(p.recommended_credit, -1)", "bigint"),
    "recommended_minus_outstanding": SortKey(f"coalesce(p.recommended_minus_outstanding, {_NONE})", "bigint"),
    "recommended_minus_limit": SortKey(f"coalesce(p.recommended_minus_limit, {_NONE})", "bigint"),
    "open_alerts": SortKey("p.open_alerts", "bigint"),
    "next_clock": SortKey("coalesce(p.next_clock_on, 'infinity')", "date"),
}
_TOTALS = """
    SELECT count(*) AS companies,
           coalesce(sum(p.outstanding) FILTER (WHERE p.by_currency IS NULL), 0)::bigint AS outstanding,
           coalesce(sum(p.overdue) FILTER (WHERE p.by_currency IS NULL), 0)::bigint AS overdue,
           coalesce(sum(p.credits) FILTER (WHERE p.by_currency IS NULL), 0)::bigint AS credits,
           coalesce(sum(p.order_book) FILTER (WHERE p.by_currency IS NULL), 0)::bigint AS order_book,
           coalesce(bool_or(p.by_currency IS NOT NULL), false) AS several,
           coalesce(sum(p.limit_amount) FILTER (WHERE p.limit_state = 'approved'), 0)::bigint AS limits,
           coalesce(sum(p.overrun), 0)::bigint AS overrun,
           coalesce(sum(p.cover_permanent), 0)::bigint AS cover_permanent,
           coalesce(sum(p.cover_temporary), 0)::bigint AS cover_temporary,
           coalesce(sum(p.cover_topup), 0)::bigint AS cover_topup,
           coalesce(sum(p.cover_discretionary), 0)::bigint AS cover_discretionary,
           coalesce(sum(p.cover_non_named), 0)::bigint AS cover_non_named,
           coalesce(sum(p.other_guarantees), 0)::bigint AS other_guarantees,
           coalesce(sum(p.recommended_credit), 0)::bigint AS recommended_credit,
           coalesce(sum(p.real_risk), 0)::bigint AS real_risk, coalesce(sum(p.potential_risk), 0)::bigint AS potential_risk,
           coalesce(sum(greatest(p.real_risk, 0)), 0)::bigint AS uncovered,
           coalesce(sum(greatest(-p.real_risk, 0)), 0)::bigint AS spare_cover
      FROM company_profiles p
"""
_BY_CURRENCY = """
    SELECT u.key AS currency, sum((u.value->>0)::bigint)::bigint AS outstanding, sum((u.value->>1)::bigint)::bigint AS overdue,
           sum((u.value->>2)::bigint)::bigint AS credits, sum((u.value->>3)::bigint)::bigint AS order_book
      FROM company_profiles p CROSS JOIN LATERAL jsonb_each(p.by_currency) AS u
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
    legal_status: Sequence[str] | None = None
    overrun_only: bool = False
    critical: bool | None = None
    monitored: bool | None = None
    stale: bool | None = None
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
    """Sums over everything the filters keep, and beside them what companies owe in several currencies, by currency."""
    statement = _filtered(tx, filters, perimeter)
    sums = await tx.fetchrow(f"{_TOTALS} {statement.clause()}", *statement.params)
    assert sums is not None, "an aggregate has a row"
    if not sums["several"]:
        return sums, []
    statement.conditions.append("p.by_currency IS NOT NULL")
    apart = await tx.fetch(f"{_BY_CURRENCY} {statement.clause()} GROUP BY 1 ORDER BY 1", *statement.params)
    return sums, apart


async def companies(tx: Tx, filters: Filters, perimeter: Sequence[UUID] | None) -> list[UUID]:
    """Every company the filters keep."""
    statement = _filtered(tx, filters, perimeter)
    rows = await tx.fetch(
        f"SELECT p.company_id FROM company_profiles p {statement.clause()}", *statement.params
    )
    return [row["company_id"] for row in rows]


async def flags(tx: Tx, company_id: UUID) -> Row | None:
    """What the report says of a company besides figures."""
    return await tx.fetchrow(
        "SELECT critical, open_alerts, stale FROM company_profiles WHERE tenant_id = $1 AND company_id = $2",
        tx.tenant_id,
        company_id,
    )


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
    for column in ("country", "segment", "limit_state", "legal_status"):
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
    if filters.critical is not None:
        statement.where("p.critical" if filters.critical else "NOT p.critical")
    if filters.stale is not None:
        statement.where("p.stale" if filters.stale else "NOT p.stale")
    if filters.monitored is not None:
        watched = (
            "EXISTS (SELECT 1 FROM monitorings m WHERE m.tenant_id = p.tenant_id AND m.company_id = p.company_id"
            " AND m.state IN ('member', 'adding', 'unknown'))"
        )
        statement.where(watched if filters.monitored else f"NOT {watched}")
    if filters.min_outstanding is not None:
        statement.where("p.outstanding >= {}", filters.min_outstanding)
    return statement
