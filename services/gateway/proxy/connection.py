"""One HTTP/1.1 connection to a service: an asyncio protocol over llhttp that carries one exchange at a time.

Nothing here allocates a task or a timer per request. A request is one `write`; the answer wakes one future;
the pool's tick (`upstream.py`) looks at exchanges that take long, for time limits and for clients that have
gone away.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import cast

import httptools
from starlette.types import Receive
from typing_extensions import override

from services.gateway.proxy.failures import ClientGone, ProxyFailure, UpstreamInvalid, UpstreamLost

Header = tuple[bytes, bytes]

#: Answer bytes held for a client that reads slowly, before the service is asked to wait.
HIGH_WATER = 256 * 1024
#: Answers announced as no longer than this are passed on whole: one step instead of two, and a service that
#: dies in the middle of one can still be reported as what it is.
SMALL_ANSWER = 64 * 1024
#: Status line and headers of one answer; a service that sends more is broken.
MAX_HEAD = 64 * 1024

#: Belong to one connection only (RFC 9110 §7.6.1), or are said again by our own server.
_NOT_PASSED_ON = frozenset(
    (
        b"connection",
        b"date",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"server",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-request-id",
    )
)


class Connection(asyncio.Protocol):
    """Reads answers into `status`, `headers` and body pieces; `step()` waits for the next change.

    `on_lost` is called once, when the transport is gone.
    """

    def __init__(self, on_lost: Callable[["Connection"], None]) -> None:
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._write_paused = False
        self.transport: asyncio.Transport
        self.opened_at = self.progress_at = self.begun_at = monotonic()
        self.exchanges = 0
        self.busy = False
        self.lost = False
        self._reset()

    def _reset(self) -> None:
        self._interim = False
        self._framed = False
        self._small = False
        self._head_bytes = 0
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._read_paused = False
        self.status = 0
        self.headers: list[Header] = []
        self.headed = False
        #: Whether the answer may be passed on: its head is here, and all of it if it is small.
        self.ready = False
        self.complete = False
        self.keep_alive = False
        self.tainted = False
        self.failure: ProxyFailure | None = None
        #: Whether the whole request has been written.
        self.request_sent = False
        #: Reads from the client; set once its body is ours, so that its leaving can be noticed.
        self.receive: Receive | None = None
        #: The task that reads from the client while we wait for the service, if there is one.
        self.client_task: asyncio.Task[None] | None = None

    # -- one exchange ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start an exchange."""
        if self.exchanges:
            self._reset()
        self.exchanges += 1
        self.busy = True
        self.begun_at = self.progress_at = monotonic()

    def write(self, *parts: bytes) -> None:
        """Send bytes of the request; with more than the transport wants to hold, `drain()` waits."""
        self.progress_at = monotonic()
        if len(parts) == 1:
            self.transport.write(parts[0])
        else:
            self.transport.writelines(parts)

    async def drain(self) -> None:
        """Wait until the service has taken what was written. Raises the exchange's failure."""
        while self._write_paused and self.failure is None and not self.lost:
            self._drained = self._loop.create_future()
            await self._drained
        if self.failure is not None:
            raise self.failure

    async def head(self) -> None:
        """Wait until the answer is `ready`. Raises the exchange's failure."""
        while not self.ready:
            await self.step()

    async def step(self) -> None:
        """Wait for the next change of the exchange. Raises its failure."""
        if self.failure is None:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self.failure is not None and not self.complete:
            raise self.failure

    def take(self) -> bytes:
        """The body bytes that have arrived since the last call; lets the service send on."""
        pieces = self._pieces
        if not pieces:
            return b""
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._buffered = 0
        if self._read_paused:
            self._read_paused = False
            self.progress_at = monotonic()
            self.transport.resume_reading()
        return body

    def fail(self, failure: ProxyFailure) -> None:
        """End the exchange with a failure and the connection with it.

        The first failure counts; a complete answer stands.
        """
        if self.complete:
            return
        if self.failure is None:
            self.failure = failure
        self.transport.abort()
        self._wake()

    def watch_client(self) -> None:
        """Start listening for the client's leaving: with nobody to answer, the service may stop too."""
        if self.client_task is None and self.receive is not None and self.failure is None:
            self.client_task = self._loop.create_task(self._until_client_leaves(self.receive))

    async def _until_client_leaves(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.fail(ClientGone())

    @property
    def stale(self) -> bool:
        """Whether, as far as can be seen from here, the service never read this request: it left while idle."""
        return self.exchanges > 1 and self._head_bytes == 0

    @property
    def waits_for_client(self) -> bool:
        """Whether the next move is the client's: to send more of its body, or to read what we hold for it."""
        return self._read_paused or not (self.request_sent or self._write_paused or self.headed)

    @property
    def reusable(self) -> bool:
        return (
            self.complete
            and self.keep_alive
            and self.request_sent
            and not self.tainted
            and not self.lost
            and not self.transport.is_closing()
        )

    def end(self) -> None:
        """Forget the exchange; whoever still listens to the client stops."""
        self.busy = False
        self.receive = None
        if self.client_task is not None:
            self.client_task.cancel()
            self.client_task = None
        if self._read_paused:
            self._read_paused = False
            self.transport.resume_reading()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # -- asyncio ---------------------------------------------------------------------------------------------

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class is not registered as one

    @override
    def data_received(self, data: bytes) -> None:
        if not self.busy or self.complete:
            # Bytes nobody asked for: whatever they are, they must not become the next request's answer.
            self.tainted = True
            self.transport.abort()
            return
        if not self.headed:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.tainted = True
            if not self.complete:
                self.fail(UpstreamInvalid())
                return
        if not self.headed and self._head_bytes > MAX_HEAD:
            self.fail(UpstreamInvalid())
            return
        self.progress_at = monotonic()
        if self._buffered > HIGH_WATER and not self._read_paused and not self.complete:
            self._read_paused = True
            self.transport.pause_reading()
        if self.ready:
            waiter = self._waiter
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self.busy and not self.complete and self.failure is None:
            if self.headed and not self._framed and exc is None:
                self.complete = True  # a body without a length ends with its connection
            else:
                self.failure = UpstreamLost()
        self._wake()
        # The parser holds our bound methods: without this the pair waits for the cycle collector.
        self._parser = None  # type: ignore[assignment]
        self._on_lost(self)

    @override
    def pause_writing(self) -> None:
        self._write_paused = True

    @override
    def resume_writing(self) -> None:
        self._write_paused = False
        self.progress_at = monotonic()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # -- llhttp ----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.complete:
            self.tainted = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.headed:
            return  # trailers end here, as RFC 9110 §6.5.1 allows
        name = name.lower()
        if name == b"content-length":
            self._framed = True
            self._small = int(value) <= SMALL_ANSWER
        elif name in _NOT_PASSED_ON:
            if name == b"transfer-encoding":
                self._framed = True
                self.tainted |= value.lower() != b"chunked"
            return
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self.complete:
            return
        if status < 200:
            self._interim = True
            self.headers.clear()
            return
        if self.tainted:
            raise ValueError("a transfer coding we do not speak")
        self.status = status
        self.headed = True
        self.ready = not self._small
        self.keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        if self.complete:
            self.tainted = True
            return
        self._pieces.append(body)
        self._buffered += len(body)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        else:
            self.complete = self.ready = True
