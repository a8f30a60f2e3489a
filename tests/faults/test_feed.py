"""The feed: an effect happens exactly once, whatever crashes, whoever is slow, and whatever Redis forgets."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from libs.contracts.ids import new_id
from libs.kit import clock, context
from libs.kit.db import Tx
from libs.kit.feed.events import INSERT_EVENT, Subject
from libs.kit.openapi import build
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from libs.testkit.clients import ServiceClient, fresh_client
from libs.testkit.contract import Contract
from libs.testkit.toys import TABLES, THING, consumer, insert_things, keep_copies, producer, rename_thing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def make_pair(make_stack):
    """A producer and a consumer of the test's own, and a client of the producer in a fresh tenant."""
    clients: list[ServiceClient] = []

    async def make(settings: dict[str, str] | None = None, **changes: Any) -> ServiceClient:
        stack = await make_stack(producer(), consumer(**changes), tables=TABLES, settings=settings)
        clients.append(await fresh_client(stack, "ledger", Contract(build(stack.apps["ledger"]))))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


async def make_things(client: ServiceClient, *names: str) -> list[UUID]:
    """Things made in one transaction."""
    identifiers = [new_id() for _ in names]
    async with client.stack.runtime("ledger").db.transaction(client.caller.tenant) as tx:
        await insert_things(tx, identifiers, list(names))
    return identifiers


async def rename(client: ServiceClient, identifier: UUID, name: str, version: int) -> None:
    async with client.stack.runtime("ledger").db.transaction(client.caller.tenant) as tx:
        await rename_thing(tx, identifier, name, version)


async def things(client: ServiceClient) -> list[tuple[UUID, str, int]]:
    sql = "SELECT id, name, version FROM things WHERE tenant_id = $1 ORDER BY id"
    return [tuple(row.values()) for row in await client.stack.sql("ledger", sql, client.tenant_id)]


async def copies(client: ServiceClient) -> list[tuple[UUID, str, int]]:
    sql = "SELECT id, name, version FROM copies WHERE tenant_id = $1 ORDER BY id"
    return [tuple(row.values()) for row in await client.stack.sql("risk", sql, client.tenant_id)]


async def applied(client: ServiceClient) -> list[int]:
    sql = "SELECT applied FROM copies WHERE tenant_id = $1 ORDER BY id"
    return [row["applied"] for row in await client.stack.sql("risk", sql, client.tenant_id)]


async def drain(client: ServiceClient) -> bool:
    return await client.stack.runtime("risk").feed.drain("ledger", client.tenant_id)


