"""The order book: orders, upserted by the caller's key, and the balances' `order_book` that follows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.ledger.storage.balances import MOVE
from services.ledger.storage.journal import Touched
from services.ledger.storage.rowset import Rowset

#: Rows of `upsert_orders`. Amounts in minor units, `amount` and `invoiced_amount` ≥ 0.
ORDERS = {
    "id": "uuid",
    "business_unit_id": "uuid",
    "customer_id": "uuid",
    "external_id": "text",
    "currency": "char(3)",
    "amount": "bigint",
    "tax_included": "boolean",
    "invoiced_amount": "bigint",
    "expected_on": "date",
    "status": "text",
    "reference": "text",
    "custom_fields": "jsonb",
    "source": "text",
    "source_version": "bigint",
    "source_taken_at": "timestamptz",
}
_CONTENT = (
    "customer_id", "currency", "amount", "tax_included", "invoiced_amount", "expected_on", "status", "reference",
    "custom_fields",
)  # fmt: skip
_SOURCE = ("source", "source_version", "source_taken_at")
_COLUMNS = """
    o.id, o.business_unit_id, o.customer_id, c.external_id AS customer_external_id, c.company_id, o.external_id, o.currency,
    o.amount, o.tax_included, o.invoiced_amount, o.expected_on, o.status, o.reference, o.custom_fields, o.source,
    o.source_version, o.created_at, o.updated_at, o.version
"""
_FROM = "FROM orders o JOIN customers c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id"
_OF_COMPANIES = "o.customer_id IN (SELECT k.id FROM customers k WHERE k.tenant_id = o.tenant_id AND k.company_id = ANY({}))"
SORTS = {
    "expected_on": SortKey("coalesce(o.expected_on, 'infinity'::date)", "date"),
    "amount": SortKey("o.amount", "bigint"),
    "external_id": SortKey("o.external_id", "text"),
    "created_at": SortKey("o.created_at", "timestamptz"),
}


def _counted(row: str) -> str:
    """What of an order stands in the order book: what is neither invoiced nor called off."""
    return (
        f"CASE WHEN {row}.status = 'open' THEN greatest({row}.amount - {row}.invoiced_amount, 0) ELSE 0 END"
    )


_MOVED = f"""
    moves AS (
        SELECT old_customer AS customer_id, old_currency AS currency, NULL::date AS due_date, 0 AS open_amount,
               old_ordered AS ordered, -1 AS side
          FROM written WHERE NOT created
        UNION ALL
        SELECT customer_id, currency, NULL, 0, ordered, 1 FROM written),
    {MOVE}
    SELECT (SELECT array_agg(id) FROM written) AS order_ids,
           (SELECT array_agg(id) FROM written WHERE created) AS created_ids,
           (SELECT array_agg(DISTINCT customer_id) FROM moved) AS customer_ids
"""
_UPSERT = f"""
    WITH given AS MATERIALIZED (SELECT given.* FROM {{given}}),
    written AS (
        INSERT INTO orders AS o (tenant_id, id, business_unit_id, external_id, {", ".join(_CONTENT + _SOURCE)}, created_at,
                                 updated_at, version)
        SELECT $1::uuid, g.id, g.business_unit_id, g.external_id, {", ".join(f"g.{n}" for n in _CONTENT + _SOURCE)},
               $2::timestamptz, $2::timestamptz, 1
          FROM given g ORDER BY g.external_id, g.business_unit_id
        ON CONFLICT (tenant_id, business_unit_id, external_id) DO UPDATE SET
            {", ".join(f"{n} = excluded.{n}" for n in _CONTENT)},
            {", ".join(f"{n} = coalesce(excluded.{n}, o.{n})" for n in _SOURCE)},
            updated_at = excluded.updated_at, version = o.version + 1
         WHERE $4::boolean
           AND ({", ".join(f"o.{n}" for n in _CONTENT)}) IS DISTINCT FROM ({", ".join(f"excluded.{n}" for n in _CONTENT)})
           AND NOT (o.source IS NOT DISTINCT FROM excluded.source
                    AND coalesce(o.source_version > excluded.source_version,
                                 o.source_taken_at > excluded.source_taken_at, false))
        RETURNING o.id, old.id IS NULL AS created, o.customer_id, o.currency, {_counted("new")} AS ordered,
                  old.customer_id AS old_customer, old.currency AS old_currency, {_counted("old")} AS old_ordered),
    {_MOVED}
