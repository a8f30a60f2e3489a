"""The account statement of one customer: its items with a running balance, as of a day."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.ledger.storage.item_facts import SHOWN

_ACCOUNT = """
    SELECT c.id, c.external_id, c.name, c.business_unit_id, c.company_id, c.language, c.address FROM customers c
     WHERE c.tenant_id = $1 AND c.id = $2 AND ($3::uuid[] IS NULL OR c.business_unit_id = ANY($3))
"""
#: As of today an item carries what it has open; as of a past day that is the sum of the entries effective by then.
_TODAY = """
    SELECT i.*, i.open_amount AS remaining FROM items i
     WHERE i.tenant_id = {tenant} AND i.customer_id = {customer}
"""
_PAST = """
    SELECT i.*, e.remaining FROM items i
     CROSS JOIN LATERAL (SELECT sum(e.amount) AS remaining FROM entries e
                          WHERE e.tenant_id = i.tenant_id AND e.item_id = i.id AND e.effective_on <= {day}) e
     WHERE i.tenant_id = {tenant} AND i.customer_id = {customer} AND e.remaining IS NOT NULL
"""
_LINES = """
    SELECT s.id, s.kind, s.direction, s.external_id, s.number, s.issue_date, s.due_date, s.closed_on, s.currency, s.amount,
           s.remaining, s.reference, s.order_reference,
           sum(s.remaining) OVER (PARTITION BY s.currency ORDER BY s.issue_date, s.id) AS running
      FROM ({items}) s
"""
_KEYS = [SortKey("l.currency", "char(3)"), SortKey("l.issue_date", "date"), SortKey("l.id", "uuid")]


async def account(tx: Tx, customer_id: UUID, perimeter: Sequence[UUID] | None) -> Row | None:
    """Whose statement it is."""
    return await tx.fetchrow(_ACCOUNT, tx.tenant_id, customer_id, perimeter)


async def read_lines(
    tx: Tx,
    customer_id: UUID,
    as_of: date,
    currency: str | None,
    *,
    closed_too: bool,
    cursor: str | None,
    limit: int | None,
) -> list[Row]:
    """Lines in order of currency, issue date and id; one more than `limit`, or all of them without one.

    `remaining` is what is open on the day, `running` its sum up to and including the line.
    """
    wanted, lines = _lines(tx, customer_id, as_of, currency, closed_too=closed_too)
    order = keyset(wanted, _KEYS, cursor)
    bound = "" if limit is None else f"LIMIT {limit + 1:d}"
    return await tx.fetch(
        f"SELECT l.*, {SHOWN.format(item='l.id')}, {cursor_columns(_KEYS)} FROM ({lines}) l {wanted.clause()} {order} {bound}",
        *wanted.params,
    )


async def read_totals(tx: Tx, customer_id: UUID, as_of: date, currency: str | None) -> list[Row]:
    """Per currency: what is outstanding and overdue on the day, and in how many items."""
    wanted, lines = _lines(tx, customer_id, as_of, currency, closed_too=False)
    late = f"l.remaining > 0 AND l.due_date < {wanted.bind(as_of)}"
    return await tx.fetch(
        "SELECT l.currency, sum(l.remaining)::bigint AS outstanding, count(*) AS items_count,"
        f" coalesce(sum(l.remaining) FILTER (WHERE {late}), 0)::bigint AS overdue,"
        " coalesce(sum(l.remaining) FILTER (WHERE l.remaining < 0), 0)::bigint AS credits"
        f" FROM ({lines}) l {wanted.clause()} GROUP BY l.currency ORDER BY l.currency",
        *wanted.params,
    )


def _lines(
    tx: Tx, customer_id: UUID, as_of: date, currency: str | None, *, closed_too: bool
) -> tuple[Statement, str]:
    wanted = Statement()
    bound = {"tenant": wanted.bind(tx.tenant_id), "customer": wanted.bind(customer_id)}
    past = as_of < tx.today
    items = _PAST.format(day=wanted.bind(as_of), **bound) if past else _TODAY.format(**bound)
    if currency is not None:
        wanted.where("l.currency = {}", currency)
    if not closed_too:
        wanted.where("l.remaining <> 0")
    return wanted, _LINES.format(items=items)
