"""Monitorings: the portfolio at each provider, steered from here."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response

from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope, streamed
from services.risk.api.provider_schemas import (
    BulkMonitored,
    BulkMonitoring,
    CandidateShown,
    MatchAsk,
    MatchChoice,
    Matches,
    Monitoring,
    MonitoringCreate,
    MonitoringState,
)
from services.risk.api.report_filters import filters_of
from services.risk.providers.port import Candidate
from services.risk.storage import monitorings as rows_of
from services.risk.storage import report
from services.risk.usecases import connections, monitorings
from services.risk.usecases.companies import companies_in_sight, company_in_sight

router = Router("Monitorings")
Id = Annotated[UUID, Path(description="the monitoring's id")]
CompanyId = Annotated[UUID, Path(description="the company's id")]


@router.post(
    "/monitorings",
    status_code=201,
    response_model=Monitoring,
    summary="Watch a company",
    responses={200: {"model": Monitoring, "description": "Watched already"}},
    openapi_extra=scope("risk:write"),
)
async def create_monitoring(ctx: Ctx, body: MonitoringCreate) -> Response:
    """Add a company to a provider's portfolio. It is `adding` until the provider has taken it; being there already is a
    success. One that failed is tried again."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    connection = await connections.find(ctx.tx, body.provider_connection_id)
    changed = await monitorings.add(ctx.runtime, ctx.tx, connection, [company["id"]], ctx.caller.user_id)
    row = await rows_of.of_company(ctx.tx, connection["id"], company["id"])
    assert row is not None, "it is there or was added"
    if changed:
        ctx.tx.audit("monitoring_added", "monitoring", row["id"], after={"company_id": str(company["id"])})
    return _answer(row, 201 if changed else 200)


@router.post(
    "/monitorings/bulk",
    response_model=BulkMonitored,
    summary="Watch many companies",
    openapi_extra=scope("risk:write"),
)
async def create_monitorings(ctx: Ctx, body: BulkMonitoring) -> Response:
    """Add the companies named, or all that the risk report's filters find, in the caller's sight. The provider is told one by
    one, as fast as it allows: follow the connection's `portfolio`."""
    if (body.company_ids is None) == (body.criteria is None):
        raise invalid("/company_ids", "one_of", "expected either company_ids or criteria")
    connection = await connections.find(ctx.tx, body.provider_connection_id)
    if body.criteria is not None:
        filters = filters_of(ctx.caller.tenant.currency, **body.criteria.model_dump())
        wanted = await report.companies(ctx.tx, filters, ctx.caller.perimeter)
    else:
        wanted = await companies_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_ids or [])
    changed = await monitorings.add(ctx.runtime, ctx.tx, connection, wanted, ctx.caller.user_id)
    counts = {"matched": len(wanted), "adding": len(changed), "already": len(wanted) - len(changed)}
    ctx.tx.audit("monitorings_added", "provider_connection", connection["id"], after=counts)
    return reply({"provider_connection_id": connection["id"], **counts})


@router.get(
    "/monitorings",
    response_model=Page[Monitoring],
    summary="List monitorings",
    openapi_extra=scope("risk:read"),
)
async def list_monitorings(
    ctx: Ctx,
    provider_connection_id: UUID | None = None,
    company_id: UUID | None = None,
    state: Annotated[
        list[MonitoringState] | None,
        Query(description="one or several states; removed ones only when asked for"),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Companies in portfolios, the newest first."""
    wanted = rows_of.Wanted(ctx.caller.perimeter, provider_connection_id, company_id, state)
    rows = await rows_of.page_of(ctx.tx, wanted, cursor, limit)
    return reply(page(rows, limit, shown))


@router.get(
    "/monitorings/{monitoring_id}",
    response_model=Monitoring,
    summary="Show a monitoring",
    openapi_extra=scope("risk:read"),
)
async def get_monitoring(ctx: Ctx, monitoring_id: Id) -> Response:
    """One company in one portfolio."""
    return _answer(await _one(ctx, monitoring_id))


@router.delete(
    "/monitorings/{monitoring_id}",
    status_code=204,
    summary="Stop watching a company",
    openapi_extra=scope("risk:write"),
)
async def delete_monitoring(ctx: Ctx, monitoring_id: Id) -> Response:
    """Take the company from the portfolio: it is `removing` until the provider has done so. What is known of it stays."""
    await monitorings.remove(ctx.runtime, ctx.tx, await _one(ctx, monitoring_id, lock=True))
    return Response(status_code=204)


@router.post(
    "/companies/{company_id}/provider-matches",
    response_model=Matches,
    summary="Find a company at a provider",
    openapi_extra=streamed("risk:write"),
)
async def find_provider_matches(ctx: Ctx, company_id: CompanyId, body: MatchAsk) -> Response:
    """Ask the provider which of its companies may be meant. `matched` is the one that would be taken; null when a person has
    to choose (`/confirm`)."""
    tenant = ctx.caller.tenant
    async with ctx.runtime.db.transaction(tenant, readonly=True) as tx:
        company = await company_in_sight(tx, ctx.runtime, ctx.caller, company_id)
        connection = await connections.find(tx, body.provider_connection_id)
        known = await rows_of.of_company(tx, connection["id"], company_id)
    asked = {**dict(company), "provider_ref": None}
    candidates, matched = await monitorings.search(ctx.runtime, tenant, connection, asked)
    chosen = known["provider_ref"] if known and known["match_kind"] == "manual" else matched
    return reply(
        {
            "company_id": company_id,
            "provider_connection_id": connection["id"],
            "candidates": [_candidate(one) for one in candidates],
            "matched": chosen,
        }
    )


@router.post(
    "/companies/{company_id}/provider-matches/confirm",
    response_model=Monitoring,
    summary="Choose a company at a provider",
    openapi_extra=scope("risk:write"),
)
async def confirm_provider_match(ctx: Ctx, company_id: CompanyId, body: MatchChoice) -> Response:
    """Say which of the candidates is meant; the company is watched under that key."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    connection = await connections.find(ctx.tx, body.provider_connection_id)
    row = await monitorings.confirm(
        ctx.runtime, ctx.tx, connection, company_id, body.provider_reference, ctx.caller.user_id
    )
    return _answer(row)


async def _one(ctx: Ctx, monitoring_id: UUID, *, lock: bool = False) -> Row:
    row = await rows_of.one(ctx.tx, monitoring_id, ctx.caller.perimeter, lock=lock)
    if row is None:
        raise not_found("monitoring", monitoring_id)
    return row


def _answer(row: Row, status: int = 200) -> Response:
    headers = {"ETag": etag(row["version"])}
    if status == 201:
        headers["Location"] = f"/v1/monitorings/{row['id']}"
    return reply(shown(row), status, headers)


def shown(row: Row) -> dict[str, Any]:
    """The public object of a monitoring's row."""
    names = (
        "id", "company_id", "company_name", "registration_number", "provider", "state", "match_kind", "member_since",
        "last_outcome", "last_checked_at", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "provider_connection_id": row["connection_id"],
        "provider_reference": row["provider_ref"],
        "error": raw(row["error"]),
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    members = {name: getattr(one, name) for name in CandidateShown.model_fields}
    return {**members, "score": None if one.score is None else str(one.score)}
