"""The load generator, a process of its own: keep-alive connections that ask again as soon as they have their answer.

python -m tests.bench.load --port 8080 --requests FILE --connections 1 --seconds 2
"""

import argparse
import asyncio
import itertools
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import uvloop
from typing_extensions import override

from tests.bench.figures import percentile

_LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)
_PREFIX = struct.Struct("<Q")


def request(method: str, target: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request; a header `idempotency_key` is sent as idempotency-key."""
    head = [f"{method} {target} HTTP/1.1", "host: bench", "accept: application/json", "user-agent: bench"]
    head += [f"authorization: Bearer {token}"] if token else []
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        head.append(f"content-length: {len(body)}")
        if "content_type" not in headers:
            head.append("content-type: application/json")
    return "\r\n".join([*head, "", ""]).encode() + body


class Caller(asyncio.Protocol):
    """One connection. `requests` is shared by all of them; its end is theirs."""

    def __init__(self, requests: Iterator[bytes], until: float, latencies: list[float]) -> None:
        self._requests, self._until, self._latencies = requests, until, latencies
        self._received: list[bytes] = []
        self._missing: int | None = None  # bytes of the answer yet to come; None before its head has come
        self.done = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        sent = next(self._requests, None)
        if sent is None or time.perf_counter() > self._until:
            self._transport.close()
            self.done.set_result(None)
            return
        self._asked = time.perf_counter()
        self._transport.write(sent)

    @override
    def data_received(self, data: bytes) -> None:
        if self._missing is None:
            self._received.append(data)
            head = b"".join(self._received)
            end = head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(head, 0, end + 2)
            if not head.startswith(b"HTTP/1.1 2") or length is None:
                self.done.set_exception(RuntimeError(head[:1000].decode(errors="replace")))
                self._transport.close()
                return
            self._missing = end + 4 + int(length[1]) - len(head)
        else:
            self._missing -= len(data)
        if self._missing > 0:
            return
        self._latencies.append(time.perf_counter() - self._asked)
        self._received, self._missing = [], None
        self._ask()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the server closed the connection"))


async def _load(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    started = time.perf_counter()
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: Caller(requests, started + seconds, latencies), "127.0.0.1", port
        )
        callers.append(caller)
    await asyncio.gather(*(caller.done for caller in callers))
    taken = time.perf_counter() - started
    return {
        "calls": len(latencies),
        "rate": len(latencies) / taken,
        "p50_ms": percentile(latencies, 0.5) * 1000,
        "p99_ms": percentile(latencies, 0.99) * 1000,
    }


def run_load(
    port: int, requests: Iterable[bytes], *, connections: int = 1, seconds: float = 600, again: bool = False,
    prepare: Callable[[], None] | None = None,
) -> dict[str, float]:  # fmt: skip
    """Send requests from another process until `seconds` are over or all are sent, `again`: over and over.

    Gives calls, rate (answers a second), p50_ms and p99_ms. Raises CalledProcessError at the first answer that is not 2xx.
    """
    with tempfile.NamedTemporaryFile() as file:
        for one in requests:
            file.write(_PREFIX.pack(len(one)) + one)
        file.flush()
        command = [sys.executable, "-m", "tests.bench.load", "--port", str(port), "--requests", file.name]
        command += ["--connections", str(connections), "--seconds", str(seconds)]
        command += ["--again"] if again else []
        done = subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=prepare)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _read(content: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(content):
        (length,) = _PREFIX.unpack_from(content, place)
        place += _PREFIX.size
        yield content[place : place + length]
        place += length


def main() -> None:
    """Run the load that is described."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    given = list(_read(options.requests.read_bytes()))
    requests = itertools.cycle(given) if options.again else iter(given)
    measured = uvloop.run(_load(options.port, requests, options.connections, options.seconds))
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()
