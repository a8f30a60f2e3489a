"""Mail that was caught instead of delivered."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, SortKey, Statement, cursor_columns, keyset, page
from libs.kit.problems import Problem, not_found
from libs.kit.responses import json_bytes, raw, reply
from libs.kit.route import Ctx, Router, scope
from services.sandbox.storage.mails import COLUMNS

router = Router("Sandbox")


class Header(BaseModel):
    """A header as it stood in the message."""

    name: str = Field(examples=["Message-ID"])
    value: str = Field(description="as it was read")


class Attachment(BaseModel):
    """What hung on a message."""

    filename: str | None = Field(description="as the sender called it")
    content_type: str = Field(examples=["application/pdf"])
    size: int = Field(description="bytes")


class Mail(BaseModel):
    """A caught mail."""

    id: UUID
    sender: str = Field(serialization_alias="from", description="of the envelope")
    to: list[str] = Field(description="of the envelope")
    subject: str = Field(description="decoded")
    headers: list[Header]
    text: str | None = Field(description="the plain text body")
    html: str | None = Field(description="the HTML body")
    attachments: list[Attachment]
    size: int = Field(description="bytes")
    caught_at: datetime = Field(description="on the wall clock")


@router.get(
    "/sandbox/mails",
    response_model=Page[Mail],
    summary="List caught mails",
    openapi_extra=scope("dunning:read"),
)
async def list_caught_mails(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    to: Annotated[str | None, Query(max_length=254, description="a recipient's whole address")] = None,
    after: Annotated[datetime | None, Query(description="caught after that instant")] = None,
) -> Response:
    """Everything this tenant's messages would have brought to mailboxes, oldest first."""
    _require_sandbox(ctx)
    keys = [SortKey("caught_at", "timestamptz"), SortKey("id", "uuid")]
    statement = Statement()
    statement.where("tenant_id = {}", ctx.tx.tenant_id)
    if to is not None:
        statement.where("recipients @> {}::jsonb", json_bytes([to]).decode())
    if after is not None:
        statement.where("caught_at > {}", after)
    order = keyset(statement, keys, cursor)
    rows = await ctx.tx.fetch(
        f"SELECT {COLUMNS}, {cursor_columns(keys)} FROM caught_mails {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )
    return reply(page(rows, limit, _mail))


@router.get(
    "/sandbox/mails/{mail_id}",
    response_model=Mail,
    summary="Show a caught mail",
    openapi_extra=scope("dunning:read"),
)
async def get_caught_mail(ctx: Ctx, mail_id: Annotated[UUID, Path(description="the mail's id")]) -> Response:
    """One mail."""
    _require_sandbox(ctx)
    row = await ctx.tx.fetchrow(
        f"SELECT {COLUMNS} FROM caught_mails WHERE tenant_id = $1 AND id = $2", ctx.tx.tenant_id, mail_id
    )
    if row is None:
        raise not_found("caught mail", mail_id)
    return reply(_mail(row))


def _require_sandbox(ctx: Ctx) -> None:
    if not ctx.runtime.settings.sandbox:
        raise Problem(403, "sandbox_off", "This installation has no sandbox (ENCOURS_SANDBOX).")


def _mail(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "from": row["sender"],
        "to": raw(row["recipients"]),
        "subject": row["subject"],
        "headers": raw(row["headers"]),
        "text": row["text"],
        "html": row["html"],
        "attachments": raw(row["attachments"]),
        "size": row["size"],
        "caught_at": row["caught_at"],
    }
