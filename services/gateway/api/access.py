"""Who I am, keys, users and business units."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, SortKey, Statement, cursor_columns, keyset, page
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, shown_once
from services.gateway.domain.access import SCOPES, Role, Scope, effective_scopes
from services.gateway.proxy import credentials
from services.gateway.storage import access
from services.gateway.usecases.tenants import emit_unit, emit_user

router = Router("Access")
Id = Annotated[UUID, Path(description="the object's id")]
IfMatch = Annotated[
    str | None, Header(description="the ETag you read; 412 when the object has changed since")
]


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class Me(BaseModel):
    """The caller as the house sees it."""

    tenant_id: UUID
    tenant_name: str = Field(examples=["Aciéries du Rhône"])
    sandbox: bool
    now: datetime = Field(description="the tenant's business clock")
    today: str = Field(description="the business date in the tenant's time zone", examples=["2026-03-31"])
    time_zone: str = Field(examples=["Europe/Paris"])
    currency: str = Field(description="the reporting currency", examples=["EUR"])
    key_id: UUID | None
    user_id: UUID | None = Field(description="the user this key acts for; null for a plain key")
    roles: list[str] = Field(examples=[["credit_manager"]])
    scopes: list[str] = Field(examples=[["ledger:read", "ledger:write"]])
    perimeter: list[UUID] | None = Field(description="business units in sight; null is all of them")
    main_business_unit_id: UUID


@router.get("/me", response_model=Me, summary="Show who is asking", openapi_extra=scope(""))
async def get_me(ctx: Ctx) -> Response:
    """The tenant, the clock, the user and the scopes behind these credentials."""
    caller, tenant = ctx.caller, ctx.caller.tenant
    row = await access.tenant(ctx.tx)
    if row is None:
        raise not_found("tenant", tenant.id)
    return reply(
        {
            "tenant_id": tenant.id,
            "tenant_name": row["name"],
            "sandbox": row["sandbox"],
            "now": tenant.now(),
            "today": tenant.today(),
            "time_zone": tenant.time_zone,
            "currency": tenant.currency,
            "key_id": caller.key_id,
            "user_id": caller.user_id,
            "roles": sorted(caller.roles),
            "scopes": sorted(SCOPES if "admin" in caller.scopes else caller.scopes),
            "perimeter": caller.perimeter,
            "main_business_unit_id": caller.main_business_unit_id,
        }
    )


# -- keys -----------------------------------------------------------------------------------------------------------


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
    ctx.tx.audit("api_key_created", "api_key", made.key_id, after={"name": body.name, "scopes": body.scopes})
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
        f" LIMIT {statement.bind(limit + 1)}",
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
    ctx.tx.audit("api_key_revoked", "api_key", key_id)
    ctx.tx.after_commit(ctx.request.app.state.forget_principals)
    return Response(status_code=204)


def _key(row: Row) -> dict[str, Any]:
    names = ("id", "name", "scopes", "user_id", "expires_at", "revoked_at", "created_at", "updated_at")
    return {name: row[name] for name in names}


# -- business units -------------------------------------------------------------------------------------------------


class BusinessUnitCreate(Input):
    """An own company that invoices."""

    code: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$", examples=["LYON"])
    name: str = Field(min_length=1, max_length=200, examples=["Aciéries du Rhône, Lyon"])


class BusinessUnitUpdate(Input):
    """What may change."""

    name: str = Field(min_length=1, max_length=200)


class BusinessUnit(BaseModel):
    """An own company that invoices; `main` is the default wherever none is named."""

    id: UUID
    code: str = Field(examples=["LYON"])
    name: str = Field(examples=["Aciéries du Rhône, Lyon"])
    main: bool
    created_at: datetime
    updated_at: datetime


@router.post(
    "/business-units",
    status_code=201,
    response_model=BusinessUnit,
    summary="Add a business unit",
    openapi_extra=scope("admin"),
)
async def create_business_unit(ctx: Ctx, body: BusinessUnitCreate) -> Response:
    """Add an own company. The same code and name again answers 200 with the one there is."""
    row = await access.insert_unit(ctx.tx, new_id(), body.code, body.name, main=False)
    if row is None:
        known = await access.unit_by_code(ctx.tx, body.code)
        assert known is not None, "the code is what stood in the way"
        if known["name"] == body.name:
            return reply(_unit(known), 200)
        raise Problem(
            409, "code_exists", f"The code {body.code} names another unit.", existing_id=str(known["id"])
        )
    emit_unit(ctx.tx, row)
    ctx.tx.audit(
        "business_unit_created", "business_unit", row["id"], after={"code": body.code, "name": body.name}
    )
    return reply(_unit(row), 201, {"Location": f"/v1/business-units/{row['id']}"})


@router.get(
    "/business-units",
    response_model=Page[BusinessUnit],
    summary="List business units",
    openapi_extra=scope("ledger:read"),
)
async def list_business_units(ctx: Ctx) -> Response:
    """The units in the caller's perimeter, by code, all in one page."""
    rows = await access.units(ctx.tx, ctx.caller.perimeter)
    return reply({"data": [_unit(row) for row in rows], "next_cursor": None})


@router.get(
    "/business-units/{unit_id}",
    response_model=BusinessUnit,
    summary="Show a business unit",
    openapi_extra=scope("ledger:read"),
)
async def get_business_unit(ctx: Ctx, unit_id: Id) -> Response:
    """One unit."""
    row = await access.unit(ctx.tx, unit_id)
    if row is None or (ctx.caller.perimeter is not None and unit_id not in ctx.caller.perimeter):
        raise not_found("business unit", unit_id)
    return reply(_unit(row), headers={"ETag": etag(row["version"])})


