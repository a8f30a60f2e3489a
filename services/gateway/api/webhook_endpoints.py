"""Outgoing webhooks: your own endpoints get the events of the stream, signed as Standard Webhooks says.

A 2xx within 15 seconds takes a message; everything else is tried again, ten times in about 75 hours. An endpoint that
answers 410, or takes nothing for five days, is switched off and an event says so.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, shown_once
from services.gateway.api.events import require_whole_tenant
from services.gateway.api.fields import Id, IfMatch, Input
from services.gateway.domain.event_owners import SCOPE_OF
from services.gateway.storage import webhooks as store
from services.gateway.usecases import webhooks

router = Router("Webhooks")

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="https, at a public address",
        examples=["https://erp.example.com/encours"],
    ),
]
Types = Annotated[
    list[str],
    Field(
        max_length=100,
        default_factory=list,
        description="types of GET /v1/event-types; empty: all",
        examples=[["item.changed", "limit.changed"]],
    ),
]
Description = Annotated[str, Field(max_length=500, examples=["ERP, production"])]
Headers = Annotated[
    dict[str, str],
    Field(
        max_length=10,
        default_factory=dict,
        description="sent along with every message; write-only",
        examples=[{"Authorization": "Basic ZW5jb3Vyczo="}],
    ),
]


class WebhookEndpointCreate(Input):
    """An endpoint to make."""

    url: Url
    types: Types
    description: Description = ""
    enabled: bool = True
    headers: Headers


class WebhookEndpointUpdate(Input):
    """Members to change; those left out stay."""

    url: Url | None = None
    types: list[str] | None = Field(
        None, max_length=100, description="types of GET /v1/event-types; empty: all"
    )
    description: Description | None = None
    enabled: bool | None = Field(
        None, description="true switches on again what was switched off, and starts afresh"
    )
    headers: dict[str, str] | None = Field(
        None, max_length=10, description="replaces all of them; write-only"
    )


class WebhookEndpoint(BaseModel):
    """An endpoint, without its secret and the values of its headers."""

    id: UUID
    url: str = Field(examples=["https://erp.example.com/encours"])
    types: list[str] = Field(description="empty: all", examples=[["item.changed", "limit.changed"]])
    description: str = Field(examples=["ERP, production"])
    header_names: list[str] = Field(description="of the headers sent along", examples=[["Authorization"]])
    enabled: bool
    disabled_reason: str | None = Field(
        description="by_user, gone (it answered 410) or failing (it took nothing for five days)",
        examples=[None],
    )
    failing_since: datetime | None = Field(
        description="when it last began to refuse everything; on the wall clock"
    )
    old_secret_until: datetime | None = Field(
        description="until then messages bear a second signature, with the secret before the present one"
    )
    created_at: datetime
    updated_at: datetime


class NewWebhookEndpoint(WebhookEndpoint):
    """An endpoint with a secret just made."""

    secret: str = Field(
        description="shown once; verify messages with it",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class SecretRotation(Input):
    """How to change over to a new secret."""

    old_secret_valid_hours: int = Field(
        24, ge=0, le=168, description="how long messages are signed with the old secret as well"
    )


@router.post(
    "/webhook-endpoints",
    status_code=201,
    response_model=NewWebhookEndpoint,
    summary="Add a webhook endpoint",
    openapi_extra=shown_once("admin", "secret"),
)
async def create_webhook_endpoint(ctx: Ctx, body: WebhookEndpointCreate) -> Response:
    """Have events posted to a URL from now on. The secret that signs them is shown in this answer only. Only addresses on the
    public internet are called, and redirects are not followed."""
    require_whole_tenant(ctx)
    _require_known(body.types)
    values = body.model_dump()
    row, secret = await webhooks.create(ctx.tx, ctx.runtime.settings, values)
    headers = {"Location": f"/v1/webhook-endpoints/{row['id']}", "ETag": etag(row["version"])}
    return reply({**_endpoint(row), "secret": secret}, 201, headers)


@router.get(
    "/webhook-endpoints",
    response_model=Page[WebhookEndpoint],
    summary="List webhook endpoints",
    openapi_extra=scope("admin"),
)
async def list_webhook_endpoints(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All endpoints, oldest first; those that are switched off too."""
    require_whole_tenant(ctx)
    return reply(page(await store.endpoints(ctx.tx, cursor, limit), limit, _endpoint))


