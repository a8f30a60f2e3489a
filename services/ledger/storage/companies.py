"""Companies in the database.

Identifiers and groups are changed under one lock a tenant (`lock_register`), taken before any row: two accounts of one new
buyer, created at the same moment, find one company, and no two changes can close a ring of parents.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes
from services.ledger.domain.company_identity import Identity
from services.ledger.domain.company_matching import Holder
from services.ledger.domain.search_words import number_word, words_of
from services.ledger.storage import search_words
from services.ledger.storage.search_words import matches

_STATE = (
    "name", "country", "registration_number", "vat_number", "lei", "private", "parent_id", "group_id", "merged_into_id",
)  # fmt: skip
COLUMNS = ", ".join(f"co.{name}" for name in ("id", *_STATE, "created_at", "updated_at", "version"))
SORTS = {
    "name": SortKey("co.name", "text"),
    "created_at": SortKey("co.created_at", "timestamptz"),
    "updated_at": SortKey("co.updated_at", "timestamptz"),
    "id": SortKey("co.id", "uuid"),
}

_LOCK_REGISTER = "SELECT pg_advisory_xact_lock(hashtextextended($1, 2))"
# A found company is held against ending (FOR KEY SHARE) until the customer that was given to it is committed.
_HOLDERS = """
    SELECT co.id, co.country, co.registration_number, co.vat_number, co.lei, co.merged_into_id
      FROM companies co
     WHERE co.tenant_id = $1
       AND co.id IN (
           SELECT unnest($2::uuid[])
            UNION SELECT k.id FROM companies k
                    JOIN unnest($3::bpchar[], $4::text[]) AS r (country, number)
                      ON k.country = r.country AND k.registration_number = r.number
                   WHERE k.tenant_id = $1 AND k.registration_number IS NOT NULL AND k.merged_into_id IS NULL
            UNION SELECT k.id FROM companies k WHERE k.tenant_id = $1 AND k.vat_number = ANY($5)
                     AND k.vat_number IS NOT NULL AND k.merged_into_id IS NULL
            UNION SELECT k.id FROM companies k WHERE k.tenant_id = $1 AND k.lei = ANY($6)
                     AND k.lei IS NOT NULL AND k.merged_into_id IS NULL
            UNION SELECT k.id FROM companies k
                   WHERE k.tenant_id = $1 AND k.merged_into_id IS NOT NULL
                     AND ((k.country, k.registration_number) IN (SELECT * FROM unnest($3::bpchar[], $4::text[]))
                          OR k.vat_number = ANY($5) OR k.lei = ANY($6)))
     ORDER BY co.id
       FOR KEY SHARE OF co
"""
_INSERT = """
    INSERT INTO companies (tenant_id, id, name, country, registration_number, vat_number, lei, private, group_id,
                           created_at, updated_at, version)
    SELECT $1, n.id, n.name, n.country, n.registration_number, n.vat_number, n.lei, n.private, n.id, $3, $3, 1
      FROM jsonb_to_recordset($2::jsonb) AS n(id uuid, name text, country char(2), registration_number text,
                                              vat_number text, lei text, private boolean)
     ORDER BY n.id
"""
# A patch holds some columns of a company: absent ones keep their value, null ones become null.
_PATCH = f"""
    UPDATE companies co
       SET ({", ".join(_STATE)}) = ({", ".join(f"p.{name}" for name in _STATE)}),
           updated_at = $3, version = co.version + 1
      FROM jsonb_array_elements($2::jsonb) AS patch
      JOIN companies c ON c.tenant_id = $1 AND c.id = (patch->>'id')::uuid
     CROSS JOIN LATERAL jsonb_populate_record(c, patch) AS p
     WHERE co.tenant_id = $1 AND co.id = p.id
       AND ({", ".join(f"co.{name}" for name in _STATE)}) IS DISTINCT FROM ({", ".join(f"p.{name}" for name in _STATE)})
 RETURNING {COLUMNS}
"""
_SEEN_FROM = (
    "EXISTS (SELECT FROM customers cu WHERE cu.tenant_id = co.tenant_id AND cu.company_id = co.id"
    " AND cu.business_unit_id = ANY({}))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFilter:
    """Which companies to list. `perimeter`: only those with a customer in one of these business units; None is all."""

    perimeter: tuple[UUID, ...] | None = None
    q: str | None = None
    q_begins: bool = False  # words that begin so are sought, else texts that hold it
    countries: Sequence[str] = ()
    group_ids: Sequence[UUID] = ()
    parent_ids: Sequence[UUID] = ()
    private: bool | None = None
    merged: bool = False
    updated_since: datetime | None = None


async def lock_register(tx: Tx) -> None:
    """Have identifiers, parents and endings of the tenant's companies to oneself until the commit."""
    await tx.fetchval(_LOCK_REGISTER, str(tx.tenant_id))


