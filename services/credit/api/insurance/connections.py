"""Insurers, the connections to them, and the brokers in between."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Header, Path, Response
from pydantic import BaseModel, Field

from libs.contracts.ids import new_id
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, shown_once
from services.credit.api.insurance.fields import ConnectionId, Input, picked
from services.credit.domain.insurance.vocabulary import Product
from services.credit.insurers.port import Capabilities
from services.credit.insurers.registry import CATALOGUE, InsurerCode, capabilities_of
from services.credit.insurers.signatures import HmacOptions
from services.credit.storage.insurance import contracts
from services.credit.storage.insurance.rows import insert, one, update
from services.credit.usecases.insurance.connections import (
    TABLE,
    connection_or_404,
    create_connection,
    rotate_secret,
)
from services.credit.usecases.insurance.reading import JOB as READ_JOB

router = Router("Insurers")
Mode = Literal["none", "standard_webhooks", "hmac_header", "poke"]


class ProductRule(BaseModel):
    """What an insurer takes for a product."""

    product: Product
    amount_step: str = Field(description="amounts are multiples of it", examples=["1000"])
    min: str = Field(description="smallest amount", examples=["1000"])
    max: str | None = Field(description="largest amount; null: none", examples=["7000"])
    currency: str | None = Field(description="ISO 4217; null: the policy's", examples=["EUR"])
    needs_dates: bool


class InsurerInfo(BaseModel):
    """An insurer of the catalogue, and what it can do through us: `unknown` is said, never guessed."""

    insurer: str = Field(examples=["allianz_trade"])
    name: str = Field(examples=["Allianz Trade"])
    note: str = Field(description="what to know about it")
    credentials: list[str] = Field(
        description="members a connection's credentials have", examples=[["api_key"]]
    )
    webhook_modes: list[str] = Field(examples=[["poke", "none"]])
    search_by: list[str] = Field(examples=[["registration_number", "name"]])
    supports: dict[str, Literal["yes", "no", "unknown"]] = Field(examples=[{"cancel": "unknown"}])
    grade_scale: str | None = Field(description="of the insurer's own grades", examples=["1-10"])
    unknown: list[str] = Field(description="what its public pages do not say")
    products: list[ProductRule]


class Insurers(BaseModel):
    """The catalogue."""

    data: list[InsurerInfo]
    next_cursor: str | None = Field(description="always null: the catalogue is one page", examples=[None])


class Products(BaseModel):
    """What a connection offers."""

    data: list[ProductRule]
    next_cursor: str | None = Field(description="always null: they are one page", examples=[None])


class Signing(Input):
    """How a middleware signs, for `hmac_header`."""

    header: str = Field("x-signature", pattern=r"^[a-z0-9-]{1,64}$", examples=["x-signature"])
    encoding: Literal["hex", "base64"] = "hex"
    algorithm: Literal["sha256", "sha512"] = "sha256"
    prefix: str = Field("", max_length=32, description="before the digest", examples=["sha256="])
    timestamp_header: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,64}$", description="signed as `timestamp.body`"
    )
    id_header: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,64}$", description="else the digest of the bytes"
    )


class ConnectionCreate(Input):
    """A connection to an insurer."""

    insurer: InsurerCode = Field(examples=["sandbox"])
    name: str = Field(min_length=1, max_length=200, examples=["Sandbox insurer"])
    sandbox: bool = Field(False, description="call the stand-in, in the insurer's own format")
    webhook_mode: Mode | None = Field(
        None, description="how it tells decisions; the insurer's usual one when left out"
    )
    webhook_options: Signing = Signing()
    webhook_secret: str | None = Field(
        None, min_length=1, max_length=200, description="write-only; made when left out"
    )
    base_url: str | None = Field(
        None, max_length=500, pattern=r"^https?://", examples=["https://api.example.com/v1"]
    )
    credentials: dict[str, Annotated[str, Field(max_length=4000)]] | None = Field(
        None, max_length=10, description="write-only", examples=[{"api_key": "…"}]
    )
    profile: dict[str, Any] = Field({}, max_length=50, description="codes and field maps of this contract")
    broker_email: str | None = Field(
        None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["desk@broker.example"]
    )


class ConnectionPatch(Input):
    """What may change; members left out stay."""

    name: str | None = Field(None, min_length=1, max_length=200, examples=["Sandbox insurer"])
    active: bool | None = None
    broker_email: str | None = Field(
        None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["desk@broker.example"]
    )


class Connection(BaseModel):
    """A connection; its secrets are never shown again."""

    id: UUID
    insurer: str = Field(examples=["sandbox"])
    name: str = Field(examples=["Sandbox insurer"])
    sandbox: bool
    webhook_mode: Mode
    webhook_path: str = Field(examples=["/v1/webhooks/insurers/019a0000-0000-7000-8000-000000000001"])
    webhook_options: dict[str, Any]
    has_credentials: bool
    base_url: str | None = Field(description="where its API is", examples=[None])
    profile: dict[str, Any]
    broker_email: str | None = Field(description="who gets what leaves by mail", examples=[None])
    active: bool
    last_read_at: datetime | None = Field(description="all covers were last read")
    last_error: str | None = Field(description="why the last reading failed", examples=[None])
    created_at: datetime
    updated_at: datetime


class ConnectionCreated(Connection):
    """A new connection, with what is shown once."""

    webhook_secret: str | None = Field(description="shown once; null when you gave it", examples=["whsec_…"])
    poke_token: str | None = Field(description="shown once: the last part of the poke URL", examples=[None])


class SecretWish(Input):
    """A secret of your own, or none to have one made."""

    webhook_secret: str | None = Field(None, min_length=1, max_length=200, description="write-only")


class BrokerCreate(Input):
    """A broker."""

    name: str = Field(min_length=1, max_length=200, examples=["AU Group"])
    email: str = Field(
        max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["desk@broker.example"]
    )
    language: str = Field(
        "fr", min_length=2, max_length=5, description="of what is written to it", examples=["fr"]
    )


class Broker(BrokerCreate):
    """A broker of the tenant."""

    id: UUID
    created_at: datetime
    updated_at: datetime


@router.get(
    "/insurers", response_model=Insurers, summary="List insurers", openapi_extra=scope("guarantees:read")
)
async def list_insurers(ctx: Ctx) -> Response:
    """The insurers that can be connected, with their products, amount rules and what is not known of them."""
    data = [
        {
            "insurer": code, "name": entry.name, "note": entry.note, "credentials": list(entry.credentials),
            **_capabilities(entry.capabilities({})),
        }
        for code, entry in CATALOGUE.items()
    ]  # fmt: skip
    return reply({"data": data, "next_cursor": None})


@router.get(
    "/insurer-connections", response_model=Page[Connection], summary="List connections to insurers",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_insurer_connections(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """By name."""
    return reply(page(await contracts.page_by_name(ctx.tx, TABLE, cursor, limit), limit, _connection))


@router.post(
    "/insurer-connections", status_code=201, response_model=ConnectionCreated, summary="Connect an insurer",
    openapi_extra=shown_once("guarantees:admin", "webhook_secret", "poke_token"),
)  # fmt: skip
async def create_insurer_connection(ctx: Ctx, body: ConnectionCreate) -> Response:
    """Make a connection. With `sandbox` it talks to the stand-in, in the format of the insurer named."""
    modes = capabilities_of(body.insurer, body.profile).webhook_modes
    values = body.model_dump(exclude={"webhook_secret", "credentials", "webhook_options"})
    values["webhook_mode"] = body.webhook_mode or modes[0]
    values["webhook_options"] = body.webhook_options.model_dump()
    row, secret, token = await create_connection(
        ctx.tx, ctx.runtime, values, body.webhook_secret, body.credentials
    )
    shown = {**_connection(row), "webhook_secret": secret, "poke_token": token}
    headers = {"Location": f"/v1/insurer-connections/{row['id']}", "ETag": etag(row["version"])}
    return reply(shown, 201, headers)


@router.get(
    "/insurer-connections/{connection_id}", response_model=Connection, summary="Show a connection",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def get_insurer_connection(ctx: Ctx, connection_id: ConnectionId) -> Response:
    """One connection."""
    row = await connection_or_404(ctx.tx, connection_id)
    return reply(_connection(row), headers={"ETag": etag(row["version"])})


@router.patch(
    "/insurer-connections/{connection_id}", response_model=Connection, summary="Change a connection",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def update_insurer_connection(
    ctx: Ctx,
    connection_id: ConnectionId,
    body: ConnectionPatch,
    if_match: Annotated[str | None, Header(description="the ETag you read")] = None,
) -> Response:
    """An inactive connection takes no webhook and reads nothing."""
    row = await connection_or_404(ctx.tx, connection_id, lock=True)
    require_match(if_match, row["version"])
    changes = {
        name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None
    }
    changed = await update(ctx.tx, TABLE, connection_id, **changes)
    ctx.tx.audit(
        "insurer_connection_changed", "insurer_connection", connection_id, picked(row, changes), changes
    )
    return reply(_connection(changed), headers={"ETag": etag(changed["version"])})


@router.get(
    "/insurer-connections/{connection_id}/products", response_model=Products, summary="List a connection's products",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_connection_products(ctx: Ctx, connection_id: ConnectionId) -> Response:
    """What may be asked through it, and the amounts it takes."""
    row = await connection_or_404(ctx.tx, connection_id)
    profile = msgspec.json.decode(row["profile"])
    return reply({"data": _products(capabilities_of(row["insurer"], profile)), "next_cursor": None})


@router.post(
    "/insurer-connections/{connection_id}/rotate-secret", response_model=ConnectionCreated,
    summary="Replace the webhook secret", openapi_extra=shown_once("guarantees:admin", "webhook_secret"),
)  # fmt: skip
async def rotate_insurer_secret(ctx: Ctx, connection_id: ConnectionId, body: SecretWish) -> Response:
    """The secret before stays good beside the new one until the next replacement."""
    row = await connection_or_404(ctx.tx, connection_id, lock=True)
    changed, secret = await rotate_secret(ctx.tx, ctx.runtime, row, body.webhook_secret)
    shown = None if body.webhook_secret else secret
    return reply({**_connection(changed), "webhook_secret": shown, "poke_token": None})


@router.post(
    "/insurer-connections/{connection_id}/sync", response_model=Connection, summary="Read all covers now",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def sync_insurer_connection(ctx: Ctx, connection_id: ConnectionId) -> Response:
    """Let the covers, guarantee types and grades of all its policies be read now; every day they are read anyway."""
    row = await connection_or_404(ctx.tx, connection_id)
    tenant_id = ctx.tx.tenant_id

    async def nudge() -> None:
        await ctx.runtime.jobs.enqueue(READ_JOB, str(tenant_id), str(connection_id))

    await update(ctx.tx, TABLE, connection_id, poked_at=ctx.tx.now)
    ctx.tx.after_commit(nudge)
    return reply(_connection(row))


@router.get(
    "/brokers", response_model=Page[Broker], summary="List brokers", openapi_extra=scope("guarantees:read")
)
async def list_brokers(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """By name."""
    return reply(page(await contracts.page_by_name(ctx.tx, "brokers", cursor, limit), limit, _broker))


@router.post(
    "/brokers",
    status_code=201,
    response_model=Broker,
    summary="Add a broker",
    openapi_extra=scope("guarantees:admin"),
)
async def create_broker(ctx: Ctx, body: BrokerCreate) -> Response:
    """Whom insistences and declarations by mail are written to."""
    row = await insert(ctx.tx, "brokers", new_id(), body.model_dump())
    assert row is not None, "an insert returns its row"
    ctx.tx.audit("broker_added", "broker", row["id"], after=body.model_dump())
    return reply(_broker(row), 201, {"Location": f"/v1/brokers/{row['id']}"})


@router.get(
    "/brokers/{broker_id}",
    response_model=Broker,
    summary="Show a broker",
    openapi_extra=scope("guarantees:read"),
)
async def get_broker(ctx: Ctx, broker_id: Annotated[UUID, Path(description="the broker's id")]) -> Response:
    """One broker."""
    row = await one(ctx.tx, "brokers", broker_id)
    if row is None:
        raise not_found("broker", broker_id)
    return reply(_broker(row))


def _broker(row: Row) -> dict[str, Any]:
    return picked(row, ("id", "name", "email", "language", "created_at", "updated_at"))


def _connection(row: Row) -> dict[str, Any]:
    names = (
        "id", "insurer", "name", "sandbox", "webhook_mode", "base_url", "broker_email", "active", "last_read_at",
        "last_error", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **picked(row, names),
        "webhook_path": f"/v1/webhooks/insurers/{row['id']}",
        "webhook_options": msgspec.json.decode(row["webhook_options"]),
        "profile": msgspec.json.decode(row["profile"]),
        "has_credentials": row["credentials_sealed"] is not None,
    }


def _capabilities(found: Capabilities) -> dict[str, Any]:
    supports = ("search", "submit", "cancel", "find_request", "read_covers", "grades", "overdues")
    return {
        "webhook_modes": list(found.webhook_modes),
        "search_by": list(found.search_by),
        "supports": {name: getattr(found, name) for name in supports},
        "grade_scale": found.grade_scale,
        "unknown": list(found.unknown),
        "products": _products(found),
    }


def _products(found: Capabilities) -> list[dict[str, Any]]:
    return [
        {
            "product": product,
            "amount_step": str(rule.step),
            "min": str(rule.least),
            "max": None if rule.most is None else str(rule.most),
            "currency": rule.currency,
            "needs_dates": rule.needs_dates,
        }
        for product, rule in found.products.items()
    ]


assert set(Signing.model_fields) == set(HmacOptions.__dataclass_fields__), "one says what the other does"
