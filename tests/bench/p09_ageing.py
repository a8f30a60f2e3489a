"""P9: the ageing by customer, first page and totals, against the bare aggregate of the same open items."""

import time
from collections.abc import Awaitable
from datetime import timedelta
from statistics import median
from typing import Any

from tests.bench.figures import Figure, Goal, ratio
from tests.bench.harness import Context, spent
from tests.bench.portfolio import the_portfolio

_ROUNDS = 5
_BUCKETS = """
    sum(open_amount) FILTER (WHERE open_amount > 0 AND $2 - due_date <= 0),
    sum(open_amount) FILTER (WHERE open_amount > 0 AND $2 - due_date BETWEEN 1 AND 30),
    sum(open_amount) FILTER (WHERE open_amount > 0 AND $2 - due_date BETWEEN 31 AND 60),
    sum(open_amount) FILTER (WHERE open_amount > 0 AND $2 - due_date BETWEEN 61 AND 90),
    sum(open_amount) FILTER (WHERE open_amount > 0 AND $2 - due_date BETWEEN 91 AND 180),
    sum(open_amount) FILTER (WHERE open_amount > 0 AND $2 - due_date > 180),
    sum(open_amount) FILTER (WHERE open_amount < 0)
"""
#: Sums and numbers of items, as the report shows them, and nothing else: no names, no page, no totals, no policies.
_COUNTS = _BUCKETS.replace("sum(open_amount)", "count(*)")
_TODAY = f"""
    SELECT customer_id, currency, sum(open_amount), count(*), {_BUCKETS}, {_COUNTS}
      FROM items WHERE tenant_id = $1 AND open_amount <> 0 GROUP BY 1, 2
"""
_PAST = f"""
    SELECT i.customer_id, i.currency, sum(s.open_amount), count(*), {_BUCKETS.replace("open_amount", "s.open_amount")},
           {_COUNTS.replace("open_amount", "s.open_amount")}
      FROM (SELECT item_id, sum(amount)::bigint AS open_amount FROM entries
             WHERE tenant_id = $1 AND effective_on <= $2 GROUP BY 1 HAVING sum(amount) <> 0) s
      JOIN items i ON i.tenant_id = $1 AND i.id = s.item_id GROUP BY 1, 2
"""


async def run(context: Context) -> list[Figure]:
    """As of today, and as of ninety days ago; rounds of the aggregate and the request."""
    house, portfolio = context.house, await the_portfolio(context)
    database = await house.connect()
    today = await database.fetchval("SELECT current_date")
    past = today - timedelta(days=90)
    headers = {"authorization": f"Bearer {house.token(portfolio.owner)}"}
    figures = []
    try:
        async with house.client(portfolio.owner) as client:
            client.base_url = house.url("ledger")  # type: ignore[assignment]
            seen = house.cpu_seconds()
            times = []
            for _ in range(_ROUNDS + 1):
                bare = await _seconds(database.fetch(_TODAY, portfolio.owner.id, today))
                bare_past = await _seconds(database.fetch(_PAST, portfolio.owner.id, past))
                ours = await _seconds(client.get("/v1/reports/ageing", headers=headers))
                query = {"as_of": past.isoformat()}
                ours_past = await _seconds(client.get("/v1/reports/ageing", params=query, headers=headers))
                times.append((bare, ours, ours_past, bare_past))
            times = times[1:]
    finally:
        await database.close()
    where = spent(seen, house.cpu_seconds(), "postgres", "ledger")
    bare, ours, ours_past, bare_past = (median(each) * 1000 for each in zip(*times, strict=True))
    what = f"ageing of {portfolio.items:,} items"
    figures += [
        Figure("P9", f"{what}, today, to the bare aggregate of today", ratio((t[1], t[0]) for t in times),
               Goal(most=1.5), f"{ours:.0f} ms, bare {bare:.0f} ms; {where}"),
        Figure("P9", f"{what}, a past day, to the same", ratio((t[2], t[0]) for t in times), Goal(most=3.0),
               f"{ours_past:.0f} ms; summing the journal"),
        Figure("P9", f"{what}, a past day, to its own bare aggregate", ratio((t[2], t[3]) for t in times), None,
               f"bare {bare_past:.0f} ms"),
    ]  # fmt: skip
    return figures


async def _seconds(work: Awaitable[Any]) -> float:
    began = time.perf_counter()
    answer = await work
    taken = time.perf_counter() - began
    if hasattr(answer, "raise_for_status"):
        answer.raise_for_status()
    return taken
