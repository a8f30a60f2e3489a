"""The outermost ASGI layer of a service: request ids, one log line, metrics, and a problem for what nobody expected."""

import time

import asyncpg
import structlog
from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.kit import context, telemetry
from libs.kit.metrics import REQUEST_SECONDS, REQUESTS
from libs.kit.problems import UNEXPECTED, Problem, problem_response

log = structlog.get_logger("request")
_DOWN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
)
_BUSY = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)


class Edge:
    """Wraps a service's application."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = context.begin(_text(headers, b"x-request-id"), _text(headers, b"traceparent"))
        started = time.perf_counter()
        status = 500
        answering = False

        async def send_on(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                answering = True
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            with telemetry.span(f"{scope['method']} {scope['path']}", SpanKind.SERVER):
                await self._app(scope, receive, send_on)
        except Exception as error:
            problem = _problem_of(error)
            status = problem.status
            if problem is UNEXPECTED:
                log.exception("unexpected", error=repr(error))
            else:
                log.warning("refused", error=repr(error))
            if answering:
                raise
            await problem_response(problem)(scope, receive, send_on)
        finally:
            self._account(scope, status, time.perf_counter() - started)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        REQUESTS.labels(self._service, scope["method"], route, str(status)).inc()
        REQUEST_SECONDS.labels(self._service, route).observe(seconds)
        log.debug(
            "answered", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1)
        )


def _problem_of(error: Exception) -> Problem:
    retry = {"Retry-After": "2"}
    if isinstance(error, _BUSY):
        return Problem(503, "busy", "Too many changes to the same objects at once; try again.", headers=retry)
    if isinstance(error, _DOWN):
        return Problem(
            503, "database_unavailable", "The database does not answer.", headers=retry, service="database"
        )
    return UNEXPECTED


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return value.decode("latin-1") if value is not None else None
