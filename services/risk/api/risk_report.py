"""The risk report: a row a company, everything that is known of it side by side."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Query, Response

from libs.contracts.money import Amount, MoneyError, from_minor, to_minor
from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, SortKey, encode, parse_sort
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.risk.api.schemas import LimitState, RiskReport
from services.risk.storage import report

router = Router("Risk report")
_UNKNOWN = (
    "cover_expires_at", "conditions", "other_guarantees", "score", "score_scale", "trend", "paydex", "privileges_amount",
    "legal_status", "turnover", "activity", "recommended_credit", "recommended_minus_outstanding",
    "recommended_minus_limit", "insurer_grade", "grade", "next_clock", "next_review_on",
)  # fmt: skip
_LAYERS = ("permanent", "temporary", "topup", "discretionary", "non_named")


@router.get(
    "/reports/risk", response_model=RiskReport, summary="Report the risk", openapi_extra=scope("risk:read")
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
    collector_user_id: UUID | None = None,
    group_id: Annotated[UUID | None, Query(description="companies of one group")] = None,
    overrun_only: Annotated[bool, Query(description="only companies over their limit")] = False,
    min_outstanding: Annotated[Amount | None, Query(description="in the reporting currency")] = None,
) -> Response:
    """Companies with a customer in the caller's perimeter; a company's figures cover the whole company.

    Amounts are in the reporting currency at the latest rate; what has no rate stands in `unconverted` and in no figure.
    """
    currency = ctx.caller.tenant.currency
    filters = report.Filters(
        q=q, country=country, segment=segment, limit_state=limit_state, collector_user_id=collector_user_id,
        group_id=group_id, overrun_only=overrun_only, min_outstanding=_minor(min_outstanding, currency),
    )  # fmt: skip
    keys = [*parse_sort(sort, report.SORTS, "-outstanding"), SortKey("p.company_id", "uuid")]
    found = await report.rows(ctx.tx, filters, ctx.caller.perimeter, keys, cursor, limit)
    sums, apart = await report.totals(ctx.tx, filters, ctx.caller.perimeter)
    shown = found[:limit]
    return reply(
        {
            "as_of": ctx.tx.today,
            "currency": currency,
            "as_of_position": await report.position(ctx.tx),
            "data": [_row(row) for row in shown],
            "totals": _totals(sums, apart, currency),
            "next_cursor": encode(shown[-1]["_cursor"]) if len(found) > limit else None,
        }
    )


def _row(row: Row) -> dict[str, Any]:
    currency = row["currency"]
    outstanding, orders = row["outstanding"], row["order_book"]
    permille = row["limit_used_permille"]
    return {
        "company": {
            "id": row["company_id"],
            "name": row["name"],
            "registration_number": row["registration_number"],
            "country": row["country"],
            "segment": row["segment"],
            "group_id": row["group_id"],
        },
        "currency": currency,
        **_owed(row, currency),
        "limit": _text(row["limit_amount"], currency),
        "limit_state": row["limit_state"],
        "limit_valid_until": row["limit_valid_until"],
        "limit_used_percent": None if permille is None else f"{permille // 10}.{permille % 10}",
        "overrun": _text(row["overrun"], currency),
        "pending_request_id": row["pending_request_id"],
        "guarantees": dict.fromkeys(_LAYERS),
        "real_risk": from_minor(outstanding, currency),
        "potential_risk": from_minor(outstanding + orders, currency),
        "uncovered": from_minor(max(0, outstanding), currency),
        "spare_cover": from_minor(max(0, -outstanding), currency),
        "provider_data": "not_connected",
        **dict.fromkeys(_UNKNOWN),
        "by_provider": {},
        "payer_class": row["payer_class"],
        "open_alerts": row["open_alerts"],
        "critical": row["critical"],
        "stale": False,
        "rate_date": row["rate_date"],
        "unconverted": [
            {"currency": code, "amount": from_minor(amount, code)}
            for code, amount in sorted(msgspec.json.decode(row["unconverted"]).items())
        ],
        "updated_at": row["updated_at"],
    }


def _totals(sums: Row, apart: list[Row], currency: str) -> dict[str, Any]:
    return {
        "companies": sums["companies"],
        "currency": currency,
        **_owed(sums, currency),
        "limit": from_minor(sums["limits"], currency),
        "overrun": from_minor(sums["overrun"], currency),
        "real_risk": from_minor(sums["outstanding"], currency),
        "potential_risk": from_minor(sums["outstanding"] + sums["order_book"], currency),
        "uncovered": from_minor(sums["uncovered"], currency),
        "spare_cover": from_minor(sums["spare_cover"], currency),
        "unconverted": [
            {"currency": row["currency"], "amount": from_minor(row["amount"], row["currency"])}
            for row in apart
        ],
    }


def _owed(row: Row, currency: str) -> dict[str, str]:
    not_due = row["outstanding"] - row["overdue"] - row["credits"]
    figures = {name: row[name] for name in ("outstanding", "overdue", "credits", "order_book")}
    return {name: from_minor(amount, currency) for name, amount in {**figures, "not_due": not_due}.items()}


def _text(amount: int | None, currency: str) -> str | None:
    return None if amount is None else from_minor(amount, currency)


def _minor(amount: Amount | None, currency: str) -> int | None:
    if amount is None:
        return None
    try:
        return to_minor(amount, currency)
    except MoneyError as error:
        raise invalid("?min_outstanding", error.code, error.detail) from None
