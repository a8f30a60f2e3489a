"""Pages of requests, limits and what happened to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.credit.storage.limits import LIMIT_COLUMNS, REQUEST_COLUMNS

HISTORY_COLUMNS = (
    "id, event, state, amount, currency, valid_from, valid_until, request_id, user_id, comment, recorded_at"
)
_REQUESTS = ", ".join(f"r.{name.strip()}" for name in REQUEST_COLUMNS.split(","))
_LIMITS = ", ".join(f"l.{name.strip()}" for name in LIMIT_COLUMNS.split(","))
_IN_SIGHT = (
    "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = c.tenant_id AND u.company_id = c.id"
    " AND u.business_unit_id = ANY({}))"
)
#: A step of the present level is the user's to take: it names them, somebody they stand in for, or nobody in particular; and
#: they have not decided at this level yet.
_AWAITING = (
    "EXISTS (SELECT 1 FROM jsonb_array_elements(r.route) AS s(step)"
    " WHERE s.step->>'decision' IS NULL"
    " AND s.step->>'level' = (SELECT e.step->>'level' FROM jsonb_array_elements(r.route) WITH ORDINALITY AS e(step, n)"
    "                          WHERE e.step->>'decision' IS NULL ORDER BY e.n LIMIT 1)"
    " AND (jsonb_array_length(s.step->'user_ids') = 0 OR s.step->'user_ids' ?| {})"
    " AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(r.route) AS d(step)"
    "                  WHERE d.step->>'level' = s.step->>'level' AND d.step->>'by' = {}))"
)


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests; None is every one. `awaiting_user_id`: those this user may decide now, `standing_in` for others too."""

    states: Sequence[str] | None
    company_id: UUID | None
    awaiting_user_id: UUID | None
    perimeter: Sequence[UUID] | None
    standing_in: Sequence[UUID] = ()


async def requests(
    tx: Tx, wanted: RequestFilter, keys: Sequence[SortKey], cursor: str | None, limit: int
) -> list[Row]:
    """Requests with the name of their company, one more than `limit` when there is another page."""
    statement = Statement()
    statement.where("r.tenant_id = {}", tx.tenant_id)
    if wanted.states:
        statement.where("r.state = ANY({})", list(wanted.states))
    if wanted.company_id is not None:
        statement.where("r.company_id = {}", wanted.company_id)
    if wanted.perimeter is not None:
        statement.where(_IN_SIGHT, list(wanted.perimeter))
    if wanted.awaiting_user_id is not None:
        statement.where("r.state = 'pending' AND r.requested_by <> {}", wanted.awaiting_user_id)
        own = str(wanted.awaiting_user_id)
        statement.where(_AWAITING, [own, *map(str, wanted.standing_in)], own)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_REQUESTS}, c.name AS company_name, {cursor_columns(keys)} FROM limit_requests r"
        f" JOIN companies c ON c.tenant_id = r.tenant_id AND c.id = r.company_id {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


@dataclass(frozen=True, slots=True)
class LimitFilter:
    """Which limits; None is every one."""

    needs_review: bool | None
    valid_until_before: date | None
    on_hold: bool | None
    perimeter: Sequence[UUID] | None


async def limits_by_name(tx: Tx, wanted: LimitFilter, cursor: str | None, limit: int) -> list[Row]:
    """Limits by the name of their company."""
    keys = [SortKey("c.name", "text"), SortKey("c.id", "uuid")]
    statement = Statement()
    statement.where("l.tenant_id = {}", tx.tenant_id)
    if wanted.needs_review is not None:
        statement.where("l.needs_review = {}", wanted.needs_review)
    if wanted.valid_until_before is not None:
        statement.where("l.valid_until < {}", wanted.valid_until_before)
    if wanted.on_hold is not None:
        held = "l.hold_reason IS NOT NULL AND (l.hold_until IS NULL OR l.hold_until >= {})"
        statement.where(held if wanted.on_hold else f"({held}) IS NOT TRUE", tx.today)
    if wanted.perimeter is not None:
        statement.where(_IN_SIGHT, list(wanted.perimeter))
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_LIMITS}, c.name AS company_name, {cursor_columns(keys)} FROM limits l"
        f" JOIN companies c ON c.tenant_id = l.tenant_id AND c.id = l.company_id {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def history(tx: Tx, company_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """What happened to a company's limit, newest first."""
    keys = [SortKey("recorded_at", "timestamptz", descending=True), SortKey("id", "uuid", descending=True)]
    statement = Statement()
    statement.where("tenant_id = {} AND company_id = {}", tx.tenant_id, company_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {HISTORY_COLUMNS}, {cursor_columns(keys)} FROM limit_history {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )
