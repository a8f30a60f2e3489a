"""Keys: made once, shown once, revoked at once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, SortKey, Statement, cursor_columns, keyset, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, shown_once
from services.gateway.api.fields import Id, Input
from services.gateway.domain.access import Scope
from services.gateway.proxy import credentials
from services.gateway.storage import access

router = Router("Access")


class ApiKeyCreate(Input):
    """A key to make."""

    name: str = Field(min_length=1, max_length=200, examples=["ERP nightly push"])
    scopes: list[Scope] = Field(min_length=1, examples=[["ledger:read", "ledger:write"]])
    expires_at: datetime | None = Field(
        None, description="on the wall clock", examples=["2027-12-31T23:00:00Z"]
    )
    user_id: UUID | None = Field(None, description="the key then acts as this user, with what both may do")


class ApiKey(BaseModel):
    """A key, without its secret."""

    id: UUID
    name: str = Field(examples=["ERP nightly push"])
    scopes: list[str] = Field(examples=[["ledger:read", "ledger:write"]])
    user_id: UUID | None
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewApiKey(ApiKey):
    """A key just made; `key` is shown this once."""

    key: str = Field(description="shown once; only its hash is kept", examples=["enc_0190…_0190…_5f2c…"])


@router.post(
    "/api-keys",
    status_code=201,
    response_model=NewApiKey,
    summary="Make an API key",
    openapi_extra=shown_once("admin", "key"),
)
async def create_api_key(ctx: Ctx, body: ApiKeyCreate) -> Response:
    """Make a key with some scopes, for good or until a date, bound to a user or not. Its text is shown in this answer only."""
    if body.expires_at is not None and (body.expires_at.tzinfo is None or body.expires_at <= clock.wall()):
        raise invalid("/expires_at", "not_in_future", "expected an instant in the future, with a time zone")
    if body.user_id is not None and await access.user(ctx.tx, body.user_id) is None:
        raise invalid("/user_id", "user_unknown", "expected the id of a user of this tenant")
    made = credentials.generate(ctx.tx.tenant_id, new_id())
    row = await access.insert_key(
        ctx.tx,
        made.key_id,
        body.name,
        credentials.digest(made.text),
        body.scopes,
        body.user_id,
        body.expires_at,
    )
    ctx.tx.audit("api_key.created", "api_key", made.key_id, after={"name": body.name, "scopes": body.scopes})
    headers = {"Location": f"/v1/api-keys/{made.key_id}"}
    return reply({**_key(row), "key": made.text}, 201, headers)


@router.get("/api-keys", response_model=Page[ApiKey], summary="List API keys", openapi_extra=scope("admin"))
async def list_api_keys(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All keys, newest first; revoked and expired ones too."""
    keys = [SortKey("created_at", "timestamptz", descending=True), SortKey("id", "uuid", descending=True)]
    statement = Statement()
    statement.where("tenant_id = {}", ctx.tx.tenant_id)
    order = keyset(statement, keys, cursor)
    rows = await ctx.tx.fetch(
        f"SELECT {access.KEY_COLUMNS}, {cursor_columns(keys)} FROM api_keys {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )
    return reply(page(rows, limit, _key))


@router.get(
    "/api-keys/{key_id}", response_model=ApiKey, summary="Show an API key", openapi_extra=scope("admin")
)
async def get_api_key(ctx: Ctx, key_id: Id) -> Response:
    """A key without its secret."""
    row = await access.key(ctx.tx, key_id)
    if row is None:
        raise not_found("API key", key_id)
    return reply(_key(row), headers={"ETag": etag(row["version"])})


@router.delete(
    "/api-keys/{key_id}", status_code=204, summary="Revoke an API key", openapi_extra=scope("admin")
)
async def revoke_api_key(ctx: Ctx, key_id: Id) -> Response:
    """End a key at once (within ten seconds on every gateway). It stays in the list."""
    if not await access.revoke_key(ctx.tx, key_id):
        raise not_found("living API key", key_id)
    ctx.tx.audit("api_key.revoked", "api_key", key_id)
    ctx.tx.after_commit(ctx.request.app.state.forget_principals)
    return Response(status_code=204)


def _key(row: Row) -> dict[str, Any]:
    names = ("id", "name", "scopes", "user_id", "expires_at", "revoked_at", "created_at", "updated_at")
    return {name: row[name] for name in names}
