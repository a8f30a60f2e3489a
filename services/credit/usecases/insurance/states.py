"""The present state behind the events of insurance, paged for a consumer that rebuilds."""

from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.credit.storage.insurance import buyers, contracts, requests
from services.credit.storage.insurance.clocks import CLOCKS
from services.credit.storage.insurance.covers import COVERS, DECISIONS
from services.credit.storage.insurance.rows import columns, one
from services.credit.usecases.insurance.projecting import cover_state, decision_state
from services.credit.usecases.insurance.reading import grade_id, grade_state
from services.credit.usecases.insurance.watching import clock_state


async def cover_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """`cover.changed`, by cover."""
    rows = await _page(tx, COVERS, after, limit)
    return [Subject(row["id"], row["version"], cover_state(row, tx.today)) for row in rows]


async def decision_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """`guarantee.decided`, by decision."""
    return [Subject(row["id"], 1, decision_state(row)) for row in await _page(tx, DECISIONS, after, limit)]


async def request_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """`guarantee_request.changed`, by request."""
    rows = await _page(tx, requests.TABLE, after, limit)
    return [Subject(row["id"], row["version"], requests.state_of(row)) for row in rows]


async def clock_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """`clock.approaching`, by clock."""
    rows = await _page(tx, CLOCKS, after, limit)
    return [Subject(row["id"], row["version"], clock_state(row, tx.today)) for row in rows]


async def grade_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """`insurer_grade.changed`, in the order of buyers; a subject is made of policy and company."""
    found = []
    for row in await _page(tx, buyers.TABLE, after, limit):
        connection = await one(tx, "insurer_connections", row["connection_id"])
        if row["grade"] is None or connection is None:
            continue
        found += [
            Subject(grade_id(policy, row), row["version"], grade_state(row, policy, connection))
            for policy in await contracts.policies_of(tx, row["connection_id"])
        ]
    return found


async def _page(tx: Tx, table: str, after: UUID | None, limit: int) -> list[Row]:
    return await tx.fetch(
        f"SELECT {columns(table)} FROM {table} WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
