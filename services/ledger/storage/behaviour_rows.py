"""How customers pay, as SQL: sums that the payer profile of `domain.payer_profile` is made of.

Amounts of several currencies are weighed by what the factors make of them, so that a thousand yen do not outweigh five
hundred euros.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import Statement
from services.ledger.domain.months import add_months
from services.ledger.domain.payer_profile import WINDOW_MONTHS

#: Parts of invoices that were paid: by a payment that stands, or settled by the source. A credit note or a write-off is
#: nobody's payment.
_PAID = """
    SELECT i.id, c.{key} AS key, i.issue_date, i.due_date, e.effective_on AS settled_on, -e.amount * f.factor AS weight
      FROM entries e
      JOIN items i ON i.tenant_id = e.tenant_id AND i.id = e.item_id AND i.kind = 'invoice'
      JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id
      JOIN f ON f.currency = i.currency
      LEFT JOIN allocations a ON a.tenant_id = e.tenant_id AND a.id = e.allocation_id
      LEFT JOIN items s ON s.tenant_id = a.tenant_id AND s.id = a.credit_item_id
     WHERE e.tenant_id = {tenant} AND e.amount < 0 AND e.effective_on > {earliest} AND e.effective_on <= {as_of}
       AND (e.kind = 5 OR (e.kind = 3 AND a.reversed_on IS NULL AND s.kind = 'payment')) {narrow}
"""
_OVERDUE = """
    SELECT i.id, c.{key} AS key, i.issue_date, i.due_date, {as_of} AS settled_on, i.open_amount * f.factor AS weight
      FROM items i
      JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id
      JOIN f ON f.currency = i.currency
     WHERE i.tenant_id = {tenant} AND i.kind = 'invoice' AND i.open_amount > 0 AND i.open_amount <> 0
       AND i.due_date < {as_of} {narrow}
"""
_SUMS = """
    WITH f AS (SELECT * FROM unnest({codes}::text[], {factors}::numeric[]) AS f(currency, factor)),
    paid AS ({paid}),
    overdue AS ({overdue}),
    parts AS (
        SELECT key, id, weight, settled_on - due_date AS delay, settled_on - issue_date AS duration,
               CASE WHEN settled_on > {start} THEN 'now' ELSE 'before' END AS part FROM paid
        UNION ALL
        SELECT key, id, weight, settled_on - due_date, settled_on - issue_date, 'open' FROM overdue)
    SELECT key,
           sum(weight) FILTER (WHERE part = 'now') AS paid_weight,
           sum(weight * delay) FILTER (WHERE part = 'now') AS paid_delay,
           sum(weight * duration) FILTER (WHERE part = 'now') AS paid_duration,
           count(DISTINCT id) FILTER (WHERE part = 'now')::int AS paid_invoices,
           sum(weight) FILTER (WHERE part <> 'before') AS all_weight,
           sum(weight * delay) FILTER (WHERE part <> 'before') AS all_delay,
           sum(weight * duration) FILTER (WHERE part <> 'before') AS all_duration,
           count(DISTINCT id) FILTER (WHERE part <> 'before')::int AS all_invoices,
           sum(weight) FILTER (WHERE part = 'before') AS before_weight,
           sum(weight * delay) FILTER (WHERE part = 'before') AS before_delay,
           count(DISTINCT id) FILTER (WHERE part = 'before')::int AS before_invoices
      FROM parts GROUP BY key ORDER BY key
"""


async def sums(
    tx: Tx, by: str, as_of: date, factors: dict[str, Decimal], only: list[UUID] | None
) -> list[Row]:
    """One row a customer (or company) that paid in the last twelve months or is late now. `only`: these keys."""
    statement = Statement()
    tenant, day = f"{statement.bind(tx.tenant_id)}::uuid", f"{statement.bind(as_of)}::date"
    key = "id" if by == "customer" else "company_id"
    narrow = f"AND c.{key} = ANY({statement.bind(only)}::uuid[])" if only is not None else ""
    start = f"{statement.bind(add_months(as_of, -WINDOW_MONTHS))}::date"
    earliest = f"{statement.bind(add_months(as_of, -2 * WINDOW_MONTHS))}::date"
    parts = {"key": key, "tenant": tenant, "as_of": day, "narrow": narrow, "earliest": earliest}
    text = _SUMS.format(
        codes=statement.bind(list(factors)), factors=statement.bind(list(factors.values())), start=start,
        paid=_PAID.format(**parts), overdue=_OVERDUE.format(**parts),
    )  # fmt: skip
    return await tx.fetch(text, *statement.params)
