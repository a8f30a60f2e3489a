"""DSO and its family, and turnover: figures that carry their proof."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, from_minor
from libs.kit.db import Row, Tx
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.reporting import Target, Unconverted, target_of, unconverted
from services.ledger.domain import dso as rules
from services.ledger.domain.months import add_months, first_of_month
from services.ledger.storage import open_items, sales_rows

router = Router("Reports")
_DIGITS = Decimal("0.0001")


class MonthOfSales(BaseModel):
    """Net sales of a month that were used, and the days it counts."""

    month: date = Field(description="first day")
    days: int
    sales: AmountText


class DsoInputs(BaseModel):
    """Everything the figures were made from."""

    receivables: AmountText = Field(description="outstanding at as_of, credits deducted")
    not_due: AmountText = Field(description="debits not yet due")
    opening_receivables: AmountText = Field(description="outstanding the day before the period")
    items_count: int
    sales: list[MonthOfSales] = Field(
        description="newest month first; invoices less credit notes, tax included"
    )


class DsoReport(BaseModel):
    """Days, to four decimals; null with a reason where there is nothing to divide by."""

    method: Literal["simple", "count_back"]
    as_of: date
    months: int
    currency: str = Field(examples=["EUR"])
    rate_date: date | None
    value: str | None = Field(description="DSO in days", examples=["52.3871"])
    contractual: str | None = Field(description="the part not yet due")
    overdue: str | None = Field(description="the part past due")
    best_possible: str | None = Field(description="the same method on what is not due")
    add: str | None = Field(description="average days delinquent: value less best_possible")
    cei: str | None = Field(description="collection effectiveness of the period in percent")
    reasons: dict[str, str] = Field(
        description="why a figure is null, by figure", examples=[{"value": "no_sales"}]
    )
    exhausted: bool | None = Field(
        description="count-back: whether known sales explain the receivables wholly"
    )
    unexplained: AmountText | None = Field(description="count-back: receivables older than the known sales")
    holes: list[date] = Field(description="months without sales (first days); their days count")
    inputs: DsoInputs
    unconverted: list[Unconverted]
    definition: str = Field(examples=["count-back/1"])


class TurnoverRow(BaseModel):
    """What was invoiced for one key in one currency."""

    key: str = Field(examples=["2026-03"])
    name: str = Field(description="of the company or customer, else empty")
    currency: str = Field(examples=["EUR"])
    invoiced: AmountText = Field(description="invoices, tax included")
    credited: AmountText = Field(description="credit notes, tax included")
    turnover: AmountText = Field(description="invoiced less credited")
    tax: AmountText
    net: AmountText | None = Field(description="turnover less tax; null while an item does not tell its tax")
    invoices: int


class TurnoverReport(BaseModel):
    """Turnover of a period."""

    since: date
    until: date
    by: str = Field(description="what a row is about")
    data: list[TurnoverRow]


@router.get(
    "/reports/dso", response_model=DsoReport, summary="Report the DSO", openapi_extra=scope("ledger:read")
)
async def get_dso_report(
    ctx: Ctx,
    method: Annotated[
        rules.DsoMethod, Query(description="how days are counted")
    ] = rules.DsoMethod.COUNT_BACK,
    as_of: Annotated[date | None, Query(description="today when left out; any past day")] = None,
    months: Annotated[int, Query(ge=1, le=60, description="of sales looked at, newest first")] = 12,
    currency: Annotated[
        str | None, Query(pattern=r"^[A-Z]{3}$", description="only this currency, unconverted")
    ] = None,
    customer_id: UUID | None = None,
    company_id: UUID | None = None,
    business_unit_id: Annotated[list[UUID] | None, Query(description="one or several business units")] = None,
) -> Response:
    """The whole family by one method over one period, with the inputs and what they leave unexplained.

    A month without sales counts its days and stands in `holes`; opening and `other` items are receivables, never sales.
    """
    when = open_items.moment(ctx.tx, as_of, None)
    wanted = open_items.Scope(
        customer_id=customer_id, company_id=company_id, business_unit_id=business_unit_id, currency=currency,
        perimeter=ctx.caller.perimeter,
    )  # fmt: skip
    target = await target_of(ctx.tx, when.as_of, currency)
    first = add_months(first_of_month(when.as_of), 1 - months)
    receivables, not_due, items, apart = _sum(await sales_rows.receivables(ctx.tx, when, wanted), target)
    opening_day = open_items.Moment(first - timedelta(days=1), None)
    opening, *_ = _sum(await sales_rows.receivables(ctx.tx, opening_day, wanted), target)
    by_month, oldest = await _sales(ctx.tx, when.as_of, wanted, target)
    periods = rules.sales_periods(when.as_of, by_month, months, oldest)
    family = rules.dso_family(method, receivables, not_due, periods)
    sold = sum(period.sales for period in periods)
    cei = rules.collection_effectiveness(opening, sold, receivables, not_due, max(1, len(periods)))
    figures = {
        "value": family.dso, "contractual": family.contractual, "overdue": family.overdue,
        "best_possible": family.best_possible, "add": family.add, "cei": cei,
    }  # fmt: skip
    return reply(
        {
            "method": method,
            "as_of": when.as_of,
            "months": months,
            "currency": target.currency,
            "rate_date": target.rate_date(target.conversions),
            **{name: _text(figure) for name, figure in figures.items()},
            "reasons": {name: figure.reason for name, figure in figures.items() if figure.reason is not None},
            "exhausted": family.exhausted,
            "unexplained": None if family.unexplained is None else target.text(family.unexplained),
            "holes": family.holes,
            "inputs": {
                "receivables": target.text(receivables),
                "not_due": target.text(not_due),
                "opening_receivables": target.text(opening),
                "items_count": items,
                "sales": [
                    {"month": one.month, "days": one.days, "sales": target.text(one.sales)} for one in periods
                ],
            },
            "unconverted": unconverted(apart),
            "definition": f"{method.replace('_', '-')}/1",
        }
    )


@router.get(
    "/reports/turnover",
    response_model=TurnoverReport,
    summary="Report the turnover",
    responses=FILES,
    openapi_extra=scope("ledger:read"),
)
async def get_turnover_report(
    ctx: Ctx,
    since: Annotated[date, Query(description="first day of issue")],
    until: Annotated[date, Query(description="last day of issue")],
    by: Annotated[
        Literal["month", "country", "company", "customer", "business_unit"],
        Query(description="what a row is about"),
    ] = "month",
    currency: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$", description="only this currency")] = None,
    company_id: UUID | None = None,
    business_unit_id: Annotated[list[UUID] | None, Query(description="one or several business units")] = None,
) -> Response:
    """Invoices and credit notes by their date of issue, one row a key and currency. Also as CSV or XLSX."""
    if until < since:
        raise invalid("?until", "before_since", "expected the same day as since or a later one")
    wanted = open_items.Scope(
        company_id=company_id,
        business_unit_id=business_unit_id,
        currency=currency,
        perimeter=ctx.caller.perimeter,
    )
    data = [_turnover(row) for row in await sales_rows.turnover(ctx.tx, by, since, until, wanted)]
    form = wanted_form(ctx.request)
    if form != "json":
        kinds = {"invoiced", "credited", "turnover", "tax", "net"}
        names = list(TurnoverRow.model_fields)
        columns = [Column(name, name, "amount" if name in kinds else "text") for name in names]
        return table(form, "turnover", columns, data)
    return reply({"since": since, "until": until, "by": by, "data": data}, headers={"Vary": "Accept"})


async def _sales(
    tx: Tx, until: date, wanted: open_items.Scope, target: Target
) -> tuple[dict[date, int], date | None]:
    by_month: dict[date, int] = defaultdict(int)
    for row in await sales_rows.sales(tx, None, until, wanted):
        amount = target.convert(row["amount"], row["currency"])
        if amount is not None:
            by_month[row["month"]] += amount
    return by_month, min(by_month, default=None)


def _sum(rows: list[Row], target: Target) -> tuple[int, int, int, dict[str, int]]:
    outstanding, not_due, items, apart = 0, 0, 0, {}
    for row in rows:
        amount = target.convert(row["outstanding"], row["currency"])
        if amount is None:
            apart[row["currency"]] = row["outstanding"]
            continue
        outstanding += amount
        not_due += target.convert(row["not_due"], row["currency"]) or 0
        items += row["items_count"]
    return outstanding, not_due, items, apart


def _text(figure: rules.Figure) -> str | None:
    return None if figure.value is None else str(figure.value.quantize(_DIGITS, rounding=ROUND_HALF_EVEN))


def _turnover(row: Row) -> dict[str, Any]:
    currency = row["currency"]
    turnover = row["invoiced"] - row["credited"]
    net = None if row["without_tax"] else from_minor(turnover - row["tax"], currency)
    return {
        "key": row["key"],
        "name": row["name"],
        "currency": currency,
        "invoiced": from_minor(row["invoiced"], currency),
        "credited": from_minor(row["credited"], currency),
        "turnover": from_minor(turnover, currency),
        "tax": from_minor(row["tax"], currency),
        "net": net,
        "invoices": row["invoices"],
    }
