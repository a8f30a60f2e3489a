"""A portfolio made by the database itself: for benches that read, and do not ask how it came there."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.ledger.domain.journal import EntryKind
from tests.bench.harness import Context, House, Owner

ITEMS_A_CUSTOMER = 20
#: One item in five is settled (a second entry, nothing open); one in ten is a credit note. Due dates spread over a year.
_COMPANIES = """
    INSERT INTO companies (tenant_id, id, name, private, group_id, created_at, updated_at, version)
    SELECT $1, c.id, 'Company ' || c.n, false, c.id, now(), now(), 1
      FROM (SELECT n, uuidv7() AS id FROM generate_series(1, $2::int) n) c
"""
_CUSTOMERS = """
    INSERT INTO customers (tenant_id, id, business_unit_id, company_id, external_id, name, language, currency,
                           terms_end_of_month, buyer_kind, prepaid, address, custom_fields, contacts, actors,
                           created_at, updated_at, version)
    SELECT $1, uuidv7(), $2, p.id, 'C-' || p.n, 'Customer ' || p.n, 'en', 'EUR', false, 'private', false,
           '{}', '{}', '[]', '[]', now(), now(), 1
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM companies WHERE tenant_id = $1) p
"""
_ITEMS = """
    INSERT INTO items (tenant_id, id, business_unit_id, customer_id, kind, direction, external_id, number, source,
                       issue_date, due_date, original_due_date, currency, amount, open_amount, custom_fields, closed_on,
                       cancelled, as_of_approximate, created_at, updated_at, version)
    SELECT $1, uuidv7(), $2, c.id, CASE WHEN d.credit THEN 'credit_note' ELSE 'invoice' END,
           CASE WHEN d.credit THEN -1 ELSE 1 END, 'I-' || n, 'F' || n, 'bench',
           d.due - 30, d.due, d.due, 'EUR', d.amount,
           CASE WHEN d.settled THEN 0 WHEN d.credit THEN -d.amount ELSE d.amount END, '{}',
           CASE WHEN d.settled THEN least(d.due + 5, current_date) END, false, false,
           now() - (($3::int - n) * interval '1 millisecond'), now(), 1
      FROM generate_series(1, $3::int) n
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM customers WHERE tenant_id = $1) c
        ON c.place = n % $4::int + 1
     CROSS JOIN LATERAL (SELECT current_date + 30 - (n * 7919::bigint % 365)::int AS due,
                                (100 + n * 104729::bigint % 5000000)::bigint AS amount,
                                n / $4::int % 10 = 3 AS credit, n / $4::int % 5 = 1 AS settled) d
"""
_ENTRIES = f"""
    INSERT INTO entries (tenant_id, item_id, id, kind, amount, effective_on, recorded_at)
    SELECT tenant_id, id, uuidv7(), {EntryKind.ISSUED:d}, amount * direction, issue_date, created_at
      FROM items WHERE tenant_id = $1
    UNION ALL
    SELECT tenant_id, id, uuidv7(), {EntryKind.SETTLED_BY_SOURCE:d}, -amount * direction, closed_on, created_at
      FROM items WHERE tenant_id = $1 AND open_amount = 0
"""
_BALANCES = """
    INSERT INTO balances (tenant_id, customer_id, currency, outstanding, credits, overdue, day, order_book, items_count,
                          version, updated_at)
    SELECT tenant_id, customer_id, currency, sum(open_amount), coalesce(sum(open_amount) FILTER (WHERE open_amount < 0), 0),
           coalesce(sum(open_amount) FILTER (WHERE open_amount > 0 AND due_date < current_date), 0), current_date, 0,
           count(*), 1, now()
      FROM items WHERE tenant_id = $1 AND open_amount <> 0 GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Whose it is, how many items, and some of its customers."""

    owner: Owner
    items: int
    customer_ids: list[UUID]


async def make_portfolio(house: House, items: int) -> Portfolio:
    """Write it, with twenty items a customer, then let the database know what it holds."""
    owner = await house.owner()
    customers = max(1, items // ITEMS_A_CUSTOMER)
    connection = await house.connect()
    try:
        await connection.execute(_COMPANIES, owner.id, customers)
        await connection.execute(_CUSTOMERS, owner.id, owner.business_unit_id)
        await connection.execute(_ITEMS, owner.id, owner.business_unit_id, items, customers)
        await connection.execute(_ENTRIES, owner.id)
        await connection.execute(_BALANCES, owner.id)
        await connection.execute("VACUUM ANALYZE")
        ids = await _some_customers(connection, owner.id)
    finally:
        await connection.close()
    return Portfolio(owner, items, ids)


async def the_portfolio(context: Context) -> Portfolio:
    """The one all reading benches share: 200,000 items at scale 1."""
    if "portfolio" not in context.found:
        context.found["portfolio"] = await make_portfolio(context.house, context.rows(200_000))
    found: Portfolio = context.found["portfolio"]
    return found


async def _some_customers(connection: asyncpg.Connection, tenant_id: UUID) -> list[UUID]:
    rows = await connection.fetch(
        "SELECT id FROM customers WHERE tenant_id = $1 ORDER BY md5(id::text) LIMIT 500", tenant_id
    )
    return [row["id"] for row in rows]
