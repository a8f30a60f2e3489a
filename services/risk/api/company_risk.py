"""A company's risk: what providers and insurers say of it, since when, and how it came about."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response

from libs.kit.db import Row, Tx
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.risk.api.company_risk_schemas import CompanyRisk, FieldChange, RawAnswers, SnapshotShown
from services.risk.api.monitorings import shown as monitoring_shown
from services.risk.domain.sparkline import Point, sparkline
from services.risk.domain.values import SEVERITY
from services.risk.storage import monitorings, report, snapshots
from services.risk.usecases.canonical import BETTER
from services.risk.usecases.companies import company_in_sight
from services.risk.usecases.company_risk import Told, can_add, told_of

router = Router("Company risk")
CompanyId = Annotated[UUID, Path(description="the company's id")]
Fields = Annotated[list[str] | None, Query(description="one or several fields")]
Days = Annotated[int, Query(ge=1, le=3660, description="how far back")]
_SVG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "the picture"}
}


@router.get(
    "/companies/{company_id}/risk",
    response_model=CompanyRisk,
    summary="Show a company's risk",
    openapi_extra=scope("risk:read"),
)
async def get_company_risk(
    ctx: Ctx,
    company_id: CompanyId,
    series: Annotated[list[str] | None, Query(description="fields whose values over time are wanted")] = None,
    days: Days = 730,
) -> Response:
    """The value that counts of every field, with its origin and age; what each source says; published legal notices.

    `series` adds values over time, ready to draw: each holds until the next.
    """
    tx = ctx.tx
    await company_in_sight(tx, ctx.runtime, ctx.caller, company_id)
    _require_fields(series, "?series")
    told = await told_of(tx, company_id)
    watched = await monitorings.page_of(tx, monitorings.Wanted(None, company_id=company_id), None, 200)
    flags = await report.flags(tx, company_id)
    body = {
        "company_id": company_id,
        "canonical": {name: _sourced(value, tx.today) for name, value in told.values.items()},
        "by_provider": [_record(one, tx) for one in told.records],
        "legal_events": told.legal_events,
        "monitoring": [monitoring_shown(row) for row in watched],
        "can_add": await can_add(tx, company_id),
        "portal_url": told.values["portal_url"]["value"],
        "critical": flags["critical"] if flags else False,
        "open_alerts": flags["open_alerts"] if flags else 0,
        "stale": flags["stale"] if flags else False,
        "series": await _series(tx, company_id, series or [], days),
    }
    return reply(body)


@router.get(
    "/companies/{company_id}/risk/history",
    response_model=Page[FieldChange],
    summary="List a company's changes",
    openapi_extra=scope("risk:read"),
)
async def list_company_risk_history(
    ctx: Ctx,
    company_id: CompanyId,
    field: Fields = None,
    provider_connection_id: UUID | None = None,
    since: Annotated[date | None, Query(description="the first day")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Every change of every field, newest first: what it was, what it became, by whose word and when."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    _require_fields(field, "?field")
    rows = await snapshots.history(ctx.tx, company_id, field, provider_connection_id, since, cursor, limit)
    return reply(page(rows, limit, _change))


@router.get(
    "/companies/{company_id}/risk/sparkline.svg",
    summary="Draw a field over time",
    response_class=Response,
    responses=_SVG,
    openapi_extra=scope("risk:read"),
)
async def get_risk_sparkline(
    ctx: Ctx,
    company_id: CompanyId,
    field: Annotated[str, Query(description="a field with figures, or legal_status")] = "score",
    days: Days = 730,
    width: Annotated[int, Query(ge=16, le=2000)] = 120,
    height: Annotated[int, Query(ge=8, le=1000)] = 24,
) -> Response:
    """A small picture to embed beside the value: the line of the source that counts."""
    tx = ctx.tx
    await company_in_sight(tx, ctx.runtime, ctx.caller, company_id)
    _require_fields([field], "?field")
    origin = (await told_of(tx, company_id)).values[field]
    rows = await snapshots.series(tx, company_id, [field], tx.today - timedelta(days=days))
    points = []
    for row in rows:
        value = msgspec.json.decode(row["new"])
        figure = _figure(value)
        if figure is not None and str(row["connection_id"] or None) == str(origin["provider_connection_id"]):
            points.append(Point(row["on_day"], figure))
    picture = sparkline(points, tx.today, title=f"{field} over {days} days", width=width, height=height)
    return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "private, max-age=300"})


@router.get(
    "/companies/{company_id}/risk/snapshots",
    response_model=Page[SnapshotShown],
    summary="List a company's snapshots",
    openapi_extra=scope("risk:read"),
)
async def list_company_snapshots(
    ctx: Ctx, company_id: CompanyId, limit: Limit = 20, cursor: Cursor = None
) -> Response:
    """Each answer that said something new, as it was understood then; snapshots never change."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    rows = await snapshots.snapshots_of(ctx.tx, company_id, cursor, limit)
    return reply(page(rows, limit, _snapshot))


