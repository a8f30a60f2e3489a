"""What companies owe, item by item, for the rules of insurance."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from libs.kit.db import Row, Tx
from services.credit.domain.insurance.insured import Item, Stop

_COLUMNS = (
    "i.id, i.number, i.business_unit_id, i.kind, i.issue_date, i.delivery_date, i.due_date, i.original_due_date, i.currency,"
    " i.amount, i.tax_amount, i.open_amount, u.company_id, u.buyer_kind, u.prepaid"
)
_OPEN = f"""
    SELECT {_COLUMNS} FROM customers u
      JOIN items i ON i.tenant_id = u.tenant_id AND i.customer_id = u.id
     WHERE u.tenant_id = $1 AND u.company_id = ANY($2) AND NOT i.cancelled AND i.open_amount <> 0
     ORDER BY u.company_id, i.id
"""
#: With what was paid since the oldest open item, for insurers that take receipts for the oldest debt.
_SINCE_OLDEST = f"""
    SELECT {_COLUMNS} FROM customers u
      JOIN items i ON i.tenant_id = u.tenant_id AND i.customer_id = u.id
     WHERE u.tenant_id = $1 AND u.company_id = ANY($2) AND NOT i.cancelled
       AND (i.open_amount <> 0 OR (i.kind IN ('invoice', 'other') AND i.issue_date >= (
            SELECT min(o.issue_date) - 366 FROM customers v JOIN items o ON o.tenant_id = v.tenant_id AND o.customer_id = v.id
             WHERE v.tenant_id = $1 AND v.company_id = u.company_id AND o.open_amount > 0)))
     ORDER BY u.company_id, i.id
"""


async def items_of(tx: Tx, companies: Sequence[UUID], *, with_paid: bool = False) -> dict[UUID, list[Item]]:
    """Open items by company; `with_paid` adds the debits paid since the oldest open one, less a year."""
    found: dict[UUID, list[Item]] = {company: [] for company in companies}
    for row in await tx.fetch(_SINCE_OLDEST if with_paid else _OPEN, tx.tenant_id, list(companies)):
        found[row["company_id"]].append(item_of(row))
    return found


def item_of(row: Row) -> Item:
    """An item's row for the rules."""
    names = (
        "id", "number", "business_unit_id", "kind", "issue_date", "delivery_date", "due_date", "original_due_date", "currency",
        "amount", "tax_amount", "open_amount", "buyer_kind", "prepaid",
    )  # fmt: skip
    return Item(**{name: row[name] for name in names})


async def stops_of(tx: Tx, policy_id: UUID, company_id: UUID) -> list[Stop]:
    """The days a company was without cover for new deliveries."""
    rows = await tx.fetch(
        "SELECT stopped_on, regularised_on FROM cover_stops WHERE tenant_id = $1 AND policy_id = $2 AND company_id = $3"
        " ORDER BY stopped_on",
        tx.tenant_id, policy_id, company_id,
    )  # fmt: skip
    return [Stop(row["stopped_on"], row["regularised_on"]) for row in rows]


async def bounced_on(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, date]:
    """The last day a debit of each company is known to have bounced, while something it owes stays unpaid."""
    rows = await tx.fetch(
        "SELECT u.company_id, max(b.known_on) AS known_on FROM customers u"
        " JOIN bounced_payments b ON b.tenant_id = u.tenant_id AND b.customer_id = u.id"
        " WHERE u.tenant_id = $1 AND u.company_id = ANY($2) AND b.reason = 'bounced'"
        " AND EXISTS (SELECT 1 FROM items i WHERE i.tenant_id = u.tenant_id AND i.customer_id = u.id AND i.open_amount > 0"
        "              AND i.due_date <= b.known_on)"
        " GROUP BY 1",
        tx.tenant_id, list(companies),
    )  # fmt: skip
    return {row["company_id"]: row["known_on"] for row in rows}


async def outstanding_by_unit(tx: Tx, company_id: UUID) -> list[Row]:
    """What a company owes today, by business unit and currency, minor units: outstanding and order book."""
    return await tx.fetch(
        "SELECT c.business_unit_id, r.currency, sum(r.outstanding)::bigint AS outstanding, sum(r.overdue)::bigint AS overdue,"
        "       sum(r.credits)::bigint AS credits, sum(r.order_book)::bigint AS order_book"
        "  FROM customers c JOIN exposures e ON e.tenant_id = c.tenant_id AND e.customer_id = c.id"
        " CROSS JOIN LATERAL jsonb_to_recordset(e.rows) AS r(currency text, outstanding bigint, overdue bigint,"
        "                                                   credits bigint, order_book bigint)"
        " WHERE c.tenant_id = $1 AND c.company_id = $2 GROUP BY 1, 2 ORDER BY 1, 2",
        tx.tenant_id, company_id,
    )  # fmt: skip


async def disputed(tx: Tx, items: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these items are in dispute."""
    rows = await tx.fetch(
        "SELECT item_id FROM disputed_items WHERE tenant_id = $1 AND item_id = ANY($2) AND disputed",
        tx.tenant_id, list(items),
    )  # fmt: skip
    return frozenset(row["item_id"] for row in rows)
