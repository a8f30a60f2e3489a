"""Message channels: how text messages leave, through a provider that speaks the documented HTTP profile."""

from datetime import datetime
from typing import Literal

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field, SecretStr

from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from libs.kit.sealing import Seal
from services.dunning.api.fields import Input
from services.dunning.channels.sms import CHANNEL
from services.dunning.storage import channels

router = Router("Messages")


class SmsChannelPut(Input):
    """A provider of text messages. It gets `POST {url}` with `{"id", "from", "to", "text"}`, `Authorization: Bearer {token}` and
    our message's id as `Idempotency-Key`."""

    url: str = Field(
        pattern=r"^https?://[^\s]+$", max_length=500, examples=["https://sms.example.com/v1/messages"]
    )
    sender: str = Field(
        min_length=1, max_length=20, description="a name or number it may send under", examples=["ACIERIES"]
    )
    token: SecretStr | None = Field(None, description="write-only; the one kept stays when left out")


class SmsChannel(BaseModel):
    """How text messages leave."""

    channel: Literal["sms"]
    url: str = Field(examples=["https://sms.example.com/v1/messages"])
    sender: str = Field(examples=["ACIERIES"])
    token_set: bool
    created_at: datetime
    updated_at: datetime


@router.get(
    "/message-channels/sms",
    response_model=SmsChannel,
    summary="Show how text messages leave",
    openapi_extra=scope("dunning:read"),
)
async def get_sms_channel(ctx: Ctx) -> Response:
    """404 while none is set up: text messages then end as `failed` and say so."""
    row = await channels.get(ctx.tx, CHANNEL)
    if row is None:
        raise not_found("message channel", CHANNEL)
    return _answer(row)


@router.put(
    "/message-channels/sms",
    response_model=SmsChannel,
    summary="Set up how text messages leave",
    openapi_extra=scope("admin"),
)
async def put_sms_channel(ctx: Ctx, body: SmsChannelPut) -> Response:
    """Only public addresses are called, over https."""
    token = body.token.get_secret_value() if body.token else None
    sealed = Seal(ctx.runtime.settings.master_key).seal(ctx.tx.tenant_id, CHANNEL, token) if token else None
    row = await channels.put(ctx.tx, CHANNEL, {"url": body.url, "sender": body.sender}, sealed)
    ctx.tx.audit(
        "message_channel_set", "tenant", ctx.tx.tenant_id, None, {"channel": CHANNEL, "url": body.url}
    )
    return _answer(row)


@router.delete(
    "/message-channels/sms",
    status_code=204,
    summary="Stop text messages",
    openapi_extra=scope("admin"),
)
async def delete_sms_channel(ctx: Ctx) -> Response:
    """Its credentials are forgotten."""
    if not await channels.remove(ctx.tx, CHANNEL):
        raise not_found("message channel", CHANNEL)
    ctx.tx.audit("message_channel_removed", "tenant", ctx.tx.tenant_id, {"channel": CHANNEL}, None)
    return Response(status_code=204)


def _answer(row: Row) -> Response:
    config = msgspec.json.decode(row["config"])
    body = {
        "channel": row["channel"], "url": config["url"], "sender": config["sender"],
        "token_set": row["secret_sealed"] is not None, "created_at": row["created_at"], "updated_at": row["updated_at"],
    }  # fmt: skip
    return reply(body, headers={"ETag": etag(row["version"])})
