"""Pages of requests, limits and what happened to them."""

from collections.abc import Sequence
from dataclasses import dataclass
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
#: The first step without a decision is the user's to take: it names them, or nobody in particular.
_AWAITING = (
    "EXISTS (SELECT 1 FROM jsonb_array_elements(r.route) WITH ORDINALITY AS s(step, n)"
    " WHERE s.step->>'decision' IS NULL AND (jsonb_array_length(s.step->'user_ids') = 0 OR s.step->'user_ids' ? {})"
    " AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(r.route) WITH ORDINALITY AS e(step, n)"
    "                  WHERE e.n < s.n AND e.step->>'decision' IS NULL))"
)


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests; None is every one. `awaiting_user_id`: those this user may decide now."""

    states: Sequence[str] | None
    company_id: UUID | None
    awaiting_user_id: UUID | None
    perimeter: Sequence[UUID] | None


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
        statement.where(_AWAITING, str(wanted.awaiting_user_id))
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_REQUESTS}, c.name AS company_name, {cursor_columns(keys)} FROM limit_requests r"
        f" JOIN companies c ON c.tenant_id = r.tenant_id AND c.id = r.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def limits_by_name(
    tx: Tx, needs_review: bool | None, perimeter: Sequence[UUID] | None, cursor: str | None, limit: int
) -> list[Row]:
    """Limits by the name of their company."""
    keys = [SortKey("c.name", "text"), SortKey("c.id", "uuid")]
    statement = Statement()
    statement.where("l.tenant_id = {}", tx.tenant_id)
    if needs_review is not None:
        statement.where("l.needs_review = {}", needs_review)
    if perimeter is not None:
        statement.where(_IN_SIGHT, list(perimeter))
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_LIMITS}, c.name AS company_name, {cursor_columns(keys)} FROM limits l"
        f" JOIN companies c ON c.tenant_id = l.tenant_id AND c.id = l.company_id {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
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
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
