"""P4: how much memory gateway, ledger and worker take for a large import, in MB above idle (the goal is 300)."""

import asyncio
from typing import Any

from tests.bench.harness import Context, Goal, Result
from tests.bench.pushing import ended, lines, make_customers, push, row

NAME = "memory of a large import above idle, in 300 MB"
GOAL = Goal(most=1.0)
_PART = 10_000
_ALLOWED = 300 * 1024**2


async def run(context: Context) -> Result:
    """The highest of all samples while the import is received and applied."""
    house, count = context.house, context.rows(200_000)
    client = await house.tenant()
    await make_customers(client)
    idle, peak, stopped = house.memory(), 0, asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not stopped.is_set():
            peak = max(peak, house.memory())
            await asyncio.sleep(0.25)

    async def body() -> Any:
        for start in range(0, count, _PART):
            yield lines([row(place) for place in range(start, start + _PART)])

    watching = asyncio.create_task(watch())
    made = await ended(client, await push(client, body(), source="bench"))  # type: ignore[arg-type]
    stopped.set()
    await watching
    await client.aclose()
    assert made["counts"]["created"] == count
    above = peak - idle
    details = f"{above / 1024**2:.0f} MB above {idle / 1024**2:.0f} MB idle, {count:,} rows"
    return Result(above / _ALLOWED, details)
