"""Files: documents, logos, evidence. Kept once by their SHA-256, typed by their bytes."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from libs.kit.db import Actor, Row
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, streamed
from services.gateway.api.fields import Id
from services.gateway.domain.file_types import MEDIA_TYPES, media_type_of
from services.gateway.storage import files

router = Router("Files")
MAX_BYTES = 20 * 1024**2
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the file, as they are. Its type is read from them.",
        "content": dict.fromkeys(("application/octet-stream", *MEDIA_TYPES), _BINARY),
    },
    "x-body-limit": MAX_BYTES,
}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": dict.fromkeys(MEDIA_TYPES, _BINARY)}
}


class StoredFile(BaseModel):
    """A file that is kept."""

    id: UUID
    name: str = Field(examples=["order-confirmation.pdf"])
    media_type: str = Field(description="told from the bytes", examples=["application/pdf"])
    size: int = Field(description="bytes", examples=[48213])
    sha256: str = Field(
        description="of the bytes, in hexadecimal",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    created_at: datetime


@router.post(
    "/files",
    status_code=201,
    response_model=StoredFile,
    responses={200: {"model": StoredFile, "description": "Kept already under this name"}},
    summary="Keep a file",
    openapi_extra=streamed("", **_BODY),
)
async def create_file(
    ctx: Ctx,
    name: Annotated[
        str,
        Query(min_length=1, max_length=255, description="its name, without a path", examples=["note.pdf"]),
    ],
) -> Response:
    """Up to 20 MB: PDF, images, office documents, ZIP, and texts. The same bytes under the same name are kept once, so this
    may be repeated. Takes any scope that writes or asks for something."""
    if all(held.endswith(":read") for held in ctx.caller.scopes):
        raise Problem(403, "scope_missing", "This call needs a scope that writes.")
    if "/" in name or "\\" in name or not name.isprintable():
        raise invalid("?name", "file_name_invalid", "expected a name without a path or control characters")
    body = await _body(ctx)
    media_type = media_type_of(body, ctx.request.headers.get("content-type", ""))
    if media_type is None:
        expected = "expected one of " + ", ".join(MEDIA_TYPES)
        raise invalid("", "file_type_refused", expected)
    digest = hashlib.sha256(body).digest()
    caller = ctx.caller
    async with ctx.runtime.db.transaction(caller.tenant) as tx:
        tx.actor = Actor(caller.subject, caller.key_id, caller.user_id)
        known = await files.find_same(tx, digest, name)
        if known is not None:
            return reply(_file(known))
        row = await files.insert(tx, digest, name, media_type, body)
        after = {"name": name, "sha256": digest.hex(), "size": len(body)}
        tx.audit("file.created", "file", row["id"], None, after)
        tx.after_commit(lambda: ctx.runtime.ring(tx))
    return reply(_file(row), 201, {"Location": f"/v1/files/{row['id']}"})


@router.get(
    "/files/{file_id}", response_model=StoredFile, summary="Show a file", openapi_extra=scope("ledger:read")
)
async def get_file(ctx: Ctx, file_id: Id) -> Response:
    """What is known of a file, without its bytes."""
    row = await files.find(ctx.tx, file_id)
    if row is None:
        raise not_found("file", file_id)
    return reply(_file(row))


@router.get(
    "/files/{file_id}/content",
    response_class=Response,
    responses=_CONTENT,
    summary="Read a file",
    openapi_extra=streamed("ledger:read"),
)
async def get_file_content(ctx: Ctx, file_id: Id) -> Response:
    """The bytes, as an attachment of the type that was found in them."""
    db, tenant = ctx.runtime.db, ctx.caller.tenant
    async with db.transaction(tenant, readonly=True) as tx:
        row = await files.find(tx, file_id)
    if row is None:
        raise not_found("file", file_id)

    async def read() -> AsyncIterator[bytes]:
        async with db.transaction(tenant, readonly=True) as tx:
            async for chunk in files.chunks(tx, row["sha256"], row["size"]):
                yield chunk

    headers = {
        "Content-Type": row["media_type"],
        "Content-Length": str(row["size"]),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row['name'], safe='')}",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{row["sha256"].hex()}"',
    }
    return StreamingResponse(read(), headers=headers)


async def _body(ctx: Ctx) -> bytes:
    parts, size = [], 0
    async for part in ctx.request.stream():
        size += len(part)
        if size > MAX_BYTES:
            detail = f"A file may hold {MAX_BYTES} bytes at the most."
            raise Problem(413, "body_too_large", detail, headers={"Connection": "close"}, limit=MAX_BYTES)
        parts.append(part)
    return b"".join(parts)


def _file(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "name", "media_type", "size", "created_at")},
        "sha256": row["sha256"].hex(),
    }
