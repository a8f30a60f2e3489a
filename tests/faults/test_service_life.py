"""A service while its servers come and go, and when it is told to stop."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.kit.migrations import SchemaIsStale
from libs.kit.openapi import build
from libs.kit.runtime import open_runtime
from libs.stack.ports import free_port
from libs.stack.postgres import Postgres
from libs.stack.valkey import Valkey
from libs.testkit.clients import ServiceClient, fresh_client
from libs.testkit.contract import Contract
from libs.testkit.databases import Databases
from libs.testkit.stack import Stack
from libs.testkit.toys import TABLES, producer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
async def breakable(tmp_path_factory, keys_dir) -> AsyncIterator[tuple[Stack, Postgres, Valkey]]:
    """A toy on servers of its own, which tests may kill."""
    directory = tmp_path_factory.mktemp("breakable")
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    postgres = Postgres(directory / "postgres", free_port(), log=directory / "postgres.log", testing=True)
    valkey = Valkey(directory / "valkey", free_port(), log=directory / "valkey.log")
    postgres.start()
    valkey.start()
    stack = Stack(
        "breakable", [producer()], databases=Databases(postgres.url), redis_url=valkey.url, keys_dir=keys_dir,
        tables=TABLES,
    )  # fmt: skip
    await stack.start()
    yield stack, postgres, valkey
    for server in (postgres, valkey):
        if not server.alive:
            server.start()
    await stack.close()
    valkey.stop(5)
    postgres.stop(5)


@pytest.fixture
async def client(breakable) -> AsyncIterator[ServiceClient]:
    stack, postgres, valkey = breakable
    for server in (postgres, valkey):
        if not server.alive:
            server.start()
    client = await fresh_client(stack, "ledger", Contract(build(stack.apps["ledger"])))
    yield client
    await client.aclose()


async def health(client: ServiceClient) -> tuple[int, int, dict[str, str]]:
    live = await client.get("/health/live")
    ready = await client.get("/health/ready")
    return live.status_code, ready.status_code, ready.json()["checks"]


async def test_all_is_well(client) -> None:
    assert await health(client) == (200, 200, {"database": "ok", "redis": "ok"})


async def test_without_redis_everything_works_and_nobody_waits(client, breakable) -> None:
    _, _, valkey = breakable
    valkey.kill()
    assert await health(client) == (200, 200, {"database": "ok", "redis": "down"})
    began = time.monotonic()
    for _ in range(5):
        assert (await client.post("/v1/things", json={"name": "bolt"})).status_code == 201
    assert (await client.post("/v1/chores")).status_code == 202
    assert time.monotonic() - began < 5
    assert await breakable[0].runtime("ledger").jobs.enqueue("do_chore") is False
    valkey.start()
    deadline = time.monotonic() + 10
    while (await health(client))[2]["redis"] != "ok":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_without_a_database_it_lives_but_is_not_ready_and_says_what_is_down(client, breakable) -> None:
    _, postgres, _ = breakable
    postgres.kill()
    assert await health(client) == (200, 503, {"database": "down", "redis": "ok"})
    for request in (client.get("/v1/things"), client.post("/v1/things", json={"name": "bolt"})):
        response = await request
        assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
        assert response.headers["retry-after"] == "2"
    await asyncio.to_thread(postgres.start)
    deadline = time.monotonic() + 20
    while (await client.post("/v1/things", json={"name": "bolt"})).status_code != 201:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert (await health(client))[1] == 200


async def test_a_transaction_broken_by_a_restart_of_the_database_leaves_nothing(client, breakable) -> None:
    _, postgres, _ = breakable
    waiting = asyncio.create_task(client.post("/v1/things", json={"name": "bolt", "pause": 1}))
    await asyncio.sleep(0.4)
    postgres.kill()
    response = await waiting
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    await asyncio.to_thread(postgres.start)
    deadline = time.monotonic() + 20
    while (await client.get("/v1/things")).status_code != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert (await client.get("/v1/things")).json()["data"] == []


async def test_a_stale_schema_is_not_served(client, breakable) -> None:
    stack, *_ = breakable
    current = (await stack.sql("ledger", "SELECT version_num FROM alembic_version"))[0]["version_num"]
    await stack.sql("ledger", "UPDATE alembic_version SET version_num = '0000'")
    assert await health(client) == (200, 503, {"database": "schema is stale", "redis": "ok"})
    with pytest.raises(SchemaIsStale, match="run `encours migrate`"):
        async with open_runtime(producer(), stack.settings()):
            pass
    await stack.sql("ledger", "UPDATE alembic_version SET version_num = $1", current)
    assert (await health(client))[1] == 200


_SERVE = """
import uvicorn, sys
from libs.kit.app import build_app
from libs.testkit.toys import producer
uvicorn.run(build_app(producer()), port=int(sys.argv[1]), access_log=False, log_level="critical", timeout_graceful_shutdown=25)
"""


async def test_a_process_told_to_stop_answers_what_it_has_begun(client, breakable) -> None:
    stack, *_ = breakable
    port = free_port()
    environment = os.environ | stack.environment | {"PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVE, str(port), env=environment, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    headers = {"authorization": client.headers["authorization"]}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, trust_env=False, verify=False, timeout=30
    ) as caller:
        deadline = time.monotonic() + 60
        while True:
            try:
                if (await caller.get("/health/ready")).status_code == 200:
                    break
            except httpx.TransportError:
                assert time.monotonic() < deadline and process.returncode is None
            await asyncio.sleep(0.1)
        waiting = asyncio.create_task(caller.post("/v1/things", json={"name": "last", "pause": 1.5}))
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as late:
            with pytest.raises(httpx.ConnectError):
                await late.get("/health/live")
        assert (await waiting).status_code == 201
    assert await asyncio.wait_for(process.wait(), 20) in (0, -signal.SIGTERM)
    assert [thing["name"] for thing in (await client.get("/v1/things")).json()["data"]] == ["last"]
