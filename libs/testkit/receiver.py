"""A receiver of webhooks on a real socket that answers as a test says."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """Keeps what it gets; `answer` says what to a request: a status, or a status and headers. None hangs up."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], int | tuple[int, dict[str, str]] | None] = lambda _: 200

    async def wait_for(self, count: int, within: float = 10) -> list[Received]:
        """What came, once it is so many. Raises TimeoutError."""
        async with asyncio.timeout(within):
            for _ in range(int(within * 100)):
                if len(self.received) >= count:
                    break
                await asyncio.sleep(0.02)
        return list(self.received)

    def events(self, kind: str) -> list[Any]:
        """The bodies of one event type, in the order they came."""
        return [one.event for one in self.received if one.event["type"] == kind]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head[:-4].split("\r\n")
                pairs = (text.partition(":") for text in lines)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                received = Received(line, headers, body)
                self.received.append(received)
                said = self.answer(received)
                if said is None:
                    return
                status, extra = said if isinstance(said, tuple) else (said, {})
                fields = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
                writer.write(f"HTTP/1.1 {status} -\r\ncontent-length: 2\r\n{fields}\r\nok".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
