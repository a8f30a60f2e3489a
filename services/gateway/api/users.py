"""People, their roles and what they have in sight."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from libs.contracts.ids import new_id
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, SortKey, Statement, cursor_columns, keyset, page
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.gateway.api.fields import Id, IfMatch, Input
from services.gateway.domain.access import Role, effective_scopes
from services.gateway.storage import access
from services.gateway.usecases.tenants import emit_user

router = Router("Access")


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

    name: str | None = Field(None, min_length=1, max_length=200, description="the person's name")
    roles: list[Role] | None = Field(None, min_length=1)
    perimeter: list[UUID] | None = None
    external_subject: str | None = Field(None, max_length=200, description="`sub` at your identity provider")
    active: bool | None = None


class User(BaseModel):
    """A person of the tenant."""

    id: UUID
    name: str = Field(examples=["Claire Morel"])
    email: str = Field(examples=["claire.morel@example.com"])
    roles: list[str] = Field(examples=[["credit_manager"]])
    scopes: list[str] = Field(description="everything these roles allow", examples=[["ledger:read"]])
    perimeter: list[UUID] | None
    external_subject: str | None = Field(description="`sub` at your identity provider")
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
    ctx.tx.audit("user.created", "user", row["id"], after={"roles": body.roles, "perimeter": body.perimeter})
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
        f" LIMIT {limit + 1:d}",
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
    ctx.tx.audit("user.changed", "user", user_id, {name: row[name] for name in changes}, changes)
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
