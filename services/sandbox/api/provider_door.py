"""The door where adapters knock: `/stand-in/providers/{tenant}/{connection}/{adapter}/…`, outside the public API.

Whoever knows a sandbox tenant's id and a connection's may knock; nothing is protected here, and nothing true is told.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from libs.kit import clock
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from services.sandbox.providers.behaviour import Spoilt, Told, spoil
from services.sandbox.providers.house import Asked
from services.sandbox.providers.registry import WIRES
from services.sandbox.storage.providers import StandIn

PATH = "/stand-in/providers/{tenant_id:uuid}/{connection_id:uuid}/{adapter}/{rest:path}"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_LARGEST = 1 << 20
_LONGEST = 120.0


async def answer(request: Request) -> Response:
    """One call of an adapter."""
    runtime: Runtime = request.app.state.runtime
    wire = WIRES.get(request.path_params["adapter"])
    if wire is None or not runtime.settings.sandbox:
        return PlainTextResponse("no such stand-in", 404)
    try:
        body = await request.body()
        tenant = await runtime.tenant(request.path_params["tenant_id"])
    except (Problem, ClientDisconnect):
        return PlainTextResponse("no such tenant", 404)
    if len(body) > _LARGEST or tenant.frozen_at is None:
        return PlainTextResponse("no such stand-in", 404)
    asked = Asked(
        request.method,
        request.path_params["rest"],
        dict(request.query_params),
        {name.lower(): value for name, value in request.headers.items()},
        body,
    )
    connection_id: UUID = request.path_params["connection_id"]
    async with runtime.db.transaction(tenant) as tx:
        house = StandIn(tx, connection_id)
        behaviour = await _next(house, asked)
        house.silent = behaviour is not None and behaviour["mode"] == "silent"
        told = await wire(asked, house)
        spoilt: Told | Spoilt = told
        if behaviour is not None:
            spoilt = spoil(
                behaviour["mode"],
                told,
                status=behaviour.get("status"),
                retry_after=int(behaviour.get("retry_after") or 1),
            )
        await house.count(asked.method, asked.path, spoilt.status, clock.wall())
    if behaviour is not None and behaviour["mode"] in ("slow", "timeout"):
        await asyncio.sleep(
            min(float(behaviour.get("seconds") or (1 if behaviour["mode"] == "slow" else 60)), _LONGEST)
        )
    return _response(spoilt)


async def _next(house: StandIn, asked: Asked) -> dict[str, Any] | None:
    """The first behaviour that fits this call; one with a number of `times` wears out."""
    behaviours = await house.behaviours()
    for position, one in enumerate(behaviours):
        if _fits(one, asked):
            if one.get("times") is not None:
                left = [*behaviours]
                left[position] = {**one, "times": one["times"] - 1}
                await house.behave([kept for kept in left if kept.get("times") != 0])
            return one
    return None


def _fits(behaviour: dict[str, Any], asked: Asked) -> bool:
    marks: Sequence[str] = behaviour.get("calls") or ()
    if not marks:
        return True
    seen = f"{asked.method} {asked.path}?{asked.query} {asked.body.decode('utf-8', 'replace')}"
    return any(mark in seen for mark in marks)


def _response(told: Told | Spoilt) -> Response:
    if isinstance(told, Spoilt):
        return StreamingResponse(told.pieces, told.status, dict(told.headers), told.media_type)
    response = Response(told.body, told.status, dict(told.headers), told.media_type)
    if told.media_type == "application/json":
        response.headers["content-type"] = "application/json; charset=utf-8"
    return response
