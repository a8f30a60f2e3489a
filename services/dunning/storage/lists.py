"""Pages of actions, runs, messages, templates and scenarios."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.dunning.storage import actions as action_rows
from services.dunning.storage.planning import LIVE
from services.dunning.storage.records import customer_in_sight

RUN_COLUMNS = (
    "id, as_of, dry_run, send_now, customer_ids, status, error, requested_by, created_at, updated_at, version"
)
ACTION_SORTS = {
    "due_on": SortKey("a.due_on", "date"),
    "created_at": SortKey("a.created_at", "timestamptz"),
    "updated_at": SortKey("a.updated_at", "timestamptz"),
}
_ACTION = ", ".join(f"a.{name.strip()}" for name in action_rows.COLUMNS.split(","))
_ACTIONS = f"""
    {{select}} {_ACTION}, c.name AS customer_name
      FROM actions a JOIN customers c ON c.tenant_id = a.tenant_id AND c.id = a.customer_id
"""
_MESSAGE = ", ".join(f"m.{name.strip()}" for name in mail.COLUMNS.split(","))


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """Which actions; None is every one."""

    perimeter: Sequence[UUID] | None
    states: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    customer_id: UUID | None = None
    company_id: UUID | None = None
    item_id: UUID | None = None
    updated_since: datetime | None = None
    assignee_user_id: UUID | None = None
    due_to: date | None = None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; None is every one."""

    perimeter: Sequence[UUID] | None
    states: Sequence[str] | None = None
    customer_id: UUID | None = None
    updated_since: datetime | None = None
    channels: Sequence[str] | None = None
    purpose: str | None = None
    item_id: UUID | None = None


async def agenda(
    tx: Tx, wanted: ActionFilter, keys: Sequence[SortKey], cursor: str | None, limit: int
) -> list[Row]:
    """A page of actions, one more than `limit` when there is another page."""
    statement = _actions_narrowed(tx, wanted)
    order = keyset(statement, keys, cursor)
    select = f"SELECT {cursor_columns(keys)},"
    return await tx.fetch(
        f"{_ACTIONS.format(select=select)} {statement.clause()} {order} LIMIT {limit + 1:d}",
        *statement.params,
    )


async def live_actions(tx: Tx, customer_id: UUID) -> list[Row]:
    """What is planned for a customer and not done, the most urgent first."""
    statement = _actions_narrowed(tx, ActionFilter(None, states=LIVE, customer_id=customer_id))
    text = _ACTIONS.format(select="SELECT")
    return await tx.fetch(f"{text} {statement.clause()} ORDER BY a.due_on, a.id", *statement.params)


async def action(
    tx: Tx, identifier: UUID, perimeter: Sequence[UUID] | None, *, lock: bool = False
) -> Row | None:
    """An action in sight."""
    statement = _actions_narrowed(tx, ActionFilter(perimeter))
    statement.where("a.id = {}", identifier)
    tail = " FOR UPDATE OF a" if lock else ""
    return await tx.fetchrow(
        f"{_ACTIONS.format(select='SELECT')} {statement.clause()}{tail}", *statement.params
    )


