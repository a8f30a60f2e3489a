"""P6: what the gateway costs, see `bench_gateway`, which also runs alone and longer."""

from tests.bench import bench_gateway
from tests.bench.figures import Figure
from tests.bench.harness import Context

_ROUNDS, _SECONDS = 3, 1.0


async def run(context: Context) -> list[Figure]:
    """Its rows, with the processor time that explains them."""
    return [
        Figure("P6", what, ratio, goal, said)
        for what, ratio, goal, said in bench_gateway.bench(_ROUNDS, _SECONDS)
    ]