"""
_CLOSE = f"""
    WITH written AS (
        UPDATE orders o SET status = 'closed', source_taken_at = $5, updated_at = $2::timestamptz, version = o.version + 1
         WHERE o.tenant_id = $1::uuid AND o.id = ANY($4::uuid[]) AND o.status = 'open'
        RETURNING o.id, false AS created, o.customer_id, o.currency, {_counted("new")} AS ordered,
                  old.customer_id AS old_customer, old.currency AS old_currency, {_counted("old")} AS old_ordered),
    {_MOVED}
"""


@dataclass(frozen=True, slots=True)
class Written:
    """Orders that were created or changed, those of them that are new, and the customers whose order book moved."""

    order_ids: tuple[UUID, ...]
    created_ids: tuple[UUID, ...]
    touched: Touched


async def upsert_orders(tx: Tx, rows: Rowset, *, only_new: bool = False) -> Written:
    """Write orders of columns ORDERS by (business unit, external_id), each key once.

    One that says nothing new, or that its own source has overtaken, changes nothing and is missing from the answer; so is
    every order that is known already with `only_new`.
    """
    statement = rows.put_into(_UPSERT, 5)
    row = await tx.fetchrow(statement, tx.tenant_id, tx.now, tx.today, not only_new, *rows.args)
    assert row is not None
    touched = Touched(customer_ids=tuple(row["customer_ids"] or ()))
    return Written(tuple(row["order_ids"] or ()), tuple(row["created_ids"] or ()), touched)


async def close(tx: Tx, order_ids: Sequence[UUID], taken_at: datetime | None) -> Written:
    """Close open orders, which their source told at `taken_at`; take their locks first."""
    row = await tx.fetchrow(_CLOSE, tx.tenant_id, tx.now, tx.today, order_ids, taken_at)
    assert row is not None
    return Written(tuple(row["order_ids"] or ()), (), Touched(customer_ids=tuple(row["customer_ids"] or ())))


async def get(tx: Tx, order_id: UUID, perimeter: Sequence[UUID] | None, *, lock: bool = False) -> Row | None:
    """An order within the perimeter, under its row lock where it is to be changed."""
    return await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE o.tenant_id = $1 AND o.id = $2"
        f" AND ($3::uuid[] IS NULL OR o.business_unit_id = ANY($3)) {'FOR UPDATE OF o' if lock else ''}",
        tx.tenant_id, order_id, perimeter,
    )  # fmt: skip


async def find(tx: Tx, business_unit_id: UUID, external_id: str) -> Row | None:
    """The order that bears the caller's key."""
    return await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE o.tenant_id = $1 AND o.business_unit_id = $2 AND o.external_id = $3",
        tx.tenant_id, business_unit_id, external_id,
    )  # fmt: skip


def by_id(keys: list[SortKey]) -> list[SortKey]:
    """The keys, made unique by the id in the direction of the first."""
    return [*keys, SortKey("o.id", "uuid", keys[0].descending)]


def listed(
    wanted: Statement, keys: Sequence[SortKey], cursor: str | None = None, limit: int | None = None
) -> tuple[Any, ...]:
    """The query of a list, then its parameters: all of it, or a page and one more row than `limit` when there are more."""
    order = keyset(wanted, keys, cursor)
    bound = "" if limit is None else f"LIMIT {limit + 1:d}"
    # The page is cut before the customers are joined, or all customers of the tenant are joined and sorted for it.
    cut = f"SELECT o.* FROM orders o {wanted.clause()} {order} {bound}"
    statement = f"SELECT {_COLUMNS}, {cursor_columns(keys)} {_FROM.replace('orders o', f'({cut}) o')} {order}"
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
    statuses: Sequence[str],
    expected_from: date | None,
    expected_to: date | None,
    updated_since: datetime | None,
) -> Statement:
    """The conditions of a list of orders; what is empty or None narrows nothing."""
    wanted = Statement([tx.tenant_id], ["o.tenant_id = $1"])
    if perimeter is not None:
        wanted.where("o.business_unit_id = ANY({})", list(perimeter))
    for column, values in (
        ("o.customer_id", customer_ids),
        ("o.business_unit_id", business_unit_ids),
        ("o.currency", currencies),
        ("o.external_id", external_ids),
        ("o.status", statuses),
    ):
        if values:
            wanted.where(f"{column} = ANY({{}})", list(values))
    if company_ids:
        wanted.where(_OF_COMPANIES, list(company_ids))
    if expected_from is not None:
        wanted.where("o.expected_on >= {}", expected_from)
    if expected_to is not None:
        wanted.where("o.expected_on <= {}", expected_to)
    if updated_since is not None:
        wanted.where("o.updated_at >= {}", updated_since)
    return wanted
