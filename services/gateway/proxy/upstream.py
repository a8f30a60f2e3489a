"""The pool of connections to one service: keep-alive, bounded, first come first served.

Connections are taken last in, first out, so that a quiet gateway keeps few of them warm. All time limits are
kept by one tick every `TICK_S` over the exchanges under way: a timer per request would cost more than parsing
the request does.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

from services.gateway.proxy.connection import Connection
from services.gateway.proxy.failures import ClientStalled, ServiceBusy, ServiceUnavailable, UpstreamTimeout

TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of one pool; all times in seconds.

    `idle_s` must stay below the service's own keep-alive limit (uvicorn: 5 s): a connection that both ends
    consider theirs to close is a request lost. `age_s` lets new replicas behind a balancer get their share.
    """

    connections: int = 100
    connect_s: float = 2.0
    wait_s: float = 1.0
    answer_s: float = 60.0
    client_stall_s: float = 30.0
    idle_s: float = 3.0
    age_s: float = 300.0


class Upstream:
    """One service at one base URL. Belongs to the event loop it is first used on."""

    def __init__(self, service: str, base_url: str, limits: PoolLimits | None = None) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.path not in ("", "/"):
            raise ValueError(f"{service}: expected a base URL such as http://127.0.0.1:8081, without a path")
        self.service = service
        self.limits = limits or PoolLimits()
        self._host = url.hostname
        self._tls = url.scheme == "https"
        self._port = url.port or (443 if self._tls else 80)
        #: What follows the target on every request line: version and host.
        self.request_tail = b" HTTP/1.1\r\nhost: " + url.netloc.rpartition("@")[2].encode("ascii") + b"\r\n"
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._ticker: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def connections(self) -> int:
        """Connections open or being opened."""
        return len(self._open) + self._opening

    @property
    def idle(self) -> int:
        """Connections nobody uses."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""
        return sum(not turn.done() for turn in self._waiting)

    async def acquire(self, *, fresh: bool = False) -> Connection:
        """A connection for one exchange, a new one if `fresh`. Raises ServiceUnavailable or ServiceBusy."""
        if not fresh:
            while self._idle:
                connection = self._idle.pop()
                if not connection.transport.is_closing():
                    return connection
        elif self._idle:
            self._idle.pop(0).transport.close()
        if self.connections < self.limits.connections:
            return await self._connect()
        return await self._wait_turn()

    def release(self, connection: Connection) -> None:
        """Give a connection back. One that cannot carry another exchange is closed."""
        connection.end()
        if self._closed or not connection.reusable or monotonic() - connection.opened_at > self.limits.age_s:
            if not connection.lost:
                connection.transport.abort()
            return
        connection.progress_at = monotonic()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        self._idle.append(connection)

    async def close(self) -> None:
        """Close every connection; exchanges under way fail."""
        self._closed = True
        for connection in list(self._open):
            connection.transport.abort()
        self._idle.clear()
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        await asyncio.sleep(0)

    async def _wait_turn(self) -> Connection:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self.limits.wait_s
        while True:
            turn: asyncio.Future[Connection | None] = loop.create_future()
            self._waiting.append(turn)
            try:
                async with asyncio.timeout_at(give_up):
                    connection = await turn
            except BaseException as error:
                if turn.done() and not turn.cancelled():
                    self._pass_on(turn.result())
                if isinstance(error, TimeoutError):
                    raise ServiceBusy from None
                raise
            if connection is None:
                return await self._connect(reserved=True)
            if not connection.transport.is_closing():
                return connection

    def _pass_on(self, connection: Connection | None) -> None:
        """Give on what was handed to somebody who had already left."""
        if connection is None:
            self._opening -= 1
            self._offer_slot()
        else:
            self.release(connection)

    def _offer_slot(self) -> None:
        """Let whoever waits longest open a connection where one has gone; the place is theirs from now on."""
        while self._waiting and self.connections < self.limits.connections:
            turn = self._waiting.popleft()
            if not turn.done():
                self._opening += 1
                turn.set_result(None)

    async def _connect(self, *, reserved: bool = False) -> Connection:
        loop = asyncio.get_running_loop()
        if not reserved:
            self._opening += 1
        try:
            async with asyncio.timeout(self.limits.connect_s):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._lost), self._host, self._port, ssl=True if self._tls else None
                )
        except (OSError, TimeoutError) as error:
            raise ServiceUnavailable from error
        else:
            if connection.lost:  # accepted and dropped at once, before we came to use it
                raise ServiceUnavailable
            self._open.add(connection)
        finally:
            self._opening -= 1
            self._offer_slot()
        if self._ticker is None:
            self._ticker = loop.call_later(TICK_S, self._tick)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._offer_slot()

    def _tick(self) -> None:
        now = monotonic()
        limits = self.limits
        for connection in list(self._open):
            silent_s = now - connection.progress_at
            if not connection.busy:
                if silent_s > limits.idle_s:
                    connection.transport.close()
                continue
            if connection.waits_for_client:
                if silent_s > limits.client_stall_s:
                    connection.fail(ClientStalled())
            elif silent_s > limits.answer_s:
                connection.fail(UpstreamTimeout())
            if now - connection.begun_at > TICK_S:
                connection.watch_client()
        loop = asyncio.get_running_loop()
        self._ticker = loop.call_later(TICK_S, self._tick) if self._open else None
