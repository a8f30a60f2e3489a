"""The risk agenda as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

COLUMNS = (
    "id, kind, company_id, due_on, amount_at_stake, currency, title, source, source_key, object_id, assignee, state, outcome,"
    " comment, completed_by, completed_at, created_at, updated_at, version"
)
_A = ", ".join(f"a.{name.strip()}" for name in COLUMNS.split(","))
_PLAN = f"""
    INSERT INTO agenda_actions (tenant_id, id, kind, company_id, due_on, amount_at_stake, currency, title, source, source_key,
                                object_id, assignee, state, rescheduled, comment, created_at, updated_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', false, $13, $14, $14, 1)
    ON CONFLICT (tenant_id, source_key) WHERE source_key IS NOT NULL DO UPDATE SET
        due_on = CASE WHEN agenda_actions.rescheduled THEN agenda_actions.due_on ELSE excluded.due_on END,
        amount_at_stake = excluded.amount_at_stake, currency = excluded.currency,
        title = excluded.title, company_id = excluded.company_id, object_id = excluded.object_id,
        updated_at = excluded.updated_at, version = agenda_actions.version + 1
      WHERE agenda_actions.state = 'open'
        AND (agenda_actions.amount_at_stake, agenda_actions.currency, agenda_actions.title, agenda_actions.company_id,
             agenda_actions.rescheduled OR agenda_actions.due_on = excluded.due_on)
            IS DISTINCT FROM (excluded.amount_at_stake, excluded.currency, excluded.title, excluded.company_id, true)
    RETURNING {COLUMNS}
"""
_BY_KEY = f"SELECT {COLUMNS} FROM agenda_actions WHERE tenant_id = $1 AND source_key = $2"
_WITHDRAW = """
    UPDATE agenda_actions SET state = 'cancelled', outcome = $3, completed_at = $4, updated_at = $4, version = version + 1
     WHERE tenant_id = $1 AND source_key = ANY($2) AND state = 'open'
"""


@dataclass(frozen=True, slots=True)
class AgendaFilter:
    """Which actions; None is every one."""

    states: Sequence[str] | None
    kinds: Sequence[str] | None
    source: str | None
    company_id: UUID | None
    assignee: UUID | None
    due_from: date | None
    due_to: date | None
    perimeter: Sequence[UUID] | None


async def plan(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row | None:
    """Plan an action; None when its source key is known and nothing about it changed, or a person has dealt with it."""
    names = (
        "kind", "company_id", "due_on", "amount_at_stake", "currency", "title", "source", "source_key", "object_id",
        "assignee", "comment",
    )  # fmt: skip
    return await tx.fetchrow(_PLAN, tx.tenant_id, identifier, *(values[name] for name in names), tx.now)


async def by_source_key(tx: Tx, source_key: str) -> Row | None:
    """The automatic action of a source key."""
    return await tx.fetchrow(_BY_KEY, tx.tenant_id, source_key)


async def withdraw(tx: Tx, source_keys: Sequence[str], outcome: str) -> int:
    """Cancel the open actions of these source keys; how many there were."""
    return await tx.execute(_WITHDRAW, tx.tenant_id, list(source_keys), outcome, tx.now)


async def action(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """An action with the name of its company."""
    tail = " FOR UPDATE OF a" if lock else ""
    return await tx.fetchrow(
        f"SELECT {_A}, c.name AS company_name FROM agenda_actions a"
        " JOIN companies c ON c.tenant_id = a.tenant_id AND c.id = a.company_id"
        f" WHERE a.tenant_id = $1 AND a.id = $2{tail}",
        tx.tenant_id, identifier,
    )  # fmt: skip


async def update(tx: Tx, identifier: UUID, **values: Any) -> None:
    """Set members of an action."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    await tx.execute(
        f"UPDATE agenda_actions SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip


async def follow_merger(tx: Tx, ended: UUID, target: UUID) -> None:
    """Actions of a company that was merged away belong to the one that stays."""
    await tx.execute(
        "UPDATE agenda_actions SET company_id = $3 WHERE tenant_id = $1 AND company_id = $2",
        tx.tenant_id, ended, target,
    )  # fmt: skip


async def listed(
    tx: Tx, wanted: AgendaFilter, keys: Sequence[SortKey], cursor: str | None, limit: int
) -> list[Row]:
    """Actions with the name of their company, one more than `limit` when there is another page."""
    statement = Statement()
    statement.where("a.tenant_id = {}", tx.tenant_id)
    for condition, value in (
        ("a.state = ANY({})", wanted.states),
        ("a.kind = ANY({})", wanted.kinds),
        ("a.source = {}", wanted.source),
        ("a.company_id = {}", wanted.company_id),
        ("a.assignee = {}", wanted.assignee),
        ("a.due_on >= {}", wanted.due_from),
        ("a.due_on <= {}", wanted.due_to),
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
        f"SELECT {_A}, c.name AS company_name, {cursor_columns(keys)} FROM agenda_actions a"
        f" JOIN companies c ON c.tenant_id = a.tenant_id AND c.id = a.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
