"""Items: invoices, credit notes, payments and others, and what became of them."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.exports import FILES, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page, parse_sort
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.amounts import Ids, Texts, minor, optional_minor, reach_of, shown
from services.ledger.api.fields import (
    CurrencyCode,
    CustomFieldFilter,
    Id,
    IfMatch,
    UpdatedSince,
    custom_field_pairs,
)
from services.ledger.api.item_facts import facts_of
from services.ledger.api.item_schemas import (
    Correction,
    Item,
    ItemCreate,
    ItemUpdate,
    Kind,
    WriteOff,
)
from services.ledger.api.list_files import ITEMS, VARY, flat_facts, list_file
from services.ledger.domain.item_state import Direction, ItemKind, days_late, status_of
from services.ledger.storage import items as storage
from services.ledger.storage.item_facts import FactFilter
from services.ledger.usecases import items as usecases
from services.ledger.usecases.accounts import AccountKey

router = Router("Items")
READ, WRITE = scope("ledger:read"), scope("ledger:write")
_MONEY = ("amount", "tax_amount", "net_amount", "open_amount")


@router.post(
    "/items",
    status_code=201,
    response_model=Item,
    responses={200: {"model": Item, "description": "Known already, with this content"}},
    summary="Record an item",
    openapi_extra=WRITE,
)
async def create_item(ctx: Ctx, body: ItemCreate) -> Response:
    """Records one item; many at once go to /v1/imports.

    A known external id with the same content answers 200 and changes nothing; with other content, 409 `external_id_exists`
    with `existing_id`. Without a due date the customer's payment terms give it, else 422 `due_date_unknown`.
    """
    row, is_new = await usecases.create_item(ctx.tx, _new_item(body), reach_of(ctx.caller))
    headers = {"ETag": etag(row["version"]), "Location": f"/v1/items/{row['id']}"}
    return reply(present(row, ctx.tx.today), 201 if is_new else 200, headers)


@router.get("/items", response_model=Page[Item], responses=FILES, summary="List items", openapi_extra=READ)
async def list_items(
    ctx: Ctx,
    status: Annotated[Literal["open", "closed"] | None, Query(description="left out: both")] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    customer_id: Ids = None,
    company_id: Ids = None,
    business_unit_id: Ids = None,
    currency: Annotated[list[CurrencyCode] | None, Query()] = None,
    due_date_from: Annotated[date | None, Query(description="due on this day or later")] = None,
    due_date_to: Annotated[date | None, Query(description="due on this day or earlier")] = None,
    overdue: Annotated[
        bool | None, Query(description="open debits past their due date, or all others")
    ] = None,
    number: Texts = None,
    external_id: Texts = None,
    custom_field: CustomFieldFilter = None,
    status_code: Texts = None,
    resolution_owner: Ids = None,
    excluded_by: Texts = None,
    excluded: Annotated[
        bool | None, Query(description="kept out of its scenario by whatever it be, or in it")
    ] = None,
    disputed: Annotated[bool | None, Query(description="with an open dispute, or without")] = None,
    promise_date_from: Annotated[date | None, Query(description="promised for this day or later")] = None,
    promise_date_to: Annotated[date | None, Query(description="promised for this day or earlier")] = None,
    follow_up_from: Annotated[date | None, Query(description="to follow up on this day or later")] = None,
    follow_up_to: Annotated[date | None, Query(description="to follow up on this day or earlier")] = None,
    updated_since: UpdatedSince = None,
    sort: Annotated[
        str | None,
        Query(
            description="due_date (default), issue_date, open_amount, days_late, number, created_at; - descends"
        ),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Items of the business units in sight. A filter that is repeated takes any of its values."""
    tx = ctx.tx
    wanted = storage.narrowed(
        tx,
        ctx.caller.perimeter,
        status=status,
        kinds=kind or (),
        customer_ids=customer_id or (),
        company_ids=company_id or (),
        business_unit_ids=business_unit_id or (),
        currencies=currency or (),
        due_from=due_date_from,
        due_to=due_date_to,
        overdue=overdue,
        numbers=number or (),
        external_ids=external_id or (),
        custom_fields=custom_field_pairs(custom_field),
        updated_since=updated_since,
        facts=FactFilter(
            status_codes=status_code or (),
            resolution_owners=resolution_owner or (),
            excluded_by=excluded_by or (),
            excluded=excluded,
            disputed=disputed,
            promised_from=promise_date_from,
            promised_to=promise_date_to,
            follow_up_from=follow_up_from,
            follow_up_to=follow_up_to,
        ),
    )
    keys = storage.by_id(parse_sort(sort, storage.sort_keys(tx.today), "due_date"))
    form = wanted_form(ctx.request)
    if form != "json":
        return await list_file(
            ctx, form, "items", ITEMS, storage.listed(wanted, keys), lambda row: _cells(row, tx.today)
        )
    rows = await tx.fetch(*storage.listed(wanted, keys, cursor, limit))
    return reply(page(rows, limit, lambda row: present(row, tx.today)), headers=VARY)


@router.get("/items/{item_id}", response_model=Item, summary="Show an item", openapi_extra=READ)
async def get_item(ctx: Ctx, item_id: Id) -> Response:
    """The item as it stands today. The ETag is for If-Match."""
    return _answer(ctx, await usecases.read_item(ctx.tx, item_id, ctx.caller.perimeter))


