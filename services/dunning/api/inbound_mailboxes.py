"""Inbound mailboxes: how customers' answers come in, by webhook or IMAP."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, shown_once, streamed
from libs.kit.runtime import Runtime
from libs.kit.sealing import Seal
from services.dunning.api.fields import IfMatch, Input
from services.dunning.storage import replies
from services.dunning.storage.actions import decoded
from services.dunning.usecases import mailboxes

router = Router("Replies")
webhook = APIRouter(prefix="/v1", tags=["Replies"], generate_unique_id_function=lambda route: route.name)
Id = Annotated[UUID, Path(description="the mailbox's id")]
MAX_MAIL = 20 * 1024 * 1024


class ImapServer(Input):
    """Where a mailbox is."""

    host: str = Field(min_length=1, max_length=253, examples=["imap.example.com"])
    port: int = Field(993, ge=1, le=65535)
    encryption: Literal["tls", "starttls", "none"] = Field(
        "tls", description="none: on this very machine only"
    )
    user: str = Field(min_length=1, max_length=254, examples=["replies@example.com"])
    folder: str = Field("INBOX", min_length=1, max_length=200, examples=["INBOX"])


class InboundMailboxCreate(Input):
    """A way for answers to come in."""

    name: str = Field(min_length=1, max_length=200, examples=["Replies"])
    kind: Literal["webhook", "imap"]
    address: Annotated[str, Field(pattern=r"^[^@\s+]+@[^@\s]+$", max_length=254)] | None = Field(
        None,
        description="where answers are sent: the Reply-To of messages from now on",
        examples=["replies@example.com"],
    )
    plus_address: bool = Field(
        False, description="the mailbox takes replies+anything@…: each message then has a Reply-To of its own"
    )
    imap: ImapServer | None = Field(None, description="for kind imap")
    password: SecretStr | None = Field(None, description="write-only, for kind imap")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "imap") != (self.imap is not None) or (self.kind == "imap") != (
            self.password is not None
        ):
            raise PydanticCustomError(
                "imap_incomplete", "expected imap and password for kind imap, and for no other"
            )
        return self


class InboundMailboxUpdate(Input):
    """Members to change."""

    active: bool


class InboundMailbox(BaseModel):
    """A way for answers to come in."""

    id: UUID
    name: str = Field(examples=["Replies"])
    kind: Literal["webhook", "imap"]
    address: str | None = Field(description="where answers are sent")
    plus_address: bool
    imap: dict[str, Any] | None = Field(description="host, port, encryption, user, folder")
    active: bool
    polled_at: datetime | None = Field(description="when it was last looked into, on the wall clock")
    error: str | None = Field(description="why it could not be read the last time")
    created_at: datetime
    updated_at: datetime


class InboundMailboxCreated(InboundMailbox):
    """A new mailbox; the path of its webhook holds a secret and is shown this once."""

    webhook_path: str | None = Field(examples=["/v1/webhooks/inbound-mail/8f1c…"])


class Polled(BaseModel):
    """What came of looking into a mailbox."""

    heard: int = Field(description="answers that were new")
    mailbox: InboundMailbox


class Received(BaseModel):
    """What came of a mail."""

    status: Literal["stored", "duplicate"]
    reply_id: UUID | None = Field(description="null for a mail heard before")


@router.get(
    "/inbound-mailboxes",
    response_model=Page[InboundMailbox],
    summary="List inbound mailboxes",
    openapi_extra=scope("dunning:read"),
)
async def list_inbound_mailboxes(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The oldest first. Answers to new messages go to the newest active one with an address."""
    return reply(page(await replies.mailboxes(ctx.tx, cursor, limit), limit, _mailbox))


@router.post(
    "/inbound-mailboxes",
    response_model=InboundMailboxCreated,
    status_code=201,
    summary="Create an inbound mailbox",
    openapi_extra=shown_once("admin", "webhook_path"),
)
async def create_inbound_mailbox(ctx: Ctx, body: InboundMailboxCreate) -> Response:
    """A webhook your mail provider posts whole messages to, or an IMAP folder looked into every minute."""
    values = body.model_dump(exclude={"password"}, mode="json")
    seal = None
    if body.password is not None:
        seal = Seal(ctx.runtime.settings.master_key)
        values["password"] = body.password.get_secret_value()
    row, token = await mailboxes.create(ctx.tx, values, seal)
    path = f"/v1/webhooks/inbound-mail/{token}" if token else None
    headers = {"Location": f"/v1/inbound-mailboxes/{row['id']}", "ETag": etag(row["version"])}
    return reply({**_mailbox(row), "webhook_path": path}, 201, headers)


