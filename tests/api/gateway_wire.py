"""The gateway's proxy on a real socket, between a service that does as a test says and a client that speaks bytes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from libs.kit.problems import Problem
from libs.testkit.http_server import HttpServer
from services.gateway.proxy.credentials import Jwt
from services.gateway.proxy.limits import Policy, RateLimiter
from services.gateway.proxy.principals import Principal, Principals
from services.gateway.proxy.proxy import Proxy
from services.gateway.proxy.routes import Route, RouteTable
from services.gateway.proxy.upstream import PoolLimits, Upstream

TENANT = "0" * 31 + "7"
KEY = f"enc_{TENANT}_{'0' * 31}8_{'5' * 64}"
UNKNOWN_KEY = f"enc_{TENANT}_{'0' * 31}8_{'6' * 64}"
INTERNAL = b"Bearer signed-by-the-gateway"
ROUTES = (
    Route("ledger", "GET", "/v1/items/{id}"),
    Route("ledger", "PATCH", "/v1/items/{id}"),
    Route("ledger", "DELETE", "/v1/items/{id}"),
    Route("ledger", "POST", "/v1/items", body_limit=300_000),
    Route("ledger", "POST", "/v1/imports", body_limit=64 << 20),
    Route("ledger", "GET", "/v1/items/{id}/entries"),
    Route("credit", "POST", "/v1/insurer-webhooks/{id}", body_limit=64_000, public=True),
    Route("gateway", "GET", "/v1/me"),
    Route("gateway", "POST", "/v1/files", body_limit=1000),
    Route("gateway", "POST", "/v1/auth/token", public=True),
)


# -- the service behind --------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """One request as the service read it."""

    line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        return [value for known, value in self.headers if known == name]

    def one(self, name: bytes) -> bytes:
        (value,) = self.all(name)
        return value


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Service:
    """A scripted service: `behave` is called once per connection."""

    port: int = 0
    behave: Behaviour | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    open_at_most: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def forget(self) -> None:
        """Be as new."""
        self.behave = answering(self, answer())
        self.asked.clear()
        self.connections = self.open_at_most = 0
        self.closed = asyncio.Event()

    async def read(self, reader: asyncio.StreamReader) -> Asked:
        """Read one whole request, framed as RFC 9112 says."""
        head = await reader.readuntil(b"\r\n\r\n")
        line, *lines = head[:-4].split(b"\r\n")
        headers = [
            (name.lower(), value.strip()) for name, _, value in (item.partition(b":") for item in lines)
        ]
        asked = Asked(line, headers, b"")
        if asked.all(b"transfer-encoding"):
            asked.body = await read_chunked(reader)
        elif asked.all(b"content-length"):
            asked.body = await reader.readexactly(int(asked.one(b"content-length")))
        self.asked.append(asked)
        return asked

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        self.open_at_most = max(self.open_at_most, self.open_now)
        try:
            assert self.behave is not None
            await self.behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed.set()
        finally:
            self.open_now -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def answering(service: Service, *answers: bytes) -> Behaviour:
    """Read request after request and give these answers in turn, the last for ever."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await service.read(reader)
            writer.write(answers[min(len(service.asked), len(answers)) - 1])
            await writer.drain()

    return behave


