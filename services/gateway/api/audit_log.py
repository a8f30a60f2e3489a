"""The audit log: who changed what, with which key, from what to what."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.gateway.api.events import require_whole_tenant
from services.gateway.storage import audit_log

router = Router("Audit log")


class AuditedObject(BaseModel):
    """What was changed."""

    type: str = Field(examples=["customer"])
    id: UUID


class AuditEntry(BaseModel):
    """A change."""

    id: UUID
    recorded_at: datetime = Field(description="on the wall clock, also in a sandbox")
    service: str = Field(examples=["ledger"])
    action: str = Field(examples=["customer.changed"])
    object: AuditedObject
    actor: str = Field(description="user:{id}, key:{id}, operator, or system", examples=["system"])
    key_id: UUID | None
    user_id: UUID | None
    before: dict[str, Any] | None = Field(description="the members that changed, as they were")
    after: dict[str, Any] | None = Field(description="the members that changed, as they are now")
    request_id: str = Field(description="X-Request-Id of the request behind it", examples=["019a0000"])


@router.get(
    "/audit-log", response_model=Page[AuditEntry], summary="Read the audit log", openapi_extra=scope("admin")
)
async def list_audit_entries(
    ctx: Ctx,
    object_type: Annotated[str | None, Query(max_length=64, examples=["customer"])] = None,
    object_id: UUID | None = None,
    user_id: UUID | None = None,
    key_id: UUID | None = None,
    action: Annotated[str | None, Query(max_length=64, examples=["customer.changed"])] = None,
    service: Annotated[str | None, Query(max_length=16, examples=["ledger"])] = None,
    since: Annotated[AwareDatetime | None, Query(description="recorded at or after that instant")] = None,
    until: Annotated[AwareDatetime | None, Query(description="recorded before that instant")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Changes in every service, newest first; they arrive here within a moment."""
    require_whole_tenant(ctx)
    filters = {
        "object_type": object_type, "object_id": object_id, "user_id": user_id, "key_id": key_id, "action": action,
        "service": service, "since": since, "until": until,
    }  # fmt: skip
    return reply(page(await audit_log.entries(ctx.tx, filters, cursor, limit), limit, _entry))


def _entry(row: Row) -> dict[str, Any]:
    names = ("id", "recorded_at", "service", "action", "actor", "key_id", "user_id", "request_id")
    return {
        **{name: row[name] for name in names},
        "object": {"type": row["object_type"], "id": row["object_id"]},
        "before": raw(row["before"]),
        "after": raw(row["after"]),
    }
