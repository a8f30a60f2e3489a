"""P1: new invoices through the gateway against raw COPY of the same item and journal rows.

COPY goes into tables with the same columns, primary keys and indexes, in transactions of as many rows, over two connections
too: no policies, foreign keys, balances, events or HTTP.
"""

import asyncio
import time
from statistics import median
from typing import Any

import asyncpg

from tests.bench.harness import Context, Goal, Result
from tests.bench.pushing import BATCH, bodies, make_customers, push_all

NAME = "bulk intake of new invoices, two in flight, against COPY"
GOAL = Goal(least=0.35)
_ROUNDS = 3


async def run(context: Context) -> Result:
    """Rounds of both, one after the other; the median of their ratios."""
    client = await context.house.tenant()
    count = context.rows(60_000)
    database = await context.house.connect()
    ratios, rates, copies = [], [], []
    try:
        await make_customers(client)
        await push_all(client, bodies(20_000, start=90_000_000))  # caches, plans, pools
        await database.execute("ANALYZE")  # as autovacuum has done a minute later
        for turn in range(_ROUNDS):
            start = turn * count
            pushed = await push_all(client, bodies(count, start))
            rows = await _rows(database, start, start + count)
            copied = await _copy(context, database, rows)
            rates.append(count / pushed)
            copies.append(count / copied)
            ratios.append(copied / pushed)
        context.found |= {"client": client, "rate": median(rates), "rows": count}
        context.found["tenant"] = await database.fetchval("SELECT tenant_id FROM items LIMIT 1")
    finally:
        await database.close()
    details = f"{median(rates):,.0f} rows/s, COPY {median(copies):,.0f} rows/s, {_ROUNDS} rounds of {count:,}"
    return Result(median(ratios), details)


async def _rows(database: asyncpg.Connection, start: int, end: int) -> tuple[list[Any], list[Any]]:
    keys = f"INV-{start:08d}", f"INV-{end:08d}"
    items = await database.fetch(
        "SELECT * FROM items WHERE external_id >= $1 AND external_id < $2 ORDER BY external_id", *keys
    )
    entries = await database.fetch(
        "SELECT * FROM entries WHERE item_id = ANY($1)", [row["id"] for row in items]
    )
    assert len(items) == len(entries) == end - start
    return items, entries


async def _copy(context: Context, database: asyncpg.Connection, rows: tuple[list[Any], list[Any]]) -> float:
    for table in ("items", "entries"):
        await database.execute(
            f"CREATE TABLE IF NOT EXISTS bench_{table} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)"
        )
    starts = list(range(0, len(rows[0]), BATCH))
    connections = [await context.house.connect() for _ in range(2)]

    async def some(connection: asyncpg.Connection) -> None:
        while starts:
            start = starts.pop()
            async with connection.transaction():
                for table, records in zip(("bench_items", "bench_entries"), rows, strict=True):
                    await connection.copy_records_to_table(table, records=records[start : start + BATCH])

    begun = time.perf_counter()
    await asyncio.gather(*map(some, connections))
    taken = time.perf_counter() - begun
    for connection in connections:
        await connection.close()
    return taken
