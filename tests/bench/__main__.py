"""All benches of this folder, as a table with the machine and the versions.

python -m tests.bench                  # all, some eight minutes
python -m tests.bench p01 p02          # only these
python -m tests.bench --scale 5        # five times the rows: a million items where the benches read
"""

import argparse
import asyncio
import importlib
import pkgutil
import sys
import time
from pathlib import Path

from tests.bench.figures import Figure, Result, machine, table
from tests.bench.harness import Context, open_house


def _names() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return sorted(name for name in found if name[0] == "p" and name[1:3].isdigit())


async def _figures(name: str, context: Context) -> list[Figure]:
    bench = importlib.import_module(f"tests.bench.{name}")
    found: Result | list[Figure] = await bench.run(context)
    if isinstance(found, list):
        return found
    number = f"P{int(name[1:3])}"
    return [Figure(number, bench.NAME, found.ratio, bench.GOAL, found.details)]


async def _run(wanted: list[str], scale: float) -> None:
    names = [name for name in _names() if not wanted or name.split("_")[0] in wanted]
    began = time.perf_counter()
    figures: list[Figure] = []
    async with open_house() as house:
        database = await house.connect()
        head = machine(await database.fetchval("SHOW server_version"))
        await database.close()
        context = Context(house, scale)
        for name in names:
            turn = time.perf_counter()
            figures += await _figures(name, context)
            sys.stderr.write(f"{name}: {time.perf_counter() - turn:.0f} s\n")
    sys.stdout.write(f"{head}\n\n{table(figures)}\n\n{time.perf_counter() - began:.0f} s\n")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bench", nargs="*", help="p01, p02, …: only these")
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    asyncio.run(_run(given.bench, given.scale))


if __name__ == "__main__":
    main()
