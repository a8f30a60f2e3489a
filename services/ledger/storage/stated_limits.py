"""Credit limits as a source stated them, kept by company: what is new about a push is told to credit, which decides on limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData

from libs.kit.db import Tx
from libs.kit.feed.events import Subject
from libs.kit.responses import json_bytes
from libs.kit.schema import Column, Date, Text, created, currency, money, tenant_table, uuid

_STATED = "amount, currency, valid_until, reason, source"
_TELL = f"""
    INSERT INTO stated_limits AS t (tenant_id, company_id, {_STATED}, stated_by, created_at, updated_at, version)
    SELECT $1, s.company_id, s.amount, s.currency, s.valid_until, s.reason, s.source, $3, $4, $4, 1
      FROM jsonb_to_recordset($2::jsonb) AS s(company_id uuid, amount bigint, currency char(3), valid_until date,
                                              reason text, source text)
     ORDER BY s.company_id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        amount = excluded.amount, currency = excluded.currency, valid_until = excluded.valid_until,
        reason = excluded.reason, source = excluded.source, stated_by = excluded.stated_by,
        updated_at = excluded.updated_at, version = t.version + 1
      WHERE (t.amount, t.currency, t.valid_until, t.reason, t.source)
            IS DISTINCT FROM (excluded.amount, excluded.currency, excluded.valid_until, excluded.reason, excluded.source)
    RETURNING company_id, {_STATED}, stated_by, version
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a push brought: the companies whose limit was never stated before, and those whose limit changed."""

    created: frozenset[UUID]
    updated: frozenset[UUID]


def stated_limits_table(catalogue: MetaData) -> None:
    """Declare the table."""
    tenant_table(
        "stated_limits", catalogue,
        uuid("company_id"),
        money("amount"),
        currency(),
        Column("valid_until", Date, nullable=True),
        Column("reason", Text, nullable=True),
        Column("source", Text, nullable=True),
        uuid("stated_by", null=True),
        *created(),
        pk=("company_id",),
    )  # fmt: skip


async def tell(tx: Tx, rows: Sequence[dict[str, Any]], user_id: UUID | None) -> Told:
    """Keep limits (company_id, amount, currency, valid_until, reason, source) and tell of those that are not as before."""
    changed = await tx.fetch(_TELL, tx.tenant_id, json_bytes(list(rows)).decode(), user_id, tx.now)
    tx.emit("limit.stated", [_subject(row) for row in changed])
    created = frozenset(row["company_id"] for row in changed if row["version"] == 1)
    return Told(created, frozenset(row["company_id"] for row in changed) - created)


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `limit.stated`, in order of company."""
    rows = await tx.fetch(
        f"SELECT company_id, {_STATED}, stated_by, version FROM stated_limits"
        " WHERE tenant_id = $1 AND ($2::uuid IS NULL OR company_id > $2) ORDER BY company_id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    return [_subject(row) for row in rows]


def _subject(row: Any) -> Subject:
    names = ("amount", "currency", "valid_until", "reason", "source", "stated_by")
    return Subject(row["company_id"], row["version"], {name: row[name] for name in names})
