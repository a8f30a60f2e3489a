"""The account statement of a customer, as JSON and as CSV."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.amounts import reach_of
from services.ledger.api.csv_table import CSV, csv_reply, wants_csv
from services.ledger.api.fields import CurrencyCode, Id
from services.ledger.api.statement_schemas import Statement, StatementLine
from services.ledger.domain.item_state import days_late, status_of
from services.ledger.usecases.statements import StatementOrder, read_statement

router = Router("Statements")
_COLUMNS = tuple(StatementLine.model_fields)
_TEXTS = ("external_id", "number", "reference", "order_reference")


@router.get(
    "/customers/{customer_id}/statement",
    response_model=Statement,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "The statement"}},
    summary="Show a customer's statement",
    openapi_extra=scope("ledger:read"),
)
async def get_customer_statement(
    ctx: Ctx,
    customer_id: Id,
    as_of: Annotated[date | None, Query(description="the account on this day, up to today (default)")] = None,
    currency: Annotated[CurrencyCode | None, Query(description="left out: all")] = None,
    items: Annotated[
        Literal["open", "all"], Query(description="open on the day, or the closed ones too")
    ] = "open",
    accept: Annotated[str, Header(description="`text/csv` for a file with all lines")] = "application/json",
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Response:
    """The customer's items with a running balance. The totals are over all lines, whatever the page; the last balance of each
    currency is what is outstanding in it. A CSV file holds all lines in one."""
    day = as_of or ctx.tx.today
    order = StatementOrder(as_of=day, currency=currency, closed_too=items == "all")
    as_file = wants_csv(accept)
    found = await read_statement(
        ctx.tx,
        customer_id,
        order,
        reach_of(ctx.caller),
        cursor=None if as_file else cursor,
        limit=None if as_file else limit,
    )
    if as_file:
        name = f"statement-{customer_id}-{day.isoformat()}"
        return csv_reply(name, _COLUMNS, [_line(row, day) for row in found.lines], _TEXTS)
    lines = page(found.lines, limit, lambda row: _line(row, day))
    account = found.account
    return reply(
        {
            "customer_id": account["id"],
            "customer_external_id": account["external_id"],
            "customer_name": account["name"],
            "as_of": day,
            **lines,
            "totals": [_total(row) for row in found.totals],
        },
        headers={"Vary": "Accept"},
    )


def _line(row: Row, day: date) -> dict[str, Any]:
    currency, remaining = row["currency"], int(row["remaining"])
    return {
        "item_id": row["id"],
        "kind": row["kind"],
        "direction": "debit" if row["direction"] > 0 else "credit",
        "external_id": row["external_id"],
        "number": row["number"],
        "reference": row["reference"],
        "order_reference": row["order_reference"],
        "issue_date": row["issue_date"],
        "due_date": row["due_date"],
        "days_late": days_late(
            row["due_date"], day, sign=row["direction"], closed_on=None if remaining else row["closed_on"]
        ),
        "currency": currency,
        "amount": from_minor(row["direction"] * row["amount"], currency),
        "open_amount": from_minor(remaining, currency),
        "balance": from_minor(int(row["running"]), currency),
        "status": status_of(remaining),
    }


def _total(row: Row) -> dict[str, Any]:
    currency = row["currency"]
    not_due = row["outstanding"] - row["overdue"] - row["credits"]
    return {
        "currency": currency,
        "outstanding": from_minor(row["outstanding"], currency),
        "not_due": from_minor(not_due, currency),
        "overdue": from_minor(row["overdue"], currency),
        "credits": from_minor(row["credits"], currency),
        "items_count": row["items_count"],
    }
