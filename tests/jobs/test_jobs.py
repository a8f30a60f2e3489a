"""Work is a row and a job is a nudge: retried with patience, found again when Redis lost it, done once."""

import asyncio
import json
import time
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from libs.kit import context, operations, worker
from libs.kit.openapi import build
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from libs.testkit.clients import ServiceClient, fresh_client
from libs.testkit.contract import Contract
from libs.testkit.toys import TABLES, do_chore, producer, sweep_chores

QUEUE = "encours:queue:ledger"


@pytest.fixture
async def make_client(make_stack):
    clients: list[ServiceClient] = []

    async def make(settings: dict[str, str] | None = None, **changes: Any) -> ServiceClient:
        stack = await make_stack(producer(**changes), tables=TABLES, settings=settings)
        clients.append(await fresh_client(stack, "ledger", Contract(build(stack.apps["ledger"]))))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


async def chores(client: ServiceClient) -> list[tuple[str, int]]:
    rows = await client.stack.sql(
        "ledger", "SELECT state, done FROM chores WHERE tenant_id = $1", client.tenant_id
    )
    return [tuple(row.values()) for row in rows]


async def start(client: ServiceClient) -> dict[str, Any]:
    response = await client.post("/v1/chores")
    assert response.status_code == 202
    operation: dict[str, Any] = response.json()
    assert response.headers["operation-location"] == f"/v1/operations/{operation['id']}"
    return operation


async def test_a_nudge_is_followed(make_client) -> None:
    client = await make_client()
    operation = await start(client)
    assert (operation["status"], operation["progress"]) == ("queued", {"done": 0, "total": 2})
    await client.settle()
    ended = (await client.get(f"/v1/operations/{operation['id']}")).json()
    assert (ended["status"], ended["progress"], ended["result"]) == (
        "succeeded",
        {"done": 2, "total": 2},
        {"chore": "done"},
    )
    assert await chores(client) == [("done", 1)]


async def test_long_polling_answers_when_the_work_ends(make_client) -> None:
    client = await make_client(sweeps=[])
    operation = await start(client)
    began = time.monotonic()
    waiting = asyncio.create_task(client.get(f"/v1/operations/{operation['id']}", params={"wait": 30}))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await client.settle()
    assert (await waiting).json()["status"] == "succeeded"
    assert time.monotonic() - began < 20
    began = time.monotonic()
    still = await start(client)
    assert (await client.get(f"/v1/operations/{still['id']}", params={"wait": 1})).json()[
        "status"
    ] == "queued"
    assert 1 <= time.monotonic() - began < 10


async def test_an_operation_that_failed_shows_its_problem_and_nobody_elses(make_client) -> None:
    client = await make_client()
    operation = await start(client)
    identifier = UUID(operation["id"].partition(".")[2])
    async with client.stack.runtime("ledger").db.transaction(client.caller.tenant) as tx:
        await operations.fail(tx, identifier, Problem(409, "invalid_state", "It was too late."))
    ended = (await client.get(f"/v1/operations/{operation['id']}")).json()
    assert (ended["status"], ended["result"]) == ("failed", None)
    assert ended["error"] == {"status": 409, "code": "invalid_state", "detail": "It was too late."}
    stranger = await fresh_client(client.stack, "ledger", client.contract)
    assert (await stranger.get(f"/v1/operations/{operation['id']}")).status_code == 404
    for other in (f"risk.{identifier}", f"ledger.{UUID(int=1)}"):
        assert (await client.get(f"/v1/operations/{other}")).status_code == 404
    assert (await client.get("/v1/operations/ledger.x")).status_code == 422
    await stranger.aclose()


async def test_a_plain_exception_is_tried_again_later_and_later(make_client) -> None:
    failures = [RuntimeError("once"), Problem(503, "peer_unavailable", "twice"), OSError("thrice")]

    async def fail_thrice(runtime: Runtime, *ids: str) -> None:
        if failures:
            raise failures.pop()
        await do_chore(runtime, *ids)

    client = await make_client(jobs={"do_chore": fail_thrice})
    await start(client)
    runtime = await client.stack.worker_runtime("ledger")
    redis = Redis.from_url(client.stack.redis_url)
    for patience in (2, 4, 8):
        assert await worker.run_due_jobs(runtime) == 1
        assert await chores(client) == [("due", 0)]
        ((job, due),) = await redis.zrange(QUEUE, 0, -1, withscores=True)
        assert patience - 1.5 < due / 1000 - time.time() <= patience
        assert await worker.run_due_jobs(runtime) == 0
        await redis.zadd(QUEUE, {job: time.time() * 1000})
    assert await worker.run_due_jobs(runtime) == 1
    assert await chores(client) == [("done", 1)]
    assert await redis.zcard(QUEUE) == 0
    await redis.aclose()


