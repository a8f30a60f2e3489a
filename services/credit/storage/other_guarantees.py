"""Other guarantees as rows: bank guarantees, deposits, letters of credit …"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

COLUMNS = (
    "id, company_id, kind, amount, currency, valid_from, valid_to, issuer, reference, document_id, released_on, created_at,"
    " updated_at, version"
)
_G = ", ".join(f"g.{name.strip()}" for name in COLUMNS.split(","))


@dataclass(frozen=True, slots=True)
class GuaranteeFilter:
    """Which guarantees; None is every one. `valid_on`: those in force that day."""

    company_id: UUID | None
    kinds: Sequence[str] | None
    valid_on: date | None
    ends_before: date | None
    perimeter: Sequence[UUID] | None


async def insert(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """A new guarantee."""
    row = await tx.fetchrow(
        "INSERT INTO other_guarantees (tenant_id, id, company_id, kind, amount, currency, valid_from, valid_to, issuer,"
        " reference, document_id, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 1) RETURNING {COLUMNS}",
        tx.tenant_id, identifier,
        *(values[name] for name in (
            "company_id", "kind", "amount", "currency", "valid_from", "valid_to", "issuer", "reference", "document_id",
        )),
        tx.now,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    return row


async def guarantee(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A guarantee."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM other_guarantees WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id,
        identifier,
    )


async def update(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """Set members of a guarantee."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE other_guarantees SET {sets}, updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the guarantee was locked before"
    return row


async def listed(tx: Tx, wanted: GuaranteeFilter, cursor: str | None, limit: int) -> list[Row]:
    """Guarantees by end, the soonest first; those without end last."""
    keys = [SortKey("coalesce(g.valid_to, 'infinity'::date)", "date"), SortKey("g.id", "uuid")]
    statement = Statement()
    statement.where("g.tenant_id = {}", tx.tenant_id)
    if wanted.company_id is not None:
        statement.where("g.company_id = {}", wanted.company_id)
    if wanted.kinds:
        statement.where("g.kind = ANY({})", list(wanted.kinds))
    if wanted.valid_on is not None:
        statement.where("g.valid_from <= {}", wanted.valid_on)
        statement.where("g.valid_to IS NULL OR g.valid_to >= {}", wanted.valid_on)
        statement.where("g.released_on IS NULL OR g.released_on > {}", wanted.valid_on)
    if wanted.ends_before is not None:
        statement.where("g.valid_to < {}", wanted.ends_before)
    if wanted.perimeter is not None:
        statement.where(
            "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = g.tenant_id AND u.company_id = g.company_id"
            " AND u.business_unit_id = ANY({}))",
            list(wanted.perimeter),
        )
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_G}, c.name AS company_name, {cursor_columns(keys)} FROM other_guarantees g"
        f" JOIN companies c ON c.tenant_id = g.tenant_id AND c.id = g.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def ending_between(tx: Tx, first: date, last: date) -> list[Row]:
    """Guarantees in force whose last day lies between two days, both inclusive."""
    return await tx.fetch(
        f"SELECT {COLUMNS} FROM other_guarantees WHERE tenant_id = $1 AND valid_to BETWEEN $2 AND $3"
        " AND released_on IS NULL ORDER BY id",
        tx.tenant_id, first, last,
    )  # fmt: skip


async def companies_changing_on(tx: Tx, first: date, last: date) -> list[UUID]:
    """Companies of which a guarantee began on, or ended the day before, a day between the two."""
    rows = await tx.fetch(
        "SELECT DISTINCT company_id FROM other_guarantees WHERE tenant_id = $1"
        " AND (valid_from BETWEEN $2 AND $3 OR valid_to + 1 BETWEEN $2 AND $3 OR released_on BETWEEN $2 AND $3)"
        " ORDER BY company_id",
        tx.tenant_id, first, last,
    )  # fmt: skip
    return [row["company_id"] for row in rows]


def subject(row: Row) -> Subject:
    """`other_guarantee.changed`: a released one ends the day before its release."""
    names = ("company_id", "kind", "amount", "currency", "valid_from")
    return Subject(
        row["id"], row["version"], {**{name: row[name] for name in names}, "valid_to": last_day(row)}
    )


def last_day(row: Row) -> date | None:
    """The last day a guarantee counts, None without end."""
    ends = [row["valid_to"]]
    if row["released_on"] is not None:
        ends.append(date.fromordinal(row["released_on"].toordinal() - 1))
    return min((end for end in ends if end is not None), default=None)


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `other_guarantee.changed`, in order of id."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM other_guarantees WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    return [subject(row) for row in rows]
