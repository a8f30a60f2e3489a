"""P3: a snapshot of many items, 2 % changed and 3 % gone, against P1's rate."""

import time

from tests.bench import p01_intake
from tests.bench.harness import Context, Goal, Result
from tests.bench.pushing import ended, lines, make_customers, push, row

NAME = "snapshot, 2 % changed, 3 % gone, against P1's rate"
GOAL = Goal(least=1.5)


async def run(context: Context) -> Result:
    """In a tenant of its own; the rate is of the second snapshot, from the first byte to its end."""
    if "client" not in context.found:
        await p01_intake.run(context)
    count = context.rows(100_000)
    client = await context.house.tenant()
    await make_customers(client)
    units = (await client.get("/v1/business-units")).raise_for_status().json()
    unit = units["data"][0]["id"]
    scope = {"mode": "snapshot", "business_unit_id": unit}
    first = lines([row(place) for place in range(count)])
    await ended(client, await push(client, first, **scope, taken_at="2026-01-01T00:00:00Z"))
    left = [row(place, amount=777 if place % 50 == 1 else None) for place in range(count) if place % 33]
    body = lines(left)
    begun = time.perf_counter()
    made = await push(client, body, **scope, taken_at="2026-01-02T00:00:00Z")
    made = await ended(client, made)
    taken = time.perf_counter() - begun
    await client.aclose()
    counts = made["counts"]
    details = (
        f"{count / taken:,.0f} items/s of {count:,}: {counts['updated']} changed, {counts['closed']} closed"
    )
    return Result(count / taken / context.found["rate"], details)