@router.get(
    "/webhook-endpoints/{endpoint_id}",
    response_model=WebhookEndpoint,
    summary="Show a webhook endpoint",
    openapi_extra=scope("admin"),
)
async def get_webhook_endpoint(ctx: Ctx, endpoint_id: Id) -> Response:
    """An endpoint and how it does."""
    row = await found(ctx, endpoint_id)
    return reply(_endpoint(row), headers={"ETag": etag(row["version"])})


@router.patch(
    "/webhook-endpoints/{endpoint_id}",
    response_model=WebhookEndpoint,
    summary="Change a webhook endpoint",
    openapi_extra=scope("admin"),
)
async def update_webhook_endpoint(
    ctx: Ctx, endpoint_id: Id, body: WebhookEndpointUpdate, if_match: IfMatch = None
) -> Response:
    """Change where messages go, which, or whether. What waits for an endpoint that is switched off is given up; once it is on
    again, replay what it missed."""
    row = await found(ctx, endpoint_id, lock=True)
    require_match(if_match, row["version"])
    values = body.model_dump(exclude_unset=True)
    for name, value in values.items():
        if value is None:
            raise invalid(f"/{name}", "not_null", "expected a value, or the member left out")
    _require_known(values.get("types", []))
    changed = await webhooks.change(ctx.tx, ctx.runtime.settings, row, values)
    return reply(_endpoint(changed), headers={"ETag": etag(changed["version"])})


@router.delete(
    "/webhook-endpoints/{endpoint_id}",
    status_code=204,
    summary="Remove a webhook endpoint",
    openapi_extra=scope("admin"),
)
async def delete_webhook_endpoint(ctx: Ctx, endpoint_id: Id) -> Response:
    """Remove an endpoint, and what was delivered to it from the list."""
    require_whole_tenant(ctx)
    await webhooks.delete(ctx.tx, endpoint_id)
    return Response(status_code=204)


@router.post(
    "/webhook-endpoints/{endpoint_id}/rotate-secret",
    response_model=NewWebhookEndpoint,
    summary="Change a webhook endpoint's secret",
    openapi_extra=shown_once("admin", "secret"),
)
async def rotate_webhook_secret(ctx: Ctx, endpoint_id: Id, body: SecretRotation) -> Response:
    """Make a new secret, shown in this answer only. For a while messages are signed with both: put the new one into the
    receiver meanwhile."""
    row = await found(ctx, endpoint_id, lock=True)
    valid_for = timedelta(hours=body.old_secret_valid_hours)
    changed, secret = await webhooks.rotate_secret(ctx.tx, ctx.runtime.settings, row, valid_for)
    return reply({**_endpoint(changed), "secret": secret}, headers={"ETag": etag(changed["version"])})


async def found(ctx: Ctx, endpoint_id: UUID, *, lock: bool = False) -> Row:
    """The endpoint of a path. Raises 403 for a caller who does not see the whole tenant, 404."""
    require_whole_tenant(ctx)
    row = await store.endpoint(ctx.tx, endpoint_id, lock=lock)
    if row is None:
        raise not_found("webhook endpoint", endpoint_id)
    return row


def _require_known(types: list[str]) -> None:
    for place, name in enumerate(types):
        if name not in SCOPE_OF:
            raise invalid(f"/types/{place}", "event_type_unknown", "expected a type of GET /v1/event-types")


def _endpoint(row: Row) -> dict[str, Any]:
    names = (
        "id", "url", "types", "description", "header_names", "enabled", "disabled_reason", "failing_since",
        "old_secret_until", "created_at", "updated_at",
    )  # fmt: skip
    return {name: row[name] for name in names}