async def until(condition: Callable[[], Any], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


# -- positions ------------------------------------------------------------------------------------------------------


async def test_no_event_is_skipped_or_numbered_twice_among_slow_writers(make_pair) -> None:
    """Each writer takes its event's id early and commits late, in another order than the ids', while a reader reads on."""
    client = await make_pair(settings={"ENCOURS_DATABASE_POOL": "30"})
    database = client.stack.runtime("ledger").db
    dice = random.Random(7)
    writing = True

    async def write_slowly(pause_before: float, pause_after: float) -> None:
        await asyncio.sleep(pause_before)
        async with database.transaction(client.caller.tenant) as tx:
            identifier = new_id()
            await tx.execute(
                "INSERT INTO things (tenant_id, id, name, version) VALUES ($1, $2, 'slow', 1)",
                tx.tenant_id,
                identifier,
            )
            body = json_bytes([Subject(identifier, 1, {"name": "slow"})]).decode()
            await tx.execute(INSERT_EVENT, tx.tenant_id, new_id(), THING, body, 1, tx.now, clock.wall(), "")
            await asyncio.sleep(pause_after)

    async def read_on() -> None:
        while writing:
            await drain(client)
            await asyncio.sleep(0.005)

    reading = asyncio.create_task(read_on())
    await asyncio.gather(*(write_slowly(dice.random() * 0.8, dice.random() * 0.4) for _ in range(120)))
    writing = False
    await reading
    assert await drain(client)
    assert await copies(client) == await things(client)
    assert await applied(client) == [1] * 120
    rows = await client.stack.sql(
        "ledger", "SELECT position FROM events WHERE tenant_id = $1 ORDER BY position", client.tenant_id
    )
    assert [row["position"] for row in rows] == list(range(1, 121))


async def test_numbering_at_once_from_many_sides_gives_each_position_once(make_pair) -> None:
    client = await make_pair(settings={"ENCOURS_DATABASE_POOL": "30"})
    path = f"/internal/feed?tenant_id={client.tenant_id}&limit=1000"
    for _ in range(5):
        await asyncio.gather(
            *(make_things(client, "thing") for _ in range(10)),
            *(client.stack.call("ledger", "GET", path) for _ in range(10)),
        )
    page = (await client.stack.call("ledger", "GET", path)).json()
    assert [event["position"] for event in page["data"]] == list(range(1, 51))
    assert page["head"] == page["next"] == 50


async def test_what_was_read_is_not_read_again(make_pair) -> None:
    client = await make_pair()
    await make_things(client, "a", "b")
    assert await drain(client)
    await make_things(client, "c")
    assert await drain(client) and await drain(client)
    assert await applied(client) == [1, 1, 1]


async def test_ten_thousand_subjects_are_twenty_events(make_pair) -> None:
    client = await make_pair()
    await make_things(client, *(f"thing {n}" for n in range(10_000)))
    rows = await client.stack.sql(
        "ledger", "SELECT subject_count FROM events WHERE tenant_id = $1 ORDER BY id", client.tenant_id
    )
    assert [row["subject_count"] for row in rows] == [500] * 20
    assert await drain(client)
    assert await copies(client) == await things(client)
    assert await applied(client) == [1] * 10_000


async def test_of_a_subject_that_changed_often_the_last_state_arrives(make_pair) -> None:
    client = await make_pair()
    (identifier,) = await make_things(client, "v1")
    for version in range(2, 6):
        await rename(client, identifier, f"v{version}", version)
    assert await drain(client)
    assert await copies(client) == [(identifier, "v5", 5)]


async def test_tenants_have_feeds_of_their_own(make_pair) -> None:
    client = await make_pair()
    other = await fresh_client(client.stack, "ledger", client.contract)
    await make_things(client, "mine")
    await make_things(other, "theirs", "theirs too")
    assert await drain(client)
    assert (len(await copies(client)), len(await copies(other))) == (1, 0)
    assert await drain(other)
    assert (len(await copies(client)), len(await copies(other))) == (1, 2)
    await other.aclose()


# -- the doorbell and the sweep -------------------------------------------------------------------------------------


async def test_the_bell_brings_an_event_at_once(make_pair) -> None:
    """With a sweep every ten minutes, only the bell can bring it."""
    client = await make_pair(settings={"ENCOURS_SWEEP_SECONDS": "600"})
    await client.stack.start_workers()
    await asyncio.sleep(1)  # the sweep at the start is over
    assert (await client.post("/v1/things", json={"name": "bolt"})).status_code == 201

    async def arrived() -> bool:
        return len(await copies(client)) == 1

    await until(arrived, within=5)


async def test_the_bell_rings_once_until_somebody_comes(make_pair) -> None:
    client = await make_pair()
    for _ in range(5):
        await client.post("/v1/things", json={"name": "bolt"})
    redis = Redis.from_url(client.stack.redis_url)
    assert await redis.zcard("encours:queue:risk") == 1
    await client.settle()
    await client.post("/v1/things", json={"name": "bolt"})
    assert await redis.zcard("encours:queue:risk") == 1
    await redis.aclose()


async def test_the_sweep_finds_what_no_bell_told_of(make_pair) -> None:
    client = await make_pair(settings={"ENCOURS_SWEEP_SECONDS": "0.3"})
    await client.stack.start_workers()
    await asyncio.sleep(1)  # the sweep at the start is over
    await make_things(client, "a")  # no request, no bell

    async def arrived() -> bool:
        return len(await copies(client)) == 1

    await until(arrived)


async def test_nothing_is_lost_or_doubled_while_redis_forgets_everything(make_pair) -> None:
    client = await make_pair(settings={"ENCOURS_SWEEP_SECONDS": "0.3"})
    await client.stack.start_workers()
    redis = Redis.from_url(client.stack.redis_url)

    async def forget() -> None:
        while True:
            await redis.flushdb()
            await asyncio.sleep(0.03)

    forgetting = asyncio.create_task(forget())
    for number in range(40):
        assert (await client.post("/v1/things", json={"name": str(number)})).status_code == 201

    async def arrived() -> bool:
        return await copies(client) == await things(client)

    await until(arrived)
    forgetting.cancel()
    await asyncio.gather(forgetting, return_exceptions=True)
    await redis.aclose()
    assert len(await copies(client)) == 40
    assert await applied(client) == [1] * 40


# -- crashes --------------------------------------------------------------------------------------------------------

_DIE_BEFORE_COMMIT = """
import asyncio, os, signal, sys
from uuid import UUID
from libs.kit.runtime import open_runtime
from libs.kit.settings import load_settings
from libs.testkit import toys

async def apply_and_die(tx, subjects):
    await toys.keep_copies(tx, subjects)
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    service = toys.consumer(consumes={"ledger": {toys.THING: apply_and_die}})
    async with open_runtime(service, load_settings()) as runtime:
        await runtime.feed.drain("ledger", UUID(sys.argv[1]))

asyncio.run(main())
"""


async def test_a_consumer_killed_between_apply_and_commit_has_done_nothing(make_pair) -> None:
    client = await make_pair()
    await make_things(client, "a", "b", "c")
    environment = os.environ | client.stack.environment | {"PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _DIE_BEFORE_COMMIT, str(client.tenant_id), env=environment, cwd=ROOT
    )
    assert await process.wait() == -signal.SIGKILL
    assert await copies(client) == []
    assert await drain(client)
    assert await copies(client) == await things(client)
    assert await applied(client) == [1, 1, 1]


async def test_a_connection_lost_between_apply_and_commit_costs_nothing(make_pair) -> None:
    broken = [True, True]

    async def lose_connection(tx: Tx, subjects: list[Incoming]) -> None:
        await keep_copies(tx, subjects)
        if broken:
            broken.pop()
            await tx.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")

    client = await make_pair(consumes={"ledger": {THING: lose_connection}})
    await make_things(client, "a", "b", "c")

    async def drained() -> bool:
        try:
            return await drain(client)
        except Exception:
            return False

    await until(drained)
    assert not broken
    assert await copies(client) == await things(client)
    assert await applied(client) == [1, 1, 1]


async def test_two_consumers_at_once_apply_once(make_pair) -> None:
    """Two processes of one service, each with its own connections: the cursor's row lock lets one through."""
    client = await make_pair()
    twin = await client.stack.worker_runtime("risk")
    for _ in range(5):
        await make_things(client, *(str(n) for n in range(60)))
        await asyncio.gather(drain(client), twin.feed.drain("ledger", client.tenant_id))
    assert await copies(client) == await things(client)
    assert await applied(client) == [1] * 300


# -- resync ---------------------------------------------------------------------------------------------------------


async def restore_from_backup(client: ServiceClient) -> None:
    """The producer is what it was before its last thing: rows and events are gone, the epoch is another."""
    stack, tenant = client.stack, client.tenant_id
    last = "(SELECT max(id::text)::uuid FROM things WHERE tenant_id = $1)"
    await stack.sql("ledger", f"DELETE FROM things WHERE tenant_id = $1 AND id = {last}", tenant)
    await stack.sql(
        "ledger",
        "DELETE FROM events WHERE tenant_id = $1 AND position = (SELECT max(position) FROM events WHERE tenant_id = $1)",
        tenant,
    )
    await stack.sql(
        "ledger",
        "UPDATE feed_heads SET epoch = gen_random_uuid(), head = head - 1 WHERE tenant_id = $1",
        tenant,
    )


async def test_another_epoch_is_read_anew_from_the_state(make_pair) -> None:
    client = await make_pair()
    for name in "abcd":
        await make_things(client, name)
    assert await drain(client)
    await restore_from_backup(client)
    await make_things(client, "e")
    assert await drain(client)
    assert [name for _, name, _ in await copies(client)] == ["a", "b", "c", "e"]
    await make_things(client, "f")
    assert await drain(client)
    assert await copies(client) == await things(client)


async def test_a_cursor_above_the_head_is_read_anew(make_pair) -> None:
    client = await make_pair()
    await make_things(client, "a")
    assert await drain(client)
    await client.stack.sql(
        "risk", "UPDATE feed_cursors SET position = 99 WHERE tenant_id = $1", client.tenant_id
    )
    await client.stack.sql(
        "risk", "UPDATE copies SET name = 'wrong', version = 99 WHERE tenant_id = $1", client.tenant_id
    )
    assert await drain(client)
    assert await copies(client) == await things(client)


async def test_a_consumer_that_slept_longer_than_events_live_reads_the_state(make_pair) -> None:
    client = await make_pair()
    await make_things(client, "a")
    assert await drain(client)
    await make_things(client, "b")
    await make_things(client, "c")
    await client.stack.call("ledger", "GET", f"/internal/feed?tenant_id={client.tenant_id}")
    await client.stack.sql(
        "ledger", "DELETE FROM events WHERE tenant_id = $1 AND position <= 2", client.tenant_id
    )
    assert await drain(client)
    assert await copies(client) == await things(client)


async def test_a_new_consumer_of_an_old_feed_reads_the_state_first(make_pair) -> None:
    client = await make_pair()
    for name in "abc":
        await make_things(client, name)
    await client.stack.call("ledger", "GET", f"/internal/feed?tenant_id={client.tenant_id}")
    await client.stack.sql(
        "ledger", "DELETE FROM events WHERE tenant_id = $1 AND position <= 2", client.tenant_id
    )
    assert await drain(client)
    assert await copies(client) == await things(client)


async def test_a_resync_that_breaks_off_is_begun_again(make_pair) -> None:
    failures = [RuntimeError("while reading the state")]

    async def fail_once(tx: Tx, subjects: list[Incoming]) -> None:
        await keep_copies(tx, subjects)
        if failures and len(subjects) == 3:  # only the state brings all three at once
            raise failures.pop()

    client = await make_pair(consumes={"ledger": {THING: fail_once}})
    for name in "abc":
        await make_things(client, name)
    await client.stack.call("ledger", "GET", f"/internal/feed?tenant_id={client.tenant_id}")
    await client.stack.sql(
        "ledger", "DELETE FROM events WHERE tenant_id = $1 AND position <= 2", client.tenant_id
    )
    with pytest.raises(RuntimeError, match="while reading"):
        await drain(client)
    assert await copies(client) == []
    assert await drain(client)
    assert await copies(client) == await things(client)


async def test_a_rebuild_forgets_and_reads_everything(make_pair) -> None:
    client = await make_pair()
    await make_things(client, "a", "b")
    assert await drain(client)
    stray = "INSERT INTO copies (tenant_id, id, name, version, applied) VALUES ($1, $2, 'stray', 9, 1)"
    await client.stack.sql("risk", stray, client.tenant_id, uuid4())
    await client.stack.runtime("risk").feed.rebuild("ledger", client.tenant_id)
    assert await copies(client) == await things(client)


# -- subjects that fail ---------------------------------------------------------------------------------------------


async def test_a_poisonous_subject_is_parked_after_five_failures_and_the_rest_goes_on(make_pair) -> None:
    poisonous = True

    async def keep_but_poison(tx: Tx, subjects: list[Incoming]) -> None:
        await keep_copies(tx, subjects)
        if poisonous and any(subject.data["name"] == "poison" for subject in subjects):
            raise ValueError("this one cannot be kept")

    client = await make_pair(consumes={"ledger": {THING: keep_but_poison}})
    await make_things(client, "a")
    (poison, _) = await make_things(client, "poison", "b")
    await make_things(client, "c")

    async def names() -> list[str]:
        return [name for _, name, _ in await copies(client)]

    for _ in range(4):
        assert await drain(client) is False
        assert await names() == ["a"]
    assert await drain(client) is True
    assert await names() == ["a", "b", "c"]
    listed = (
        await client.stack.call("risk", "GET", f"/internal/feed/parked?tenant_id={client.tenant_id}")
    ).json()
    (parked,) = listed["data"]
    assert (parked["subject_id"], parked["event_type"], parked["attempts"]) == (str(poison), THING, 5)
    assert "cannot be kept" in parked["error"]

    body = {"tenant_id": str(client.tenant_id)}
    again = (await client.stack.call("risk", "POST", "/internal/feed/replay", body)).json()
    assert again == {"applied": 0}
    poisonous = False
    again = (await client.stack.call("risk", "POST", "/internal/feed/replay", body)).json()
    assert again == {"applied": 1}
    assert sorted(await copies(client)) == sorted(await things(client))
    again = (await client.stack.call("risk", "POST", "/internal/feed/replay", body)).json()
    assert again == {"applied": 0}


async def test_a_failure_that_passes_is_forgotten(make_pair) -> None:
    failures = 3

    async def fail_thrice(tx: Tx, subjects: list[Incoming]) -> None:
        nonlocal failures
        await keep_copies(tx, subjects)
        if failures:
            failures -= 1
            raise ConnectionError("something it needs is down")

    client = await make_pair(consumes={"ledger": {THING: fail_thrice}})
    await make_things(client, "a")

    async def drained() -> bool:
        return await drain(client)

    await until(drained)
    assert await copies(client) == await things(client)
    assert (
        await client.stack.sql("risk", "SELECT 1 FROM feed_failures WHERE tenant_id = $1", client.tenant_id)
        == []
    )


# -- reading what one just wrote ------------------------------------------------------------------------------------


async def test_a_producer_that_is_down_is_named(make_pair) -> None:
    client = await make_pair()
    await make_things(client, "a")
    await client.stack.stop_service("ledger")
    feed = client.stack.runtime("risk").feed
    with pytest.raises(Exception, match="503 peer_unavailable"):
        await feed.require_fresh("ledger", client.tenant_id)
    await client.stack.start_service("ledger")
    await feed.require_fresh("ledger", client.tenant_id)
    assert len(await copies(client)) == 1


async def test_who_cannot_catch_up_in_time_is_behind(make_pair) -> None:
    async def slow(tx: Tx, subjects: list[Incoming]) -> None:
        await keep_copies(tx, subjects)
        await asyncio.sleep(0.3)

    client = await make_pair(consumes={"ledger": {THING: slow}})
    for _ in range(3):
        await make_things(client, *(str(n) for n in range(40 * 500)))
    with pytest.raises(Exception, match="503 ledger_behind"):
        await client.stack.runtime("risk").feed.require_fresh("ledger", client.tenant_id, within=0.1)


async def test_a_handler_runs_under_the_trace_of_its_cause_and_leaves_the_readers_own_alone(
    make_pair,
) -> None:
    seen: list[str] = []

    async def note(tx: Tx, subjects: list[Incoming]) -> None:
        await keep_copies(tx, subjects)
        seen.append(context.trace_id())

    client = await make_pair(consumes={"ledger": {THING: note}})
    trace = "0af7651916cd43dd8448eb211c80319c"
    await client.post(
        "/v1/things", json={"name": "a"}, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    )
    context.begin("the-readers-own", None)
    own = context.trace_id()
    assert await drain(client)
    assert seen == [trace]
    assert (context.request_id(), context.trace_id()) == ("the-readers-own", own)
