"""Pages of covers and decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.credit.storage.insurance.covers import COVERS, DECISIONS
from services.credit.storage.insurance.requests import IN_SIGHT
from services.credit.storage.insurance.rows import columns


@dataclass(frozen=True, slots=True)
class CoverFilter:
    """Which covers; None is every one."""

    company_id: UUID | None
    policy_id: UUID | None
    layers: Sequence[str] | None
    needs_review: bool | None
    perimeter: Sequence[UUID] | None


async def page_of_covers(tx: Tx, wanted: CoverFilter, cursor: str | None, limit: int) -> list[Row]:
    """Covers by the name of their company."""
    keys = [SortKey("c.name", "text"), SortKey("v.id", "uuid")]
    statement = Statement()
    statement.where("v.tenant_id = {}", tx.tenant_id)
    for column, value in (
        ("v.company_id", wanted.company_id), ("v.policy_id", wanted.policy_id), ("v.needs_review", wanted.needs_review),
    ):  # fmt: skip
        if value is not None:
            statement.where(f"{column} = {{}}", value)
    if wanted.layers:
        statement.where("v.layer = ANY({})", list(wanted.layers))
    if wanted.perimeter is not None:
        statement.where(
            IN_SIGHT.format(company="v.company_id", tenant="v.tenant_id", units="{}"), list(wanted.perimeter)
        )
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns(COVERS, 'v')}, c.name AS company_name, {cursor_columns(keys)} FROM {COVERS} v"
        f" JOIN companies c ON c.tenant_id = v.tenant_id AND c.id = v.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def page_of_decisions(
    tx: Tx, company_id: UUID, policy_id: UUID | None, cursor: str | None, limit: int
) -> list[Row]:
    """Decisions about a company, newest first by the insurer's order."""
    keys = [SortKey(name, cast, descending=True) for name, cast in
            (("decided_at", "timestamptz"), ("sequence", "bigint"), ("id", "uuid"))]  # fmt: skip
    statement = Statement()
    statement.where("tenant_id = {} AND company_id = {}", tx.tenant_id, company_id)
    if policy_id is not None:
        statement.where("policy_id = {}", policy_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns(DECISIONS)}, {cursor_columns(keys)} FROM {DECISIONS} {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
