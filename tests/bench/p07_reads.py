"""P7: what a screen asks all day, one connection, against FastAPI saying hello."""

from statistics import median

from tests.bench.figures import Figure, Goal, ratio
from tests.bench.harness import Context, spent
from tests.bench.load import request, run_load
from tests.bench.portfolio import the_portfolio

_ROUNDS, _SECONDS = 4, 0.7
_GOALS = {"ledger": Goal(most=3.0), "gateway": Goal(most=4.5)}
_WHERE = {"ledger": "at the ledger's port", "gateway": "through the gateway"}

#: Whose processor time a call takes, besides what else they do.
_SERVING = {
    "yardsticks": ("yardsticks",),
    "ledger": ("ledger", "postgres"),
    "gateway": ("gateway", "ledger", "postgres"),
}


async def run(context: Context) -> list[Figure]:
    """Median latencies, round by round, of customers in turn."""
    house, portfolio = context.house, await the_portfolio(context)
    hello = [request("GET", "/hello", "")]
    targets = {
        "balance of a customer": [f"/v1/balances?customer_id={one}" for one in portfolio.customer_ids],
        "first 20 items": ["/v1/items?limit=20"],
    }
    figures = []
    for what, paths in targets.items():
        rounds, seen = [], house.cpu_seconds()
        for turn in range(_ROUNDS + 1):
            tokens = {"ledger": house.token(portfolio.owner), "gateway": portfolio.owner.api_key}
            asked = {"yardsticks": hello} | {
                place: [request("GET", path, token) for path in paths] for place, token in tokens.items()
            }
            before = house.cpu_seconds()
            times = {}
            for place, requests in asked.items():
                measured = run_load(house.port(place), requests, seconds=_SECONDS, again=True)
                after = house.cpu_seconds()
                used = sum(after[name] - before[name] for name in _SERVING[place])
                times[place] = (measured["p50_ms"], used / measured["calls"] * 1e6)
                before = after
            if turn:  # the first warms up
                rounds.append(times)
        where = spent(seen, house.cpu_seconds(), "postgres", "ledger", "gateway")
        for place, goal in _GOALS.items():
            p50, hello_p50, cpu, hello_cpu = (
                median(times[name][part] for times in rounds)
                for part in (0, 1)
                for name in (place, "yardsticks")
            )
            said = f"{p50:.2f} ms, hello {hello_p50:.2f} ms; processor {cpu:.0f} us, hello {hello_cpu:.0f} us; {where}"
            slower = ratio((times[place][0], times["yardsticks"][0]) for times in rounds)
            figures.append(Figure("P7", f"{what}, p50 {_WHERE[place]}, to hello", slower, goal, said))
    return figures
