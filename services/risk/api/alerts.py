"""Alerts: what should be looked at, once."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Path, Query, Response

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.risk.api.schemas import Alert
from services.risk.storage import alerts as rows_of
from services.risk.usecases import alerts

router = Router("Alerts")
Id = Annotated[UUID, Path(description="the alert's id")]
IfMatch = Annotated[str | None, Header(description="the ETag you read")]
Criticality = Literal["information", "warning", "critical"]
State = Literal["open", "acknowledged", "closed"]


@router.get("/alerts", response_model=Page[Alert], summary="List alerts", openapi_extra=scope("risk:read"))
async def list_alerts(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or several states")] = None,
    kind: Annotated[list[str] | None, Query(description="one or several kinds")] = None,
    criticality: Annotated[
        list[Criticality] | None, Query(description="one or several criticalities")
    ] = None,
    company_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> Response:
    """Alerts of companies and customers in the caller's sight, newest first.

    An alert opens once a company (type `risk`) or customer (type `collection`) and kind while its condition holds.
    """
    wanted = rows_of.AlertFilter(
        ctx.caller.perimeter, states=state, kinds=kind, criticalities=criticality, company_id=company_id,
        customer_id=customer_id,
    )  # fmt: skip
    rows = await rows_of.newest_first(ctx.tx, wanted, cursor, limit)
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
    row = await rows_of.one(ctx.tx, alert_id, ctx.caller.perimeter, lock=lock)
    if row is None:
        raise not_found("alert", alert_id)
    return row


def _answer(row: Row) -> Response:
    return reply(_alert(row), headers={"ETag": etag(row["version"])})


def _alert(row: Row) -> dict[str, Any]:
    hidden = {"by_hand", "holds", "version", "_cursor"}
    shown = {name: value for name, value in row.items() if name not in hidden}
    kind = "risk" if row["customer_id"] is None else "collection"
    return {**shown, "type": kind, "evidence": raw(row["evidence"])}