@router.get(
    "/companies/{company_id}/risk/snapshots/{snapshot_id}/raw",
    response_model=RawAnswers,
    summary="Show what a snapshot was made of",
    openapi_extra=scope("risk:read"),
)
async def get_snapshot_raw(
    ctx: Ctx, company_id: CompanyId, snapshot_id: Annotated[UUID, Path(description="the snapshot's id")]
) -> Response:
    """The stored answers, secrets taken out."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    parts = await snapshots.raw_of_snapshot(ctx.tx, company_id, snapshot_id)
    if parts is None:
        raise not_found("snapshot with its answers", snapshot_id)
    return reply({"snapshot_id": snapshot_id, "parts": parts})


def _require_fields(names: list[str] | None, pointer: str) -> None:
    unknown = sorted(set(names or ()) - set(BETTER))
    if unknown:
        raise invalid(pointer, "field_unknown", f"expected some of {', '.join(sorted(BETTER))}")


def _sourced(value: dict[str, Any], today: date) -> dict[str, Any]:
    shown = {name: part for name, part in value.items() if name != "stale_from"}
    return {**shown, "stale": value["stale_from"] is not None and today.isoformat() >= value["stale_from"]}


def _record(one: Told, tx: Tx) -> dict[str, Any]:
    record, row = one.record, one.row
    stale = row is not None and record.checked_at + record.stale_after < tx.now
    return {
        "provider_connection_id": record.connection_id,
        "provider": record.provider,
        "product": record.product,
        "contract_holder": row["contract_holder"] if row else None,
        "mapping_version": row["mapping_version"] if row else None,
        "snapshot_id": row["snapshot_id"] if row else None,
        "as_of": record.as_of,
        "fetched_at": row["fetched_at"] if row else record.checked_at,
        "checked_at": record.checked_at,
        "stale": stale,
        "fields": {name: _value(value) for name, value in record.values.items()},
    }


def _value(value: Any) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name != "fetched_at"}


async def _series(tx: Tx, company_id: UUID, fields: list[str], days: int) -> dict[str, list[dict[str, Any]]]:
    drawn: dict[str, list[dict[str, Any]]] = {name: [] for name in fields}
    if fields:
        for row in await snapshots.series(tx, company_id, fields, tx.today - timedelta(days=days)):
            value = msgspec.json.decode(row["new"])
            drawn[row["field"]].append(
                {
                    "on": row["on_day"], "value": value["value"], "normalised": value["normalised"],
                    "currency": value["currency"], "provider": row["provider"],
                }
            )  # fmt: skip
    return drawn


def _figure(value: dict[str, Any]) -> float | None:
    """A value as a height to draw; the legal status by its severity, the worst lowest."""
    if value["state"] != "known":
        return None
    if value["value"] in SEVERITY:
        return -float(SEVERITY[value["value"]])
    try:
        return float(Decimal(str(value["normalised"] if value["normalised"] is not None else value["value"])))
    except InvalidOperation:
        return None


def _change(row: Row) -> dict[str, Any]:
    names = ("id", "field", "provider", "product", "as_of", "fetched_at", "origin", "snapshot_id")
    return {
        **{name: row[name] for name in names},
        "provider_connection_id": row["connection_id"],
        "old": None if row["old"] is None else _value(msgspec.json.decode(row["old"])),
        "new": None if row["new"] is None else _value(msgspec.json.decode(row["new"])),
    }


def _snapshot(row: Row) -> dict[str, Any]:
    names = ("id", "provider", "product", "origin", "mapping_version", "as_of", "fetched_at")
    return {
        **{name: row[name] for name in names},
        "provider_connection_id": row["connection_id"],
        "fields": raw(row["values"]),
        "raw_sha256": row["sha256"].hex() if row["sha256"] else None,
    }
