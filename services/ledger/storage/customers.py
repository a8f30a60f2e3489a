"""Customers in the database.

They are written by *patches*: a mapping of column names to values in which an absent column keeps what it holds (or takes
its default in a new row) and a null one becomes null. One statement serves one customer and ten thousand.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes, raw
from services.ledger.domain.search_words import words_of
from services.ledger.storage import search_words
from services.ledger.storage.companies import contains, number_prefix
from services.ledger.storage.search_words import matches

#: Every column a caller may set, in order.
_CONTENT = (
    "business_unit_id", "company_id", "external_id", "name", "language", "currency", "terms_days", "terms_end_of_month",
    "terms_day_of_month", "segment", "buyer_kind", "prepaid", "collector_user_id", "address", "custom_fields", "contacts",
    "actors", "archived_at", "archived_by_source", "source", "source_version",
)  # fmt: skip
#: Set with the content, but no reason of its own to write a row anew.
_WRITTEN = (*_CONTENT, "source_taken_at")
JSON_COLUMNS = frozenset(("address", "custom_fields", "contacts", "actors"))
STORED = ("id", *_CONTENT, "payer_profile", "created_at", "updated_at", "version")
#: What `subject` and the public object are made from: the customer, and the company it belongs to.
COLUMNS = ", ".join(f"cu.{name}" for name in STORED)
_COMPANY = ("name", "country", "registration_number", "vat_number", "lei", "private", "group_id")
WITH_COMPANY = COLUMNS + "".join(f", co.{name} AS company_{name}" for name in _COMPANY)
_FROM = "customers cu JOIN companies co ON co.tenant_id = cu.tenant_id AND co.id = cu.company_id"
_OF_GROUPS = "cu.company_id IN (SELECT g.id FROM companies g WHERE g.tenant_id = cu.tenant_id AND g.group_id = ANY({}))"
SORTS = {
    "name": SortKey("cu.name", "text"),
    "external_id": SortKey("cu.external_id", "text"),
    "created_at": SortKey("cu.created_at", "timestamptz"),
    "updated_at": SortKey("cu.updated_at", "timestamptz"),
    "id": SortKey("cu.id", "uuid"),
}

_DEFAULTS: Mapping[str, Any] = {
    "terms_end_of_month": False, "buyer_kind": "private", "prepaid": False, "address": {}, "custom_fields": {},
    "contacts": [], "actors": [],
}  # fmt: skip
# A customer without a language is written to in the tenant's first one.
_LANGUAGE = (
    "coalesce(p.language, (SELECT t.settings->'languages'->>0 FROM tenants t WHERE t.tenant_id = $1), 'en')"
)
_INSERT = f"""
    INSERT INTO customers AS cu (tenant_id, id, {", ".join(_WRITTEN)}, created_at, updated_at, version)
    SELECT $1, p.id, {", ".join(_LANGUAGE if name == "language" else f"p.{name}" for name in _WRITTEN)}, $3, $3, 1
      FROM jsonb_array_elements($2::jsonb) AS patch
     CROSS JOIN LATERAL jsonb_populate_record(NULL::customers, patch) AS p
     ORDER BY p.external_id, p.business_unit_id
    ON CONFLICT (tenant_id, business_unit_id, external_id) DO NOTHING
 RETURNING {COLUMNS}
"""
# A push that its own source has overtaken changes nothing.
_PATCH = f"""
    UPDATE customers cu
       SET ({", ".join(_WRITTEN)}) = ({", ".join(f"p.{name}" for name in _WRITTEN)}),
           updated_at = $3, version = cu.version + 1
      FROM jsonb_array_elements($2::jsonb) AS patch
      JOIN customers c ON c.tenant_id = $1 AND c.id = (patch->>'id')::uuid
     CROSS JOIN LATERAL jsonb_populate_record(c, patch) AS p
     WHERE cu.tenant_id = $1 AND cu.id = c.id
       AND ({", ".join(f"cu.{name}" for name in _CONTENT)}) IS DISTINCT FROM ({", ".join(f"p.{name}" for name in _CONTENT)})
       AND NOT (cu.source IS NOT DISTINCT FROM p.source
                AND coalesce(cu.source_version > p.source_version, cu.source_taken_at > p.source_taken_at, false))
 RETURNING {COLUMNS}, old.name AS old_name, old.external_id AS old_external_id, old.company_id AS old_company_id
"""
_BY_KEY = """
    SELECT cu.id, cu.business_unit_id, cu.external_id, cu.company_id, cu.archived_by_source
      FROM customers cu
      JOIN unnest($2::uuid[], $3::text[]) AS k (business_unit_id, external_id)
        ON cu.business_unit_id = k.business_unit_id AND cu.external_id = k.external_id
     WHERE cu.tenant_id = $1
