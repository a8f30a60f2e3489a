"""Reading items: one, many under lock, a page of the list."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.ledger.domain.journal import Entry, EntryKind
from services.ledger.storage import item_facts

#: An item as the API shows it; the customer `c` gives its company and its names.
COLUMNS = f"""
    i.id, i.business_unit_id, i.customer_id, c.external_id AS customer_external_id, c.name AS customer_name, c.company_id,
    i.kind, i.direction, i.external_id, i.number, i.source, i.source_version, i.issue_date, i.delivery_date, i.due_date,
    i.original_due_date, i.currency, i.amount, i.tax_amount, i.net_amount, i.open_amount, i.reference, i.order_reference,
    i.custom_fields, i.closed_on, i.cancelled, i.as_of_approximate, i.created_at, i.updated_at, i.version,
    {item_facts.SHOWN.format(item="i.id")}
"""
FROM = "FROM items i JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id"
#: In whose order items are locked, everywhere.
LOCK_ORDER = "ORDER BY i.external_id, i.id FOR UPDATE OF i"

_BY_ID = f"SELECT {COLUMNS} {FROM} WHERE i.tenant_id = $1 AND i.id = $2 AND ($3::uuid[] IS NULL OR i.business_unit_id = ANY($3))"
_BY_EXTERNAL_ID = (
    f"SELECT {COLUMNS} {FROM} WHERE i.tenant_id = $1 AND i.business_unit_id = $2 AND i.external_id = $3"
)
_LOCK = f"""
    SELECT {COLUMNS} {FROM}
     WHERE i.tenant_id = $1 AND ($4::uuid[] IS NULL OR i.business_unit_id = ANY($4))
       AND (i.id = ANY($2) OR i.id IN (SELECT e.id FROM items e WHERE e.tenant_id = $1 AND e.business_unit_id = $5
                                           AND e.external_id = ANY($3)))
     {LOCK_ORDER}
"""
_LOCK_PAYABLE = f"""
    SELECT {COLUMNS} {FROM}
     WHERE i.tenant_id = $1 AND i.customer_id = $2 AND i.currency = $3 AND i.business_unit_id = $4
       AND i.open_amount <> 0 AND (i.open_amount > 0 OR i.id = $5)
     {LOCK_ORDER}
"""
_ENTRIES = """
    SELECT item_id, id, kind, amount, effective_on, recorded_at, reverses
      FROM entries WHERE tenant_id = $1 AND item_id = ANY($2) ORDER BY item_id, id
"""
_OF_COMPANIES = "i.customer_id IN (SELECT k.id FROM customers k WHERE k.tenant_id = i.tenant_id AND k.company_id = ANY({}))"
_ENTRY_KEYS = [SortKey("e.id", "uuid")]

_LATE = (
    "CASE WHEN i.direction > 0 THEN greatest(0, least(i.closed_on, {today}::date) - i.due_date) ELSE 0 END"
)
SORTS = ("due_date", "issue_date", "open_amount", "days_late", "number", "created_at")


async def get(tx: Tx, item_id: UUID, perimeter: Sequence[UUID] | None) -> Row | None:
    """An item within the perimeter."""
    return await tx.fetchrow(_BY_ID, tx.tenant_id, item_id, perimeter)


async def find(tx: Tx, business_unit_id: UUID, external_id: str) -> Row | None:
    """The item that bears the caller's key."""
    return await tx.fetchrow(_BY_EXTERNAL_ID, tx.tenant_id, business_unit_id, external_id)


async def lock(
    tx: Tx,
    item_ids: Sequence[UUID],
    perimeter: Sequence[UUID] | None,
    *,
    external_ids: Sequence[str] = (),
    business_unit_id: UUID | None = None,
) -> list[Row]:
    """The items named by id, or by the caller's key in one business unit, under their row locks, taken in the house's order.

    What is unknown or outside the perimeter is missing from the answer.
    """
    return await tx.fetch(_LOCK, tx.tenant_id, item_ids, external_ids, perimeter, business_unit_id)


async def lock_payable(tx: Tx, credit: Row) -> list[Row]:
    """A credit and what it could pay: its customer's open debits in its currency and business unit, under lock. A credit of
    which nothing is left is missing from the answer."""
    unit = credit["business_unit_id"]
    return await tx.fetch(
        _LOCK_PAYABLE, tx.tenant_id, credit["customer_id"], credit["currency"], unit, credit["id"]
    )


async def entries_of(tx: Tx, item_ids: Iterable[UUID]) -> dict[UUID, list[Entry]]:
    """The journal of each item, oldest entry first."""
    journals: dict[UUID, list[Entry]] = {item_id: [] for item_id in item_ids}
    for row in await tx.fetch(_ENTRIES, tx.tenant_id, list(journals)):
        journals[row["item_id"]].append(
            Entry(
                id=row["id"],
                kind=EntryKind(row["kind"]),
                amount=row["amount"],
                effective_on=row["effective_on"],
                recorded_at=row["recorded_at"],
                reverses=row["reverses"],
            )
        )
    return journals


