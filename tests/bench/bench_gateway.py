"""P6: what the gateway costs. Throughput and median latency through it against the same call made directly.

Three processes: a tiny FastAPI service, the gateway with authentication and rate limits on (keys known, as after
a first request), and the load generator. They are pinned to two cores: the service has one to
itself in both cases, the gateway shares the other with the load generator. So "through" has not one cycle more
than "direct" has, and the ratio says what is lost. Rounds alternate; the medians of their ratios are printed,
and the processor time a request takes in each server, which other load on the machine disturbs least.

    python -m tests.bench.bench_gateway            # all of it, about a minute
    python -m tests.bench.bench_gateway --quick
"""

import argparse
import contextlib
import json
import os
import platform
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

from tests.bench.figures import Figure, Goal, ratio, table
from tests.bench.load import request, run_load

SERVICE_CORE, OTHERS_CORE = 0, 1
RATE_GOAL, P50_GOAL = Goal(least=0.8), Goal(most=1.5)
CONNECTIONS = 32

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


CALLS = {
    "GET": request("GET", "/v1/items/0198c0de", API_KEY),
    "POST": request("POST", "/v1/items", API_KEY, b"{" + b" " * 1000 + b"}", idempotency_key="bench"),
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
    result = run_load(
        server.port, [CALLS[call]], connections=connections, seconds=seconds, again=True,
        prepare=lambda: _pin(OTHERS_CORE),
    )  # fmt: skip
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


def bench(rounds: int, seconds: float) -> list[tuple[str, float, Goal | None, str]]:
    """Rows of (what, ratio, goal, the figures behind it)."""
    rows: list[tuple[str, float, Goal | None, str]] = []
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
            rate = ratio((b["rate"], a["rate"]) for a, b in runs[CONNECTIONS])
            added = ratio((b["p50_ms"] - a["p50_ms"], a["p50_ms"]) for a, b in runs[1])
            rows.append((f"{call} throughput, through / direct", rate, RATE_GOAL, _said(runs[CONNECTIONS])))
            rows.append((f"{call} added p50 / direct p50", added, P50_GOAL, _said(runs[1])))
        speeds = [[_megabytes_per_second(way, 64) for way in both] for _ in range(rounds)]
        upload = ratio((b, a) for a, b in speeds)
        rows.append(("64 MB upload, through / direct", upload, None, ""))
    return rows


def _said(measured: list[list[dict[str, float]]]) -> str:
    """Median latencies, and the processor time of a request in each server."""
    direct, through = (
        {key: median(run[place][key] for run in measured) for key in measured[0][place]} for place in (0, 1)
    )
    return (
        f"p50 {through['p50_ms']:.2f} ms, direct {direct['p50_ms']:.2f} ms;"
        f" gateway {through['gateway_us']:.0f} us, service {through['service_us']:.0f} us"
    )


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
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "fastapi", "httptools", "uvloop"))
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}")
    rows = bench(1 if options.quick else 5, 1.0 if options.quick else 2.0)
    say(table([Figure("P6", *row) for row in rows]))


if __name__ == "__main__":
    main()
