"""Pages of templates, their versions and blocked addresses; what hangs on messages."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.dunning.storage.letters import TEMPLATE, folded

BLOCKED = "id, kind, address, reason, comment, message_id, created_at, updated_at"
NEWEST = [SortKey("created_at", "timestamptz", descending=True), SortKey("id", "uuid", descending=True)]


async def rows_of(
    tx: Tx, table: str, columns: str, keys: Sequence[SortKey], statement: Statement, cursor: str | None, limit: int
) -> list[Row]:  # fmt: skip
    """A page of a tenant's rows, one more than `limit` when there is another page."""
    statement.where("tenant_id = {}", tx.tenant_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns}, {cursor_columns(keys)} FROM {table} {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def templates(
    tx: Tx, channels: Sequence[str] | None, archived: bool, cursor: str | None, limit: int
) -> list[Row]:
    """Templates by code."""
    statement = Statement()
    statement.where("archived = {}", archived)
    if channels:
        statement.where("channel = ANY({})", list(channels))
    keys = [SortKey("code", "text"), SortKey("id", "uuid")]
    return await rows_of(tx, "templates", TEMPLATE, keys, statement, cursor, limit)


async def versions(tx: Tx, template_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A template's versions, the newest first."""
    statement = Statement()
    statement.where("template_id = {}", template_id)
    columns = "number, texts, attach_statement, created_by, created_at"
    keys = [SortKey("number", "int", descending=True)]
    return await rows_of(tx, "template_versions", columns, keys, statement, cursor, limit)


async def blocked_addresses(
    tx: Tx, kind: str | None, address: str | None, cursor: str | None, limit: int
) -> list[Row]:
    """Blocked addresses, the newest first."""
    statement = Statement()
    if kind is not None:
        statement.where("kind = {}", kind)
    if address is not None:
        statement.where("address = ANY({})", [folded(one, address) for one in ("email", "phone")])
    return await rows_of(tx, "blocked_addresses", BLOCKED, NEWEST, statement, cursor, limit)


async def blocked_address(tx: Tx, identifier: UUID) -> Row | None:
    """A blocked address."""
    return await tx.fetchrow(
        f"SELECT {BLOCKED} FROM blocked_addresses WHERE tenant_id = $1 AND id = $2", tx.tenant_id, identifier
    )


async def unblock(tx: Tx, identifier: UUID) -> bool:
    """Take a block away; whether there was one."""
    return bool(
        await tx.execute(
            "DELETE FROM blocked_addresses WHERE tenant_id = $1 AND id = $2", tx.tenant_id, identifier
        )
    )


async def attachments(tx: Tx, message_id: UUID) -> list[Row]:
    """What hangs on a message, without the contents."""
    return await tx.fetch(
        "SELECT position, filename, content_type, size, sha256 FROM mail_attachments WHERE tenant_id = $1 AND mail_id = $2"
        " ORDER BY position",
        tx.tenant_id, message_id,
    )  # fmt: skip


async def attachment(tx: Tx, message_id: UUID, position: int) -> Row | None:
    """One document of a message, with its content."""
    return await tx.fetchrow(
        "SELECT filename, content_type, content FROM mail_attachments WHERE tenant_id = $1 AND mail_id = $2 AND position = $3",
        tx.tenant_id, message_id, position,
    )  # fmt: skip
