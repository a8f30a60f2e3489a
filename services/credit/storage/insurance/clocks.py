"""Clocks, stops of cover, and what was declared, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.credit.storage.insurance.requests import IN_SIGHT
from services.credit.storage.insurance.rows import columns, insert, update

CLOCKS = "cover_clocks"
STOPS = "cover_stops"


async def clocks_of(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """The clocks of companies that have not ended, locked."""
    return await tx.fetch(
        f"SELECT {columns(CLOCKS)} FROM {CLOCKS} WHERE tenant_id = $1 AND company_id = ANY($2)"
        " AND state NOT IN ('met', 'ended') ORDER BY id FOR UPDATE",
        tx.tenant_id, list(companies),
    )  # fmt: skip


async def running(tx: Tx) -> list[Row]:
    """Every clock that runs."""
    return await tx.fetch(
        f"SELECT {columns(CLOCKS)} FROM {CLOCKS} WHERE tenant_id = $1 AND state = 'running' ORDER BY id",
        tx.tenant_id,
    )


async def add(tx: Tx, values: dict[str, Any]) -> Row:
    """A new clock."""
    row = await insert(tx, CLOCKS, new_id(), values)
    assert row is not None, "an insert returns its row"
    return row


async def change(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """A clock moved."""
    return await update(tx, CLOCKS, identifier, **values)


@dataclass(frozen=True, slots=True)
class ClockFilter:
    """Which clocks; None is every one. `until`: due on or before that day."""

    until: date | None
    kinds: Sequence[str] | None
    states: Sequence[str] | None
    company_id: UUID | None
    policy_id: UUID | None
    perimeter: Sequence[UUID] | None


async def page(tx: Tx, wanted: ClockFilter, cursor: str | None, limit: int) -> list[Row]:
    """Clocks by date, with the names of company and item."""
    keys = [SortKey("k.due_on", "date"), SortKey("k.id", "uuid")]
    statement = Statement()
    statement.where("k.tenant_id = {}", tx.tenant_id)
    if wanted.until is not None:
        statement.where("k.due_on <= {}", wanted.until)
    for column, chosen in (("k.kind", wanted.kinds), ("k.state", wanted.states)):
        if chosen:
            statement.where(f"{column} = ANY({{}})", list(chosen))
    for column, value in (("k.company_id", wanted.company_id), ("k.policy_id", wanted.policy_id)):
        if value is not None:
            statement.where(f"{column} = {{}}", value)
    if wanted.perimeter is not None:
        seen = IN_SIGHT.format(company="k.company_id", tenant="k.tenant_id", units="{}")
        statement.where(f"k.company_id IS NULL OR {seen}", list(wanted.perimeter))
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns(CLOCKS, 'k')}, c.name AS company_name, p.number AS policy_number, {cursor_columns(keys)}"
        f" FROM {CLOCKS} k LEFT JOIN companies c ON c.tenant_id = k.tenant_id AND c.id = k.company_id"
        " LEFT JOIN insurance_policies p ON p.tenant_id = k.tenant_id AND p.id = k.policy_id"
        f" {statement.clause()} {order} LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def foreclosed_items(tx: Tx, companies: Sequence[UUID]) -> dict[tuple[UUID, UUID], frozenset[UUID]]:
    """Items whose claim date was missed, by policy and company: lost for good."""
    rows = await tx.fetch(
        f"SELECT policy_id, company_id, array_agg(item_id) AS items FROM {CLOCKS} WHERE tenant_id = $1"
        " AND company_id = ANY($2) AND kind = 'foreclosure' AND state = 'foreclosed' GROUP BY 1, 2",
        tx.tenant_id, list(companies),
    )  # fmt: skip
    return {(row["policy_id"], row["company_id"]): frozenset(row["items"]) for row in rows}


async def open_stop(tx: Tx, policy_id: UUID, company_id: UUID) -> Row | None:
    """The stop of cover that is on."""
    return await tx.fetchrow(
        f"SELECT {columns(STOPS)} FROM {STOPS} WHERE tenant_id = $1 AND policy_id = $2 AND company_id = $3"
        " AND regularised_on IS NULL FOR UPDATE",
        tx.tenant_id, policy_id, company_id,
    )  # fmt: skip


async def stopped_companies(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, Row]:
    """Companies whose cover is stopped, with the earliest stop."""
    rows = await tx.fetch(
        f"SELECT {columns(STOPS)} FROM {STOPS} WHERE tenant_id = $1 AND company_id = ANY($2) AND regularised_on IS NULL"
        " ORDER BY stopped_on DESC, id",
        tx.tenant_id, list(companies),
    )  # fmt: skip
    return {row["company_id"]: row for row in rows}


async def declared(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """What was declared of companies and not refused or taken back: policy, company, kind, items, dates."""
    return await tx.fetch(
        "SELECT policy_id, company_id, kind, state, items, declared_on, extended_to FROM overdue_declarations"
        " WHERE tenant_id = $1 AND company_id = ANY($2) AND state IN ('sent', 'accepted')",
        tx.tenant_id, list(companies),
    )  # fmt: skip


async def claimed(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """Items claimed, by policy and company."""
    return await tx.fetch(
        "SELECT policy_id, company_id, items FROM claims WHERE tenant_id = $1 AND company_id = ANY($2)"
        " AND state IN ('filed', 'accepted', 'indemnified', 'closed')",
        tx.tenant_id, list(companies),
    )  # fmt: skip


async def insured_company_ids(tx: Tx) -> list[UUID]:
    """Companies with a cover, or in collective proceedings: those that clocks may run for."""
    rows = await tx.fetch(
        "SELECT company_id FROM covers WHERE tenant_id = $1 UNION SELECT company_id FROM insolvencies WHERE tenant_id = $1"
        " ORDER BY 1",
        tx.tenant_id,
    )
    return [row["company_id"] for row in rows]


async def companies_of_customers(tx: Tx, customers: Sequence[UUID]) -> list[UUID]:
    """The companies behind customers that clocks may run for."""
    rows = await tx.fetch(
        "SELECT DISTINCT u.company_id FROM customers u WHERE u.tenant_id = $1 AND u.id = ANY($2)"
        " AND (EXISTS (SELECT 1 FROM covers v WHERE v.tenant_id = $1 AND v.company_id = u.company_id)"
        "   OR EXISTS (SELECT 1 FROM insolvencies i WHERE i.tenant_id = $1 AND i.company_id = u.company_id))",
        tx.tenant_id, list(customers),
    )  # fmt: skip
    return [row["company_id"] for row in rows]


async def lock_companies(tx: Tx, companies: Sequence[UUID]) -> None:
    """One at a time works on a company's clocks."""
    await tx.execute(
        "SELECT id FROM companies WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
        tx.tenant_id, list(companies),
    )  # fmt: skip
