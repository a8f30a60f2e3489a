"""P11: a dunning run planned over a million open items, against the bare SQL that finds each customer's oldest late item, its
level and its total, and writes one row a customer; and a quiet day, on which one customer in fifty moves.

The planner decides the same leader, step, netting, cap and contact as a letter needs, writes the action, its event and the intent
to send; the yardstick does none of that. Tryton's figures stand in LIMITS §6.
"""

import asyncio
import time
from datetime import date
from uuid import UUID

import asyncpg

from libs.contracts.ids import new_id
from libs.kit import migrations
from libs.kit.db import Database
from libs.kit.tenants import Tenant
from services.dunning.feed.gateway import start_with_defaults
from services.dunning.storage import planning, run_parts, scenarios
from services.dunning.usecases import runs
from services.dunning.usecases.house import house_of
from services.dunning.usecases.plan import BATCH, plan_customers
from tests.bench.figures import Figure, Goal
from tests.bench.harness import Context

_CUSTOMERS, _ITEMS_EACH = 50_000, 20
_SEED_TENANT = """
    INSERT INTO tenants (tenant_id, name, status, time_zone, currency, sandbox, version)
    VALUES ($1, 'Bench', 'active', 'UTC', 'EUR', false, 1)
"""
_SEED_CUSTOMERS = """
    INSERT INTO customers (tenant_id, id, company_id, business_unit_id, external_id, name, language, contacts, address, archived,
                           look_again_on, version)
    SELECT $1, uuidv7(), uuidv7(), $2, 'C-' || n, 'Customer ' || n, 'en',
           jsonb_build_array(jsonb_build_object('name', 'A', 'email', 'c' || n || '@example.com', 'role', 'accounting')),
           '{"city": "Lyon"}', false, $3, 1 FROM generate_series(1, $4::int) AS n
"""
#: Three in ten customers have something late; everybody has twenty open items.
_SEED_ITEMS = """
    INSERT INTO items (tenant_id, id, customer_id, business_unit_id, kind, number, issue_date, due_date, currency, amount,
                       open_amount, cancelled, version)
    SELECT $1, uuidv7(), c.id, $2, 'invoice', c.external_id || '-' || k, $3::date - 60,
           $3::date + CASE WHEN right(c.external_id, 1) < '3' THEN k - 15 ELSE k + 1 END, 'EUR', 10000 + k, 10000 + k, false, 1
      FROM customers c CROSS JOIN generate_series(1, $4::int) AS k WHERE c.tenant_id = $1
"""
_YARDSTICK = """
    INSERT INTO bench_actions (tenant_id, id, customer_id, leader_item_id, level, item_ids, net, due_on)
    SELECT tenant_id, uuidv7(), customer_id, (array_agg(id ORDER BY due_date, open_amount DESC, number))[1],
           CASE WHEN $2 - min(due_date) >= 30 THEN 3 WHEN $2 - min(due_date) >= 15 THEN 2 ELSE 1 END,
           array_agg(id ORDER BY due_date), sum(open_amount), $2
      FROM items WHERE tenant_id = $1 AND open_amount <> 0 AND due_date < $2
     GROUP BY tenant_id, customer_id HAVING $2 - min(due_date) >= 5
"""


async def run(context: Context) -> list[Figure]:
    """One run over everything, the yardstick beside it, then a quiet day."""
    customers = max(1_000, int(_CUSTOMERS * context.scale))
    return await measure(context.house.database("dunning"), customers)


async def measure(url: str, customers: int) -> list[Figure]:
    """The figures for so many customers, in a database of their own."""
    await asyncio.to_thread(migrations.upgrade, "dunning", url)
    database = Database(url, name="bench", size=4)
    await database.open()
    owner = await asyncpg.connect(url)
    tenant = Tenant(new_id(), "UTC", "EUR")
    day = tenant.today()
    try:
        await _seed(owner, database, tenant, day, customers)
        bare = await _bare(owner, tenant, day)
        started = time.perf_counter()
        planned = await _plan_everything(database, tenant, day)
        ours = time.perf_counter() - started
        quiet = await _quiet_day(owner, database, tenant, day, customers)
    finally:
        await owner.close()
        await database.close()
    items = customers * _ITEMS_EACH
    said = f"{items / ours:,.0f} items/s, {planned:,} actions; bare SQL {items / bare:,.0f} items/s"
    return [
        Figure("P11", f"run planned over {items:,} items to bare plan-and-insert SQL", bare / ours, Goal(least=0.7), said),
        Figure("P11", "a quiet day (2 % of customers move) to the whole run", quiet / ours, Goal(most=0.06), f"{quiet:.2f} s"),
    ]  # fmt: skip


async def _seed(
    owner: asyncpg.Connection, database: Database, tenant: Tenant, day: date, customers: int
) -> None:
    unit = new_id()
    await owner.execute(_SEED_TENANT, tenant.id)
    await owner.execute(_SEED_CUSTOMERS, tenant.id, unit, day, customers)
    await owner.execute(_SEED_ITEMS, tenant.id, unit, day, _ITEMS_EACH)
    async with database.transaction(tenant) as tx:
        await start_with_defaults(tx)
    await owner.execute("ANALYZE customers; ANALYZE items")


async def _bare(owner: asyncpg.Connection, tenant: Tenant, day: date) -> float:
    await owner.execute(
        "CREATE TABLE bench_actions (tenant_id uuid, id uuid, customer_id uuid, leader_item_id uuid, level int, item_ids uuid[],"
        " net bigint, due_on date, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, customer_id, leader_item_id, level))"
    )
    started = time.perf_counter()
    await owner.execute(_YARDSTICK, tenant.id, day)
    return time.perf_counter() - started


async def _plan_everything(database: Database, tenant: Tenant, day: date) -> int:
    """As two workers do it: parts shared out, each planned batch by batch."""
    async with database.transaction(tenant) as tx:
        row = await runs.start(tx, day, "bench", dry_run=False, send_now=False, customer_ids=None)
        await run_parts.divide(tx, row["id"], None)

    async def work() -> int:
        planned = 0
        while True:
            async with database.transaction(tenant) as tx:
                part = await run_parts.claim(tx, row["id"])
            if part is None:
                return planned
            while True:
                async with database.transaction(tenant) as tx:
                    some = await run_parts.customers(
                        tx, row["id"], part["number"], part["until_customer_id"], None, BATCH
                    )
                    if not some:
                        break
                    outcome = await plan_customers(
                        tx, some, await scenarios.in_force(tx), day, await house_of(tx), run_id=row["id"]
                    )
                    await run_parts.advance(tx, row["id"], part["number"], some[-1], outcome.counts)
                    planned += outcome.counts["planned"]
            async with database.transaction(tenant) as tx:
                await run_parts.finish(tx, row["id"], part["number"])

    return sum(await asyncio.gather(work(), work()))


async def _quiet_day(
    owner: asyncpg.Connection, database: Database, tenant: Tenant, day: date, customers: int
) -> float:
    """Only customers that something happened to are looked at, whatever is open."""
    await owner.execute("UPDATE customers SET look_again_on = NULL WHERE tenant_id = $1", tenant.id)
    await owner.execute(
        "UPDATE customers SET look_again_on = $2 WHERE tenant_id = $1 AND right(external_id, 2) IN ('00', '50')",
        tenant.id,
        day,
    )
    started = time.perf_counter()
    after: UUID | None = None
    while True:
        async with database.transaction(tenant) as tx:
            some = await planning.customers_to_look_at(tx, day, after, None, BATCH)
            if not some:
                return time.perf_counter() - started
            await plan_customers(tx, some, await scenarios.in_force(tx), day, await house_of(tx))
            after = some[-1]
