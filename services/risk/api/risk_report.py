"""The risk report: a row a company, everything that is known of it side by side."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from libs.contracts.money import Amount
from libs.kit.exports import FILES, wanted_form
from libs.kit.paging import Cursor, Limit, SortKey, encode, parse_sort
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.risk.api.report_filters import filters_of
from services.risk.api.report_rows import as_file, shown_row, shown_totals
from services.risk.api.schemas import LimitState, RiskReport
from services.risk.storage import profiles, report

router = Router("Risk report")
_EVERYTHING = 1_000_000


@router.get(
    "/reports/risk",
    response_model=RiskReport,
    summary="Report the risk",
    responses=FILES,
    openapi_extra=scope("risk:read"),
)
async def get_risk_report(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[
        str | None, Query(description=f"some of {', '.join(report.SORTS)}; - for descending")
    ] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="part of the name or registration number")
    ] = None,
    country: Annotated[list[str] | None, Query(description="ISO 3166 alpha-2")] = None,
    segment: Annotated[list[str] | None, Query(description="one or several segments")] = None,
    limit_state: Annotated[list[LimitState] | None, Query(description="one or several states")] = None,
    legal_status: Annotated[list[str] | None, Query(description="one or several legal statuses")] = None,
    collector_user_id: UUID | None = None,
    group_id: Annotated[UUID | None, Query(description="companies of one group")] = None,
    overrun_only: Annotated[bool, Query(description="only companies over their limit")] = False,
    critical: Annotated[bool | None, Query(description="with (without) an open critical alert")] = None,
    monitored: Annotated[bool | None, Query(description="watched at a provider, or not")] = None,
    stale: Annotated[bool | None, Query(description="provider data too old, or not")] = None,
    min_outstanding: Annotated[Amount | None, Query(description="in the reporting currency")] = None,
) -> Response:
    """Companies with a customer in the caller's perimeter; a company's figures cover the whole company.

    Amounts are in the reporting currency at the latest rate; what has no rate stands in `unconverted` and in no figure. Also as
    CSV or XLSX, with every row.
    """
    tx = ctx.tx
    currency = ctx.caller.tenant.currency
    filters = filters_of(
        currency, pointer="?min_outstanding", q=q, country=country, segment=segment, limit_state=limit_state,
        legal_status=legal_status, collector_user_id=collector_user_id, group_id=group_id, overrun_only=overrun_only,
        critical=critical, monitored=monitored, stale=stale, min_outstanding=min_outstanding,
    )  # fmt: skip
    keys = [*parse_sort(sort, report.SORTS, "-outstanding"), SortKey("p.company_id", "uuid")]
    position = await report.position(tx)
    form = wanted_form(ctx.request)
    if form != "json":
        found = await report.rows(tx, filters, ctx.caller.perimeter, keys, None, _EVERYTHING)
        return as_file(form, [shown_row(row, position) for row in found])
    found = await report.rows(tx, filters, ctx.caller.perimeter, keys, cursor, limit)
    sums, apart = await report.totals(tx, filters, ctx.caller.perimeter)
    conversions = (
        await profiles.conversions(tx, currency, [row["currency"] for row in apart]) if apart else {}
    )
    page: list[Any] = found[:limit]
    body = {
        "as_of": tx.today,
        "currency": currency,
        "as_of_position": position,
        "data": [shown_row(row, position) for row in page],
        "totals": shown_totals(sums, apart, currency, conversions),
        "next_cursor": encode(page[-1]["_cursor"]) if len(found) > limit else None,
    }
    return reply(body, headers={"Vary": "Accept"})