async def read_entries(tx: Tx, item_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A page of an item's journal, oldest entry first, one more row than `limit` when there are more."""
    wanted = Statement()
    wanted.where("e.tenant_id = {} AND e.item_id = {}", tx.tenant_id, item_id)
    order = keyset(wanted, _ENTRY_KEYS, cursor)
    return await tx.fetch(
        "SELECT e.id, e.item_id, e.kind, e.amount, e.effective_on, e.recorded_at, e.reverses, e.allocation_id, e.import_id,"
        f" e.reason, {cursor_columns(_ENTRY_KEYS)} FROM entries e {wanted.clause()} {order} LIMIT {limit + 1:d}",
        *wanted.params,
    )


def sort_keys(today: date) -> dict[str, SortKey]:
    """What lists of items may be sorted by. The tenant's today goes in as a date literal: it is a date, not a text."""
    late = _LATE.format(today=f"'{today.isoformat()}'")
    return {
        "due_date": SortKey("i.due_date", "date"),
        "issue_date": SortKey("i.issue_date", "date"),
        "open_amount": SortKey("i.open_amount", "bigint"),
        "days_late": SortKey(late, "integer"),
        "number": SortKey("coalesce(i.number, '')", "text"),
        "created_at": SortKey("i.created_at", "timestamptz"),
    }


def by_id(keys: list[SortKey]) -> list[SortKey]:
    """The keys, made unique by the id in the direction of the first."""
    return [*keys, SortKey("i.id", "uuid", keys[0].descending)]


def listed(
    wanted: Statement, keys: Sequence[SortKey], cursor: str | None = None, limit: int | None = None
) -> tuple[Any, ...]:
    """The query of a list, then its parameters: all of it, or a page and one more row than `limit` when there are more.

    The page is cut before the customers are joined: joined first, PostgreSQL walked all customers of a tenant it believed
    small and sorted its 200,000 items for the first twenty.
    """
    order = keyset(wanted, keys, cursor)
    bound = "" if limit is None else f"LIMIT {limit + 1:d}"
    cut = f"SELECT i.* FROM items i {wanted.clause()} {order} {bound}"
    statement = f"SELECT {COLUMNS}, {cursor_columns(keys)} {FROM.replace('items i', f'({cut}) i')} {order}"
    return statement, *wanted.params


def narrowed(
    tx: Tx,
    perimeter: Sequence[UUID] | None,
    *,
    status: str | None,
    kinds: Sequence[str],
    customer_ids: Sequence[UUID],
    company_ids: Sequence[UUID],
    business_unit_ids: Sequence[UUID],
    currencies: Sequence[str],
    due_from: date | None,
    due_to: date | None,
    overdue: bool | None,
    numbers: Sequence[str],
    external_ids: Sequence[str],
    custom_fields: Sequence[tuple[str, str]],
    updated_since: datetime | None,
    facts: item_facts.FactFilter,
) -> Statement:
    """The conditions of a list of items; what is empty or None narrows nothing."""
    wanted = Statement([tx.tenant_id], ["i.tenant_id = $1"])
    if perimeter is not None:
        wanted.where("i.business_unit_id = ANY({})", list(perimeter))
    if status is not None:
        wanted.where("i.open_amount <> 0" if status == "open" else "i.open_amount = 0")
    for column, values in (
        ("i.kind", kinds),
        ("i.customer_id", customer_ids),
        ("i.business_unit_id", business_unit_ids),
        ("i.currency", currencies),
        ("i.number", numbers),
        ("i.external_id", external_ids),
    ):
        if len(values) == 1:
            wanted.where(f"{column} = {{}}", values[0])
        elif values:
            wanted.where(f"{column} = ANY({{}})", list(values))
    if company_ids:
        wanted.where(_OF_COMPANIES, list(company_ids))
    if due_from is not None:
        wanted.where("i.due_date >= {}", due_from)
    if due_to is not None:
        wanted.where("i.due_date <= {}", due_to)
    if overdue is True:
        wanted.where("i.open_amount <> 0 AND i.open_amount > 0 AND i.due_date < {}", tx.today)
    elif overdue is False:
        wanted.where("i.open_amount <= 0 OR i.due_date >= {}", tx.today)
    for name, value in custom_fields:
        wanted.where("i.custom_fields ->> {}::text = {}", name, value)
    if updated_since is not None:
        wanted.where("i.updated_at >= {}", updated_since)
    item_facts.narrow(wanted, facts)
    return wanted
