"""The work of a day: caught up in order after an outage, each step once, whoever crashes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from libs.kit import clock, days
from libs.kit.openapi import build
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from libs.testkit.clients import ServiceClient, fresh_client
from libs.testkit.contract import Contract
from libs.testkit.toys import TABLES, producer


class Diary:
    """What was worked through, and what goes wrong where."""

    def __init__(self) -> None:
        self.done: list[tuple[date, str]] = []
        self.fails: set[tuple[date, str]] = set()
        self.pause = 0.0

    def step(self, name: str) -> Any:
        async def work(runtime: Runtime, tenant: Tenant, day: date) -> None:
            await asyncio.sleep(self.pause)
            if (day, name) in self.fails:
                raise RuntimeError(f"{name} of {day} cannot be done")
            self.done.append((day, name))

        return work


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
async def client(make_stack, diary: Diary) -> AsyncIterator[ServiceClient]:
    steps = {"first": diary.step("first"), "second": diary.step("second")}
    stack = await make_stack(producer(day_steps=steps), tables=TABLES)
    client = await fresh_client(
        stack, "ledger", Contract(build(stack.apps["ledger"])), time_zone="Europe/Paris"
    )
    yield client
    await client.aclose()


def today(client: ServiceClient) -> date:
    return clock.local_date(clock.wall(), client.caller.tenant.time_zone)


async def last_worked_through(client: ServiceClient, day: date) -> None:
    """As after an outage: this was the last day that was done."""
    await client.stack.sql(
        "ledger",
        "INSERT INTO day_runs (tenant_id, day, step, state, finished_at)"
        " SELECT $1, $2, step, 'done', now() FROM unnest(ARRAY['first', 'second']) AS step",
        client.tenant_id,
        day,
    )


async def sweep(client: ServiceClient) -> None:
    await days.sweep(client.stack.runtime("ledger"))


async def test_a_new_tenant_begins_with_today(client: ServiceClient, diary: Diary) -> None:
    await sweep(client)
    assert diary.done == [(today(client), "first"), (today(client), "second")]


async def test_an_outage_is_caught_up_in_order_and_once(client: ServiceClient, diary: Diary) -> None:
    await last_worked_through(client, today(client) - timedelta(days=5))
    await sweep(client)
    missed = [today(client) - timedelta(days=n) for n in (4, 3, 2, 1, 0)]
    assert diary.done == [(day, step) for day in missed for step in ("first", "second")]
    await sweep(client)
    assert len(diary.done) == 10


async def test_after_a_long_silence_only_the_last_month_is_caught_up(
    client: ServiceClient, diary: Diary
) -> None:
    await last_worked_through(client, today(client) - timedelta(days=400))
    await sweep(client)
    assert diary.done[0] == (today(client) - timedelta(days=31), "first")
    assert len(diary.done) == 64


async def test_a_step_that_fails_holds_up_what_follows_until_it_is_mended(
    client: ServiceClient, diary: Diary
) -> None:
    await last_worked_through(client, today(client) - timedelta(days=3))
    broken = (today(client) - timedelta(days=1), "first")
    diary.fails.add(broken)
    await sweep(client)
    two_days_ago = today(client) - timedelta(days=2)
    assert diary.done == [(two_days_ago, "first"), (two_days_ago, "second")]
    diary.fails.clear()
    await sweep(client)
    assert diary.done[2:] == [
        broken, (broken[0], "second"), (today(client), "first"), (today(client), "second"),
    ]  # fmt: skip


async def test_one_tenants_trouble_does_not_cost_another_its_day(client: ServiceClient, diary: Diary) -> None:
    other = await fresh_client(client.stack, "ledger", client.contract)
    troubled, spared = sorted((client.tenant_id, other.tenant_id))
    for one in (client, other):
        await last_worked_through(one, today(one) - timedelta(days=1 if one.tenant_id == spared else 2))
    diary.fails.add((today(client) - timedelta(days=1), "first"))
    await sweep(client)
    assert diary.done == [(today(client), "first"), (today(client), "second")]
    assert troubled != spared
    await other.aclose()


async def test_two_workers_at_once_keep_the_order_and_do_nothing_twice(
    client: ServiceClient, diary: Diary
) -> None:
    await last_worked_through(client, today(client) - timedelta(days=3))
    diary.pause = 0.05
    twin = await client.stack.worker_runtime("ledger")
    for _ in range(3):
        await asyncio.gather(sweep(client), days.sweep(twin))
    missed = [today(client) - timedelta(days=n) for n in (2, 1, 0)]
    assert diary.done == [(day, step) for day in missed for step in ("first", "second")]


async def test_a_step_whose_worker_died_is_taken_over_when_its_lease_ends(
    client: ServiceClient, diary: Diary
) -> None:
    claimed = "INSERT INTO day_runs (tenant_id, day, step, state, leased_until) VALUES ($1, $2, 'first', 'running', $3)"
    await client.stack.sql(
        "ledger", claimed, client.tenant_id, today(client), clock.wall() + timedelta(minutes=5)
    )
    await sweep(client)
    assert diary.done == []
    with pytest.raises(Problem, match="503 day_in_progress"):
        await days.work_through(client.stack.runtime("ledger"), client.caller.tenant, today(client))
    await client.stack.sql(
        "ledger",
        "UPDATE day_runs SET leased_until = now() - interval '1 second' WHERE tenant_id = $1",
        client.tenant_id,
    )
    await sweep(client)
    assert diary.done == [(today(client), "first"), (today(client), "second")]


async def test_a_day_begins_when_it_begins_where_the_tenant_is(client: ServiceClient, diary: Diary) -> None:
    far = [
        await fresh_client(client.stack, "ledger", client.contract, time_zone=zone)
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12")  # twenty-six hours apart: never on one date
    ]
    await last_worked_through(client, today(client))
    await sweep(client)
    assert {day for day, _ in diary.done} == {today(one) for one in far}
    assert len({day for day, _ in diary.done}) == 2
    for one in far:
        await one.aclose()


async def test_a_sandbox_tenants_days_pass_only_when_they_are_advanced(
    client: ServiceClient, diary: Diary
) -> None:
    await last_worked_through(client, today(client))
    sandbox = await fresh_client(client.stack, "ledger", client.contract, now="2026-01-30")
    await sweep(client)
    assert diary.done == []
    await sandbox.live_until(date(2026, 2, 1))
    assert diary.done == [
        (date(2026, 1, 31), "first"), (date(2026, 1, 31), "second"),
        (date(2026, 2, 1), "first"), (date(2026, 2, 1), "second"),
    ]  # fmt: skip
    kept = await client.stack.sql(
        "ledger", "SELECT frozen_at FROM tenants WHERE tenant_id = $1", sandbox.tenant_id
    )
    assert kept[0]["frozen_at"].date() == date(2026, 2, 1)
    runtime = client.stack.runtime("ledger")
    await days.set_clock(runtime, sandbox.tenant_id, kept[0]["frozen_at"] - timedelta(days=1))
    assert (await runtime.tenant(sandbox.tenant_id)).today() == date(2026, 2, 1)  # it never goes back
    await sandbox.aclose()