async def runs(tx: Tx, cursor: str | None, limit: int) -> list[Row]:
    """A page of runs, newest first."""
    keys = [SortKey("created_at", "timestamptz", descending=True), SortKey("id", "uuid", descending=True)]
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {RUN_COLUMNS}, {cursor_columns(keys)} FROM dunning_runs {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def run(tx: Tx, identifier: UUID) -> Row | None:
    """A run."""
    return await tx.fetchrow(
        f"SELECT {RUN_COLUMNS} FROM dunning_runs WHERE tenant_id = $1 AND id = $2", tx.tenant_id, identifier
    )


async def plans(
    tx: Tx, run_id: UUID, perimeter: Sequence[UUID] | None, cursor: str | None, limit: int
) -> list[Row]:
    """What a run planned, by customer."""
    keys = [SortKey("l.customer_id", "uuid")]
    statement = Statement()
    statement.where("l.tenant_id = {} AND l.run_id = {} AND l.plan IS NOT NULL", tx.tenant_id, run_id)
    if perimeter is not None:
        statement.where(customer_in_sight("l"), list(perimeter))
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT l.customer_id, l.action_id, l.plan, r.dry_run, {cursor_columns(keys)} FROM dunning_run_lines l"
        f" JOIN dunning_runs r ON r.tenant_id = l.tenant_id AND r.id = l.run_id {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def sent_by(tx: Tx, run_id: UUID) -> int:
    """How many messages of a run have left."""
    sent: int = await tx.fetchval(
        "SELECT count(*) FROM actions WHERE tenant_id = $1 AND run_id = $2 AND outcome = 'sent'",
        tx.tenant_id, run_id,
    )  # fmt: skip
    return sent


async def skipped_by(tx: Tx, run_id: UUID) -> list[Row]:
    """The first hundred customers for whom a run planned nothing, and why."""
    return await tx.fetch(
        "SELECT customer_id, code FROM dunning_run_lines WHERE tenant_id = $1 AND run_id = $2"
        " AND outcome = 'skipped' ORDER BY customer_id LIMIT 100",
        tx.tenant_id, run_id,
    )  # fmt: skip


async def customers_in(tx: Tx, customers: Sequence[UUID], perimeter: Sequence[UUID]) -> int:
    """How many of these customers stand in a perimeter."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM customers WHERE tenant_id = $1 AND id = ANY($2) AND business_unit_id = ANY($3)",
        tx.tenant_id, list(customers), list(perimeter),
    )  # fmt: skip
    return found


async def messages(tx: Tx, wanted: MessageFilter, cursor: str | None, limit: int) -> list[Row]:
    """A page of messages, newest first."""
    keys = [SortKey("m.created_at", "timestamptz", descending=True), SortKey("m.id", "uuid", descending=True)]
    statement = _messages_narrowed(tx, wanted)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_MESSAGE}, {cursor_columns(keys)} FROM mails m {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def message(tx: Tx, identifier: UUID, perimeter: Sequence[UUID] | None) -> Row | None:
    """A message in sight."""
    statement = _messages_narrowed(tx, MessageFilter(perimeter))
    statement.where("m.id = {}", identifier)
    return await tx.fetchrow(f"SELECT {_MESSAGE} FROM mails m {statement.clause()}", *statement.params)


def _actions_narrowed(tx: Tx, wanted: ActionFilter) -> Statement:
    statement = Statement()
    statement.where("a.tenant_id = {}", tx.tenant_id)
    if wanted.perimeter is not None:
        statement.where("c.business_unit_id = ANY({})", list(wanted.perimeter))
    for column, values in (("state", wanted.states), ("kind", wanted.kinds), ("channel", wanted.channels)):
        if values:
            statement.where(f"a.{column} = ANY({{}})", list(values))
    for column, value in (("customer_id", wanted.customer_id), ("assignee_user_id", wanted.assignee_user_id)):
        if value is not None:
            statement.where(f"a.{column} = {{}}", value)
    if wanted.company_id is not None:
        statement.where("c.company_id = {}", wanted.company_id)
    if wanted.item_id is not None:
        statement.where("{} = ANY(a.item_ids)", wanted.item_id)
    if wanted.updated_since is not None:
        statement.where("a.updated_at >= {}", wanted.updated_since)
    if wanted.due_to is not None:
        statement.where("a.due_on <= {}", wanted.due_to)
    return statement


def _messages_narrowed(tx: Tx, wanted: MessageFilter) -> Statement:
    statement = Statement()
    statement.where("m.tenant_id = {}", tx.tenant_id)
    if wanted.perimeter is not None:
        statement.where(customer_in_sight("m"), list(wanted.perimeter))
    if wanted.states:
        statement.where("m.state = ANY({})", list(wanted.states))
    if wanted.customer_id is not None:
        statement.where("m.customer_id = {}", wanted.customer_id)
    if wanted.updated_since is not None:
        statement.where("m.updated_at >= {}", wanted.updated_since)
    if wanted.channels:
        statement.where("m.channel = ANY({})", list(wanted.channels))
    if wanted.purpose is not None:
        statement.where("m.purpose = {}", wanted.purpose)
    if wanted.item_id is not None:
        statement.where("{} = ANY(m.about)", wanted.item_id)
    return statement
