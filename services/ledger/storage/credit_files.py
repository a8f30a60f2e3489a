"""The credit file of a company: comments, and documents kept by the gateway."""

from collections.abc import Mapping
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

_COMMENT = "id, company_id, text, author_user_id, created_at, updated_at"
_DOCUMENT = "id, company_id, file_id, title, created_at, updated_at"
#: Newest first; ids grow with time.
_ORDER = (SortKey("id", "uuid", descending=True),)


async def add_comment(tx: Tx, company_id: UUID, text: str, author: UUID | None) -> Row:
    """Write a comment; its row."""
    row = await tx.fetchrow(
        "INSERT INTO company_comments (tenant_id, id, company_id, text, author_user_id, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $6, 1) RETURNING {_COMMENT}",
        tx.tenant_id, new_id(), company_id, text, author, tx.now,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    return row


async def add_document(tx: Tx, company_id: UUID, file_id: UUID, title: str) -> Row:
    """Attach a file; its row."""
    row = await tx.fetchrow(
        "INSERT INTO company_documents (tenant_id, id, company_id, file_id, title, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $6, 1) RETURNING {_DOCUMENT}",
        tx.tenant_id, new_id(), company_id, file_id, title, tx.now,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    return row


async def list_comments(tx: Tx, company_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """Newest first; one row more than `limit`."""
    return await _list(tx, "company_comments", _COMMENT, company_id, cursor, limit)


async def list_documents(tx: Tx, company_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """Newest first; one row more than `limit`."""
    return await _list(tx, "company_documents", _DOCUMENT, company_id, cursor, limit)


async def remove_comment(tx: Tx, company_id: UUID, comment_id: UUID) -> Row | None:
    """Delete a comment; the row it was."""
    return await tx.fetchrow(
        f"DELETE FROM company_comments WHERE tenant_id = $1 AND company_id = $2 AND id = $3 RETURNING {_COMMENT}",
        tx.tenant_id,
        company_id,
        comment_id,
    )


async def remove_document(tx: Tx, company_id: UUID, document_id: UUID) -> Row | None:
    """Detach a file; the row it was. The file itself stays where it is kept."""
    return await tx.fetchrow(
        f"DELETE FROM company_documents WHERE tenant_id = $1 AND company_id = $2 AND id = $3 RETURNING {_DOCUMENT}",
        tx.tenant_id,
        company_id,
        document_id,
    )


async def move(tx: Tx, moves: Mapping[UUID, UUID]) -> None:
    """Hand the files of some companies over to others: from → to."""
    for table in ("company_comments", "company_documents"):
        await tx.execute(
            f"UPDATE {table} f SET company_id = m.target, updated_at = $4, version = f.version + 1"
            "  FROM unnest($2::uuid[], $3::uuid[]) AS m (source, target)"
            " WHERE f.tenant_id = $1 AND f.company_id = m.source",
            tx.tenant_id,
            list(moves),
            list(moves.values()),
            tx.now,
        )


async def _list(
    tx: Tx, table: str, columns: str, company_id: UUID, cursor: str | None, limit: int
) -> list[Row]:
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    statement.where("company_id = {}", company_id)
    order = keyset(statement, _ORDER, cursor)
    return await tx.fetch(
        f"SELECT {columns}, {cursor_columns(_ORDER)} FROM {table} {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )
