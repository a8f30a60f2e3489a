"""What became of each message to a webhook endpoint, a trial message, and sending again what a receiver missed."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.gateway.api.fields import Id, Input
from services.gateway.api.webhook_endpoints import found
from services.gateway.storage import webhooks as store
from services.gateway.usecases import webhooks

router = Router("Webhooks")

Status = Literal["waiting", "delivered", "failed"]


class WebhookDelivery(BaseModel):
    """A message to an endpoint: one an event, however often it is tried. Instants are of the wall clock."""

    id: UUID
    event_id: UUID = Field(description="the message's `webhook-id`; of a ping, the delivery's own id")
    type: str = Field(examples=["item.changed"])
    status: Status = Field(description="failed: given up; replay it when the receiver is well again")
    attempts: int = Field(description="since it was made or replayed", examples=[1])
    response_status: int | None = Field(description="the last answer's; null: there was none", examples=[200])
    error: str | None = Field(description="why there was no answer, or why it was given up", examples=[None])
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    created_at: datetime
    updated_at: datetime


class WebhookAttempt(BaseModel):
    """One attempt."""

    at: datetime
    response_status: int | None = Field(examples=[200])
    error: str | None = Field(description="timed_out, not_connected, name_not_resolved …", examples=[None])
    response_excerpt: str = Field(description="the first 1000 bytes of the answer", examples=["ok"])
    duration_ms: int = Field(examples=[41])


class WebhookDeliveryInFull(WebhookDelivery):
    """A message and every attempt to deliver it."""

    log: list[WebhookAttempt] = Field(description="oldest first; from before a replay too")


class WebhookReplay(Input):
    """What to send again: exactly one of the members."""

    delivery_id: UUID | None = Field(None, description="one message, whatever became of it")
    since: AwareDatetime | None = Field(
        None,
        description="every event that occurred at or after that instant",
        examples=["2026-03-31T00:00:00Z"],
    )
    after_event_id: UUID | None = Field(None, description="every event after that one in the stream")

    @model_validator(mode="after")
    def _one(self) -> "WebhookReplay":
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("expected exactly one of delivery_id, since and after_event_id")
        return self


class WebhookReplayed(BaseModel):
    """How much is sent again."""

    deliveries: int = Field(description="messages that are on their way now", examples=[12])


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries",
    response_model=Page[WebhookDelivery],
    summary="List a webhook endpoint's deliveries",
    openapi_extra=scope("admin"),
)
async def list_webhook_deliveries(
    ctx: Ctx,
    endpoint_id: Id,
    status: Status | None = None,
    type: Annotated[str | None, Query(max_length=64, examples=["item.changed"])] = None,  # noqa: A002
    event_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Messages to an endpoint, newest first, kept for 30 days."""
    await found(ctx, endpoint_id)
    filters = {"state": status, "type": type, "event_id": event_id}
    rows = await store.deliveries(ctx.tx, endpoint_id, filters, cursor, limit)
    return reply(page(rows, limit, _delivery))


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}",
    response_model=WebhookDeliveryInFull,
    summary="Show a webhook delivery",
    openapi_extra=scope("admin"),
)
async def get_webhook_delivery(
    ctx: Ctx, endpoint_id: Id, delivery_id: Annotated[UUID, Path(description="the delivery's id")]
) -> Response:
    """A message and every attempt to deliver it, with what the receiver answered."""
    await found(ctx, endpoint_id)
    row = await store.delivery(ctx.tx, endpoint_id, delivery_id)
    if row is None:
        raise not_found("webhook delivery", delivery_id)
    return reply({**_delivery(row), "log": msgspec.json.decode(row["log"])})


@router.post(
    "/webhook-endpoints/{endpoint_id}/ping",
    response_model=WebhookDelivery,
    summary="Send a webhook endpoint a trial message",
    openapi_extra=scope("admin"),
)
async def ping_webhook_endpoint(ctx: Ctx, endpoint_id: Id) -> Response:
    """Send `webhook_endpoint.pinged` at once, also to an endpoint that is switched off. It is tried once; read the delivery
    to see how it went."""
    row = await found(ctx, endpoint_id, lock=True)
    return reply(_delivery(await webhooks.ping(ctx.tx, row)))


@router.post(
    "/webhook-endpoints/{endpoint_id}/replay",
    response_model=WebhookReplayed,
    summary="Send a webhook endpoint messages again",
    openapi_extra=scope("admin"),
)
async def replay_webhook_deliveries(ctx: Ctx, endpoint_id: Id, body: WebhookReplay) -> Response:
    """Send one message again, or every event of the endpoint's types since an instant or after an event, also those it never
    got: with the `webhook-id` they had, so that a receiver who knows them can tell. What is waiting already is left as it is."""
    row = await found(ctx, endpoint_id, lock=True)
    number = await webhooks.replay(ctx.tx, row, body.model_dump(exclude_none=True))
    return reply({"deliveries": number})


def _delivery(row: Row) -> dict[str, Any]:
    names = ("id", "event_id", "type", "attempts", "response_status", "error", "created_at", "updated_at")
    return {
        **{name: row[name] for name in names},
        "status": row["state"],
        "next_attempt_at": row["next_at"],
        "last_attempt_at": row["attempted_at"],
    }