async def holders(tx: Tx, identities: Iterable[Identity], ids: Iterable[UUID] = ()) -> list[Holder]:
    """The companies that bear one of the identifiers, or one of the ids; ended ones too, with the company they ended in."""
    claimed = list(identities)
    registrations = sorted({i.registration for i in claimed if i.registration})
    rows = await tx.fetch(
        _HOLDERS,
        tx.tenant_id,
        list(set(ids)),
        [country for country, _ in registrations],
        [number for _, number in registrations],
        sorted({i.vat_number for i in claimed if i.vat_number}),
        sorted({i.lei for i in claimed if i.lei}),
    )
    found = [_holder(row) for row in rows]
    known = {holder.company_id for holder in found}
    missing = {holder.survivor for holder in found if holder.survivor} - known
    return found + (await holders(tx, (), missing) if missing else [])


async def insert(tx: Tx, companies: Iterable[tuple[UUID, str, Identity]]) -> list[Subject]:
    """Create companies (id, name, identity), each the top of its own group; their first state."""
    states = [
        {
            "id": company_id,
            "name": name,
            **columns_of(identity),
        }
        for company_id, name, identity in companies
    ]
    if states:
        await tx.execute(_INSERT, tx.tenant_id, json_bytes(states).decode(), tx.now)
        # A private one is found by its customer, whose name it bears.
        await _keep_words(tx, [state for state in states if not state["private"]], new=True)
    return [
        Subject(
            state["id"],
            1,
            {name: state.get(name) for name in _STATE} | {"group_id": state["id"]},
        )
        for state in states
    ]


async def patch(tx: Tx, patches: Collection[dict[str, Any]]) -> list[Row]:
    """Set the given columns of companies named by `id`; the rows that differ now, with their new version."""
    if not patches:
        return []
    changed = await tx.fetch(_PATCH, tx.tenant_id, json_bytes(list(patches)).decode(), tx.now)
    await _keep_words(tx, changed)
    return changed


async def read(
    tx: Tx, company_id: UUID, perimeter: tuple[UUID, ...] | None = None, *, lock: bool = False
) -> Row | None:
    """One company, ended or not; None for an unknown one or one without a customer in the perimeter."""
    statement = Statement()
    statement.where("co.tenant_id = {}", tx.tenant_id)
    statement.where("co.id = {}", company_id)
    if perimeter is not None:
        statement.where(_SEEN_FROM, list(perimeter))
    locking = "FOR NO KEY UPDATE OF co" if lock else ""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM companies co {statement.clause()} {locking}", *statement.params
    )


def listed(
    tx: Tx,
    wanted: CompanyFilter,
    keys: Sequence[SortKey],
    cursor: str | None = None,
    limit: int | None = None,
) -> tuple[Any, ...]:
    """The query of a list, then its parameters: all of it, or a page and one more row than `limit` when there are more."""
    statement = Statement()
    statement.where("co.tenant_id = {}", tx.tenant_id)
    statement.conditions.append(f"co.merged_into_id IS {'NOT NULL' if wanted.merged else 'NULL'}")
    if wanted.perimeter is not None:
        statement.where(_SEEN_FROM, list(wanted.perimeter))
    if wanted.q and wanted.q_begins:
        found = matches(statement, "company", "co.id", wanted.q)
        number = matches(statement, "number", "co.id", wanted.q)
        customers = matches(statement, "customer", "cu.id", wanted.q)
        statement.conditions.append(
            f"{found} OR {number} OR co.id IN"
            f" (SELECT cu.company_id FROM customers cu WHERE cu.tenant_id = $1 AND {customers})"
        )
    elif wanted.q:
        statement.where(
            "co.name ILIKE {} OR co.registration_number LIKE {} OR EXISTS (SELECT FROM customers cu"
            " WHERE cu.tenant_id = co.tenant_id AND cu.company_id = co.id AND cu.external_id ILIKE {})",
            contains(wanted.q),
            number_prefix(wanted.q),
            contains(wanted.q),
        )
    if wanted.countries:
        statement.where("co.country = ANY({}::bpchar[])", list(wanted.countries))
    if wanted.group_ids:
        statement.where("co.group_id = ANY({})", list(wanted.group_ids))
    if wanted.parent_ids:
        statement.where("co.parent_id = ANY({})", list(wanted.parent_ids))
    if wanted.private is not None:
        statement.where("co.private = {}", wanted.private)
    if wanted.updated_since is not None:
        statement.where("co.updated_at >= {}", wanted.updated_since)
    order = keyset(statement, keys, cursor)
    bound = "" if limit is None else f"LIMIT {limit + 1:d}"
    sql = f"SELECT {COLUMNS}, {cursor_columns(keys)} FROM companies co {statement.clause()} {order} {bound}"
    return sql, *statement.params


async def identities(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, Identity]:
    """What each of the companies is found by."""
    rows = await tx.fetch(
        "SELECT id, country, registration_number, vat_number, lei FROM companies WHERE tenant_id = $1 AND id = ANY($2)",
        tx.tenant_id,
        list(ids),
    )
    return {_uuid(row["id"]): identity_of(row) for row in rows}