def answer(body: bytes = b"{}", status: str = "200 OK", headers: Sequence[bytes] = ()) -> bytes:
    """An answer with a content-length."""
    lines = [b"HTTP/1.1 " + status.encode(), b"content-length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


async def read_chunked(reader: asyncio.StreamReader) -> bytes:
    """A chunked body, trailers dropped."""
    pieces = []
    while size := int((await reader.readuntil(b"\n")).strip(), 16):
        pieces.append(await reader.readexactly(size))
        assert await reader.readexactly(2) == b"\r\n"
    while (await reader.readuntil(b"\n")).strip():
        pass
    return b"".join(pieces)


async def eventually(holds: Callable[[], object]) -> None:
    """Wait until something holds, five seconds at the most."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


# -- the client ----------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """One answer as the client read it; `body` is what came, `whole` whether the framing was kept."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self, *, head: bool = False) -> Answer:
        """The next final answer; one that breaks off comes with `whole` False."""
        async with asyncio.timeout(20):
            status, headers = await self._head()
            while status == 100:
                status, headers = await self._head()
            try:
                if head or status in (204, 304):
                    body = b""
                elif headers.get("transfer-encoding") == "chunked":
                    body = await read_chunked(self.reader)
                else:
                    body = await self.reader.readexactly(int(headers["content-length"]))
            except (asyncio.IncompleteReadError, ValueError) as error:
                return Answer(status, headers, getattr(error, "partial", b""), whole=False)
            return Answer(status, headers, body)

    async def _head(self) -> tuple[int, dict[str, str]]:
        line, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        fields = (item.partition(": ") for item in lines)
        headers: dict[str, str] = {}
        for name, _, value in fields:
            assert name not in headers, f"{name} came twice"
            headers[name] = value
        return int(line.split(" ")[1]), headers

    async def closed(self) -> bool:
        """Whether the gateway ends the connection without a word."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True

    async def leave(self) -> None:
        """Go away at once."""
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def request(method: str, target: str, *headers: str, body: bytes = b"", key: str | None = KEY) -> bytes:
    """A request's bytes; a body gets its content-length."""
    lines = [f"{method} {target} HTTP/1.1", "Host: encours.example", *headers]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


# -- the gateway ---------------------------------------------------------------------------------------------------


@dataclass
class Gateway:
    """A running proxy with its ledger; credit, the other service, is down until a test replaces it."""

    port: int
    ledger: Service
    upstream: Upstream
    limiter: RateLimiter
    own_asked: list[dict[str, Any]]
    told: list[tuple[str | None, int]]
    upstreams: dict[str, Upstream]

    async def forget(self) -> None:
        """Be as new: no connections, nothing asked, the ledger answering `{}`."""
        await self.upstream.close()
        await eventually(lambda: not self.ledger.open_now)
        self.upstream = Upstream("ledger", f"http://127.0.0.1:{self.ledger.port}", self.upstream.limits)
        self.upstreams["ledger"] = self.upstream
        self.ledger.forget()
        self.own_asked.clear()
        self.told.clear()

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield client
        finally:
            await client.leave()

    async def ask(self, raw: bytes, *, head: bool = False) -> Answer:
        """One request on a connection of its own."""
        async with self.client() as client:
            await client.send(raw)
            return await client.answer(head=head)


@contextlib.asynccontextmanager
async def running_gateway(policy: Policy | None = None, **limits: Any) -> AsyncIterator[Gateway]:
    """Start a scripted ledger and the gateway before it."""
    policy = policy or Policy("default", 100_000, 60)
    ledger = Service()
    server = await asyncio.start_server(ledger.serve, "127.0.0.1", 0)
    ledger.port = server.sockets[0].getsockname()[1]
    ledger.forget()
    own_asked: list[dict[str, Any]] = []
    told: list[tuple[str | None, int]] = []

    async def resolve(credentials: Any) -> Principal:
        if isinstance(credentials, Jwt) or credentials.text != KEY:
            raise Problem(
                401, "unauthenticated", "This key is not known.", headers={"WWW-Authenticate": "Bearer"}
            )
        return Principal(INTERNAL, credentials.key_id.hex, policy)

    async def own(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        own_asked.append(scope)
        try:
            while (await receive()).get("more_body"):
                pass
            status, body = 200, b'{"own":true}'
        except Problem as problem:  # the kit's application does this
            status, body = problem.status, b"{}"
        headers = [(b"content-length", b"%d" % len(body)), (b"x-request-id", b"a second one")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    upstream = Upstream("ledger", f"http://127.0.0.1:{ledger.port}", PoolLimits(**limits))
    limiter = RateLimiter()
    down = Upstream("credit", "http://127.0.0.1:9", PoolLimits(**limits))
    upstreams = {"ledger": upstream, "credit": down}
    proxy = Proxy(
        routes=RouteTable(ROUTES),
        upstreams=upstreams,
        authenticate=Principals(resolve).authenticate,
        limiter=limiter,
        public_policy=policy,
        own=own,
        observe=lambda route, status, seconds: told.append((route.template if route else None, status)),
    )
    front = HttpServer()
    await front.start(proxy)
    gateway = Gateway(front.port, ledger, upstream, limiter, own_asked, told, upstreams)
    try:
        yield gateway
    finally:
        await asyncio.gather(*(upstream.close() for upstream in gateway.upstreams.values()))
        server.close()
        await front.close()
        await server.wait_closed()
