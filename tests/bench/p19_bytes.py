"""P19: what an imported item takes on disk, everything written with it included."""

from tests.bench.figures import Figure
from tests.bench.harness import Context
from tests.bench.pushing import bodies, make_customers, push_all

_SIZES = """
    SELECT c.relname AS name, pg_table_size(c.oid) AS rows, pg_indexes_size(c.oid) AS indexes
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
"""


async def run(context: Context) -> list[Figure]:
    """How much every table grows by an import of new invoices."""
    house, count = context.house, context.rows(40_000)
    database = await house.connect()
    try:
        async with house.client(await house.owner()) as client:
            await make_customers(client)
            before = {row["name"]: row for row in await database.fetch(_SIZES)}
            await push_all(client, bodies(count, start=80_000_000))
        after = await database.fetch(_SIZES)
    finally:
        await database.close()
    grown = {
        f"{row['name']} {part}": (row[part] - before[row["name"]][part]) / count
        for row in after
        for part in ("rows", "indexes")
    }
    parts = [
        f"{name} {size:.0f}" for name, size in sorted(grown.items(), key=lambda one: -one[1]) if size >= 10
    ]
    return [Figure("P19", "on disk an item", sum(grown.values()), None, ", ".join(parts), "bytes")]
