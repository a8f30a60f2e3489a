"""Sales by month and receivables at a day: what the DSO family is made of."""

from datetime import date

from libs.kit.db import Row, Tx
from libs.kit.paging import Statement
from services.ledger.storage.open_items import Moment, Scope, joined, narrow

_SALES = """
    SELECT date_trunc('month', o.issue_date)::date AS month, o.currency,
           sum(o.amount * o.direction)::bigint AS amount, count(*)::int AS invoices
      FROM items o
      JOIN customers c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id
      JOIN companies p ON p.tenant_id = c.tenant_id AND p.id = c.company_id
"""
_TURNOVER = """
    SELECT {key} AS key, {name} AS name, o.currency,
           coalesce(sum(o.amount) FILTER (WHERE o.kind = 'invoice'), 0)::bigint AS invoiced,
           coalesce(sum(o.amount) FILTER (WHERE o.kind = 'credit_note'), 0)::bigint AS credited,
           coalesce(sum(o.tax_amount * o.direction), 0)::bigint AS tax,
           count(*) FILTER (WHERE o.kind = 'invoice')::int AS invoices,
           count(*) FILTER (WHERE o.tax_amount IS NULL)::int AS without_tax
      FROM items o
      JOIN customers c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id
      JOIN companies p ON p.tenant_id = c.tenant_id AND p.id = c.company_id
"""
TURNOVER_KEYS = {
    "month": ("to_char(o.issue_date, 'YYYY-MM')", "''::text"),
    "country": ("coalesce(p.country, '')", "''::text"),
    "company": ("p.id::text", "min(p.name)"),
    "customer": ("c.id::text", "min(c.name)"),
    "business_unit": ("o.business_unit_id::text", "''::text"),
}


async def receivables(tx: Tx, when: Moment, scope: Scope) -> list[Row]:
    """By currency: what is outstanding at a day, credits deducted, and the debits not yet due."""
    statement = Statement()
    source = joined(tx, statement, when, "total")
    day = f"{statement.bind(when.as_of)}::date"
    narrow(statement, scope, whole_companies=False)
    return await tx.fetch(
        "SELECT o.currency, sum(o.open_amount)::bigint AS outstanding,"
        f" coalesce(sum(o.open_amount) FILTER (WHERE o.open_amount > 0 AND o.due_date >= {day}), 0)::bigint AS not_due,"
        f" count(*)::int AS items_count {source} {statement.clause()} GROUP BY 1",
        *statement.params,
    )


async def sales(tx: Tx, since: date | None, until: date, scope: Scope) -> list[Row]:
    """By month and currency: invoices less credit notes, tax included. Openings and `other` items are never sales."""
    statement = _sales_of(tx, scope)
    statement.where("o.issue_date <= {}", until)
    if since is not None:
        statement.where("o.issue_date >= {}", since)
    return await tx.fetch(f"{_SALES} {statement.clause()} GROUP BY 1, 2 ORDER BY 1 DESC", *statement.params)


async def turnover(tx: Tx, by: str, since: date, until: date, scope: Scope) -> list[Row]:
    """Invoices and credit notes issued in a period, by key and currency."""
    key, name = TURNOVER_KEYS[by]
    statement = _sales_of(tx, scope)
    statement.where("o.issue_date BETWEEN {} AND {}", since, until)
    return await tx.fetch(
        f"{_TURNOVER.format(key=key, name=name)} {statement.clause()} GROUP BY 1, 3 ORDER BY 1, 3",
        *statement.params,
    )


def _sales_of(tx: Tx, scope: Scope) -> Statement:
    statement = Statement()
    statement.where("o.tenant_id = {}", tx.tenant_id)
    statement.where("o.kind IN ('invoice', 'credit_note') AND NOT o.cancelled")
    narrow(statement, scope, whole_companies=False)
    return statement
