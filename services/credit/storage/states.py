"""The present state behind credit's events, paged for a consumer that rebuilds."""

from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.credit.storage.limits import LIMIT_COLUMNS, REQUEST_COLUMNS


async def limits_after(tx: Tx, after: UUID | None, limit: int) -> list[Row]:
    """Limits in order of company."""
    return await tx.fetch(
        f"SELECT {LIMIT_COLUMNS} FROM limits WHERE tenant_id = $1 AND ($2::uuid IS NULL OR company_id > $2)"
        " ORDER BY company_id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip


async def request_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """`limit_request.changed`, by request."""
    rows = await tx.fetch(
        f"SELECT {REQUEST_COLUMNS} FROM limit_requests WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2)"
        " ORDER BY id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    names = ("company_id", "amount", "currency", "state", "requested_by", "reason")
    return [Subject(row["id"], row["version"], {name: row[name] for name in names}) for row in rows]
