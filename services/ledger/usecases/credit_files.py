"""What is kept in a company's credit file. A company that ended takes nothing more: its file went over with it."""

from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import not_found
from services.ledger.storage import credit_files
from services.ledger.usecases.merge_companies import Perimeter, changeable_company


async def add_comment(tx: Tx, company_id: UUID, text: str, author: UUID | None, perimeter: Perimeter) -> Row:
    """Write a comment. Raises 404, 409 `invalid_state` for a company that has ended."""
    await changeable_company(tx, company_id, perimeter, None)
    row = await credit_files.add_comment(tx, company_id, text, author)
    tx.audit("credit_comment.added", "company", company_id, None, {"comment_id": row["id"], "text": text})
    return row


async def remove_comment(tx: Tx, company_id: UUID, comment_id: UUID, perimeter: Perimeter) -> None:
    """Delete a comment. Raises 404, 409 `invalid_state` for a company that has ended."""
    await changeable_company(tx, company_id, perimeter, None)
    row = await credit_files.remove_comment(tx, company_id, comment_id)
    if row is None:
        raise not_found("comment", comment_id)
    before = {"comment_id": comment_id, "text": row["text"], "author_user_id": row["author_user_id"]}
    tx.audit("credit_comment.removed", "company", company_id, before)


async def add_document(tx: Tx, company_id: UUID, file_id: UUID, title: str, perimeter: Perimeter) -> Row:
    """Attach a file. Raises 404, 409 `invalid_state` for a company that has ended."""
    await changeable_company(tx, company_id, perimeter, None)
    row = await credit_files.add_document(tx, company_id, file_id, title)
    after = {"document_id": row["id"], "file_id": file_id, "title": title}
    tx.audit("company_document.added", "company", company_id, None, after)
    return row


async def remove_document(tx: Tx, company_id: UUID, document_id: UUID, perimeter: Perimeter) -> None:
    """Detach a file. Raises 404, 409 `invalid_state` for a company that has ended."""
    await changeable_company(tx, company_id, perimeter, None)
    row = await credit_files.remove_document(tx, company_id, document_id)
    if row is None:
        raise not_found("document", document_id)
    before = {"document_id": document_id, "file_id": row["file_id"], "title": row["title"]}
    tx.audit("company_document.removed", "company", company_id, before)
