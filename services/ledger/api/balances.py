"""What is owed, by customer, company or group, at any day."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, from_minor
from libs.kit.db import Row
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, encode
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.storage import balance_rows, open_items

router = Router("Balances")
_EVERYTHING = 1_000_000
_COLUMNS = [
    Column("id", "Id"), Column("name", "Name"), Column("currency", "Currency"), Column("outstanding", "Outstanding", "amount"),
    Column("not_due", "Not due", "amount"), Column("overdue", "Overdue", "amount"), Column("credits", "Credits", "amount"),
    Column("order_book", "Order book", "amount"), Column("items_count", "Open items", "number"),
    Column("oldest_due_date", "Oldest due date", "date"),
]  # fmt: skip


class Balance(BaseModel):
    """What one key owes in one currency: outstanding = not_due + overdue + credits."""

    id: UUID = Field(description="of the customer, company or group")
    name: str = Field(examples=["Fonderie des Alpes"])
    currency: str = Field(examples=["EUR"])
    outstanding: AmountText
    not_due: AmountText = Field(description="debits not yet due")
    overdue: AmountText = Field(description="debits past their due date")
    credits: AmountText = Field(description="open credit notes and unallocated payments, never positive")
    order_book: AmountText | None = Field(description="orders not yet invoiced; null for a past day")
    items_count: int = Field(description="open items")
    oldest_due_date: date | None = Field(description="of an open debit")


class Balances(BaseModel):
    """A page of balances."""

    as_of: date
    by: Literal["customer", "company", "group"]
    as_of_position: int = Field(description="position of the ledger's feed the figures go up to")
    data: list[Balance]
    next_cursor: str | None = Field(description="pass as `cursor` to read on; null on the last page")


@router.get(
    "/balances",
    response_model=Balances,
    summary="List balances",
    responses=FILES,
    openapi_extra=scope("ledger:read"),
)
async def list_balances(
    ctx: Ctx,
    by: Annotated[
        Literal["customer", "company", "group"], Query(description="what a row is about")
    ] = "customer",
    as_of: Annotated[date | None, Query(description="today when left out; any past day")] = None,
    known_at: Annotated[datetime | None, Query(description="as it was known at that instant")] = None,
    currency: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$", description="only this currency")] = None,
    customer_id: UUID | None = None,
    company_id: UUID | None = None,
    group_id: UUID | None = None,
    business_unit_id: Annotated[list[UUID] | None, Query(description="one or several business units")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """One row a key and currency. Company and group rows cover the whole company, whatever the caller's perimeter.

    Also as CSV or XLSX, with every row, when `Accept` asks for one.
    """
    when = open_items.moment(ctx.tx, as_of, known_at)
    wanted = open_items.Scope(
        customer_id=customer_id, company_id=company_id, group_id=group_id, business_unit_id=business_unit_id,
        currency=currency, perimeter=ctx.caller.perimeter,
    )  # fmt: skip
    form = wanted_form(ctx.request)
    size = limit if form == "json" else _EVERYTHING
    today = when.is_today(ctx.tx)
    if by == "customer" and today:
        rows = await balance_rows.kept_rows(ctx.tx, wanted, cursor, size)
        books = {(row["key"], row["currency"]): row["order_book"] for row in rows}
        position = rows[0]["position"] if rows else None
    else:
        rows = await balance_rows.computed_rows(ctx.tx, by, when, wanted, cursor, size)
        books = await balance_rows.order_books(ctx.tx, by, rows) if today else {}
        position = None
    data = [
        _balance(row, books.get((row["key"], row["currency"]), 0) if today else None) for row in rows[:size]
    ]
    if form != "json":
        return table(form, "balances", _COLUMNS, data)
    body = {
        "as_of": when.as_of,
        "by": by,
        "as_of_position": position or await balance_rows.position(ctx.tx),
        "data": data,
        "next_cursor": encode(rows[size - 1]["_cursor"]) if len(rows) > size else None,
    }
    return reply(body, headers={"Vary": "Accept"})


def _balance(row: Row, order_book: int | None) -> dict[str, Any]:
    currency = row["currency"]
    not_due = row["outstanding"] - row["overdue"] - row["credits"]
    return {
        "id": row["key"],
        "name": row["name"],
        "currency": currency,
        "outstanding": from_minor(row["outstanding"], currency),
        "not_due": from_minor(not_due, currency),
        "overdue": from_minor(row["overdue"], currency),
        "credits": from_minor(row["credits"], currency),
        "order_book": None if order_book is None else from_minor(order_book, currency),
        "items_count": row["items_count"],
        "oldest_due_date": row["oldest_due_date"],
    }