@router.patch(
    "/business-units/{unit_id}",
    response_model=BusinessUnit,
    summary="Rename a business unit",
    openapi_extra=scope("admin"),
)
async def update_business_unit(
    ctx: Ctx, unit_id: Id, body: BusinessUnitUpdate, if_match: IfMatch = None
) -> Response:
    """Give a unit another name."""
    row = await access.unit(ctx.tx, unit_id)
    if row is None:
        raise not_found("business unit", unit_id)
    require_match(if_match, row["version"])
    changed = await access.rename_unit(ctx.tx, unit_id, body.name)
    emit_unit(ctx.tx, changed)
    ctx.tx.audit(
        "business_unit_renamed", "business_unit", unit_id, {"name": row["name"]}, {"name": body.name}
    )
    return reply(_unit(changed), headers={"ETag": etag(changed["version"])})


def _unit(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "code", "name", "main", "created_at", "updated_at")}


# -- users ----------------------------------------------------------------------------------------------------------


class UserCreate(Input):
    """A person to add."""

    name: str = Field(min_length=1, max_length=200, examples=["Claire Morel"])
    email: str = Field(
        max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["claire.morel@example.com"]
    )
    roles: list[Role] = Field(min_length=1, examples=[["credit_manager"]])
    perimeter: list[UUID] | None = Field(None, description="business units in sight; null is all of them")
    external_subject: str | None = Field(None, max_length=200, description="`sub` at your identity provider")


class UserUpdate(Input):
    """What may change; members left out stay."""

    name: str | None = Field(None, min_length=1, max_length=200)
    roles: list[Role] | None = Field(None, min_length=1)
    perimeter: list[UUID] | None = None
    external_subject: str | None = Field(None, max_length=200)
    active: bool | None = None


class User(BaseModel):
    """A person of the tenant."""

    id: UUID
    name: str = Field(examples=["Claire Morel"])
    email: str = Field(examples=["claire.morel@example.com"])
    roles: list[str] = Field(examples=[["credit_manager"]])
    scopes: list[str] = Field(description="everything these roles allow", examples=[["ledger:read"]])
    perimeter: list[UUID] | None
    external_subject: str | None
    active: bool
    created_at: datetime
    updated_at: datetime


@router.post(
    "/users", status_code=201, response_model=User, summary="Add a user", openapi_extra=scope("admin")
)
async def create_user(ctx: Ctx, body: UserCreate) -> Response:
    """Add a person with roles and, if wanted, a perimeter of business units."""
    await _check_perimeter(ctx, body.perimeter)
    row = await access.insert_user(ctx.tx, new_id(), body.model_dump())
    if row is None:
        raise Problem(
            409, "user_exists", "A user with this e-mail address or external subject exists already."
        )
    emit_user(ctx.tx, row)
    ctx.tx.audit("user_created", "user", row["id"], after={"roles": body.roles, "perimeter": body.perimeter})
    return reply(_user(row), 201, {"Location": f"/v1/users/{row['id']}"})


@router.get("/users", response_model=Page[User], summary="List users", openapi_extra=scope("ledger:read"))
async def list_users(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """People of the tenant, by name."""
    keys = [SortKey("name", "text"), SortKey("id", "uuid")]
    statement = Statement()
    statement.where("tenant_id = {}", ctx.tx.tenant_id)
    order = keyset(statement, keys, cursor)
    rows = await ctx.tx.fetch(
        f"SELECT {access.USER_COLUMNS}, {cursor_columns(keys)} FROM users {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
    return reply(page(rows, limit, _user))


@router.get(
    "/users/{user_id}", response_model=User, summary="Show a user", openapi_extra=scope("ledger:read")
)
async def get_user(ctx: Ctx, user_id: Id) -> Response:
    """One person."""
    row = await access.user(ctx.tx, user_id)
    if row is None:
        raise not_found("user", user_id)
    return reply(_user(row), headers={"ETag": etag(row["version"])})


@router.patch("/users/{user_id}", response_model=User, summary="Change a user", openapi_extra=scope("admin"))
async def update_user(ctx: Ctx, user_id: Id, body: UserUpdate, if_match: IfMatch = None) -> Response:
    """Change roles, perimeter or name, or switch a person off: the keys bound to them stop working."""
    row = await access.user(ctx.tx, user_id, lock=True)
    if row is None:
        raise not_found("user", user_id)
    require_match(if_match, row["version"])
    await _check_perimeter(ctx, body.perimeter)
    changes = body.model_dump(exclude_unset=True)
    for name in ("name", "roles", "active"):
        if name in changes and changes[name] is None:
            raise invalid(f"/{name}", "null_not_allowed", "leave the member out to keep its value")
    if not changes:
        return reply(_user(row), headers={"ETag": etag(row["version"])})
    changed = await access.update_user(ctx.tx, user_id, changes)
    emit_user(ctx.tx, changed)
    ctx.tx.audit("user_changed", "user", user_id, {name: row[name] for name in changes}, changes)
    ctx.tx.after_commit(ctx.request.app.state.forget_principals)
    return reply(_user(changed), headers={"ETag": etag(changed["version"])})


async def _check_perimeter(ctx: Ctx, perimeter: list[UUID] | None) -> None:
    if perimeter is None:
        return
    known = await access.known_units(ctx.tx, perimeter)
    for number, unit in enumerate(perimeter):
        if unit not in known:
            raise invalid(
                f"/perimeter/{number}", "business_unit_unknown", "expected the id of a business unit"
            )


def _user(row: Row) -> dict[str, Any]:
    names = (
        "id",
        "name",
        "email",
        "roles",
        "perimeter",
        "external_subject",
        "active",
        "created_at",
        "updated_at",
    )
    return {
        **{name: row[name] for name in names},
        "scopes": sorted(effective_scopes(["admin"], row["roles"])),
    }
