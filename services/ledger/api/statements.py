"""The account statement of a customer: JSON, CSV, XLSX, and PDF to print."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.exports import CSV, FILES, XLSX, preferred, table
from libs.kit.paging import Cursor, Limit, page
from libs.kit.pdf import PDF
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.amounts import reach_of
from services.ledger.api.fields import CurrencyCode, Id
from services.ledger.api.item_facts import facts_of
from services.ledger.api.list_files import STATEMENT, VARY, flat_facts
from services.ledger.api.statement_pdf import statement_pdf
from services.ledger.api.statement_schemas import Statement
from services.ledger.domain.item_state import days_late, status_of
from services.ledger.usecases.statements import StatementOrder, read_statement
from services.ledger.usecases.tenant_settings import settings_of

router = Router("Statements")
_FORMS: dict[str, Literal["json", "csv", "xlsx", "pdf"]] = {
    CSV: "csv",
    XLSX: "xlsx",
    PDF: "pdf",
    "application/json": "json",
}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {**FILES[200]["content"], PDF: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get(
    "/customers/{customer_id}/statement",
    response_model=Statement,
    responses=_FILES,
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
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Response:
    """The customer's items with a running balance. The totals are over all lines, whatever the page; the last balance of each
    currency is what is outstanding in it. CSV, XLSX and PDF hold all lines in one; the PDF is in
    the customer's language, with the brand of the settings, for up to 2,000 lines."""
    day = as_of or ctx.tx.today
    order = StatementOrder(as_of=day, currency=currency, closed_too=items == "all")
    form = preferred(ctx.request, _FORMS, "json")
    as_file = form != "json"
    found = await read_statement(
        ctx.tx,
        customer_id,
        order,
        reach_of(ctx.caller),
        cursor=None if as_file else cursor,
        limit=None if as_file else limit,
    )
    if form == "pdf":
        brand = (await settings_of(ctx.tx)).brand
        name = f'inline; filename="statement-{day.isoformat()}.pdf"'
        document = await statement_pdf(found, day, brand)
        return Response(document, media_type=PDF, headers={"Content-Disposition": name, **VARY})
    if form != "json":
        lines = [_line(row, day) for row in found.lines]
        return table(
            form, f"statement-{day.isoformat()}", STATEMENT, [{**each, **flat_facts(each)} for each in lines]
        )
    shown = page(found.lines, limit, lambda row: _line(row, day))
    account = found.account
    return reply(
        {
            "customer_id": account["id"],
            "customer_external_id": account["external_id"],
            "customer_name": account["name"],
            "as_of": day,
            **shown,
            "totals": [_total(row) for row in found.totals],
        },
        headers=VARY,
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
        **facts_of(row),
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
