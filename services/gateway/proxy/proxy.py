"""The only public door: finds the owner of a path, checks who asks, and streams request and answer through.

A raw ASGI application: on the hot path it makes no task, no timer and no object that it can do without.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.kit import context
from libs.kit.problems import UNEXPECTED, Problem
from services.gateway.proxy.answers import CLOSE, send_options, send_problem
from services.gateway.proxy.bodies import counted, linger, read_small, send_on, too_large
from services.gateway.proxy.connection import Connection, Header
from services.gateway.proxy.cors import Origins, is_preflight
from services.gateway.proxy.failures import ClientGone, ProxyFailure, UpstreamLost
from services.gateway.proxy.inbound import Inbound, read_request, request_head
from services.gateway.proxy.limits import Decision, Policy, RateLimiter
from services.gateway.proxy.principals import Principal
from services.gateway.proxy.routes import Route, RouteTable
from services.gateway.proxy.upstream import Upstream

log = structlog.get_logger(__name__)

#: Methods that may be sent again when nothing shows that the service saw them (RFC 9110 §9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
OWN = "gateway"

Authenticate = Callable[[Scope], Awaitable[Principal]]
#: Told once per request: the operation (None where there is none), the status sent, seconds taken.
Observe = Callable[[Route | None, int, float], None]


class Proxy:
    """Routes requests to `upstreams` by `routes`; the gateway's own operations go to the application `own`.

    `authenticate` raises Problem 401. Public routes are counted per client address under `public_policy`. `origins` are
    those of the web pages that may call.
    """

    def __init__(
        self,
        *,
        routes: RouteTable,
        upstreams: Mapping[str, Upstream],
        authenticate: Authenticate,
        limiter: RateLimiter,
        public_policy: Policy,
        own: ASGIApp,
        observe: Observe | None = None,
        origins: Origins | None = None,
    ) -> None:
        self._routes = routes
        self._upstreams = upstreams
        self._authenticate = authenticate
        self._limiter = limiter
        self._public_policy = public_policy
        self._own = own
        self._observe = observe
        self._origins = origins or Origins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._own(scope, receive, send)
            return
        started = monotonic()
        route: Route | None = None
        inbound: Inbound | None = None
        principal: Principal | None = None
        extra: list[Header] = []
        try:
            inbound = read_request(scope)
            extra.append((b"x-request-id", inbound.request_id))
            resource = self._routes.find(scope["path"])
            if resource is None:
                raise Problem(404, "not_found", "There is nothing at this path.")
            route = resource.routes.get(scope["method"])
            if route is None:
                if scope["method"] == "OPTIONS":
                    if inbound.origin is not None and is_preflight(inbound.headers):
                        extra += self._origins.preflight(inbound.origin, resource.allow)
                    await send_options(resource.allow, send, extra)
                    self._tell(route, 204, started)
                    return
                detail = "This path does not take this method."
                raise Problem(405, "method_not_allowed", detail, headers={"Allow": resource.allow})
            principal = None if route.public else await self._authenticate(scope)
            decision = self._count(scope, principal)
            extra += decision.headers()
            if not decision.allowed:
                raise _too_many(decision)
            if inbound.content_length is not None and inbound.content_length > route.body_limit:
                raise too_large(route.body_limit)
            if route.service == OWN:
                extra += self._for_page(inbound, principal)
                status = await self._serve_own(scope, receive, send, route, inbound, principal, extra)
                self._tell(route, status, started)
                return
            upstream = self._upstreams[route.service]
            connection = await self._ask(upstream, scope, receive, route, inbound, principal)
        except ClientGone:
            self._tell(route, ClientGone.status, started)
        except (Problem, ProxyFailure) as refusal:
            problem = _problem(refusal, route)
            self._tell(route, problem.status, started)
            extra += self._for_page(inbound, principal)
            await self._refuse(problem, inbound, receive, send, extra)
        except Exception:
            log.exception("proxy_failed", request_id=context.request_id())
            self._tell(route, UNEXPECTED.status, started)
            extra += self._for_page(inbound, principal)
            await self._refuse(UNEXPECTED, inbound, receive, send, extra)
        else:
            extra += self._for_page(inbound, principal)
            await _relay(connection, upstream, scope, receive, send, extra)
            self._tell(route, connection.status, started)

    def _for_page(self, inbound: Inbound | None, principal: Principal | None) -> list[Header]:
        """What lets the web page that calls, if one does, read the answer."""
        if inbound is None or inbound.origin is None:
            return []
        return self._origins.headers(inbound.origin, principal.tenant_id if principal else None)

    def _count(self, scope: Scope, principal: Principal | None) -> Decision:
        if principal is not None:
            return self._limiter.take(principal.subject, principal.policy)
        client = scope.get("client")
        return self._limiter.take(f"address:{client[0] if client else ''}", self._public_policy)

    async def _ask(
        self,
        upstream: Upstream,
        scope: Scope,
        receive: Receive,
        route: Route,
        inbound: Inbound,
        principal: Principal | None,
    ) -> Connection:
        """Send a request on and wait for the head of the answer.

        Raises ProxyFailure; the connection is then released.
        """
        method = _method(scope).encode("ascii")
        internal = principal.authorization if principal else None
        original = inbound.authorization if route.public else None
        request = request_head(scope, method, upstream.request_tail, inbound, internal, original)
        if inbound.has_body and not inbound.unread:
            request += await read_small(receive, upstream.limits.client_stall_s)
        connection = await upstream.acquire()
        try:
            _send(connection, request, receive, route, inbound)
            await connection.head()
        except UpstreamLost:
            upstream.release(connection)
            if inbound.has_body or scope["method"] not in _IDEMPOTENT or not connection.stale:
                raise
        except BaseException:
            upstream.release(connection)
            raise
        else:
            return connection
        # The service had closed this connection while it was idle, and nothing of a body was sent: once more,
        # on a new one.
        connection = await upstream.acquire(fresh=True)
        try:
            _send(connection, request, receive, route, inbound)
            await connection.head()
        except BaseException:
            upstream.release(connection)
            raise
        return connection

    async def _serve_own(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        route: Route,
        inbound: Inbound,
        principal: Principal | None,
        extra: Sequence[Header],
    ) -> int:
        """Serve an operation of the gateway's own application, which sees what any other service would see."""
        passed = {b"host", b"content-length", b"transfer-encoding"}
        if route.public:
            passed.add(b"authorization")
        headers = inbound.headers + [header for header in scope["headers"] if header[0] in passed]
        headers += ((b"x-request-id", inbound.request_id), (b"traceparent", inbound.traceparent))
        if principal is not None:
            headers.append((b"authorization", principal.authorization))
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                kept = [header for header in message.get("headers", ()) if header[0] != b"x-request-id"]
                message = {**message, "headers": [*kept, *extra]}
            await send(message)

        inner = {**scope, "method": _method(scope), "headers": headers}
        try:
            await self._own(inner, counted(receive, route.body_limit), send_named)
        except Exception:
            if not status:
                raise
            log.exception("answer_broken_off", service=OWN)
        return status

    async def _refuse(
        self, problem: Problem, inbound: Inbound | None, receive: Receive, send: Send, extra: list[Header]
    ) -> None:
        if inbound is None:
            extra = [(b"x-request-id", context.request_id().encode("ascii"))]
        await send_problem(problem, inbound, receive, send, extra)

    def _tell(self, route: Route | None, status: int, started: float) -> None:
        if self._observe is not None:
            self._observe(route, status, monotonic() - started)


def _method(scope: Scope) -> str:
    """Services know GET; a HEAD is one whose body is left out on the way back."""
    method: str = scope["method"]
    return "GET" if method == "HEAD" else method


def _send(connection: Connection, request: bytes, receive: Receive, route: Route, inbound: Inbound) -> None:
    connection.begin()
    connection.write(request)
    if inbound.unread:
        pump: Any = send_on(connection, receive, inbound, route.body_limit)
        connection.client_task = asyncio.get_running_loop().create_task(pump)
    else:
        connection.request_sent = True
        connection.receive = receive


async def _relay(
    connection: Connection,
    upstream: Upstream,
    scope: Scope,
    receive: Receive,
    send: Send,
    extra: list[Header],
) -> None:
    """Stream an answer whose head has arrived.

    One that breaks off is left unfinished, so that the client can tell.
    """
    headers = connection.headers + extra
    if not connection.request_sent:
        headers.append(CLOSE)  # an early answer: the rest of the body is nobody's
    try:
        await send({"type": "http.response.start", "status": connection.status, "headers": headers})
        if scope["method"] == "HEAD":
            last = b""
        else:
            while True:
                last = connection.take()
                if connection.complete:
                    break
                if last:
                    await send({"type": "http.response.body", "body": last, "more_body": True})
                else:
                    await connection.step()
    except ProxyFailure as failure:
        if not isinstance(failure, ClientGone):
            log.warning("answer_broken_off", service=upstream.service, code=failure.code)
        return
    finally:
        upstream.release(connection)
    if not connection.request_sent:
        await send({"type": "http.response.body", "body": last, "more_body": True})
        await linger(receive)
        last = b""
    await send({"type": "http.response.body", "body": last, "more_body": False})


def _problem(refusal: Problem | ProxyFailure, route: Route | None) -> Problem:
    if isinstance(refusal, Problem):
        return refusal
    return refusal.problem(route.service if route else OWN)


def _too_many(decision: Decision) -> Problem:
    policy = decision.policy
    detail = f"The limit is {policy.quota} requests in {policy.window_s} seconds."
    return Problem(429, "rate_limited", detail, headers={"Retry-After": str(decision.retry_s)})