@router.get(
    "/inbound-mailboxes/{mailbox_id}",
    response_model=InboundMailbox,
    summary="Show an inbound mailbox",
    openapi_extra=scope("dunning:read"),
)
async def get_inbound_mailbox(ctx: Ctx, mailbox_id: Id) -> Response:
    """One mailbox, and whether it could be read."""
    row = await _one(ctx, mailbox_id)
    return reply(_mailbox(row), headers={"ETag": etag(row["version"])})


@router.patch(
    "/inbound-mailboxes/{mailbox_id}",
    response_model=InboundMailbox,
    summary="Change an inbound mailbox",
    openapi_extra=scope("admin"),
)
async def update_inbound_mailbox(
    ctx: Ctx, mailbox_id: Id, body: InboundMailboxUpdate, if_match: IfMatch = None
) -> Response:
    """Switch it off or on."""
    row = await _one(ctx, mailbox_id, lock=True)
    require_match(if_match, row["version"])
    changed = await replies.change_mailbox(ctx.tx, mailbox_id, active=body.active)
    ctx.tx.audit(
        "mailbox_changed", mailboxes.KIND, mailbox_id, {"active": row["active"]}, {"active": body.active}
    )
    return reply(_mailbox(changed), headers={"ETag": etag(changed["version"])})


@router.delete(
    "/inbound-mailboxes/{mailbox_id}",
    status_code=204,
    summary="Delete an inbound mailbox",
    openapi_extra=scope("admin"),
)
async def delete_inbound_mailbox(ctx: Ctx, mailbox_id: Id) -> Response:
    """Its token is worth nothing from then on; what was heard through it stays."""
    await _one(ctx, mailbox_id, lock=True)
    await replies.delete_mailbox(ctx.tx, mailbox_id)
    ctx.tx.audit("mailbox_deleted", mailboxes.KIND, mailbox_id)
    return Response(status_code=204)


@router.post(
    "/inbound-mailboxes/{mailbox_id}/poll",
    response_model=Polled,
    summary="Look into an IMAP mailbox",
    openapi_extra=streamed("dunning:write"),
)
async def poll_inbound_mailbox(ctx: Ctx, mailbox_id: Id) -> Response:
    """Now, without waiting for the minute. What went wrong stands in `error` of the mailbox."""
    heard = await mailboxes.look_into(ctx.runtime, ctx.caller.tenant, mailbox_id, timedelta(0))
    async with ctx.runtime.db.transaction(ctx.caller.tenant, readonly=True) as tx:
        row = await replies.mailbox(tx, mailbox_id)
    if row is None:
        raise not_found("mailbox", mailbox_id)
    return reply({"heard": heard, "mailbox": _mailbox(row)})


@webhook.post(
    "/webhooks/inbound-mail/{token}",
    response_model=Received,
    status_code=201,
    responses={200: {"model": Received}},
    summary="Deliver a mail",
    openapi_extra={
        "x-scope": "",
        "security": [],
        "x-body-limit": MAX_MAIL,
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
async def receive_inbound_mail(
    request: Request,
    token: Annotated[str, Path(min_length=20, max_length=100, description="the mailbox's secret")],
) -> Response:
    """The whole message as it was received (RFC 5322), as the body. The token in the path is all the authentication there is:
    keep the address to yourself. 201 once it is kept, 200 for one heard before, 404 for a token nobody was given."""
    runtime: Runtime = request.app.state.runtime
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_MAIL:
            raise Problem(
                413, "body_too_large", f"A mail may hold {MAX_MAIL} bytes at the most.", limit=MAX_MAIL
            )
        chunks.append(chunk)
    row = await mailboxes.receive(runtime, token, b"".join(chunks))
    if row is None:
        return reply({"status": "duplicate", "reply_id": None})
    return reply({"status": "stored", "reply_id": row["id"]}, 201, {"Location": f"/v1/replies/{row['id']}"})


async def _one(ctx: Ctx, mailbox_id: UUID, *, lock: bool = False) -> Row:
    row = await replies.mailbox(ctx.tx, mailbox_id, lock=lock)
    if row is None:
        raise not_found("mailbox", mailbox_id)
    return row


def _mailbox(row: Row) -> dict[str, Any]:
    names = (
        "id",
        "name",
        "kind",
        "address",
        "plus_address",
        "active",
        "polled_at",
        "error",
        "created_at",
        "updated_at",
    )
    return {**{name: row[name] for name in names}, "imap": decoded(row, "imap")}
