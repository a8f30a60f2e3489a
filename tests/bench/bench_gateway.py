"""P6: what the gateway costs. Throughput and median latency through it against the same call made directly.

Three processes: a tiny FastAPI service, the gateway with authentication and rate limits on (keys known, as after a first
request), and this module again as a load generator. On a machine with two cores they are pinned: the service has one core
for itself in both cases, the gateway shares the other with the load generator. So "through" has not one cycle more than
"direct" has, and the ratio says what is lost. Rounds alternate; the medians of their ratios are printed.

    python -m tests.bench.bench_gateway            # all of it, about a minute
    python -m tests.bench.bench_gateway --quick
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from statistics import median
from typing import Any
from uuid import UUID
from urllib.request import Request, urlopen

SERVICE_CORE, OTHERS_CORE = 0, 1
THROUGHPUT_GOAL, ADDED_P50_GOAL = 0.8, 1.5
CONNECTIONS = 32
_LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)

TENANT, KEY_ID = UUID(int=7), UUID(int=8)
API_KEY = f"enc_{TENANT.hex}_{KEY_ID.hex}_{'5' * 64}"
ITEM = {
    "id": "0198c0de-0000-7000-8000-000000000000",
    "number": "F-2024-0001",
    "amount": "1234.56",
    "currency": "EUR",
}


def create_service() -> Any:
    """The service behind: FastAPI as it comes."""
    from fastapi import FastAPI, Request

    app = FastAPI()

    @app.get("/v1/items/{item_id}")
    async def get_item(item_id: str) -> dict[str, str]:
        return ITEM

    @app.post("/v1/items")
    async def create_item(request: Request) -> dict[str, int]:
        return {"received": len(await request.body())}

    return app


def create_gateway() -> Any:
    """The gateway as it stands before its services, with one key in place of the identity tables."""
    from libs.kit.problems import Problem
    from services.gateway.proxy.credentials import ApiKey, Jwt, digest
    from services.gateway.proxy.limits import Policy, RateLimiter
    from services.gateway.proxy.principals import Principal, Principals
    from services.gateway.proxy.proxy import Proxy
    from services.gateway.proxy.routes import Route, RouteTable
    from services.gateway.proxy.upstream import Upstream

    policy = Policy("default", 10**9, 60)
    stored = digest(API_KEY)
    internal_token = b"Bearer " + b"e" * 700  # as long as a signed user token is

    async def resolve(credentials: ApiKey | Jwt) -> Principal:
        if isinstance(credentials, ApiKey) and credentials.matches(stored):
            return Principal(internal_token, credentials.key_id.hex, policy)
        raise Problem(401, "unauthenticated", "Unknown key.")

    async def own(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    templates = ("GET", "/v1/items/{item_id}"), ("POST", "/v1/items")
    return Proxy(
        routes=RouteTable(Route("ledger", method, template) for method, template in templates),
        upstreams={"ledger": Upstream("ledger", os.environ["BENCH_SERVICE_URL"])},
        authenticate=Principals(resolve).authenticate,
        limiter=RateLimiter(),
        public_policy=policy,
        own=own,
    )


# -- load generator ------------------------------------------------------------------------------------------------


class Caller(asyncio.Protocol):
    """One keep-alive connection that asks again as soon as it has its answer."""

    def __init__(self, request: bytes, until: float, latencies: list[float]) -> None:
        self._request, self._until, self._latencies = request, until, latencies
        self._received = b""
        self._expected = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._received, 0, end + 2)
            if not self._received.startswith(b"HTTP/1.1 200") or length is None:
                self.done.set_exception(RuntimeError(self._received[:200].decode()))
                self._transport.close()
                return
            self._expected = end + 4 + int(length[1])
        if len(self._received) < self._expected:
            return
        now = time.perf_counter()
        self._latencies.append(now - self._asked)
        self._received, self._expected = b"", 0
        if now < self._until:
            self._ask()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the server closed the connection"))


async def _load(port: int, request: bytes, connections: int, seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    started = time.perf_counter()
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: Caller(request, started + seconds, latencies), "127.0.0.1", port
        )
        callers.append(caller)
    await asyncio.gather(*(caller.done for caller in callers))
    taken = time.perf_counter() - started
    latencies.sort()
    return {
        "rate": len(latencies) / taken,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
    }


def _request(method: str, target: str, body: bytes) -> bytes:
    head = [f"{method} {target} HTTP/1.1", "host: bench", f"authorization: Bearer {API_KEY}"]
    head += ["accept: application/json", "user-agent: bench"]
    if body:
        head += ["content-type: application/json", f"content-length: {len(body)}", "idempotency-key: bench"]
    return "\r\n".join([*head, "", ""]).encode() + body


CALLS = {
    "GET": _request("GET", "/v1/items/0198c0de", b""),
    "POST": _request("POST", "/v1/items", b"{" + b" " * 1000 + b"}"),
}


# -- the measurement -----------------------------------------------------------------------------------------------


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) >= 2:
        os.sched_setaffinity(0, {core})


@contextlib.contextmanager
def _server(factory: str, core: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", f"tests.bench.bench_gateway:{factory}"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, preexec_fn=lambda: _pin(core)
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _measure(port: int, call: str, connections: int, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.bench_gateway", "--load", str(port), "--call", call]
    command += ["--connections", str(connections), "--seconds", str(seconds)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, preexec_fn=lambda: _pin(OTHERS_CORE)
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _megabytes_per_second(port: int, megabytes: int) -> float:
    body = b" " * (megabytes << 20)
    request = Request(f"http://127.0.0.1:{port}/v1/items", body, {"Authorization": f"Bearer {API_KEY}"})
    started = time.perf_counter()
    with urlopen(request) as answer:
        assert json.load(answer) == {"received": len(body)}
    return megabytes / (time.perf_counter() - started)


def bench(rounds: int, seconds: float) -> list[tuple[str, float, float, bool]]:
    """Rows of (what, ratio, goal, met), printed as they come."""
    rows = []
    with (
        _server("create_service", SERVICE_CORE) as direct,
        _server(
            "create_gateway", OTHERS_CORE, {"BENCH_SERVICE_URL": f"http://127.0.0.1:{direct}"}
        ) as through,
    ):
        for call in CALLS:
            _measure(through, call, CONNECTIONS, 0.5)
            busy = [
                [_measure(port, call, CONNECTIONS, seconds) for port in (direct, through)]
                for _ in range(rounds)
            ]
            alone = [[_measure(port, call, 1, seconds) for port in (direct, through)] for _ in range(rounds)]
            rate = median(b["rate"] / a["rate"] for a, b in busy)
            added = median((b["p50_ms"] - a["p50_ms"]) / a["p50_ms"] for a, b in alone)
            rows.append(
                (f"{call} throughput, through / direct", rate, THROUGHPUT_GOAL, rate >= THROUGHPUT_GOAL)
            )
            rows.append((f"{call} added p50 / direct p50", added, ADDED_P50_GOAL, added <= ADDED_P50_GOAL))
            for name, runs in (("32 connections", busy), ("1 connection", alone)):
                for place, way in enumerate(("direct", "through")):
                    middle = {key: median(run[place][key] for run in runs) for key in runs[0][0]}
                    print(f"  {call:4} {name:14} {way:7} {middle['rate']:7.0f}/s", end="")
                    print(f"  p50 {middle['p50_ms']:.3f} ms  p99 {middle['p99_ms']:.3f} ms")
    return rows


def main() -> None:
    """Run the bench, or the load generator for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--load", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--call", choices=CALLS, default="GET", help=argparse.SUPPRESS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=2.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        import uvloop

        print(
            json.dumps(
                uvloop.run(_load(options.load, CALLS[options.call], options.connections, options.seconds))
            )
        )
        return
    names = ("uvicorn", "fastapi", "httptools", "uvloop")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},", end=" ")
    print(", ".join(f"{name} {version(name)}" for name in names))
    for what, ratio, goal, met in bench(1 if options.quick else 5, 1.0 if options.quick else 2.0):
        print(f"P6  {what:36} {ratio:5.2f}   goal {goal:.2f}   {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
