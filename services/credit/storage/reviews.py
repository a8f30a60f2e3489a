"""Limit reviews and their campaigns as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

COLUMNS = (
    "id, company_id, campaign_id, kind, due_on, reason, assignee, state, outcome, request_id, comment, completed_by,"
    " completed_at, created_at, updated_at, version"
)
_R = ", ".join(f"r.{name.strip()}" for name in COLUMNS.split(","))
#: One open review of a kind a company: a second cause meets it there.
_OPEN = f"""
    INSERT INTO limit_reviews (tenant_id, id, company_id, campaign_id, kind, due_on, reason, assignee, state, created_at,
                               updated_at, version)
    SELECT $1, s.id, s.company_id, s.campaign_id, s.kind, s.due_on, s.reason, s.assignee, 'open', $3, $3, 1
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, company_id uuid, campaign_id uuid, kind text, due_on date,
                                              reason text, assignee uuid)
     ORDER BY s.company_id
    ON CONFLICT (tenant_id, company_id, kind) WHERE state = 'open' DO NOTHING
    RETURNING {COLUMNS}
"""
CAMPAIGN_COLUMNS = "id, name, due_on, criteria, assignee, created_at, updated_at, version"
_PROGRESS = """
    (SELECT count(*) FROM limit_reviews r WHERE r.tenant_id = p.tenant_id AND r.campaign_id = p.id) AS reviews,
    (SELECT count(*) FROM limit_reviews r WHERE r.tenant_id = p.tenant_id AND r.campaign_id = p.id AND r.state = 'open')
        AS still_open
"""
#: Limits a campaign may be about, narrowed by what the database can tell; usage is looked at by the caller.
_CANDIDATES = """
    SELECT l.company_id, l.currency, l.amount
      FROM limits l JOIN companies c ON c.tenant_id = l.tenant_id AND c.id = l.company_id
     WHERE l.tenant_id = $1 AND l.amount IS NOT NULL AND c.merged_into_id IS NULL
       AND ($2::uuid[] IS NULL OR l.company_id = ANY($2))
       AND ($3::date IS NULL OR l.valid_until < $3)
       AND ($4::date IS NULL OR (l.valid_from < $4 AND NOT EXISTS (
            SELECT 1 FROM limit_reviews d WHERE d.tenant_id = $1 AND d.company_id = l.company_id AND d.state = 'done'
                AND d.completed_at >= $4)))
       AND ($5::text[] IS NULL OR EXISTS (
            SELECT 1 FROM customers u WHERE u.tenant_id = $1 AND u.company_id = l.company_id
                AND u.payer_profile->>'class' = ANY($5)))
       AND ($6::uuid[] IS NULL OR EXISTS (
            SELECT 1 FROM customers u WHERE u.tenant_id = $1 AND u.company_id = l.company_id
                AND u.business_unit_id = ANY($6)))
     ORDER BY l.company_id
"""


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews; None is every one."""

    states: Sequence[str] | None
    kinds: Sequence[str] | None
    company_id: UUID | None
    campaign_id: UUID | None
    assignee: UUID | None
    due_to: date | None
    perimeter: Sequence[UUID] | None


async def open_all(tx: Tx, wanted: Sequence[dict[str, Any]]) -> list[Row]:
    """Open reviews (id, company_id, campaign_id, kind, due_on, reason, assignee); those that were not open already."""
    return await tx.fetch(_OPEN, tx.tenant_id, json_bytes(list(wanted)).decode(), tx.now)


async def review(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A review with the name of its company."""
    tail = " FOR UPDATE OF r" if lock else ""
    return await tx.fetchrow(
        f"SELECT {_R}, c.name AS company_name FROM limit_reviews r"
        f" JOIN companies c ON c.tenant_id = r.tenant_id AND c.id = r.company_id WHERE r.tenant_id = $1 AND r.id = $2{tail}",
        tx.tenant_id, identifier,
    )  # fmt: skip


async def update(tx: Tx, identifier: UUID, **values: Any) -> None:
    """Set members of a review."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    await tx.execute(
        f"UPDATE limit_reviews SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip


async def listed(tx: Tx, wanted: ReviewFilter, cursor: str | None, limit: int) -> list[Row]:
    """Reviews with the name of their company, the soonest due first."""
    keys = [SortKey("r.due_on", "date"), SortKey("r.id", "uuid")]
    statement = Statement()
    statement.where("r.tenant_id = {}", tx.tenant_id)
    for condition, value in (
        ("r.state = ANY({})", wanted.states),
        ("r.kind = ANY({})", wanted.kinds),
        ("r.company_id = {}", wanted.company_id),
        ("r.campaign_id = {}", wanted.campaign_id),
        ("r.assignee = {}", wanted.assignee),
        ("r.due_on <= {}", wanted.due_to),
        (
            "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = c.tenant_id AND u.company_id = c.id"
            " AND u.business_unit_id = ANY({}))",
            wanted.perimeter,
        ),
    ):
        if value is not None:
            statement.where(condition, list(value) if isinstance(value, tuple | list) else value)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_R}, c.name AS company_name, {cursor_columns(keys)} FROM limit_reviews r"
        f" JOIN companies c ON c.tenant_id = r.tenant_id AND c.id = r.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def candidates(tx: Tx, criteria: dict[str, Any], perimeter: Sequence[UUID] | None) -> list[Row]:
    """Limits that the criteria of a campaign name, but for how much of them is used."""
    return await tx.fetch(
        _CANDIDATES, tx.tenant_id, criteria["company_ids"], criteria["valid_until_before"],
        criteria["not_reviewed_since"], criteria["payer_classes"], perimeter,
    )  # fmt: skip


async def ending_between(tx: Tx, first: date, last: date) -> list[Row]:
    """Limits in force whose last day lies between two days."""
    return await tx.fetch(
        "SELECT company_id, valid_until FROM limits WHERE tenant_id = $1 AND state = 'approved'"
        " AND valid_until BETWEEN $2 AND $3 ORDER BY company_id",
        tx.tenant_id, first, last,
    )  # fmt: skip


async def insert_campaign(tx: Tx, identifier: UUID, values: dict[str, Any]) -> None:
    """A new campaign."""
    await tx.execute(
        "INSERT INTO review_campaigns (tenant_id, id, name, due_on, criteria, assignee, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1)",
        tx.tenant_id, identifier, values["name"], values["due_on"], json_bytes(values["criteria"]).decode(),
        values["assignee"], tx.now,
    )  # fmt: skip


async def campaign(tx: Tx, identifier: UUID) -> Row | None:
    """A campaign and how far it is."""
    return await tx.fetchrow(
        f"SELECT {CAMPAIGN_COLUMNS}, {_PROGRESS} FROM review_campaigns p WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier,
    )  # fmt: skip


async def campaigns(tx: Tx, cursor: str | None, limit: int) -> list[Row]:
    """Campaigns, newest first."""
    keys = [SortKey("created_at", "timestamptz", descending=True), SortKey("id", "uuid", descending=True)]
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {CAMPAIGN_COLUMNS}, {_PROGRESS}, {cursor_columns(keys)} FROM review_campaigns p {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
