"""The stand-in insurer's own interfaces, in the formats of the insurers it plays. Adapters reach them, the gateway never."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from libs.kit.db import Row, Tx
from libs.kit.responses import reply
from libs.kit.runtime import Runtime
from services.sandbox.storage import insurers
from services.sandbox.usecases.insurers import candidates_for

router = APIRouter(prefix="/stand-in/insurers/{tenant_id}/{connection_id}", include_in_schema=False)
_HANGS_FOR = 30.0
Work = Callable[[Tx, Row], Awaitable[Response]]


@router.post("/buyers/search")
async def search_buyers(request: Request, tenant_id: UUID, connection_id: UUID) -> Response:
    """Neutral contract."""
    query = await _json(request)

    async def work(tx: Tx, played: Row) -> Response:
        return reply({"data": candidates_for(query)})

    return await serve(request, tenant_id, connection_id, work)


@router.post("/requests")
async def take_request(request: Request, tenant_id: UUID, connection_id: UUID) -> Response:
    """Neutral contract: taken, answered later."""
    body = await _json(request)

    async def work(tx: Tx, played: Row) -> Response:
        identifier = await insurers.keep_request(tx, connection_id, str(body.get("reference", "")), body)
        return reply({"request_id": identifier, "decisions": []}, 202)

    return await serve(request, tenant_id, connection_id, work)


@router.get("/requests")
async def find_requests(request: Request, tenant_id: UUID, connection_id: UUID) -> Response:
    """Neutral contract: by the asker's own reference."""
    reference = request.query_params.get("reference")

    async def work(tx: Tx, played: Row) -> Response:
        found = await insurers.requests(tx, connection_id, reference)
        told = await insurers.decisions(tx, connection_id)
        for one in found:
            one["decisions"] = [
                decision for decision in told if decision.get("request_reference") == one["reference"]
            ]
        return reply({"data": found})

    return await serve(request, tenant_id, connection_id, work)


@router.post("/requests/{reference}/cancel")
async def cancel_request(request: Request, tenant_id: UUID, connection_id: UUID, reference: str) -> Response:
    """Neutral contract."""

    async def work(tx: Tx, played: Row) -> Response:
        known = await insurers.cancel_request(tx, connection_id, reference)
        return reply({"cancelled": known}, 200 if known else 404)

    return await serve(request, tenant_id, connection_id, work)


@router.get("/covers")
async def read_covers(request: Request, tenant_id: UUID, connection_id: UUID) -> Response:
    """Neutral contract: every decision, and the grades."""

    async def work(tx: Tx, played: Row) -> Response:
        if played["behaviour"] == "silent":
            return reply({"decisions": [], "grades": []})
        policy = request.query_params.get("policy_reference")
        told = [
            one for one in await insurers.decisions(tx, connection_id)
            if one.get("policy_reference") in (None, policy)
        ]  # fmt: skip
        return reply({"decisions": told, "grades": await insurers.grades(tx, connection_id)})

    return await serve(request, tenant_id, connection_id, work)


@router.post("/overdues")
async def take_overdue(request: Request, tenant_id: UUID, connection_id: UUID) -> Response:
    """Neutral contract: a declaration is registered."""
    body = await _json(request)

    async def work(tx: Tx, played: Row) -> Response:
        reference = f"overdue:{body.get('reference', '')}"
        identifier = await insurers.keep_request(tx, connection_id, reference, body)
        return reply({"overdue_id": identifier}, 201)

    return await serve(request, tenant_id, connection_id, work)


async def serve(request: Request, tenant_id: UUID, connection_id: UUID, work: Work) -> Response:
    """Do what is asked in the mood the insurer is in: what it takes before it hangs or babbles, it has taken."""
    runtime: Runtime = request.app.state.runtime
    tenant = await runtime.tenant(tenant_id)
    async with runtime.db.transaction(tenant) as tx:
        played = await insurers.insurer(tx, connection_id)
        if played is None:
            return reply({"message": "no such insurer"}, 404)
        if played["behaviour"] == "error":
            return reply({"message": "out of order"}, 503)
        answer = await work(tx, played)
    if played["behaviour"] == "timeout":
        await asyncio.sleep(_HANGS_FOR)
    if played["behaviour"] == "garbage":
        return Response(b"<html>\xff{", 200, media_type="application/json")
    return answer


async def _json(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(await request.body())
    return body
