"""Routes that keep the first mechanism: one request is one transaction, committed before the answer leaves.

A route authenticates, checks its scope, reads the whole (bounded, strictly parsed) body, opens the transaction, runs the
handler, stores the idempotent answer in the same transaction, commits, and only then answers.
"""

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import unquote_to_bytes

import asyncpg
from fastapi import APIRouter, Depends
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query as QueryParameter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from libs.kit import idempotency, strict_json
from libs.kit.auth import Caller
from libs.kit.db import Actor, Tx
from libs.kit.problems import FieldError, Problem, invalid
from libs.kit.responses import json_bytes
from libs.kit.runtime import Runtime

MAX_BODY = 1 << 20
SCOPE = "x-scope"
STREAMED = "x-streamed"
#: `openapi_extra` member naming the services whose feeds are read to their heads before the transaction opens. Within it each
#: request would hold one connection while it waits for another, and a handful at once would wait for ever.
READS_FIRST = "x-reads-first"
INTERNAL = "service"
_READS = frozenset({"GET", "HEAD"})
SHOWN_ONCE = "x-shown-once"


@dataclass(slots=True)
class Context:
    """What a handler works with."""

    request: Request
    runtime: Runtime
    caller: Caller
    _tx: Tx | None = None

    @property
    def tx(self) -> Tx:
        """The request's transaction. A streamed route has none: it opens its own."""
        assert self._tx is not None, "a streamed route opens its own transactions"
        return self._tx


def scope(name: str, **extra: Any) -> dict[str, Any]:
    """`openapi_extra` of a route that needs a scope; `scope("service")` is for `/internal/*`, `scope("")` for any caller."""
    return {SCOPE: name, **extra}


def streamed(name: str, **extra: Any) -> dict[str, Any]:
    """Like `scope`, for a route that reads its own body and opens its own transactions."""
    return {SCOPE: name, STREAMED: True, **extra}


def shown_once(name: str, *members: str) -> dict[str, Any]:
    """Like `scope`, for an answer with secret members that a replay leaves out."""
    return {SCOPE: name, SHOWN_ONCE: list(members)}


async def get_context(request: Request) -> Context:
    """The context the route prepared."""
    context: Context = request.state.context
    return context


Ctx = Annotated[Context, Depends(get_context)]


class StrictRequest(Request):
    """A request whose JSON is read by the strict reader."""

    @override
    async def json(self) -> Any:
        """The body's JSON. Raises JsonRefused."""
        if not hasattr(self, "_json"):
            self._json = strict_json.loads(await self.body())
        return self._json


class TransactionalRoute(APIRoute):
    """See the module."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, wrapped."""
        handler = super().get_route_handler()
        extra = self.openapi_extra or {}
        needed = extra.get(SCOPE)
        if needed is None:
            raise RuntimeError(f"{self.path} does not say which scope it needs: deny by default")
        readonly = bool(self.methods and self.methods <= _READS)
        is_streamed = bool(extra.get(STREAMED))
        secret_members = extra.get(SHOWN_ONCE, ())
        reads_first = extra.get(READS_FIRST, ())
        known_query = _query_parameters(self)

        async def handle(received: Request) -> Response:
            runtime: Runtime = received.app.state.runtime
            caller = await _on_present_clock(runtime, _authorise(runtime, received, needed))
            _refuse_bad_query(received, known_query)
            request = StrictRequest(received.scope, received.receive)
            context = Context(request, runtime, caller)
            received.scope.setdefault("state", {})["context"] = context
            if is_streamed or caller.service is not None:
                return await handler(request)
            if readonly:
                async with runtime.db.transaction(caller.tenant, readonly=True, kept_plans=True) as tx:
                    context._tx = tx
                    return await _run(handler, request)
            body = await _bounded_body(request)
            if body and "json" in request.headers.get("content-type", ""):
                await request.json()  # here, for FastAPI would answer a refusal of the reader with a bare 400
            attempted = _attempt(request, body)
            for producer in reads_first:
                await runtime.feed.require_fresh(producer, caller.tenant.id)

            async def work(tx: Tx) -> Response:
                context._tx = tx
                tx.actor = Actor(caller.subject, caller.key_id, caller.user_id)
                if attempted is not None:
                    replay = await idempotency.claim(tx, attempted)
                    if replay is not None:
                        return replay
                response = await _run(handler, request)
                if attempted is not None and 200 <= response.status_code < 300:
                    public = _without(response, secret_members)
                    await idempotency.store(tx, attempted, response, replay_body=public)
                tx.after_commit(lambda: runtime.ring(tx))
                return response

            return await runtime.db.run(caller.tenant, work, kept_plans=True)

        return handle


