"""What the services ask of the gateway."""

from uuid import UUID

from fastapi import Response

from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import INTERNAL, Ctx, Router, scope
from libs.kit.tenants import Tenant
from services.gateway.storage import access

router = Router("Internal", prefix="/internal")


@router.get("/tenants/{tenant_id}", include_in_schema=False, openapi_extra=scope(INTERNAL))
async def get_tenant(ctx: Ctx, tenant_id: UUID) -> Response:
    """The state of a tenant, for a service that has not heard of it yet."""
    async with ctx.runtime.db.transaction(Tenant(tenant_id), readonly=True) as tx:
        row = await access.tenant(tx)
    if row is None:
        raise not_found("tenant", tenant_id)
    return reply({"version": row["version"], "data": access.tenant_state(row)})
