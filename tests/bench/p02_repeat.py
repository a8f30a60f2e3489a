"""P2: the same rows again with one of them changed, against the rate of new ones."""

from tests.bench import p01_intake
from tests.bench.harness import Context, Goal, Result
from tests.bench.pushing import BATCH, bodies, lines, push_all, row

NAME = "the same file with one row changed, against P1's rate"
GOAL = Goal(least=1.0)


async def run(context: Context) -> Result:
    """Twice, another row changed each time; the better one."""
    if "client" not in context.found:
        await p01_intake.run(context)
    count, best = context.found["rows"], 0.0
    for turn in range(2):
        requests = bodies(count)
        requests[0] = lines([row(0, amount=turn + 1), *(row(place) for place in range(1, BATCH))])
        best = max(best, count / await push_all(context.found["client"], requests))
    return Result(best / context.found["rate"], f"{best:,.0f} rows/s")
