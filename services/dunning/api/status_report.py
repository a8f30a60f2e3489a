"""The item-status report: how well what is late is followed up."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, from_minor
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, page
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import CategoryName
from services.dunning.storage import status_report

router = Router("Reports")
Rate = Annotated[str | None, Field(description="0 to 1; null when nothing is late", examples=["0.8333"])]


class StatusRow(BaseModel):
    """What is late with one status."""

    key: str | None = Field(
        description="the collector's, customer's or business unit's id; null: everybody's, or nobody's"
    )
    name: str | None = Field(description="of the key", examples=["Camille Roy"])
    status: str | None = Field(description="null: none", examples=["promise"])
    label: str | None = Field(
        description="of the status, in English or its first language", examples=["Promise to pay"]
    )
    category: CategoryName | None
    currency: str = Field(examples=["EUR"])
    count: int
    amount: AmountText
    share: str = Field(description="of the key's late amount in that currency, 0 to 1", examples=["0.2500"])


class Rates(BaseModel):
    """How much of what is late has a status."""

    currency: str = Field(examples=["EUR"])
    count: int = Field(description="items past their due date")
    amount: AmountText
    qualified_count: int
    qualified_amount: AmountText
    alive_count: int = Field(description="with a status whose follow-up has not passed")
    alive_amount: AmountText
    rate_by_count: Rate
    rate_by_amount: Rate
    alive_rate_by_count: Rate
    alive_rate_by_amount: Rate


class Week(Rates):
    """The same at the end of a week."""

    day: date


class StatusReport(BaseModel):
    """The item-status report."""

    as_of: date
    by: Literal["collector", "status", "customer", "business_unit"]
    data: list[StatusRow]
    totals: list[Rates] = Field(description="over everything, whatever the page; a row a currency")
    trend: list[Week] = Field(description="the last twelve weeks, a row a week and currency")
    next_cursor: str | None = Field(examples=[None])


_COLUMNS = (
    Column("key", "Key"),
    Column("name", "Name"),
    Column("status", "Status"),
    Column("label", "Label"),
    Column("category", "Category"),
    Column("currency", "Currency"),
    Column("count", "Items", "number"),
    Column("amount", "Amount", "amount"),
    Column("share", "Share", "number"),
)


@router.get(
    "/reports/item-statuses",
    response_model=StatusReport,
    responses=FILES,
    summary="Report the statuses of late items",
    openapi_extra=scope("dunning:read"),
)
async def report_item_statuses(
    ctx: Ctx,
    as_of: Annotated[
        date | None, Query(description="today when left out; a past day as it was written down then")
    ] = None,
    by: Annotated[status_report.By, Query(description="what rows are grouped by")] = "status",
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Response:
    """Items past their due date by status, and the qualification rate: with any status, and with a status still alive, by count
    and by amount, with its weekly trend. JSON, CSV or XLSX by `Accept`."""
    day = as_of or ctx.tx.today
    if day > ctx.tx.today:
        raise invalid("?as_of", "not_yet", f"expected {ctx.tx.today} or an earlier day")
    if day < ctx.tx.today:
        if by == "customer":
            raise invalid("?by", "not_kept", "expected status, collector or business_unit for a past day")
        if not await status_report.is_kept(ctx.tx, day):
            raise invalid("?as_of", "not_kept", "expected a day that this tenant has lived through")
    form = wanted_form(ctx.request)
    perimeter = ctx.caller.perimeter
    as_file = form != "json"
    found = await status_report.rows(
        ctx.tx, day, by, perimeter, None if as_file else cursor, None if as_file else limit
    )
    if form != "json":
        return table(form, f"item-statuses-{day}", _COLUMNS, [_row(row) for row in found])
    totals = await status_report.totals(ctx.tx, day, perimeter)
    weeks = await status_report.trend(ctx.tx, day, perimeter)
    return reply(
        {
            "as_of": day,
            "by": by,
            **page(found, limit, _row),
            "totals": [_rates(row) for row in totals],
            "trend": [{"day": row["day"], **_rates(row)} for row in weeks],
        },
        headers={"Vary": "Accept"},
    )


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    labels: dict[str, str] = msgspec.json.decode(row["labels"]) if row["labels"] else {}
    nobody = row["key"] in ("", str(status_report.NOBODY))
    return {
        "key": None if nobody else row["key"],
        "name": row["name"],
        "status": row["status_code"] or None,
        "label": labels.get("en") or next(iter(labels.values()), None),
        "category": row["category"],
        "currency": row["currency"],
        "count": row["count"],
        "amount": from_minor(row["amount"], row["currency"]),
        "share": _share(row["amount"], row["whole"]) or "0.0000",
    }


def _rates(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "currency": row["currency"],
        **{name: row[name] for name in ("count", "qualified_count", "alive_count")},
        **{
            name: from_minor(row[name], row["currency"])
            for name in ("amount", "qualified_amount", "alive_amount")
        },
        "rate_by_count": _share(row["qualified_count"], row["count"]),
        "rate_by_amount": _share(row["qualified_amount"], row["amount"]),
        "alive_rate_by_count": _share(row["alive_count"], row["count"]),
        "alive_rate_by_amount": _share(row["alive_amount"], row["amount"]),
    }


def _share(part: int, whole: int) -> str | None:
    if whole == 0:
        return None
    return str((Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))
