"""Positions are given after the commit, because commit order is not id order.

Two transactions may take their ids in one order and commit in the other; a reader that trusts ids (or a sequence) skips
the late one for ever. So numbering is its own short transaction, serialised by an advisory lock on the tenant, and it runs
when somebody reads: writers never pay for it. The lock and the UPDATE are two statements: the second must see what
committed while the first was waiting.
"""

from typing import Any
from uuid import UUID, uuid4

import msgspec

from libs.kit.db import Database, Tx
from libs.kit.tenants import Tenant

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))"
_NUMBER = """
    WITH late AS (
        SELECT id, row_number() OVER (ORDER BY id) AS n
          FROM (SELECT id FROM events WHERE tenant_id = $1 AND position IS NULL ORDER BY id LIMIT 10000) unnumbered),
    moved AS (
        INSERT INTO feed_heads (tenant_id, epoch, head)
        SELECT $1, $2, count(*) FROM late HAVING count(*) > 0
        ON CONFLICT (tenant_id) DO UPDATE SET head = feed_heads.head + excluded.head
        RETURNING head)
    UPDATE events SET position = moved.head - (SELECT count(*) FROM late) + late.n
      FROM late, moved
     WHERE events.tenant_id = $1 AND events.id = late.id
"""
_READ = """
    SELECT position, id, type, occurred_at, traceparent, subjects
      FROM events
     WHERE tenant_id = $1 AND position > $2 AND ($3::text[] IS NULL OR type = ANY($3))
     ORDER BY position LIMIT $4
"""
_WAITING = "SELECT DISTINCT tenant_id FROM events WHERE position IS NULL"
_HEADS = "SELECT tenant_id, epoch, head FROM feed_heads ORDER BY tenant_id"


async def number(db: Database, tenant_id: UUID) -> None:
    """Give every committed event of a tenant its position: contiguous, increasing, never taken back."""
    async with db.transaction(Tenant(tenant_id)) as tx:
        await tx.fetchval(_LOCK, str(tenant_id))
        await tx.execute(_NUMBER, tenant_id, uuid4())


async def heads(db: Database) -> list[dict[str, Any]]:
    """Every tenant's head, after numbering what waits."""
    async with db.system() as connection:
        waiting = [row["tenant_id"] for row in await connection.fetch(_WAITING)]
    for tenant_id in waiting:
        await number(db, tenant_id)
    async with db.system() as connection:
        return [dict(row) for row in await connection.fetch(_HEADS)]


async def read(
    db: Database, tenant_id: UUID, after: int, types: list[str] | None, limit: int
) -> dict[str, Any]:
    """A page of a tenant's feed: events after a position, and `next`, where a reader of these types stands afterwards."""
    await number(db, tenant_id)
    async with db.transaction(Tenant(tenant_id), readonly=True, snapshot=True) as tx:
        epoch, head = await head_of(tx)
        oldest = await tx.fetchval("SELECT min(position) FROM events WHERE tenant_id = $1", tenant_id)
        rows = await tx.fetch(_READ, tenant_id, after, types, limit)
    return {
        "epoch": epoch,
        "head": head,
        "oldest": oldest or head + 1,
        "next": rows[-1]["position"] if len(rows) == limit else head,
        "data": [{**dict(row), "subjects": msgspec.Raw(row["subjects"].encode())} for row in rows],
    }


async def head_of(tx: Tx) -> tuple[UUID | None, int]:
    """The epoch and head of the transaction's tenant; (None, 0) for one without events."""
    row = await tx.fetchrow("SELECT epoch, head FROM feed_heads WHERE tenant_id = $1", tx.tenant_id)
    return (row["epoch"], row["head"]) if row else (None, 0)
