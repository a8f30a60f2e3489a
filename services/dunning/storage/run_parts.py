"""The parts of a run: customers between two ids, each planned by one worker at a time, where it stopped if it was stopped."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import msgspec

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

LEASE = timedelta(seconds=90)
#: Customers of a part: some seconds of planning, so that workers end at about the same time.
SIZE = 2_500
_DIVIDE = """
    WITH chosen AS (
        SELECT c.id, (row_number() OVER (ORDER BY c.id) - 1) / $4 AS number FROM customers c
         WHERE c.tenant_id = $1 AND ($3::uuid[] IS NULL OR c.id = ANY($3))
           AND ($3::uuid[] IS NOT NULL OR EXISTS (SELECT 1 FROM items i WHERE i.tenant_id = c.tenant_id
                AND i.customer_id = c.id AND i.open_amount > 0))),
    bounds AS (SELECT number, (array_agg(id ORDER BY id DESC))[1] AS last FROM chosen GROUP BY number)
    INSERT INTO dunning_run_parts (tenant_id, run_id, number, after_customer_id, until_customer_id, counts, done)
    SELECT $1, $2, number, lag(last) OVER (ORDER BY number), last, '{}', false FROM bounds
    ON CONFLICT DO NOTHING
"""
#: Materialized: a LIMIT below FOR UPDATE SKIP LOCKED may else be asked again for every row, and claim them all.
_CLAIM = """
    WITH free AS MATERIALIZED (
        SELECT number FROM dunning_run_parts WHERE tenant_id = $1 AND run_id = $2 AND NOT done
           AND (leased_until IS NULL OR leased_until < $4) ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE dunning_run_parts p SET leased_until = $3 FROM free
     WHERE p.tenant_id = $1 AND p.run_id = $2 AND p.number = free.number
 RETURNING p.number, p.after_customer_id, p.until_customer_id
"""


async def divide(tx: Tx, run_id: UUID, only: list[UUID] | None) -> int:
    """Write a run's parts down, once; how many were written."""
    return await tx.execute(_DIVIDE, tx.tenant_id, run_id, only, SIZE)


async def claim(tx: Tx, run_id: UUID) -> Row | None:
    """A part nobody is at, for a while; None when there is none."""
    now = clock.wall()
    return await tx.fetchrow(_CLAIM, tx.tenant_id, run_id, now + LEASE, now)


async def customers(
    tx: Tx, run_id: UUID, number: int, until: UUID, only: list[UUID] | None, limit: int
) -> list[UUID]:
    """The next customers of a part, its row held: whoever lost its lease finds them planned when he comes for them."""
    after = await tx.fetchval(
        "SELECT after_customer_id FROM dunning_run_parts WHERE tenant_id = $1 AND run_id = $2 AND number = $3 FOR UPDATE",
        tx.tenant_id, run_id, number,
    )  # fmt: skip
    rows = await tx.fetch(
        "SELECT c.id FROM customers c WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR c.id > $2) AND c.id <= $3"
        " AND ($4::uuid[] IS NULL OR c.id = ANY($4)) AND ($4::uuid[] IS NOT NULL OR EXISTS (SELECT 1 FROM items i"
        " WHERE i.tenant_id = c.tenant_id AND i.customer_id = c.id AND i.open_amount > 0)) ORDER BY c.id LIMIT $5",
        tx.tenant_id, after, until, only, limit,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def advance(tx: Tx, run_id: UUID, number: int, after: UUID, counts: Counter[str]) -> None:
    """Planned up to a customer: others see it with the actions that were planned, or neither."""
    text = await tx.fetchval(
        "SELECT counts FROM dunning_run_parts WHERE tenant_id = $1 AND run_id = $2 AND number = $3",
        tx.tenant_id, run_id, number,
    )  # fmt: skip
    total: Counter[str] = Counter(msgspec.json.decode(text)) + counts
    await tx.execute(
        "UPDATE dunning_run_parts SET after_customer_id = $4, counts = $5, leased_until = $6"
        " WHERE tenant_id = $1 AND run_id = $2 AND number = $3",
        tx.tenant_id, run_id, number, after, json_bytes(dict(total)).decode(), clock.wall() + LEASE,
    )  # fmt: skip


async def finish(tx: Tx, run_id: UUID, number: int) -> None:
    """A part is planned to its end."""
    await tx.execute(
        "UPDATE dunning_run_parts SET done = true, leased_until = NULL WHERE tenant_id = $1 AND run_id = $2 AND number = $3",
        tx.tenant_id, run_id, number,
    )  # fmt: skip


async def let_go(tx: Tx, run_id: UUID, number: int) -> None:
    """Give a part back before its lease runs out."""
    await tx.execute(
        "UPDATE dunning_run_parts SET leased_until = NULL WHERE tenant_id = $1 AND run_id = $2 AND number = $3 AND NOT done",
        tx.tenant_id, run_id, number,
    )  # fmt: skip


async def unfinished(tx: Tx, run_id: UUID) -> bool:
    """Whether some part is not planned to its end, by whomever."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM dunning_run_parts WHERE tenant_id = $1 AND run_id = $2 AND NOT done)",
        tx.tenant_id, run_id,
    )  # fmt: skip
    return found


async def counts(tx: Tx, run_id: UUID) -> Counter[str]:
    """What a run came to so far, over all its parts."""
    total: Counter[str] = Counter()
    for row in await tx.fetch(
        "SELECT counts FROM dunning_run_parts WHERE tenant_id = $1 AND run_id = $2", tx.tenant_id, run_id
    ):
        total += Counter(msgspec.json.decode(row["counts"]))
    return total
