"""How customers pay."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, SortKey, Statement, cursor_columns, encode, keyset
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.domain.payer_profile import UNKNOWN
from services.ledger.domain.payer_sums import profile_of
from services.ledger.storage import behaviour_rows, open_items
from services.ledger.storage.currency_factors import factors_into
from services.ledger.usecases.payer_profiles import present, rules_of

router = Router("Reports")
By = Literal["customer", "company"]
_EVERYTHING = 1_000_000
_NOTHING = {"average_delay": None, "average_duration": None, "invoices": 0, "class": UNKNOWN}


class Behaviour(BaseModel):
    """Days weighted by amount over the last six months."""

    average_delay: str | None = Field(
        description="days after the due date; early payments are negative", examples=["10.28"]
    )
    average_duration: str | None = Field(description="days after the date of issue")
    invoices: int
    payer_class: str = Field(serialization_alias="class", examples=["average"])


class BehaviourRow(BaseModel):
    """A payer profile, twice; the class is the worse of the two."""

    id: UUID
    name: str = Field(examples=["Fonderie des Alpes"])
    payer_class: str = Field(
        serialization_alias="class", description="`unknown` below the least number of invoices"
    )
    trend: str | None = Field(
        description="average delay less that of the six months before: positive is getting slower"
    )
    paid_only: Behaviour
    with_open_overdue: Behaviour = Field(description="what is late now counted as paid today")


class BehaviourReport(BaseModel):
    """How customers or companies pay."""

    as_of: date
    by: By
    window_months: int
    minimum_invoices: int
    data: list[BehaviourRow]
    next_cursor: str | None = Field(description="pass as `cursor` to read on; null on the last page")


@router.get(
    "/reports/payment-behaviour",
    response_model=BehaviourReport,
    summary="Report the payment behaviour",
    responses=FILES,
    openapi_extra=scope("ledger:read"),
)
async def get_payment_behaviour(
    ctx: Ctx,
    by: Annotated[By, Query(description="what a row is about")] = "customer",
    customer_id: UUID | None = None,
    company_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Payer profiles as of today, by name. Settlement by credit note or write-off says nothing and is left out.

    Also as CSV or XLSX, with every row.
    """
    form = wanted_form(ctx.request)
    size = limit if form == "json" else _EVERYTHING
    found = await _keys(ctx, by, customer_id, company_id, cursor, size)
    when = open_items.moment(ctx.tx, None, None)
    factors = await factors_into(ctx.tx, ctx.tx.tenant.currency, when.as_of)
    shown = found[:size]
    sums = await behaviour_rows.sums(ctx.tx, by, when.as_of, factors, [row["id"] for row in shown])
    thresholds, minimum = await rules_of(ctx.tx)
    profiles = {row["key"]: present(profile_of(row, thresholds, minimum), when.as_of) for row in sums}
    data = [_row(row, profiles.get(row["id"])) for row in shown]
    if form != "json":
        return table(form, "payment-behaviour", _COLUMNS, [_flat(row) for row in data])
    body = {
        "as_of": when.as_of,
        "by": by,
        "window_months": 6,
        "minimum_invoices": minimum,
        "data": data,
        "next_cursor": encode(shown[-1]["_cursor"]) if len(found) > size else None,
    }
    return reply(body, headers={"Vary": "Accept"})


async def _keys(
    ctx: Ctx, by: By, customer_id: UUID | None, company_id: UUID | None, cursor: str | None, limit: int
) -> list[Row]:
    """Customers (or companies with a customer) in sight, by name."""
    statement = Statement()
    alias = "c" if by == "customer" else "p"
    statement.where(f"{alias}.tenant_id = {{}}", ctx.tx.tenant_id)
    if by == "company":
        statement.where("p.merged_into_id IS NULL")
    conditions = [("c.id", customer_id), ("c.company_id", company_id)]
    inner = [f"{column} = {statement.bind(value)}" for column, value in conditions if value is not None]
    if ctx.caller.perimeter is not None:
        inner.append(f"c.business_unit_id = ANY({statement.bind(list(ctx.caller.perimeter))})")
    if by == "customer":
        statement.conditions.extend(inner)
        source = "customers c"
    else:
        narrowed = " AND ".join(["c.tenant_id = p.tenant_id", "c.company_id = p.id", *inner])
        statement.conditions.append(f"EXISTS (SELECT 1 FROM customers c WHERE {narrowed})")
        source = "companies p"
    keys = [SortKey(f"{alias}.name", "text"), SortKey(f"{alias}.id", "uuid")]
    order = keyset(statement, keys, cursor)
    return await ctx.tx.fetch(
        f"SELECT {alias}.id, {alias}.name, {cursor_columns(keys)} FROM {source} {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


def _row(row: Row, profile: dict[str, Any] | None) -> dict[str, Any]:
    known = profile or {"class": UNKNOWN, "trend": None, "paid_only": _NOTHING, "with_open_overdue": _NOTHING}
    return {
        "id": row["id"],
        "name": row["name"],
        "class": known["class"],
        "trend": known["trend"],
        "paid_only": known["paid_only"],
        "with_open_overdue": known["with_open_overdue"],
    }


_COLUMNS = [
    Column("id", "Id"), Column("name", "Name"), Column("class", "Class"), Column("trend", "Trend", "number"),
    Column("delay", "Average delay", "number"), Column("duration", "Average duration", "number"),
    Column("invoices", "Invoices paid", "number"), Column("delay_open", "Average delay with open overdue", "number"),
]  # fmt: skip


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    paid, everything = row["paid_only"], row["with_open_overdue"]
    return {
        **row,
        "delay": paid["average_delay"],
        "duration": paid["average_duration"],
        "invoices": paid["invoices"],
        "delay_open": everything["average_delay"],
    }
