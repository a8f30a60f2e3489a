"""Orders: the order book of each customer, counted in its potential risk."""

from datetime import date
from typing import Annotated, Any

from fastapi import Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.exports import FILES, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page, parse_sort
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.amounts import Ids, Texts, minor, reach_of
from services.ledger.api.fields import CurrencyCode, Id, IfMatch, UpdatedSince
from services.ledger.api.list_files import ORDERS, VARY, list_file
from services.ledger.api.order_schemas import Order, OrderCreate, OrderStatus, OrderUpdate
from services.ledger.storage import orders as storage
from services.ledger.usecases import orders as usecases
from services.ledger.usecases.accounts import AccountKey

router = Router("Orders")
READ, WRITE = scope("ledger:read"), scope("ledger:write")
_MEMBERS = tuple(Order.model_fields)


@router.post(
    "/orders",
    status_code=201,
    response_model=Order,
    responses={200: {"model": Order, "description": "Known already, with this content"}},
    summary="Record an order",
    openapi_extra=WRITE,
)
async def create_order(ctx: Ctx, body: OrderCreate) -> Response:
    """Records one order; many at once go to /v1/imports. A known external id with the same content answers 200; with other
    content, 409 `external_id_exists` with `existing_id`."""
    currency = body.currency
    given = usecases.NewOrder(
        account=AccountKey(
            customer_id=body.customer_id,
            customer_external_id=body.customer_external_id,
            business_unit_id=body.business_unit_id,
        ),
        external_id=body.external_id,
        currency=currency,
        amount=minor(body.amount, currency, "/amount"),
        tax_included=body.tax_included,
        invoiced_amount=0
        if body.invoiced_amount is None
        else minor(body.invoiced_amount, currency, "/invoiced_amount"),
        expected_on=body.expected_on,
        status=body.status,
        reference=body.reference,
        source=body.source,
        source_version=body.source_version,
        custom_fields=body.custom_fields,
    )
    row, is_new = await usecases.create_order(ctx.tx, given, reach_of(ctx.caller))
    headers = {"ETag": etag(row["version"]), "Location": f"/v1/orders/{row['id']}"}
    return reply(present(row), 201 if is_new else 200, headers)


@router.get("/orders", response_model=Page[Order], responses=FILES, summary="List orders", openapi_extra=READ)
async def list_orders(
    ctx: Ctx,
    status: Annotated[list[OrderStatus] | None, Query()] = None,
    customer_id: Ids = None,
    company_id: Ids = None,
    business_unit_id: Ids = None,
    currency: Annotated[list[CurrencyCode] | None, Query()] = None,
    external_id: Texts = None,
    expected_from: Annotated[date | None, Query(description="expected on this day or later")] = None,
    expected_to: Annotated[date | None, Query(description="expected on this day or earlier")] = None,
    updated_since: UpdatedSince = None,
    sort: Annotated[
        str | None, Query(description="expected_on (default), amount, external_id, created_at; - descends")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Orders of the business units in sight. A filter that is repeated takes any of its values."""
    wanted = storage.narrowed(
        ctx.tx,
        ctx.caller.perimeter,
        statuses=status or (),
        customer_ids=customer_id or (),
        company_ids=company_id or (),
        business_unit_ids=business_unit_id or (),
        currencies=currency or (),
        external_ids=external_id or (),
        expected_from=expected_from,
        expected_to=expected_to,
        updated_since=updated_since,
    )
    keys = storage.by_id(parse_sort(sort, storage.SORTS, "expected_on"))
    form = wanted_form(ctx.request)
    if form != "json":
        return await list_file(ctx, form, "orders", ORDERS, storage.listed(wanted, keys), _cells)
    rows = await ctx.tx.fetch(*storage.listed(wanted, keys, cursor, limit))
    return reply(page(rows, limit, present), headers=VARY)


@router.get("/orders/{order_id}", response_model=Order, summary="Show an order", openapi_extra=READ)
async def get_order(ctx: Ctx, order_id: Id) -> Response:
    """The order. The ETag is for If-Match."""
    return _answer(await usecases.read_order(ctx.tx, order_id, ctx.caller.perimeter))


@router.patch("/orders/{order_id}", response_model=Order, summary="Change an order", openapi_extra=WRITE)
async def update_order(ctx: Ctx, order_id: Id, body: OrderUpdate, if_match: IfMatch = None) -> Response:
    """The order book moves with it."""
    given = body.model_dump(exclude_unset=True)
    currency = (await usecases.read_order(ctx.tx, order_id, ctx.caller.perimeter))["currency"]
    for name in ("amount", "invoiced_amount"):
        if name in given:
            given[name] = minor(given[name], currency, f"/{name}")
    return _answer(await usecases.change_order(ctx.tx, order_id, given, reach_of(ctx.caller), if_match))


def _answer(row: Row) -> Response:
    return reply(present(row), headers={"ETag": etag(row["version"])})


def _cells(row: Row) -> dict[str, Any]:
    return {**present(row), "custom_fields": row["custom_fields"]}


def present(row: Row) -> dict[str, Any]:
    """The public object of an order's row."""
    currency = row["currency"]
    return {
        **{name: row[name] for name in _MEMBERS},
        "amount": from_minor(row["amount"], currency),
        "invoiced_amount": from_minor(row["invoiced_amount"], currency),
        "custom_fields": raw(row["custom_fields"]),
    }
