"""Pages of declarations, claims and what else hangs on a company, newest first."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.credit.storage.insurance.requests import IN_SIGHT
from services.credit.storage.insurance.rows import columns


async def page_of(
    tx: Tx, table: str, company_id: UUID | None, states: Sequence[str] | None, perimeter: Sequence[UUID] | None,
    cursor: str | None, limit: int,
) -> list[Row]:  # fmt: skip
    """Rows of a table that has company_id (and state, where states are named), with the company's name."""
    keys = [SortKey("t.id", "uuid", descending=True)]
    statement = Statement()
    statement.where("t.tenant_id = {}", tx.tenant_id)
    if company_id is not None:
        statement.where("t.company_id = {}", company_id)
    if states:
        statement.where("t.state = ANY({})", list(states))
    if perimeter is not None:
        seen = IN_SIGHT.format(company="t.company_id", tenant="t.tenant_id", units="{}")
        statement.where(seen, list(perimeter))
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns(table, 't')}, c.name AS company_name, {cursor_columns(keys)} FROM {table} t"
        f" JOIN companies c ON c.tenant_id = t.tenant_id AND c.id = t.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def recoveries_of(tx: Tx, claims: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The recoveries of claims, oldest first."""
    rows = await tx.fetch(
        "SELECT id, claim_id, amount, insurer_share, received_on, comment FROM claim_recoveries"
        " WHERE tenant_id = $1 AND claim_id = ANY($2) ORDER BY id",
        tx.tenant_id, list(claims),
    )  # fmt: skip
    found: dict[UUID, list[Row]] = {identifier: [] for identifier in claims}
    for row in rows:
        found[row["claim_id"]].append(row)
    return found


async def company_name(tx: Tx, company_id: UUID) -> str:
    """The name of a company something stands on."""
    name: str = await tx.fetchval(
        "SELECT name FROM companies WHERE tenant_id = $1 AND id = $2", tx.tenant_id, company_id
    )
    return name
