"""The gateway's door: its own application behind the proxy that everybody comes through."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from libs.kit.app import build_app
from libs.kit.auth import Keys
from libs.kit.metrics import REQUEST_SECONDS, REQUESTS
from libs.kit.openapi import build
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from libs.kit.settings import ServiceName
from services.gateway.api import portal
from services.gateway.identity import Identity
from services.gateway.issuers import Issuers
from services.gateway.operations_owner import OperationsByPrefix
from services.gateway.proxy.cors import Origins
from services.gateway.proxy.limits import Policy, RateLimiter, RedisTally
from services.gateway.proxy.login_failures import LoginFailures
from services.gateway.proxy.principals import Principal, Principals
from services.gateway.proxy.proxy import Proxy
from services.gateway.proxy.routes import Route, RouteTable, routes_of
from services.gateway.proxy.upstream import Upstream
from services.gateway.service import SERVICE
from services.gateway.storage import access

log = structlog.get_logger(__name__)
#: How soon another gateway process knows of a web page that may call.
ORIGINS_LIFE_S = 5.0
_BEHIND: tuple[ServiceName, ...] = ("ledger", "risk", "credit", "dunning", "sandbox")
#: Served by the gateway's own application, never through the proxy: probes, the portal …
_BESIDE = ("/health/", "/docs", "/openapi", "/problems/")
#: … to peers, known by a service's token …
_INTERNAL = "/internal/"
#: … and to whoever reads metrics, known by address.
_METRICS = "/metrics"


class Gateway:
    """The ASGI application that is served."""

    def __init__(self) -> None:
        self._own = build_app(SERVICE, background=self._connected)
        self.state = self._own.state
        portal.install(self._own)
        self._proxy: Proxy | None = None
        self._metrics_networks: list[IPv4Network | IPv6Network] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Own paths directly, everything else through the proxy. What is not for the public is not there for it: 404."""
        if scope["type"] != "http" or self._proxy is None or self._is_beside(scope):
            await self._own(scope, receive, send)
        else:
            await self._proxy(scope, receive, send)

    def _is_beside(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if path.startswith(_INTERNAL):
            return _is_service(scope, self.state.runtime.keys)
        if path == _METRICS:
            return _is_in(scope.get("client"), self._metrics_networks)
        return path.startswith(_BESIDE)

    async def _connected(self, runtime: Runtime) -> AsyncIterator[None]:
        """Build the proxy once there is a database to ask about keys; let go of it in the end."""
        settings = runtime.settings
        policy = Policy("default", settings.rate_limit, 60)
        public_policy = Policy("public", settings.public_rate_limit, 60)
        issuers = Issuers(settings)
        identity = Identity(lambda: runtime, policy, issuers)
        limiter = RateLimiter(_CommonTally(runtime))
        failures = LoginFailures(limiter, Policy("log-in", settings.login_failures, 60))
        principals = Principals(identity.resolve, failures=failures)
        self._own.state.login_failures = failures
        self._metrics_networks = [ip_network(text.strip()) for text in settings.metrics_networks.split(",")]
        upstreams: dict[str, Upstream] = {name: Upstream(name, settings.url_of(name)) for name in _BEHIND}
        self._own.state.identity = identity

        async def authenticate(scope: Scope) -> Principal:
            return identity.operator(scope) or await principals.authenticate(scope)

        origins = Origins()

        async def learn_origins() -> None:
            async with runtime.db.system() as connection:
                origins.learn(await access.listed_origins(connection))

        async def forget() -> None:
            principals.forget()
            await learn_origins()

        self._own.state.forget_principals = forget
        self._proxy = Proxy(
            routes=OperationsByPrefix(route_table(self._own, settings.openapi_dir)),
            upstreams=upstreams,
            authenticate=authenticate,
            limiter=limiter,
            public_policy=public_policy,
            own=self._own,
            observe=_observe,
            origins=origins,
        )
        in_step = asyncio.gather(limiter.keep_in_step(), _every(ORIGINS_LIFE_S, learn_origins))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(issuers.close)
            for upstream in upstreams.values():
                stack.push_async_callback(upstream.close)
            yield
        in_step.cancel()
        with suppress(asyncio.CancelledError):
            await in_step
        self._proxy = None


def _is_service(scope: Scope, keys: Keys) -> bool:
    for name, value in scope["headers"]:
        if name == b"authorization" and value.startswith(b"Bearer "):
            try:
                return keys.verify(value[7:].decode("latin-1")).service is not None
            except Problem:
                return False
    return False


def _is_in(client: Any, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(client[0])
    except (TypeError, ValueError):
        return False
    return any(address.version == network.version and address in network for network in networks)


async def _every(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await action()
        except Exception as error:  # the database may be away for a while
            log.warning("origins_not_read", error=type(error).__name__)
        await asyncio.sleep(seconds)


class _CommonTally:
    """The count in Redis, whenever Redis is there; without it the limiter goes on alone."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def add(self, shares: Mapping[str, int], expire_s: int) -> list[int]:
        """See Tally."""
        return await RedisTally(await self._runtime.jobs.redis()).add(shares, expire_s)


def create_app() -> Gateway:
    """The application, ready to be served."""
    return Gateway()


def route_table(own: FastAPI, openapi_dir: Path) -> RouteTable:
    """Every operation of the house, from the services' committed OpenAPI. A service without a document has no operations.

    Raises RouteConflict for two owners of one path.
    """
    routes: list[Route] = routes_of("gateway", build(own))
    for name in _BEHIND:
        path = openapi_dir / f"{name}.json"
        if not path.exists():
            log.warning("openapi_missing", service=name, path=str(path))
            continue
        document = msgspec.json.decode(path.read_bytes())
        routes += [route for route in routes_of(name, document) if not _shared(route)]
    return RouteTable(routes)


def _shared(route: Route) -> bool:
    """Operations are everywhere at the same path; the id says whose they are (see operations_owner)."""
    return route.template.startswith("/v1/operations/")


def _observe(route: Route | None, status: int, seconds: float) -> None:
    template = route.template if route else "none"
    method = route.method if route else "none"
    REQUESTS.labels("gateway", method, template, str(status)).inc()
    REQUEST_SECONDS.labels("gateway", template).observe(seconds)
