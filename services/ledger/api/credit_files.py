"""The credit file of a company: comments and documents."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response

from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.company_schemas import (
    CreditComment,
    CreditCommentCreate,
    CreditDocument,
    CreditDocumentCreate,
)
from services.ledger.api.fields import Id
from services.ledger.storage import credit_files as storage
from services.ledger.usecases import credit_files
from services.ledger.usecases.change_company import read_company

router = Router("Companies")
READ, WRITE = scope("ledger:read"), scope("ledger:write")
_COMMENT, _DOCUMENT = tuple(CreditComment.model_fields), tuple(CreditDocument.model_fields)


@router.get(
    "/companies/{company_id}/credit-comments",
    response_model=Page[CreditComment],
    summary="List the comments of a credit file",
    openapi_extra=READ,
)
async def list_credit_comments(
    ctx: Ctx, company_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Newest first."""
    await read_company(ctx.tx, company_id, ctx.caller.perimeter)
    rows = await storage.list_comments(ctx.tx, company_id, cursor, limit)
    return reply(page(rows, limit, _comment))


@router.post(
    "/companies/{company_id}/credit-comments",
    status_code=201,
    response_model=CreditComment,
    summary="Comment on a company's credit",
    openapi_extra=WRITE,
)
async def add_credit_comment(ctx: Ctx, company_id: Id, body: CreditCommentCreate) -> Response:
    """Signed with the user of the key, if it is bound to one."""
    caller = ctx.caller
    row = await credit_files.add_comment(ctx.tx, company_id, body.text, caller.user_id, caller.perimeter)
    location = f"/v1/companies/{company_id}/credit-comments/{row['id']}"
    return reply(_comment(row), 201, {"Location": location})


@router.delete(
    "/companies/{company_id}/credit-comments/{comment_id}",
    status_code=204,
    summary="Delete a comment of a credit file",
    openapi_extra=WRITE,
)
async def delete_credit_comment(
    ctx: Ctx, company_id: Id, comment_id: Annotated[UUID, Path(description="the comment's id")]
) -> Response:
    """What it said stays in the audit log."""
    await credit_files.remove_comment(ctx.tx, company_id, comment_id, ctx.caller.perimeter)
    return Response(status_code=204)


@router.get(
    "/companies/{company_id}/documents",
    response_model=Page[CreditDocument],
    summary="List the documents of a credit file",
    openapi_extra=READ,
)
async def list_company_documents(
    ctx: Ctx, company_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Newest first. The files themselves are read under /v1/files."""
    await read_company(ctx.tx, company_id, ctx.caller.perimeter)
    rows = await storage.list_documents(ctx.tx, company_id, cursor, limit)
    return reply(page(rows, limit, _document))


@router.post(
    "/companies/{company_id}/documents",
    status_code=201,
    response_model=CreditDocument,
    summary="Attach a document to a company",
    openapi_extra=WRITE,
)
async def add_company_document(ctx: Ctx, company_id: Id, body: CreditDocumentCreate) -> Response:
    """Attaches a file that was sent to /v1/files before."""
    row = await credit_files.add_document(ctx.tx, company_id, body.file_id, body.title, ctx.caller.perimeter)
    return reply(_document(row), 201, {"Location": f"/v1/companies/{company_id}/documents/{row['id']}"})


@router.delete(
    "/companies/{company_id}/documents/{document_id}",
    status_code=204,
    summary="Detach a document from a company",
    openapi_extra=WRITE,
)
async def delete_company_document(
    ctx: Ctx, company_id: Id, document_id: Annotated[UUID, Path(description="the document's id")]
) -> Response:
    """The file itself stays under /v1/files."""
    await credit_files.remove_document(ctx.tx, company_id, document_id, ctx.caller.perimeter)
    return Response(status_code=204)


def _comment(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _COMMENT}


def _document(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _DOCUMENT}