"""
_LOCK = """
    SELECT cu.id FROM customers cu WHERE cu.tenant_id = $1 AND cu.id = ANY($2)
     ORDER BY cu.external_id, cu.business_unit_id
       FOR """
_IN_USE = """
    SELECT EXISTS (SELECT FROM items i WHERE i.tenant_id = $1 AND i.customer_id = $2)
        OR EXISTS (SELECT FROM orders o WHERE o.tenant_id = $1 AND o.customer_id = $2)
        OR EXISTS (SELECT FROM item_versions v WHERE v.tenant_id = $1 AND v.customer_id = $2)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter:
    """Which customers to list. `perimeter`: only those of these business units; None is all."""

    perimeter: tuple[UUID, ...] | None = None
    q: str | None = None
    q_begins: bool = False  # words that begin so are sought, else texts that hold it
    external_ids: Sequence[str] = ()
    business_unit_ids: Sequence[UUID] = ()
    company_ids: Sequence[UUID] = ()
    group_ids: Sequence[UUID] = ()
    segments: Sequence[str] = ()
    collector_user_ids: Sequence[UUID] = ()
    buyer_kinds: Sequence[str] = ()
    archived: bool | None = None
    custom_fields: Sequence[tuple[str, str]] = ()
    updated_since: datetime | None = None


