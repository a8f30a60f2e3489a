"""What insurers sent, raw, in the order it came: stored before anybody thinks about it, kept as evidence."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.credit.storage.insurance.rows import columns

TABLE = "insurer_messages"
Outcome = Literal["stored", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What storing a message came to, and the row that holds it."""

    outcome: Outcome
    id: UUID


async def keep(tx: Tx, connection_id: UUID, message_id: str, body: bytes, source: str) -> Kept:
    """Store a message once. The same id with other bytes is a conflict: those bytes go into quarantine."""
    digest = hashlib.sha256(body).hexdigest()
    identifier = new_id()
    inserted = await _insert(
        tx, identifier, connection_id, message_id, body, digest, source, "received", None
    )
    if inserted:
        return Kept("stored", identifier)
    known = await tx.fetchrow(
        f"SELECT id, digest FROM {TABLE} WHERE tenant_id = $1 AND connection_id = $2 AND message_id = $3",
        tx.tenant_id, connection_id, message_id,
    )  # fmt: skip
    assert known is not None, "whatever stopped the insert is there"
    if known["digest"] == digest:
        return Kept("duplicate", known["id"])
    other = f"{message_id[:200]}#{digest[:16]}"
    await _insert(
        tx, identifier, connection_id, other, body, digest, source, "quarantined", "message_id_reused"
    )
    return Kept("conflict", known["id"])


async def _insert(
    tx: Tx, identifier: UUID, connection_id: UUID, message_id: str, body: bytes, digest: str, source: str, state: str,
    reason: str | None,
) -> bool:  # fmt: skip
    return bool(
        await tx.fetchval(
            f"INSERT INTO {TABLE} (tenant_id, id, connection_id, message_id, source, digest, body, state, reason, attempts,"
            " received_at, created_at, updated_at, version)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $11, 1)"
            " ON CONFLICT (tenant_id, connection_id, message_id) DO NOTHING RETURNING true",
            tx.tenant_id, identifier, connection_id, message_id, source, digest, body, state, reason, clock.wall(), tx.now,
        )
    )  # fmt: skip


async def lock(tx: Tx, identifier: UUID, states: Sequence[str]) -> Row | None:
    """A message in one of these states, locked; None when it left them or somebody else is at it."""
    return await tx.fetchrow(
        f"SELECT {columns(TABLE)} FROM {TABLE} WHERE tenant_id = $1 AND id = $2 AND state = ANY($3) FOR UPDATE SKIP LOCKED",
        tx.tenant_id, identifier, list(states),
    )  # fmt: skip


async def settle(
    tx: Tx, identifier: UUID, state: str, reason: str | None, decision_id: UUID | None = None
) -> None:
    """Write down what became of a message."""
    await tx.execute(
        f"UPDATE {TABLE} SET state = $3, reason = $4, decision_id = $5, attempts = attempts + 1, updated_at = $6,"
        " version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, state, reason, decision_id, tx.now,
    )  # fmt: skip


async def waiting(tx: Tx, states: Sequence[str], connection_id: UUID | None = None) -> list[UUID]:
    """Messages in these states, oldest first."""
    rows = await tx.fetch(
        f"SELECT id FROM {TABLE} WHERE tenant_id = $1 AND state = ANY($2)"
        " AND ($3::uuid IS NULL OR connection_id = $3) ORDER BY id LIMIT 1000",
        tx.tenant_id, list(states), connection_id,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def page(
    tx: Tx, states: Sequence[str] | None, connection_id: UUID | None, cursor: str | None, limit: int
) -> list[Row]:
    """Messages, newest first."""
    keys = [SortKey("id", "uuid", descending=True)]
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    if states:
        statement.where("state = ANY({})", list(states))
    if connection_id is not None:
        statement.where("connection_id = {}", connection_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns(TABLE)}, {cursor_columns(keys)} FROM {TABLE} {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
