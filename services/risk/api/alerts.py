"""Alerts: what should be looked at, once."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Path, Query, Response

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, SortKey, Statement, cursor_columns, keyset, page
from libs.kit.problems import not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.risk.api.schemas import Alert
from services.risk.usecases import alerts

router = Router("Alerts")
Id = Annotated[UUID, Path(description="the alert's id")]
IfMatch = Annotated[str | None, Header(description="the ETag you read")]
State = Literal["open", "acknowledged", "closed"]
_IN_SIGHT = (
    "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = a.tenant_id AND u.company_id = a.company_id"
    " AND u.business_unit_id = ANY({}))"
)
_COLUMNS = ", ".join(f"a.{name.strip()}" for name in alerts.COLUMNS.split(","))


@router.get("/alerts", response_model=Page[Alert], summary="List alerts", openapi_extra=scope("risk:read"))
async def list_alerts(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or several states")] = None,
    kind: Annotated[list[str] | None, Query(description="one or several kinds")] = None,
    company_id: UUID | None = None,
) -> Response:
    """Alerts of companies in the caller's sight, newest first."""
    keys = [SortKey("a.opened_at", "timestamptz", descending=True), SortKey("a.id", "uuid", descending=True)]
    statement = _in_sight(ctx)
    for column, wanted in (("state", state), ("kind", kind)):
        if wanted:
            statement.where(f"a.{column} = ANY({{}})", list(wanted))
    if company_id is not None:
        statement.where("a.company_id = {}", company_id)
    order = keyset(statement, keys, cursor)
    rows = await ctx.tx.fetch(
        f"SELECT {_COLUMNS}, {cursor_columns(keys)} FROM alerts a {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
    return reply(page(rows, limit, _alert))


@router.get(
    "/alerts/{alert_id}", response_model=Alert, summary="Show an alert", openapi_extra=scope("risk:read")
)
async def get_alert(ctx: Ctx, alert_id: Id) -> Response:
    """One alert with its evidence."""
    return _answer(await _one(ctx, alert_id))


@router.post(
    "/alerts/{alert_id}/acknowledge",
    response_model=Alert,
    summary="Acknowledge an alert",
    openapi_extra=scope("risk:write"),
)
async def acknowledge_alert(ctx: Ctx, alert_id: Id, if_match: IfMatch = None) -> Response:
    """Say that somebody has seen it."""
    row = await _one(ctx, alert_id, lock=True)
    require_match(if_match, row["version"])
    return _answer(await alerts.acknowledge(ctx.tx, row, ctx.caller.user_id))


@router.post(
    "/alerts/{alert_id}/close",
    response_model=Alert,
    summary="Close an alert",
    openapi_extra=scope("risk:write"),
)
async def close_alert(ctx: Ctx, alert_id: Id, if_match: IfMatch = None) -> Response:
    """Close it by hand: it opens again only after its condition has gone and come back."""
    row = await _one(ctx, alert_id, lock=True)
    require_match(if_match, row["version"])
    return _answer(await alerts.close(ctx.tx, row))


async def _one(ctx: Ctx, alert_id: UUID, *, lock: bool = False) -> Row:
    statement = _in_sight(ctx)
    statement.where("a.id = {}", alert_id)
    tail = " FOR UPDATE" if lock else ""
    row = await ctx.tx.fetchrow(
        f"SELECT {_COLUMNS} FROM alerts a {statement.clause()}{tail}", *statement.params
    )
    if row is None:
        raise not_found("alert", alert_id)
    return row


def _in_sight(ctx: Ctx) -> Statement:
    statement = Statement()
    statement.where("a.tenant_id = {}", ctx.tx.tenant_id)
    if ctx.caller.perimeter is not None:
        statement.where(_IN_SIGHT, list(ctx.caller.perimeter))
    return statement


def _answer(row: Row) -> Response:
    return reply(_alert(row), headers={"ETag": etag(row["version"])})


def _alert(row: Row) -> dict[str, Any]:
    hidden = {"by_hand", "holds", "version", "_cursor"}
    shown = {name: value for name, value in row.items() if name not in hidden}
    return {**shown, "type": "risk", "evidence": raw(row["evidence"])}
