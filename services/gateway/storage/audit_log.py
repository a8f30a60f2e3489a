"""Who changed what, in every service, as the services told it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming

COLUMNS = "id, recorded_at, service, action, object_type, object_id, actor, key_id, user_id, before, after, request_id"
#: An entry's id is a UUIDv7 of the moment it was written: the newest first is the highest id first.
_KEYS = [SortKey("id", "uuid", descending=True)]
_APPEND = """
    INSERT INTO audit_log (tenant_id, id, recorded_at, service, action, object_type, object_id, actor, key_id, user_id,
                           before, after, request_id)
    SELECT $1, g.id, g.recorded_at, $2, r.action, r.object ->> 'type', (r.object ->> 'id')::uuid, r.actor, r.key_id,
           r.user_id, nullif(r.before::text, 'null')::json, nullif(r.after::text, 'null')::json,
           coalesce(r.request_id, '')
      FROM unnest($3::uuid[], $4::timestamptz[], $5::text[]) AS g(id, recorded_at, record),
           json_to_record(g.record::json) AS r(action text, object json, actor text, key_id uuid, user_id uuid,
                                               before json, after json, request_id text)
    ON CONFLICT (tenant_id, id) DO NOTHING
"""


async def append(tx: Tx, service: str, subjects: Sequence[Incoming]) -> None:
    """Keep what a service recorded."""
    await tx.execute(
        _APPEND,
        tx.tenant_id,
        service,
        [one.id for one in subjects],
        [_made_at(one.id) for one in subjects],
        [json_bytes(one.data).decode() for one in subjects],
    )


async def entries(tx: Tx, filters: dict[str, Any], cursor: str | None, limit: int) -> list[Row]:
    """Entries that match, newest first. Filters: object_type, object_id, user_id, key_id, action, service, since, until
    (wall clock, until is excluded); None stands for any."""
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    for name in ("object_type", "object_id", "user_id", "key_id", "action", "service"):
        if filters.get(name) is not None:
            statement.where(f"{name} = {{}}", filters[name])
    if filters.get("since") is not None:
        statement.where("recorded_at >= {}", filters["since"])
    if filters.get("until") is not None:
        statement.where("recorded_at < {}", filters["until"])
    order = keyset(statement, _KEYS, cursor)
    return await tx.fetch(
        f"SELECT {COLUMNS}, {cursor_columns(_KEYS)} FROM audit_log {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def forget(tx: Tx, before: datetime) -> None:
    """Delete entries recorded before an instant of the wall clock."""
    await tx.execute("DELETE FROM audit_log WHERE tenant_id = $1 AND recorded_at < $2", tx.tenant_id, before)


def _made_at(identifier: UUID) -> datetime:
    """The instant in a UUIDv7 (RFC 9562 §5.7: milliseconds since the epoch in the first 48 bits)."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