async def test_a_job_that_always_fails_is_given_up_and_the_work_remains(make_client) -> None:
    attempts = 0

    async def fail(runtime: Runtime, *ids: str) -> None:
        nonlocal attempts
        attempts += 1
        raise RuntimeError("always")

    client = await make_client(jobs={"do_chore": fail})
    await start(client)
    runtime = await client.stack.worker_runtime("ledger")
    redis = Redis.from_url(client.stack.redis_url)
    while await redis.zcard(QUEUE):
        for job in await redis.zrange(QUEUE, 0, -1):
            await redis.zadd(QUEUE, {job: time.time() * 1000 - 1})
        await worker.run_due_jobs(runtime)
    assert attempts == worker.MAX_TRIES
    assert await chores(client) == [("due", 0)]
    # Nothing is kept of it in Redis that would keep the next nudge with its id from being heard.
    await sweep_chores(runtime)
    assert await redis.zcard(QUEUE) == 1
    await redis.aclose()


async def test_a_lost_nudge_is_found_by_the_sweep(make_client) -> None:
    client = await make_client()
    await start(client)
    redis = Redis.from_url(client.stack.redis_url)
    await redis.flushdb()
    await client.settle()
    assert await chores(client) == [("due", 0)]
    await sweep_chores(client.stack.runtime("ledger"))
    await client.settle()
    assert await chores(client) == [("done", 1)]
    await redis.aclose()


async def test_workers_do_all_work_while_redis_forgets(make_client) -> None:
    client = await make_client(settings={"ENCOURS_SWEEP_SECONDS": "0.3"})
    await client.stack.start_workers()
    redis = Redis.from_url(client.stack.redis_url)
    for number in range(20):
        await start(client)
        if number % 3 == 0:
            await redis.flushdb()
    await redis.aclose()
    deadline = time.monotonic() + 30
    while await chores(client) != [("done", 1)] * 20:
        assert time.monotonic() < deadline, await chores(client)
        await asyncio.sleep(0.05)


async def test_nudges_for_one_piece_of_work_are_one_job(make_client) -> None:
    client = await make_client()
    await start(client)
    runtime = client.stack.runtime("ledger")
    for _ in range(5):
        await sweep_chores(runtime)
    redis = Redis.from_url(client.stack.redis_url)
    assert await redis.zcard(QUEUE) == 1
    ((key, job),) = [(key, await redis.get(key)) async for key in redis.scan_iter("arq:job:*")]
    assert key.startswith(b"arq:job:ledger:chore:")
    content = json.loads(job)  # JSON and not pickle: whoever writes to Redis must not run code here
    assert content["f"] == "do_chore"
    await client.settle()
    assert await chores(client) == [("done", 1)]
    # Once done, the same work could be nudged again at once: no result stands in the way.
    assert [key async for key in redis.scan_iter("arq:*")] == []
    await redis.aclose()


async def test_a_request_and_its_job_share_a_request_id_and_a_trace(make_client) -> None:
    seen: list[tuple[str, str]] = []

    async def note(runtime: Runtime, *ids: str) -> None:
        seen.append((context.request_id(), context.trace_id()))
        await do_chore(runtime, *ids)

    client = await make_client(jobs={"do_chore": note})
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"x-request-id": "push-42", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    assert (await client.post("/v1/chores", headers=headers)).status_code == 202
    await client.settle()
    assert seen == [("push-42", trace)]


async def test_a_job_under_way_is_finished_when_the_worker_stops(make_client) -> None:
    began = asyncio.Event()

    async def take_time(runtime: Runtime, *ids: str) -> None:
        began.set()
        await asyncio.sleep(1)
        await do_chore(runtime, *ids)

    client = await make_client(jobs={"do_chore": take_time}, sweeps=[])
    await client.stack.start_workers()
    await start(client)
    await asyncio.wait_for(began.wait(), 10)
    await client.stack.stop_workers()
    assert await chores(client) == [("done", 1)]
