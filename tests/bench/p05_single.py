"""P5: one invoice a request, each under its own Idempotency-Key, against a bare FastAPI route with one INSERT."""

from collections.abc import Iterator
from statistics import median
from uuid import uuid4

import msgspec

from tests.bench.figures import Figure, Goal, ratio
from tests.bench.harness import Context, spent
from tests.bench.load import request, run_load
from tests.bench.pushing import make_customers, row

_CONNECTIONS, _ROUNDS, _SECONDS, _MOST = 8, 3, 1.5, 5_000
_GOAL = Goal(least=0.35)


async def run(context: Context) -> list[Figure]:
    """Rounds of the yardstick, the ledger and the gateway; both sides check the body and sync their commit to disk."""
    house = context.house
    owner = await house.owner()
    async with house.client(owner) as client:
        await make_customers(client)
        page = (await client.get("/v1/customers?limit=200")).raise_for_status().json()["data"]
        customer_ids = [customer["id"] for customer in page]
    bare, direct, through = (
        _requests(path, token, customer_ids)
        for path, token in (
            ("/invoices", ""),
            ("/v1/items", house.token(owner)),
            ("/v1/items", owner.api_key),
        )
    )
    rates: list[tuple[float, float, float]] = []
    seen = house.cpu_seconds()
    for turn in range(_ROUNDS + 1):
        turns = [
            run_load(house.port(place), requests, connections=_CONNECTIONS, seconds=_SECONDS)["rate"]
            for place, requests in (
                ("yardsticks", _some(bare)), ("ledger", _some(direct)), ("gateway", _some(through))
            )
        ]  # fmt: skip
        if turn:  # the first warms up
            rates.append((turns[0], turns[1], turns[2]))
    where = spent(seen, house.cpu_seconds(), "postgres", "ledger")
    said = f"{median(rate[1] for rate in rates):,.0f}/s, bare {median(rate[0] for rate in rates):,.0f}/s; {where}"
    return [
        Figure(
            "P5",
            "one invoice a request, to FastAPI + INSERT",
            ratio((r[1], r[0]) for r in rates),
            _GOAL,
            said,
        ),
        Figure("P5", "the same through the gateway", ratio((r[2], r[0]) for r in rates)),
    ]


def _some(requests: Iterator[bytes]) -> list[bytes]:
    return [next(requests) for _ in range(_MOST)]


def _requests(path: str, token: str, customer_ids: list[str]) -> Iterator[bytes]:
    """New invoices without end, of customers in turn: those of one customer wait for each other's balance."""
    place = 0
    while True:
        place += 1
        told = {name: value for name, value in row(place).items() if name not in ("number", "reference")}
        del told["customer_external_id"]
        told |= {"customer_id": customer_ids[place % len(customer_ids)], "external_id": str(uuid4())}
        yield request("POST", path, token, msgspec.json.encode(told), idempotency_key=told["external_id"])
