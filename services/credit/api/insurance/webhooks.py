"""Where insurers tell their decisions: no key, the connection's own way of proving who speaks."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from libs.kit import clock
from libs.kit.problems import Problem
from libs.kit.responses import reply
from libs.kit.runtime import Runtime
from services.credit.insurers.signatures import (
    HmacOptions,
    NotAuthentic,
    OutOfTime,
    verify_hmac,
    verify_standard,
)
from services.credit.storage.insurance import contracts, inbox
from services.credit.storage.insurance.rows import one, update
from services.credit.usecases.insurance.connections import TABLE, digest_of, open_secrets
from services.credit.usecases.insurance.inbox import JOB
from services.credit.usecases.insurance.reading import JOB as READ_JOB

router = APIRouter(
    prefix="/v1", tags=["Insurer webhooks"], generate_unique_id_function=lambda route: route.name
)
MAX_BODY = 64 * 1024
ConnectionId = Annotated[UUID, Path(description="the insurer connection's id")]
_PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_NO_OPERATION = {
    "description": "always absent: nothing is to be followed",
    "schema": {"type": "string"},
    "required": False,
}


class Stored(BaseModel):
    """The message is kept; what it means is worked out after this answer."""

    message_id: str = Field(description="as the sender named it", examples=["msg_01"])
    status: Literal["stored", "duplicate"]


@router.post(
    "/webhooks/insurers/{connection_id}",
    status_code=202,
    response_model=Stored,
    responses={
        200: {"model": Stored, "description": "The same message came before: nothing is done twice."},
        202: {"description": "Stored.", "headers": {"Operation-Location": _NO_OPERATION}},
        400: {"description": "Signed too long ago, or in the future.", **_PROBLEM},
        401: {"description": "No such connection, or a signature that does not fit: the two look alike.", **_PROBLEM},
    },
    summary="Tell a decision",
    openapi_extra={
        "x-scope": "",
        "security": [],
        "x-body-limit": MAX_BODY,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}, "example": {
                "type": "guarantee.decided",
                "timestamp": "2026-03-31T09:00:00Z",
                "data": {
                    "decision_id": "d-1", "buyer_reference": "4711", "product": "permanent", "sequence": 1,
                    "status": "partially_approved", "granted_amount": "50000.00", "currency": "EUR",
                    "effective_from": "2026-03-31", "decided_at": "2026-03-31T08:59:00Z",
                },
            }}},
        },
    },
)  # fmt: skip
async def receive_insurer_webhook(request: Request, connection_id: ConnectionId) -> Response:
    """Standard Webhooks 1.0.0 (`webhook-id`, `webhook-timestamp`, `webhook-signature`), or the HMAC header the connection
    declares. The raw bytes are authenticated and stored before anything is read in them. Tolerance: five minutes."""
    runtime: Runtime = request.app.state.runtime
    body = await _body(request)
    tenant_id = await contracts.tenant_of_connection(runtime.db, connection_id)
    if tenant_id is None:
        raise _unauthenticated()
    tenant = await runtime.tenant(tenant_id)
    async with runtime.db.transaction(tenant) as tx:
        connection = await one(tx, TABLE, connection_id)
        assert connection is not None, "it was found a moment ago"
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers.raw
        }
        message_id = _authenticated(runtime, tenant_id, connection, headers, body)
        kept = await inbox.keep(tx, connection_id, message_id, body, "webhook")
        if kept.outcome == "conflict":
            tx.audit(
                "insurer_message_refused",
                "insurer_connection",
                connection_id,
                after={"message_id": message_id},
            )
    if kept.outcome == "conflict":
        detail = "A message with this id came before with another content: it is in quarantine, and a person will look."
        raise Problem(409, "message_id_reused", detail, message_id=message_id)
    if kept.outcome == "duplicate":
        return reply({"message_id": message_id, "status": "duplicate"}, 200)
    await runtime.jobs.enqueue(JOB, str(tenant_id))
    return reply({"message_id": message_id, "status": "stored"}, 202)


async def _poke(request: Request, connection_id: UUID, token: str) -> Response:
    """Look at the insurer, if the token is the connection's; the answer is always the same."""
    runtime: Runtime = request.app.state.runtime
    tenant_id = await contracts.tenant_of_connection(runtime.db, connection_id)
    if tenant_id is not None and len(token) <= 200:
        tenant = await runtime.tenant(tenant_id)
        async with runtime.db.transaction(tenant) as tx:
            row = await one(tx, TABLE, connection_id)
            fits = row is not None and row["poke_digest"] == digest_of(token)
            if fits:
                await update(tx, TABLE, connection_id, poked_at=tx.now)
        if fits:
            await runtime.jobs.enqueue(
                READ_JOB, str(tenant_id), str(connection_id), job_id=f"{READ_JOB}:{connection_id}"
            )
    return Response(status_code=204)


_PUBLIC: dict[str, Any] = {"x-scope": "", "security": [], "x-body-limit": MAX_BODY}
Token = Annotated[
    str, Path(max_length=500, description="the poke token, shown once when the connection was made")
]


@router.get(
    "/webhooks/insurers/{connection_id}/{token}", status_code=204, summary="Poke (GET)", openapi_extra=_PUBLIC
)
async def poke_connection(request: Request, connection_id: ConnectionId, token: Token) -> Response:
    """For insurers that only say "look again" (Coface calls so). Whatever the token, the answer is 204."""
    return await _poke(request, connection_id, token)


@router.post(
    "/webhooks/insurers/{connection_id}/{token}",
    status_code=204,
    summary="Poke (POST)",
    openapi_extra=dict(_PUBLIC),
)
async def poke_connection_by_post(request: Request, connection_id: ConnectionId, token: Token) -> Response:
    """For insurers that post a body nobody can authenticate (Allianz Trade): it is not read, the source is."""
    await _body(request)
    return await _poke(request, connection_id, token)


def _authenticated(
    runtime: Runtime, tenant_id: UUID, connection: Any, headers: dict[str, str], body: bytes
) -> str:
    secrets = open_secrets(runtime, tenant_id, connection)
    try:
        if connection["webhook_mode"] == "standard_webhooks":
            return verify_standard(secrets, headers, body, clock.wall())
        if connection["webhook_mode"] == "hmac_header":
            options = HmacOptions(**msgspec.json.decode(connection["webhook_options"]))
            return verify_hmac(secrets, options, headers, body, clock.wall())
    except NotAuthentic:
        raise _unauthenticated() from None
    except OutOfTime:
        detail = "The message was signed more than five minutes ago, or is signed for the future."
        raise Problem(400, "out_of_tolerance", detail) from None
    raise _unauthenticated()


def _unauthenticated() -> Problem:
    return Problem(401, "unauthenticated", "There is no such connection, or the signature does not fit.")


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            headers = {"Connection": "close"}
            raise Problem(
                413, "body_too_large", f"The body may hold {MAX_BODY} bytes at the most.", headers=headers
            )
        chunks.append(chunk)
    return b"".join(chunks)
