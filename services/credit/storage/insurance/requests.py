"""Requests for guarantees as rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.credit.domain.insurance.vocabulary import OPEN_STATES
from services.credit.storage.insurance.covers import DECISIONS
from services.credit.storage.insurance.rows import columns

TABLE = "guarantee_requests"
_STATE = (
    "policy_id", "company_id", "product", "request_type", "amount", "temporary_amount", "currency", "state", "valid_from",
    "valid_to", "decision_id",
)  # fmt: skip


def emit(tx: Tx, row: Row) -> None:
    """`guarantee_request.changed`."""
    tx.emit("guarantee_request.changed", [Subject(row["id"], row["version"], state_of(row))])


def state_of(row: Row) -> dict[str, Any]:
    """The state behind `guarantee_request.changed`."""
    return {name: row[name] for name in _STATE}


async def lock(tx: Tx, identifier: UUID) -> Row | None:
    """A request, locked."""
    return await tx.fetchrow(
        f"SELECT {columns(TABLE)} FROM {TABLE} WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
        tx.tenant_id, identifier,
    )  # fmt: skip


async def open_one(tx: Tx, policy_id: UUID, company_id: UUID, product: str) -> Row | None:
    """The request that is under way for a policy, buyer and product."""
    return await tx.fetchrow(
        f"SELECT {columns(TABLE)} FROM {TABLE} WHERE tenant_id = $1 AND policy_id = $2 AND company_id = $3"
        " AND product = $4 AND state = ANY($5)",
        tx.tenant_id, policy_id, company_id, product, list(OPEN_STATES),
    )  # fmt: skip


async def decisions_about(tx: Tx, request_id: UUID) -> list[Row]:
    """What was decided about a request, in the insurer's order."""
    return await tx.fetch(
        f"SELECT {columns(DECISIONS)} FROM {DECISIONS} WHERE tenant_id = $1 AND request_id = $2"
        " ORDER BY decided_at, sequence, insurer_decision_id",
        tx.tenant_id, request_id,
    )  # fmt: skip


async def in_states(tx: Tx, states: Sequence[str], connection_id: UUID | None = None) -> list[Row]:
    """Requests in some states, with their connection, oldest first."""
    return await tx.fetch(
        f"SELECT {columns(TABLE, 'r')}, p.connection_id FROM {TABLE} r"
        " JOIN insurance_policies p ON p.tenant_id = r.tenant_id AND p.id = r.policy_id"
        " WHERE r.tenant_id = $1 AND r.state = ANY($2) AND ($3::uuid IS NULL OR p.connection_id = $3) ORDER BY r.id",
        tx.tenant_id, list(states), connection_id,
    )  # fmt: skip


async def page(
    tx: Tx,
    company_id: UUID | None,
    policy_id: UUID | None,
    states: Sequence[str] | None,
    perimeter: Sequence[UUID] | None,
    cursor: str | None,
    limit: int,
) -> list[Row]:
    """Requests with the name of their company, newest first."""
    keys = [SortKey("r.id", "uuid", descending=True)]
    statement = Statement()
    statement.where("r.tenant_id = {}", tx.tenant_id)
    if company_id is not None:
        statement.where("r.company_id = {}", company_id)
    if policy_id is not None:
        statement.where("r.policy_id = {}", policy_id)
    if states:
        statement.where("r.state = ANY({})", list(states))
    if perimeter is not None:
        statement.where(
            IN_SIGHT.format(company="r.company_id", tenant="r.tenant_id", units="{}"), list(perimeter)
        )
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns(TABLE, 'r')}, c.name AS company_name, {cursor_columns(keys)} FROM {TABLE} r"
        f" JOIN companies c ON c.tenant_id = r.tenant_id AND c.id = r.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


#: A company with a customer in one of the caller's business units.
IN_SIGHT = (
    "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = {tenant} AND u.company_id = {company}"
    " AND u.business_unit_id = ANY({units}))"
)
