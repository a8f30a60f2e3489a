"""P7: what a screen asks all day, one connection, against FastAPI saying hello."""

from statistics import median

from tests.bench.figures import Figure, Goal, ratio
from tests.bench.harness import Context, spent
from tests.bench.load import request, run_load
from tests.bench.portfolio import the_portfolio

_ROUNDS, _SECONDS = 5, 1.0
_GOALS = {"ledger": Goal(most=3.0), "gateway": Goal(most=4.5)}
_WHERE = {"ledger": "at the ledger's port", "gateway": "through the gateway"}


async def run(context: Context) -> list[Figure]:
    """Median latencies, round by round, of customers in turn."""
    house, portfolio = context.house, await the_portfolio(context)
    hello = [request("GET", "/hello", "")]
    targets = {
        "balance of a customer": [f"/v1/balances?customer_id={one}" for one in portfolio.customer_ids],
        "first 20 items": ["/v1/items?limit=20"],
        "items of a customer": [f"/v1/items?customer_id={one}&limit=20" for one in portfolio.customer_ids],
    }
    figures = []
    for what, paths in targets.items():
        for place, goal in _GOALS.items():
            pairs, seen = [], house.cpu_seconds()
            for turn in range(_ROUNDS + 1):
                token = house.token(portfolio.owner) if place == "ledger" else portfolio.owner.api_key
                requests = [request("GET", path, token) for path in paths]
                bare = run_load(house.port("yardsticks"), hello, seconds=_SECONDS / 2, again=True)
                ours = run_load(house.port(place), requests, seconds=_SECONDS, again=True)
                if turn:  # the first warms up
                    pairs.append((ours["p50_ms"], bare["p50_ms"]))
            where = spent(seen, house.cpu_seconds(), "postgres", "ledger", "gateway")
            said = (
                f"{median(p[0] for p in pairs):.2f} ms, hello {median(p[1] for p in pairs):.2f} ms; {where}"
            )
            figures.append(Figure("P7", f"{what}, p50 {_WHERE[place]}, to hello", ratio(pairs), goal, said))
    return figures