async def insert(tx: Tx, patches: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Create customers; the rows created. One whose (business unit, external_id) is taken is left out."""
    rows = [{**_DEFAULTS, **patch} for patch in patches]
    if not rows:
        return []
    created = await tx.fetch(_INSERT, tx.tenant_id, json_bytes(rows).decode(), tx.now)
    await search_words.keep(tx, "customer", _words(created), new=True)
    return created


async def patch(tx: Tx, patches: Collection[Mapping[str, Any]]) -> list[Row]:
    """Set columns of customers named by `id`; the rows that differ now, with `old_name` and `old_company_id`.

    Take their locks first (`lock`).
    """
    if not patches:
        return []
    changed = await tx.fetch(_PATCH, tx.tenant_id, json_bytes(list(patches)).decode(), tx.now)
    renamed = [
        row
        for row in changed
        if row["name"] != row["old_name"] or row["old_external_id"] != row["external_id"]
    ]
    await search_words.keep(tx, "customer", _words(renamed))
    return changed


async def lock(tx: Tx, ids: Iterable[UUID], *, against_use: bool = False) -> None:
    """Hold customers until the commit, in the order in which everybody takes them; `against_use`: no item may name one."""
    await tx.fetch(_LOCK + ("UPDATE" if against_use else "NO KEY UPDATE"), tx.tenant_id, list(ids))


async def by_key(tx: Tx, keys: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], Row]:
    """(id, company_id) of the customers known by (business unit, external_id)."""
    units, external_ids = [unit for unit, _ in keys], [external_id for _, external_id in keys]
    rows = await tx.fetch(_BY_KEY, tx.tenant_id, units, external_ids)
    return {(UUID(int=row["business_unit_id"].int), row["external_id"]): row for row in rows}


async def of_companies(tx: Tx, company_ids: Iterable[UUID]) -> list[Row]:
    """(id, business_unit_id, company_id) of the customers of some companies."""
    return await tx.fetch(
        "SELECT cu.id, cu.business_unit_id, cu.company_id FROM customers cu"
        " WHERE cu.tenant_id = $1 AND cu.company_id = ANY($2)",
        tx.tenant_id,
        list(company_ids),
    )


async def change_company(tx: Tx, moves: Mapping[UUID, UUID]) -> list[Row]:
    """Give the customers of some companies to others: from → to; the rows that moved."""
    rows = await of_companies(tx, moves)
    await lock(tx, (row["id"] for row in rows))
    return await patch(tx, [{"id": row["id"], "company_id": moves[row["company_id"]]} for row in rows])


async def read(tx: Tx, customer_id: UUID, perimeter: tuple[UUID, ...] | None = None) -> Row | None:
    """One customer with its company; None for an unknown one or one outside the perimeter."""
    return await tx.fetchrow(
        f"SELECT {WITH_COMPANY} FROM {_FROM} WHERE cu.tenant_id = $1 AND cu.id = $2"
        " AND ($3::uuid[] IS NULL OR cu.business_unit_id = ANY($3))",
        tx.tenant_id,
        customer_id,
        None if perimeter is None else list(perimeter),
    )


async def is_used(tx: Tx, customer_id: UUID) -> bool:
    """Whether an item or an order was ever made out to it."""
    used: bool = await tx.fetchval(_IN_USE, tx.tenant_id, customer_id)
    return used


async def delete(tx: Tx, customer_id: UUID) -> None:
    """Remove a customer that nothing refers to."""
    await tx.execute(
        "DELETE FROM balances WHERE tenant_id = $1 AND customer_id = $2", tx.tenant_id, customer_id
    )
    await search_words.keep(tx, "customer", {customer_id: ()})
    await tx.execute("DELETE FROM customers WHERE tenant_id = $1 AND id = $2", tx.tenant_id, customer_id)


def _words(rows: Iterable[Row]) -> dict[UUID, frozenset[str]]:
    return {row["id"]: words_of(row["name"], row["external_id"]) for row in rows}


def listed(
    tx: Tx,
    wanted: CustomerFilter,
    keys: Sequence[SortKey],
    cursor: str | None = None,
    limit: int | None = None,
) -> tuple[Any, ...]:
    """The query of a list, then its parameters: all of it, or a page and one more row than `limit` when there are more."""
    statement = Statement()
    statement.where("cu.tenant_id = {}", tx.tenant_id)
    _narrow(statement, wanted)
    order = keyset(statement, keys, cursor)
    bound = "" if limit is None else f"LIMIT {limit + 1:d}"
    # The page is cut before the companies are joined, or all customers of the tenant are joined and sorted for it.
    searched = _FROM if wanted.q and not wanted.q_begins else "customers cu"
    cut = f"SELECT cu.* FROM {searched} {statement.clause()} {order} {bound}"
    sql = f"SELECT {WITH_COMPANY}, {cursor_columns(keys)} FROM {_FROM.replace('customers cu', f'({cut}) cu')} {order}"
    return sql, *statement.params


def _narrow(statement: Statement, wanted: CustomerFilter) -> None:
    if wanted.perimeter is not None:
        statement.where("cu.business_unit_id = ANY({})", list(wanted.perimeter))
    if wanted.q and wanted.q_begins:
        found = matches(statement, "customer", "cu.id", wanted.q)
        number = matches(statement, "number", "cu.company_id", wanted.q)
        statement.conditions.append(f"{found} OR {number}")
    elif wanted.q:
        pattern = contains(wanted.q)
        statement.where(
            "cu.name ILIKE {} OR cu.external_id ILIKE {} OR co.registration_number LIKE {}",
            pattern,
            pattern,
            number_prefix(wanted.q),
        )
    for column, values in (
        ("cu.external_id", wanted.external_ids),
        ("cu.business_unit_id", wanted.business_unit_ids),
        ("cu.company_id", wanted.company_ids),
        ("cu.segment", wanted.segments),
        ("cu.collector_user_id", wanted.collector_user_ids),
        ("cu.buyer_kind", wanted.buyer_kinds),
    ):
        if values:
            statement.where(f"{column} = ANY({{}})", list(values))
    if wanted.group_ids:
        statement.where(_OF_GROUPS, list(wanted.group_ids))
    if wanted.archived is not None:
        statement.conditions.append(f"cu.archived_at IS {'NOT NULL' if wanted.archived else 'NULL'}")
    for name, value in wanted.custom_fields:
        statement.where("cu.custom_fields->>{}::text = {}", name, value)
    if wanted.updated_since is not None:
        statement.where("cu.updated_at >= {}", wanted.updated_since)


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present customers in order of id, for a consumer that rebuilds."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM customers cu WHERE cu.tenant_id = $1 AND ($2::uuid IS NULL OR cu.id > $2)"
        " ORDER BY cu.id LIMIT $3",
        tx.tenant_id,
        after,
        limit,
    )
    return [subject(row) for row in rows]


def subject(row: Row) -> Subject:
    """The `customer.changed` of a row."""
    return Subject(
        row["id"],
        row["version"],
        {
            "external_id": row["external_id"],
            "business_unit_id": row["business_unit_id"],
            "company_id": row["company_id"],
            "name": row["name"],
            "language": row["language"],
            "currency": row["currency"],
            "segment": row["segment"],
            "buyer_kind": row["buyer_kind"],
            "prepaid": row["prepaid"],
            "collector_user_id": row["collector_user_id"],
            "address": raw(row["address"]),
            "contacts": raw(row["contacts"]),
            "actors": raw(row["actors"]),
            "custom_fields": raw(row["custom_fields"]),
            "payer_profile": raw(row["payer_profile"]),
            "archived": row["archived_at"] is not None,
        },
    )
