"""Reading payments: items of kind payment, each with what it was allocated to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.ledger.domain.journal import EntryKind

_COLUMNS = f"""
    i.id, i.business_unit_id, i.customer_id, c.external_id AS customer_external_id, c.company_id, i.external_id, i.source,
    i.issue_date AS paid_on, i.currency, i.amount, i.open_amount, i.reference, i.custom_fields, i.cancelled, i.created_at,
    i.updated_at, i.version,
    (SELECT e.reason FROM entries e
      WHERE i.cancelled AND e.tenant_id = i.tenant_id AND e.item_id = i.id AND e.kind = {EntryKind.CANCELLED:d}
      ORDER BY e.id DESC LIMIT 1) AS reversed_reason,
    ARRAY(SELECT ROW(a.id, a.debit_item_id, d.external_id, d.number, a.amount, a.allocated_on, a.reversed_on,
                     a.reversal_reason)
            FROM allocations a JOIN items d ON d.tenant_id = a.tenant_id AND d.id = a.debit_item_id
           WHERE a.tenant_id = i.tenant_id AND a.credit_item_id = i.id
           ORDER BY a.id) AS allocations
"""
_FROM = "FROM items i JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id"
_OF_COMPANIES = "i.customer_id IN (SELECT k.id FROM customers k WHERE k.tenant_id = i.tenant_id AND k.company_id = ANY({}))"
SORTS = {
    "paid_on": SortKey("i.issue_date", "date"),
    "amount": SortKey("i.amount", "bigint"),
    "created_at": SortKey("i.created_at", "timestamptz"),
}


async def get(tx: Tx, payment_id: UUID, perimeter: Sequence[UUID] | None) -> Row | None:
    """A payment within the perimeter."""
    return await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE i.tenant_id = $1 AND i.id = $2 AND i.kind = 'payment'"
        " AND ($3::uuid[] IS NULL OR i.business_unit_id = ANY($3))",
        tx.tenant_id, payment_id, perimeter,
    )  # fmt: skip


async def find(tx: Tx, business_unit_id: UUID, external_id: str) -> Row | None:
    """The payment that bears the caller's key; None when the key names an item of another kind."""
    return await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE i.tenant_id = $1 AND i.business_unit_id = $2 AND i.external_id = $3"
        " AND i.kind = 'payment'",
        tx.tenant_id, business_unit_id, external_id,
    )  # fmt: skip


def by_id(keys: list[SortKey]) -> list[SortKey]:
    """The keys, made unique by the id in the direction of the first."""
    return [*keys, SortKey("i.id", "uuid", keys[0].descending)]


def listed(
    wanted: Statement, keys: Sequence[SortKey], cursor: str | None = None, limit: int | None = None
) -> tuple[Any, ...]:
    """The query of a list, then its parameters: all of it, or a page and one more row than `limit` when there are more."""
    order = keyset(wanted, keys, cursor)
    bound = "" if limit is None else f"LIMIT {limit + 1:d}"
    # The page is cut before the customers are joined, or all customers of the tenant are joined and sorted for it.
    cut = f"SELECT i.* FROM items i {wanted.clause()} {order} {bound}"
    statement = f"SELECT {_COLUMNS}, {cursor_columns(keys)} {_FROM.replace('items i', f'({cut}) i')} {order}"
    return statement, *wanted.params


def narrowed(
    tx: Tx,
    perimeter: Sequence[UUID] | None,
    *,
    customer_ids: Sequence[UUID],
    company_ids: Sequence[UUID],
    business_unit_ids: Sequence[UUID],
    currencies: Sequence[str],
    external_ids: Sequence[str],
    references: Sequence[str],
    paid_from: date | None,
    paid_to: date | None,
    unallocated: bool | None,
    updated_since: datetime | None,
) -> Statement:
    """The conditions of a list of payments; what is empty or None narrows nothing."""
    wanted = Statement([tx.tenant_id], ["i.tenant_id = $1", "i.kind = 'payment'"])
    if perimeter is not None:
        wanted.where("i.business_unit_id = ANY({})", list(perimeter))
    for column, values in (
        ("i.customer_id", customer_ids),
        ("i.business_unit_id", business_unit_ids),
        ("i.currency", currencies),
        ("i.external_id", external_ids),
        ("i.reference", references),
    ):
        if values:
            wanted.where(f"{column} = ANY({{}})", list(values))
    if company_ids:
        wanted.where(_OF_COMPANIES, list(company_ids))
    if paid_from is not None:
        wanted.where("i.issue_date >= {}", paid_from)
    if paid_to is not None:
        wanted.where("i.issue_date <= {}", paid_to)
    if unallocated is not None:
        wanted.where("i.open_amount <> 0" if unallocated else "i.open_amount = 0")
    if updated_since is not None:
        wanted.where("i.updated_at >= {}", updated_since)
    return wanted
