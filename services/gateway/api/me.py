"""Who I am."""

from datetime import datetime
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.gateway.domain.access import SCOPES
from services.gateway.storage import access

router = Router("Access")


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
