"""The tenant's own companies that invoice."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from libs.contracts.ids import new_id
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.gateway.api.fields import Id, IfMatch, Input
from services.gateway.storage import access
from services.gateway.usecases.tenants import emit_unit

router = Router("Access")


class BusinessUnitCreate(Input):
    """An own company that invoices."""

    code: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$", examples=["LYON"])
    name: str = Field(min_length=1, max_length=200, examples=["Aciéries du Rhône, Lyon"])


class BusinessUnitUpdate(Input):
    """What may change."""

    name: str = Field(min_length=1, max_length=200, description="its new name")


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
        "business_unit.created", "business_unit", row["id"], after={"code": body.code, "name": body.name}
    )
    return reply(_unit(row), 201, {"Location": f"/v1/business-units/{row['id']}"})


@router.get(
    "/business-units",
    response_model=Page[BusinessUnit],
    summary="List business units",
    openapi_extra=scope("ledger:read"),
)
async def list_business_units(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The units in the caller's perimeter, by code."""
    rows = await access.units(ctx.tx, ctx.caller.perimeter, cursor, limit)
    return reply(page(rows, limit, _unit))


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
        "business_unit.changed", "business_unit", unit_id, {"name": row["name"]}, {"name": body.name}
    )
    return reply(_unit(changed), headers={"ETag": etag(changed["version"])})


def _unit(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "code", "name", "main", "created_at", "updated_at")}
