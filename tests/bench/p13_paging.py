"""P13: the 10,000th page of a list against its first; and what a reader of all pages sees while others write."""

import asyncio
from collections import Counter
from statistics import median

import httpx

from libs.kit.paging import encode
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.harness import Context
from tests.bench.load import request, run_load
from tests.bench.portfolio import Portfolio, the_portfolio
from tests.bench.pushing import lines, push

_ROUNDS, _SECONDS, _LIMIT, _DEEP = 4, 0.7, 10, 10_000
_CURSOR = """
    SELECT ARRAY[due_date::text, id::text] FROM items WHERE tenant_id = $1 ORDER BY due_date, id OFFSET $2 LIMIT 1
"""


async def run(context: Context) -> list[Figure]:
    """Page 10,000 holds the items from the 100,000th on."""
    house, portfolio = context.house, await the_portfolio(context)
    database = await house.connect()
    skipped = min(_LIMIT * (_DEEP - 1), portfolio.items - _LIMIT)
    cursor = encode(await database.fetchval(_CURSOR, portfolio.owner.id, skipped - 1))
    await database.close()
    pairs = []
    for turn in range(_ROUNDS + 1):
        token = house.token(portfolio.owner)
        first = request("GET", f"/v1/items?limit={_LIMIT}", token)
        deep = request("GET", f"/v1/items?limit={_LIMIT}&cursor={cursor}", token)
        times = [
            run_load(house.port("ledger"), [one], seconds=_SECONDS, again=True)["p50_ms"]
            for one in (first, deep)
        ]
        if turn:  # the first warms up
            pairs.append((times[1], times[0]))
    page = skipped // _LIMIT + 1
    said = f"{median(p[0] for p in pairs):.2f} ms, page 1 {median(p[1] for p in pairs):.2f} ms"
    wrong, added = await _wrong_rows(house.client(portfolio.owner), portfolio)
    return [
        Figure("P13", f"page {page:,} of items to page 1, p50", ratio(pairs), Goal(most=1.2), said),
        Figure("P13", "rows twice or missed while others insert", wrong, Goal(most=0), f"{added} inserted meanwhile", "rows"),
    ]  # fmt: skip


async def _wrong_rows(client: httpx.AsyncClient, portfolio: Portfolio) -> tuple[int, int]:
    """Read every item while new ones are pushed at dates all over the list: rows wrong, and rows added."""
    done = asyncio.Event()
    due = {"customer_external_id": "C-1", "kind": "invoice", "issue_date": "2020-01-01", "currency": "EUR"}
    added = 0

    async def others() -> None:
        nonlocal added
        while not done.is_set():
            rows = [
                {
                    **due,
                    "external_id": f"N-{n}",
                    "amount": "1.00",
                    "due_date": f"20{20 + n % 10}-0{n % 9 + 1}-11",
                }
                for n in range(added, added + 20)
            ]
            made = await push(client, lines(rows))
            assert made["counts"]["created"] == len(rows), made
            added += len(rows)
            await asyncio.sleep(0.02)

    seen: Counter[str] = Counter()
    writing = asyncio.create_task(others())
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get("/v1/items", params={"limit": 200, **cursor})
        found = answer.raise_for_status().json()
        seen.update(item["external_id"] for item in found["data"])
        if found["next_cursor"] is None:
            break
        cursor = {"cursor": found["next_cursor"]}
    done.set()
    await writing
    await client.aclose()
    twice = sum(count - 1 for count in seen.values())
    missed = sum(f"I-{n}" not in seen for n in range(1, portfolio.items + 1))
    return twice + missed, added