class Router(APIRouter):
    """A router of transactional routes; the operation id is the handler's name (verb_noun)."""

    def __init__(self, *tags: str, prefix: str = "/v1") -> None:
        super().__init__(
            prefix=prefix,
            tags=list(tags),
            route_class=TransactionalRoute,
            generate_unique_id_function=lambda route: route.name,
        )


def _authorise(runtime: Runtime, request: Request, needed: str) -> Caller:
    header = request.headers.get("authorization", "")
    if not header.startswith("Bearer "):
        raise Problem(
            401, "unauthenticated", "This call needs credentials.", headers={"WWW-Authenticate": "Bearer"}
        )
    caller = runtime.keys.verify(header[7:])
    if needed == INTERNAL:
        if caller.service is None:
            raise Problem(403, "internal_only", "This path is for the house's own services.")
    elif caller.service is not None:
        raise Problem(403, "user_token_needed", "A service's token is good for internal paths only.")
    elif needed:
        caller.require(needed)
    return caller


async def _on_present_clock(runtime: Runtime, caller: Caller) -> Caller:
    """A sandbox tenant's clock may have moved since the token was signed: the service's own copy is the newer one."""
    if caller.tenant.frozen_at is None or caller.service is not None:
        return caller
    return replace(caller, tenant=await runtime.tenant(caller.tenant.id))


def _query_parameters(route: APIRoute) -> dict[str, bool]:
    """The query parameters a route knows, and whether each may be repeated."""
    parameters = get_flat_params(route.dependant)
    return {
        parameter.alias: _is_list(parameter.field_info.annotation)
        for parameter in parameters
        if isinstance(parameter.field_info, QueryParameter)
    }


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return any(_is_list(part) for part in get_args(annotation))
    return (get_origin(annotation) or annotation) in (list, tuple, set, frozenset)


def _refuse_bad_query(request: Request, known: dict[str, bool]) -> None:
    query = request.scope.get("query_string", b"")
    if not query:
        return
    try:
        text = unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        raise invalid("?", "text_invalid", "a query parameter is not UTF-8") from None
    if "\x00" in text:
        raise invalid("?", "text_invalid", "a query parameter holds the NUL character")
    names = [name for name, _ in request.query_params.multi_items()]
    expected = (
        f"expected some of {', '.join(sorted(known))}" if known else "this call takes no query parameters"
    )
    errors = [
        FieldError(f"?{name[:64]}", "parameter_unknown", expected)
        for name in sorted(set(names) - known.keys())
    ]
    # Of two values one would be ignored, and nobody could tell which.
    errors += [
        FieldError(f"?{name}", "parameter_repeated", "expected it once")
        for name, repeatable in known.items()
        if not repeatable and names.count(name) > 1
    ]
    if errors:
        detail = "The request has query parameters that this call does not know, or knows only once."
        raise Problem(422, "invalid", detail, errors=errors[:20])


async def _bounded_body(request: StrictRequest, limit: int = MAX_BODY) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            detail = f"The body may hold {limit} bytes at the most."
            # Hang up, or the rest of it, however long, would be read and thrown away.
            raise Problem(413, "body_too_large", detail, headers={"Connection": "close"}, limit=limit)
        chunks.append(chunk)
    request._body = b"".join(chunks)
    return request._body


def _attempt(request: Request, body: bytes) -> idempotency.Attempt | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    query = request.scope.get("query_string", b"")
    return idempotency.attempt(key, request.method, request.url.path, query, hashlib.sha256(body).digest())


async def _run(handler: Callable[[Request], Coroutine[Any, Any, Response]], request: Request) -> Response:
    try:
        return await handler(request)
    except asyncpg.DataError as error:
        # A cursor is the caller's text cast to a column's type: one of another making is their mistake, not ours.
        if "cursor" in request.query_params:
            detail = "expected the next_cursor of a page of this same list and sort"
            raise invalid("?cursor", "cursor_invalid", detail) from error
        raise


def _without(response: Response, members: list[str]) -> bytes | None:
    if not members:
        return None
    content = strict_json.loads(bytes(response.body))
    return json_bytes({name: value for name, value in content.items() if name not in members})
