"""The ageing report: how late what is owed is."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText
from libs.kit.db import Row
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, encode
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.reporting import Target, Unconverted, target_of, unconverted
from services.ledger.domain.ageing import BoundsInvalid, CreditMode, bucket_labels, check_bounds
from services.ledger.storage import ageing_rows, open_items
from services.ledger.usecases.tenant_settings import settings_of

router = Router("Reports")
By = Literal["customer", "company", "business_unit", "collector", "total"]
_EVERYTHING = 1_000_000
_NOBODY = UUID(int=0)


class AgeingRow(BaseModel):
    """One key; `amounts` sum to `outstanding`."""

    key: UUID | None = Field(description="null for the total, and for customers nobody collects from")
    name: str = Field(examples=["Fonderie des Alpes"])
    currency: str = Field(examples=["EUR"])
    outstanding: AmountText
    items_count: int
    amounts: dict[str, AmountText] = Field(examples=[{"not_due": "1000.00", "1-30": "200.00"}])
    counts: dict[str, int] = Field(examples=[{"not_due": 4, "1-30": 1}])
    unconverted: list[Unconverted]


class AgeingTotals(BaseModel):
    """Sums over every key, whatever the page."""

    outstanding: AmountText
    items_count: int
    amounts: dict[str, AmountText]
    counts: dict[str, int]
    unconverted: list[Unconverted]


class AgeingReport(BaseModel):
    """Open items by days late."""

    as_of: date
    currency: str = Field(description="of every amount", examples=["EUR"])
    credits: Literal["own", "by_date", "fifo"]
    buckets: list[str] = Field(
        examples=[["not_due", "1-30", "31-60", "61-90", "91-180", ">180", "unallocated"]]
    )
    rate_date: date | None = Field(
        description="day of the oldest exchange rate used; null when none was needed"
    )
    data: list[AgeingRow]
    totals: AgeingTotals
    next_cursor: str | None = Field(description="pass as `cursor` to read on; null on the last page")


@router.get(
    "/reports/ageing",
    response_model=AgeingReport,
    summary="Report the ageing",
    responses=FILES,
    openapi_extra=scope("ledger:read"),
)
async def get_ageing_report(
    ctx: Ctx,
    by: Annotated[By, Query(description="what a row is about")] = "customer",
    as_of: Annotated[date | None, Query(description="today when left out; any past day")] = None,
    known_at: Annotated[datetime | None, Query(description="as it was known at that instant")] = None,
    buckets: Annotated[
        str | None, Query(description="upper bounds in days", examples=["30,60,90,180"])
    ] = None,
    credit_mode: Annotated[
        CreditMode | None,
        Query(alias="credits", description="where open credits stand; by setting when left out"),
    ] = None,
    currency: Annotated[
        str | None, Query(pattern=r"^[A-Z]{3}$", description="only this currency, unconverted")
    ] = None,
    customer_id: UUID | None = None,
    company_id: UUID | None = None,
    business_unit_id: Annotated[list[UUID] | None, Query(description="one or several business units")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Whole-day closed intervals of days late, the largest keys first; totals are always over all keys.

    Amounts are in the reporting currency at the latest rate, or in the one named. Also as CSV or XLSX, with every row.
    """
    when = open_items.moment(ctx.tx, as_of, known_at)
    settings = await settings_of(ctx.tx)
    bounds = _bounds(buckets) if buckets is not None else tuple(settings.ageing_buckets)
    mode = credit_mode or CreditMode(settings.ageing_credits)
    target = await target_of(ctx.tx, when.as_of, currency)
    wanted = open_items.Scope(
        customer_id=customer_id, company_id=company_id, business_unit_id=business_unit_id, currency=currency,
        perimeter=ctx.caller.perimeter,
    )  # fmt: skip
    form = wanted_form(ctx.request)
    size = limit if form == "json" else _EVERYTHING
    found, sums = await ageing_rows.rows(
        ctx.tx, by, when, wanted, bounds, mode, target.currency, target.conversions, cursor, size
    )
    labels = bucket_labels(bounds)
    groups = _by_key(found)
    shown = [_row(part, labels, target) for part in groups[:size]]
    if form != "json":
        return _file(form, labels, shown)
    body = {
        "as_of": when.as_of,
        "currency": target.currency,
        "credits": mode,
        "buckets": labels,
        "rate_date": target.rate_date(row["currency"] for row in sums),
        "data": shown,
        "totals": _figures(sums, labels, target, summed="t"),
        "next_cursor": encode(groups[size - 1][0]["_cursor"]) if len(groups) > size else None,
    }
    return reply(body, headers={"Vary": "Accept"})


def _bounds(text: str) -> tuple[int, ...]:
    try:
        return check_bounds([int(part) for part in text.split(",")])
    except (BoundsInvalid, ValueError):
        raise invalid(
            "?buckets", "ageing_buckets_invalid", "expected rising numbers of days such as 30,60,90"
        ) from None


def _by_key(rows: list[Row]) -> list[list[Row]]:
    """Rows of one key stand together, one a currency."""
    groups: list[list[Row]] = []
    for row in rows:
        if groups and groups[-1][0]["key"] == row["key"]:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _row(rows: list[Row], labels: Sequence[str], target: Target) -> dict[str, Any]:
    key = rows[0]["key"]
    return {
        "key": None if key == _NOBODY else key,
        "name": rows[0]["name"],
        "currency": target.currency,
        **_figures(rows, labels, target),
    }


def _figures(
    rows: list[Row], labels: Sequence[str], target: Target, *, summed: str | None = None
) -> dict[str, Any]:
    """Each bucket converted and the converted buckets added, so that the amounts sum to the outstanding to the cent. Totals are
    converted already, row by row, in the columns `summed`: they are the sums of the rows to the cent."""
    amounts, counts, items, apart = [0] * len(labels), [0] * len(labels), 0, {}
    for row in rows:
        if target.convert(0, row["currency"]) is None:
            apart[row["currency"]] = int(row["outstanding"])
            continue
        items += row["items_count"]
        for place in range(len(labels)):
            amounts[place] += (
                row[f"{summed}{place}"]
                if summed
                else target.convert(int(row[f"a{place}"]), row["currency"]) or 0
            )
            counts[place] += int(row[f"c{place}"])
    return {
        "outstanding": target.text(sum(amounts)),
        "items_count": items,
        "amounts": {label: target.text(amount) for label, amount in zip(labels, amounts, strict=True)},
        "counts": dict(zip(labels, counts, strict=True)),
        "unconverted": unconverted(apart),
    }


def _file(form: Any, labels: Sequence[str], shown: list[dict[str, Any]]) -> Response:
    columns = [
        Column("key", "Id"), Column("name", "Name"), Column("currency", "Currency"),
        Column("outstanding", "Outstanding", "amount"), *[Column(label, label, "amount") for label in labels],
    ]  # fmt: skip
    return table(form, "ageing", columns, [{**row, **row["amounts"]} for row in shown])
