"""Links to customers' pages, as rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.paging import Statement
from services.dunning.storage.letter_lists import NEWEST, rows_of

COLUMNS = (
    "id, customer_id, contact_name, contact_email, language, expires_at, revoked_at, last_used_at, uses, created_by,"
    " created_at, updated_at, version"
)


async def insert(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """A new link."""
    row = await tx.fetchrow(
        "INSERT INTO customer_links (tenant_id, id, customer_id, token_hash, contact_name, contact_email, language, expires_at,"
        " uses, created_by, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $10, 1) RETURNING {COLUMNS}",
        tx.tenant_id, identifier, values["customer_id"], values["token_hash"], values["contact_name"],
        values["contact_email"], values["language"], values["expires_at"], tx.actor.subject, tx.now,
    )  # fmt: skip
    assert row is not None
    return row


async def of_customer(tx: Tx, customer_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A customer's links, the newest first."""
    statement = Statement()
    statement.where("customer_id = {}", customer_id)
    return await rows_of(tx, "customer_links", COLUMNS, NEWEST, statement, cursor, limit)


async def get(
    tx: Tx, identifier: UUID, perimeter: Sequence[UUID] | None = None, *, lock: bool = False
) -> Row | None:
    """A link of a customer in sight."""
    statement = Statement()
    statement.where("l.tenant_id = {}", tx.tenant_id)
    statement.where("l.id = {}", identifier)
    if perimeter is not None:
        statement.where(
            "EXISTS (SELECT 1 FROM customers c WHERE c.tenant_id = l.tenant_id AND c.id = l.customer_id"
            " AND c.business_unit_id = ANY({}))",
            list(perimeter),
        )
    tail = " FOR UPDATE" if lock else ""
    columns = ", ".join(f"l.{name.strip()}" for name in COLUMNS.split(","))
    return await tx.fetchrow(
        f"SELECT {columns} FROM customer_links l {statement.clause()}{tail}", *statement.params
    )


async def revoke(tx: Tx, identifier: UUID) -> Row:
    """End a link."""
    row = await tx.fetchrow(
        "UPDATE customer_links SET revoked_at = coalesce(revoked_at, $3), updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}",
        tx.tenant_id, identifier, tx.now,
    )  # fmt: skip
    assert row is not None
    return row


async def used(tx: Tx, identifier: UUID) -> None:
    """Note that somebody came by a link."""
    await tx.execute(
        "UPDATE customer_links SET uses = uses + 1, last_used_at = $3 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, clock.wall(),
    )  # fmt: skip