async def groups_of(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, tuple[UUID | None, UUID]]:
    """(parent, top) of every company in the groups of these companies."""
    rows = await tx.fetch(
        "SELECT co.id, co.parent_id, co.group_id FROM companies co WHERE co.tenant_id = $1 AND co.group_id IN"
        " (SELECT k.group_id FROM companies k WHERE k.tenant_id = $1 AND k.id = ANY($2))",
        tx.tenant_id,
        list(ids),
    )
    return {_uuid(row["id"]): (_uuid_or_none(row["parent_id"]), _uuid(row["group_id"])) for row in rows}


async def ended_in(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Companies that ended in one of these, and in which."""
    rows = await tx.fetch(
        "SELECT id, merged_into_id FROM companies WHERE tenant_id = $1 AND merged_into_id = ANY($2)",
        tx.tenant_id,
        list(ids),
    )
    return {_uuid(row["id"]): _uuid(row["merged_into_id"]) for row in rows}


async def deserted(tx: Tx, ids: Iterable[UUID]) -> set[UUID]:
    """Those of the companies that are private, live, and have no customer any more."""
    rows = await tx.fetch(
        "SELECT co.id FROM companies co WHERE co.tenant_id = $1 AND co.id = ANY($2) AND co.private"
        " AND co.merged_into_id IS NULL"
        " AND NOT EXISTS (SELECT FROM customers cu WHERE cu.tenant_id = $1 AND cu.company_id = co.id)",
        tx.tenant_id,
        list(ids),
    )
    return {_uuid(row["id"]) for row in rows}


async def follow_names(tx: Tx, names: Collection[tuple[UUID, str, str]]) -> list[Row]:
    """Rename private companies that bore their customer's old name: (company, old, new); the rows that changed."""
    if not names:
        return []
    return await tx.fetch(
        "UPDATE companies co SET name = n.new, updated_at = $5, version = co.version + 1"
        "  FROM unnest($2::uuid[], $3::text[], $4::text[]) AS n (id, old, new)"
        " WHERE co.tenant_id = $1 AND co.id = n.id AND co.private AND co.name = n.old AND n.new <> n.old"
        f" RETURNING {COLUMNS}",
        tx.tenant_id,
        *(list(column) for column in zip(*names, strict=True)),
        tx.now,
    )


async def rename_private(tx: Tx, company_id: UUID, name: str) -> list[Row]:
    """Name a company that stands for one customer; another keeps its name, which is not one customer's to change."""
    renamed = await tx.fetch(
        "UPDATE companies co SET name = $3, updated_at = $4, version = co.version + 1"
        f" WHERE co.tenant_id = $1 AND co.id = $2 AND co.private AND co.name <> $3 RETURNING {COLUMNS}",
        tx.tenant_id,
        company_id,
        name,
        tx.now,
    )
    await _keep_words(tx, renamed)
    return renamed


async def _keep_words(tx: Tx, rows: Iterable[Mapping[str, Any]], *, new: bool = False) -> None:
    """Have companies found by their names, and by their registration numbers unless they ended."""
    found = {row["id"]: row for row in rows}
    await search_words.keep(
        tx, "company", {each: words_of(row["name"]) for each, row in found.items()}, new=new
    )
    numbers = {each: number_word(row["registration_number"]) for each, row in found.items()}
    words = {each: () if number is None else (number,) for each, number in numbers.items()}
    await search_words.keep(tx, "number", words, new=new)


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present companies in order of id, for a consumer that rebuilds."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM companies co WHERE co.tenant_id = $1 AND ($2::uuid IS NULL OR co.id > $2)"
        " ORDER BY co.id LIMIT $3",
        tx.tenant_id,
        after,
        limit,
    )
    return [subject(row) for row in rows]


def subject(row: Row) -> Subject:
    """The `company.changed` of a row."""
    return Subject(row["id"], row["version"], {name: row[name] for name in _STATE})


def identity_of(row: Row) -> Identity:
    """The identifiers of a row."""
    return Identity(
        country=row["country"],
        registration_number=row["registration_number"],
        vat_number=row["vat_number"],
        lei=row["lei"],
    )


def columns_of(identity: Identity) -> dict[str, Any]:
    """The columns that hold an identity."""
    return {
        "country": identity.country,
        "registration_number": identity.registration_number,
        "vat_number": identity.vat_number,
        "lei": identity.lei,
        "private": identity.is_private,
    }


def contains(text: str) -> str:
    """A pattern for texts that hold `text`, whose own % and _ mean themselves."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def number_prefix(text: str) -> str:
    """A pattern for registration numbers that begin as `text` does, spaces and dots left out; of no letter or digit, none."""
    cleaned = "".join(character for character in text.upper() if character.isalnum())
    return f"{cleaned}%" if cleaned else ""


def _holder(row: Row) -> Holder:
    return Holder(_uuid(row["id"]), identity_of(row), _uuid_or_none(row["merged_into_id"]))


def _uuid(value: UUID) -> UUID:
    """asyncpg's own subclass as a plain UUID, which is what msgspec writes fastest."""
    return UUID(int=value.int)


def _uuid_or_none(value: UUID | None) -> UUID | None:
    return None if value is None else _uuid(value)