@router.patch("/items/{item_id}", response_model=Item, summary="Change an item", openapi_extra=WRITE)
async def update_item(ctx: Ctx, item_id: Id, body: ItemUpdate, if_match: IfMatch = None) -> Response:
    """Each change of an attribute is kept with what stood before. `open_amount` is authoritative: the difference to what is
    open here was settled (or reopened) by the source."""
    reach = reach_of(ctx.caller)
    currency = (await usecases.read_item(ctx.tx, item_id, ctx.caller.perimeter))["currency"]
    given = body.model_dump(exclude_unset=True)
    for name in _MONEY:
        if given.get(name) is not None:
            given[name] = minor(given[name], currency, f"/{name}")
    return _answer(ctx, await usecases.change_item(ctx.tx, item_id, given, reach, if_match))


@router.post(
    "/items/{item_id}/write-off", response_model=Item, summary="Write an item off", openapi_extra=WRITE
)
async def write_off_item(ctx: Ctx, item_id: Id, body: WriteOff, if_match: IfMatch = None) -> Response:
    """Gives up what is open, or a part of it. 409 `exceeds_open` when that is more than is open, 409 `invalid_state` when
    nothing is."""
    amount = None
    if body.amount is not None:
        currency = (await usecases.read_item(ctx.tx, item_id, ctx.caller.perimeter))["currency"]
        amount = minor(body.amount, currency, "/amount")
    row = await usecases.write_off_item(
        ctx.tx, item_id, amount, body.effective_on, body.reason, reach_of(ctx.caller), if_match
    )
    return _answer(ctx, row)


@router.post("/items/{item_id}/cancel", response_model=Item, summary="Cancel an item", openapi_extra=WRITE)
async def cancel_item(ctx: Ctx, item_id: Id, body: Correction, if_match: IfMatch = None) -> Response:
    """Voids an item that was issued in error. 409 `has_allocations` while something is allocated to it: take that back first;
    409 `invalid_state` when nothing is open."""
    row = await usecases.cancel_item(
        ctx.tx, item_id, body.effective_on, body.reason, reach_of(ctx.caller), if_match
    )
    return _answer(ctx, row)


@router.post("/items/{item_id}/reopen", response_model=Item, summary="Reopen an item", openapi_extra=WRITE)
async def reopen_item(ctx: Ctx, item_id: Id, body: Correction, if_match: IfMatch = None) -> Response:
    """Undoes the last write-off, cancellation or settlement by the source of a closed item, with its original dates. 409
    `invalid_state` when it is open, or was closed by allocations: take one of them back instead."""
    row = await usecases.reopen_item(
        ctx.tx, item_id, body.effective_on, body.reason, reach_of(ctx.caller), if_match
    )
    return _answer(ctx, row)


def _answer(ctx: Ctx, row: Row) -> Response:
    return reply(present(row, ctx.tx.today), headers={"ETag": etag(row["version"])})


def present(row: Row, today: date) -> dict[str, Any]:
    """The public object of an item's row as of today."""
    currency, open_amount = row["currency"], row["open_amount"]
    return {
        "id": row["id"],
        "business_unit_id": row["business_unit_id"],
        "customer_id": row["customer_id"],
        "customer_external_id": row["customer_external_id"],
        "customer_name": row["customer_name"],
        "company_id": row["company_id"],
        "kind": row["kind"],
        "direction": "debit" if row["direction"] > 0 else "credit",
        "external_id": row["external_id"],
        "number": row["number"],
        "source": row["source"],
        "source_version": row["source_version"],
        "issue_date": row["issue_date"],
        "delivery_date": row["delivery_date"],
        "due_date": row["due_date"],
        "original_due_date": row["original_due_date"],
        "currency": currency,
        "amount": from_minor(row["amount"], currency),
        "tax_amount": shown(row["tax_amount"], currency),
        "net_amount": shown(row["net_amount"], currency),
        "open_amount": from_minor(open_amount, currency),
        "reference": row["reference"],
        "order_reference": row["order_reference"],
        "custom_fields": raw(row["custom_fields"]),
        "status": status_of(open_amount),
        "days_late": days_late(row["due_date"], today, sign=row["direction"], closed_on=row["closed_on"]),
        "closed_on": row["closed_on"],
        "cancelled": row["cancelled"],
        **facts_of(row),
        "as_of_approximate": row["as_of_approximate"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _cells(row: Row, today: date) -> dict[str, Any]:
    shown = present(row, today)
    return {**shown, **flat_facts(shown), "custom_fields": row["custom_fields"]}


def _new_item(body: ItemCreate) -> usecases.NewItem:
    currency = body.currency
    return usecases.NewItem(
        account=AccountKey(
            customer_id=body.customer_id,
            customer_external_id=body.customer_external_id,
            business_unit_id=body.business_unit_id,
        ),
        kind=ItemKind(body.kind),
        direction=None if body.direction is None else Direction(body.direction),
        external_id=body.external_id,
        number=body.number,
        source=body.source,
        source_version=body.source_version,
        issue_date=body.issue_date,
        delivery_date=body.delivery_date,
        due_date=body.due_date,
        original_due_date=body.original_due_date,
        settled_on=body.settled_on,
        currency=currency,
        amount=minor(body.amount, currency, "/amount"),
        tax_amount=optional_minor(body.tax_amount, currency, "/tax_amount"),
        net_amount=optional_minor(body.net_amount, currency, "/net_amount"),
        open_amount=optional_minor(body.open_amount, currency, "/open_amount"),
        reference=body.reference,
        order_reference=body.order_reference,
        custom_fields=body.custom_fields,
    )
