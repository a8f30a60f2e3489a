"""An ASGI application behind a real socket, in the test's own event loop: real HTTP, and one process to debug."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override


class HttpServer:
    """A port of 127.0.0.1, held from the beginning; whoever calls before `start` is refused, as by a process that is down."""

    def __init__(self) -> None:
        self._socket = _bound(0)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, app: ASGIApp) -> None:
        """Serve. Raises what the application's start-up raised."""
        failures: list[BaseException] = []

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except BaseException as error:
                if scope["type"] == "lifespan":
                    failures.append(error)
                raise

        config = uvicorn.Config(
            watched, log_config=None, log_level="critical", access_log=False, lifespan="on", ws="none",
            timeout_graceful_shutdown=5,
        )  # fmt: skip
        self._server = _Server(config)
        if self._socket.fileno() == -1:
            self._socket = _bound(self.port)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn sets a flag, no event
            await asyncio.sleep(0.002)
        if not self._server.started:
            self._task = None
            raise failures[0] if failures else RuntimeError("the server did not start")

    async def stop(self) -> None:
        """Stop as SIGTERM would: requests under way are answered first."""
        if self._task is not None and self._server is not None:
            self._server.should_exit = True
            await self._task
            self._task = None

    async def close(self) -> None:
        """Stop and give the port back."""
        await self.stop()
        self._socket.close()


class _Server(uvicorn.Server):
    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to pytest."""
        yield


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock
