"""The public stream: positions without a gap, given under the tenant's head row, in the order of their telling."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.gateway.domain.public_event import event_id, public_state

COLUMNS = "position, id, type, subject_type, subject_id, subject_version, occurred_at, data"
_FIRST = "INSERT INTO public_heads (tenant_id, head) VALUES ($1, 0) ON CONFLICT DO NOTHING"
_LOCK = "SELECT head FROM public_heads WHERE tenant_id = $1 FOR UPDATE"
# One who waited for the lock must see what the other wrote: the lock is a statement of its own.
_APPEND = """
    WITH fresh AS (
        SELECT g.*, row_number() OVER (ORDER BY g.n) AS step
          FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::timestamptz[], $7::text[])
               WITH ORDINALITY AS g(id, subject_id, subject_version, occurred_at, data, n)
         WHERE NOT EXISTS (SELECT 1 FROM public_events p WHERE p.tenant_id = $1 AND p.id = g.id)),
    moved AS (
        UPDATE public_heads SET head = head + (SELECT count(*) FROM fresh) WHERE tenant_id = $1 RETURNING head)
    INSERT INTO public_events (tenant_id, position, id, type, subject_type, subject_id, subject_version, occurred_at,
                               recorded_at, data)
    SELECT $1, moved.head - (SELECT count(*) FROM fresh) + fresh.step, fresh.id, $2, split_part($2, '.', 1),
           fresh.subject_id, fresh.subject_version, fresh.occurred_at, $8, fresh.data::json
      FROM fresh, moved
"""
_READ = f"""
    SELECT {COLUMNS} FROM public_events
     WHERE tenant_id = $1 AND position > $2 AND type = ANY($3) ORDER BY position LIMIT $4
"""


async def append(tx: Tx, event_type: str, subjects: Sequence[Incoming]) -> int:
    """Add facts to the stream; one that stands there already is left out. The position after which they stand: until the
    transaction ends nobody else adds any."""
    told = {event_id(tx.tenant_id, event_type, one.id, one.version): one for one in subjects}
    await tx.execute(_FIRST, tx.tenant_id)
    before: int = await tx.fetchval(_LOCK, tx.tenant_id)
    await tx.execute(
        _APPEND,
        tx.tenant_id,
        event_type,
        list(told),
        [one.id for one in told.values()],
        [one.version for one in told.values()],
        [datetime.fromisoformat(one.occurred_at) for one in told.values()],
        [json_bytes(public_state(one.data)).decode() for one in told.values()],
        clock.wall(),
    )
    return before


async def head(tx: Tx) -> int:
    """The position of the newest event; 0 before the first."""
    return await tx.fetchval("SELECT head FROM public_heads WHERE tenant_id = $1", tx.tenant_id) or 0


async def oldest(tx: Tx) -> int | None:
    """The position of the oldest event that is still kept."""
    position: int | None = await tx.fetchval(
        "SELECT min(position) FROM public_events WHERE tenant_id = $1", tx.tenant_id
    )
    return position


async def read(tx: Tx, after: int, types: Sequence[str], limit: int) -> list[Row]:
    """Events of these types after a position, in order."""
    return await tx.fetch(_READ, tx.tenant_id, after, list(types), limit)


async def forget(tx: Tx, before: datetime) -> None:
    """Delete events recorded before an instant of the wall clock."""
    await tx.execute(
        "DELETE FROM public_events WHERE tenant_id = $1 AND recorded_at < $2", tx.tenant_id, before
    )


def as_told(row: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """An event as the world sees it, in the stream and in a webhook's body; `data` is its state, decoded or raw."""
    subject_id: UUID = row["subject_id"]
    return {
        "id": row["id"],
        "type": row["type"],
        "occurred_at": row["occurred_at"],
        "subject": {"type": row["subject_type"], "id": subject_id},
        "subject_version": row["subject_version"],
        "data": data,
    }
