"""P6: what the gateway costs. Throughput and median latency through it against the same call made directly.

Three processes: a tiny FastAPI service, the gateway with authentication and rate limits on (keys known, as after
a first request), and this module again as a load generator. They are pinned to two cores: the service has one to
itself in both cases, the gateway shares the other with the load generator. So "through" has not one cycle more
than "direct" has, and the ratio says what is lost. Rounds alternate; the medians of their ratios are printed,
and the processor time a request takes in each server, which other load on the machine disturbs least.

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
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID

from typing_extensions import override

SERVICE_CORE, OTHERS_CORE = 0, 1
RATE_GOAL, P50_GOAL = 0.8, 1.5
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
    from fastapi import FastAPI
    from starlette.requests import Request

    app = FastAPI()

    @app.get("/v1/items/{item_id}")
    async def get_item(item_id: str) -> dict[str, str]:
        return ITEM

    @app.post("/v1/items")
    async def create_item(request: Request) -> dict[str, int]:
        return {"received": len(await request.body())}

    @app.post("/v1/imports")
    async def import_items(request: Request) -> dict[str, int]:
        received = 0
        async for chunk in request.stream():
            received += len(chunk)
        return {"received": received}

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

    routes = (
        Route("ledger", "GET", "/v1/items/{item_id}"),
        Route("ledger", "POST", "/v1/items"),
        Route("ledger", "POST", "/v1/imports", body_limit=1 << 30),
    )
    return Proxy(
        routes=RouteTable(routes),
        upstreams={"ledger": Upstream("ledger", os.environ["BENCH_SERVICE_URL"])},
        authenticate=Principals(resolve).authenticate,
        limiter=RateLimiter(),
        public_policy=policy,
        own=own,
    )


# -- load generator -----------------------------------------------------------------------------------------


class Caller(asyncio.Protocol):
    """One keep-alive connection that asks again as soon as it has its answer."""

    def __init__(self, request: bytes, until: float, latencies: list[float]) -> None:
        self._request, self._until, self._latencies = request, until, latencies
        self._received = b""
        self._expected = 0
        self.done = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    @override
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

    @override
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
        "calls": len(latencies),
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


@dataclass
class Server:
    """A server process and the port it listens on."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Processor seconds used so far, by all its threads; 0 where the system does not say."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _server(factory: str, core: int, environment: dict[str, str] | None = None) -> Iterator[Server]:
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
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _measure(
    server: Server, call: str, connections: int, seconds: float, *watched: Server
) -> dict[str, float]:
    before = [process.cpu_s() for process in watched]
    command = [sys.executable, "-m", "tests.bench.bench_gateway", "--load", str(server.port), "--call", call]
    command += ["--connections", str(connections), "--seconds", str(seconds)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, preexec_fn=lambda: _pin(OTHERS_CORE)
    )
    result: dict[str, float] = json.loads(done.stdout)
    for name, process, cpu_s in zip(("service_us", "gateway_us"), watched, before, strict=False):
        result[name] = (process.cpu_s() - cpu_s) / result["calls"] * 1e6
    return result


def _megabytes_per_second(server: Server, megabytes: int) -> float:
    body = b" " * (megabytes << 20)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    request = Request(f"http://127.0.0.1:{server.port}/v1/imports", body, headers)
    started = time.perf_counter()
    with urlopen(request) as answer:
        assert json.load(answer) == {"received": len(body)}
    return megabytes / (time.perf_counter() - started)


def bench(rounds: int, seconds: float) -> list[tuple[str, float, str, bool]]:
    """Rows of (what, ratio, goal, met); the figures behind them are written as they come."""
    rows = []
    with (
        _server("create_service", SERVICE_CORE) as direct,
        _server(
            "create_gateway", OTHERS_CORE, {"BENCH_SERVICE_URL": f"http://127.0.0.1:{direct.port}"}
        ) as through,
    ):
        both = (direct, through)
        for call in CALLS:
            _measure(through, call, CONNECTIONS, 0.5)
            runs = {
                connections: [
                    [_measure(way, call, connections, seconds, *both) for way in both] for _ in range(rounds)
                ]
                for connections in (CONNECTIONS, 1)
            }
            rate = median(b["rate"] / a["rate"] for a, b in runs[CONNECTIONS])
            added = median((b["p50_ms"] - a["p50_ms"]) / a["p50_ms"] for a, b in runs[1])
            rows.append((f"{call} throughput, through / direct", rate, f">= {RATE_GOAL}", rate >= RATE_GOAL))
            rows.append((f"{call} added p50 / direct p50", added, f"<= {P50_GOAL}", added <= P50_GOAL))
            for connections, measured in runs.items():
                for place, way in enumerate(("direct", "through")):
                    middle = {key: median(run[place][key] for run in measured) for key in measured[0][place]}
                    say(
                        f"  {call:4} {connections:2} connections, {way:7} {middle['rate']:6.0f}/s"
                        f"  p50 {middle['p50_ms']:6.3f} ms  p99 {middle['p99_ms']:6.3f} ms"
                        f"  service {middle['service_us']:4.0f} us  gateway {middle['gateway_us']:4.0f} us"
                    )
        speeds = [[_megabytes_per_second(way, 64) for way in both] for _ in range(rounds)]
        upload = median(b / a for a, b in speeds)
        rows.append(("64 MB upload, through / direct", upload, "none", True))
    return rows


def say(line: str) -> None:
    """Write a line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


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

        measured = uvloop.run(_load(options.load, CALLS[options.call], options.connections, options.seconds))
        say(json.dumps(measured))
        return
    packages = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "fastapi", "httptools", "uvloop"))
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}")
    for what, ratio, goal, met in bench(1 if options.quick else 5, 1.0 if options.quick else 2.0):
        say(f"P6  {what:36} {ratio:5.2f}   goal {goal:7}   {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
