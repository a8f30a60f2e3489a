"""Payments: money received, what it pays, and taking it back."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.exports import FILES, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page, parse_sort
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.amounts import Ids, Texts, minor, reach_of
from services.ledger.api.fields import CurrencyCode, Id, IfMatch, UpdatedSince
from services.ledger.api.item_history import wish_of
from services.ledger.api.item_schemas import AllocationCreate, AllocationReversal
from services.ledger.api.list_files import PAYMENTS, VARY, list_file
from services.ledger.api.payment_schemas import Payment, PaymentCreate, PaymentReverse
from services.ledger.domain.allocation import AllocationMode
from services.ledger.domain.item_state import status_of
from services.ledger.storage import payments as storage
from services.ledger.usecases import payments as usecases
from services.ledger.usecases.accounts import AccountKey
from services.ledger.usecases.allocations import Line, Wish

router = Router("Payments")
READ, WRITE = scope("ledger:read"), scope("ledger:write")


@router.post(
    "/payments",
    status_code=201,
    response_model=Payment,
    responses={200: {"model": Payment, "description": "Known already, with this content"}},
    summary="Record a payment",
    openapi_extra=WRITE,
)
async def create_payment(ctx: Ctx, body: PaymentCreate) -> Response:
    """Records money received and allocates it; all of it or nothing is done.

    Never more than is open is allocated (409 `over_allocated`), never across currencies (422 `currency_mismatch`). What is
    left stays open as a credit of the customer.
    """
    row, is_new = await usecases.create_payment(ctx.tx, _new_payment(body), reach_of(ctx.caller))
    headers = {"ETag": etag(row["version"]), "Location": f"/v1/payments/{row['id']}"}
    return reply(present(row), 201 if is_new else 200, headers)


@router.get(
    "/payments", response_model=Page[Payment], responses=FILES, summary="List payments", openapi_extra=READ
)
async def list_payments(
    ctx: Ctx,
    customer_id: Ids = None,
    company_id: Ids = None,
    business_unit_id: Ids = None,
    currency: Annotated[list[CurrencyCode] | None, Query()] = None,
    external_id: Texts = None,
    reference: Texts = None,
    paid_from: Annotated[date | None, Query(description="paid on this day or later")] = None,
    paid_to: Annotated[date | None, Query(description="paid on this day or earlier")] = None,
    unallocated: Annotated[
        bool | None, Query(description="with something left to allocate, or without")
    ] = None,
    updated_since: UpdatedSince = None,
    sort: Annotated[
        str | None, Query(description="-paid_on (default), amount, created_at; - descends")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Payments of the business units in sight, the newest first."""
    wanted = storage.narrowed(
        ctx.tx,
        ctx.caller.perimeter,
        customer_ids=customer_id or (),
        company_ids=company_id or (),
        business_unit_ids=business_unit_id or (),
        currencies=currency or (),
        external_ids=external_id or (),
        references=reference or (),
        paid_from=paid_from,
        paid_to=paid_to,
        unallocated=unallocated,
        updated_since=updated_since,
    )
    keys = storage.by_id(parse_sort(sort, storage.SORTS, "-paid_on"))
    form = wanted_form(ctx.request)
    if form != "json":
        return await list_file(ctx, form, "payments", PAYMENTS, storage.listed(wanted, keys), _cells)
    rows = await ctx.tx.fetch(*storage.listed(wanted, keys, cursor, limit))
    return reply(page(rows, limit, present), headers=VARY)


@router.get("/payments/{payment_id}", response_model=Payment, summary="Show a payment", openapi_extra=READ)
async def get_payment(ctx: Ctx, payment_id: Id) -> Response:
    """The payment with its allocations. The ETag is for If-Match."""
    return _answer(await usecases.read_payment(ctx.tx, payment_id, ctx.caller.perimeter))


@router.post(
    "/payments/{payment_id}/allocations",
    response_model=Payment,
    summary="Allocate a payment",
    openapi_extra=WRITE,
)
async def allocate_payment(
    ctx: Ctx, payment_id: Id, body: AllocationCreate, if_match: IfMatch = None
) -> Response:
    """Spends what is left of the payment. 409 `over_allocated`, 422 `currency_mismatch`; 409 `invalid_state` when nothing is
    left to choose with."""
    payment = await usecases.read_payment(ctx.tx, payment_id, ctx.caller.perimeter)
    wish = wish_of(body, payment["currency"])
    row = await usecases.allocate_payment(ctx.tx, payment_id, wish, reach_of(ctx.caller), if_match)
    return _answer(row)


@router.post(
    "/payments/{payment_id}/allocations/{allocation_id}/reverse",
    response_model=Payment,
    summary="Take a payment's allocation back",
    openapi_extra=WRITE,
)
async def reverse_payment_allocation(
    ctx: Ctx,
    payment_id: Id,
    allocation_id: Annotated[UUID, Path(description="the allocation's id")],
    body: AllocationReversal,
) -> Response:
    """The item it paid is open again, with its original dates, and the money is free. 409 `invalid_state` when that was done
    before."""
    row = await usecases.take_back_allocation(
        ctx.tx, payment_id, allocation_id, body.reversed_on, body.reason, reach_of(ctx.caller)
    )
    return _answer(row)


@router.post(
    "/payments/{payment_id}/reverse",
    response_model=Payment,
    summary="Reverse a payment",
    openapi_extra=WRITE,
)
async def reverse_payment(
    ctx: Ctx, payment_id: Id, body: PaymentReverse, if_match: IfMatch = None
) -> Response:
    """The money went back, or never came: all it paid is open again, with its original dates. 409 `invalid_state` when it was
    reversed before."""
    row = await usecases.reverse_received_payment(
        ctx.tx, payment_id, body.reason, body.reversed_on, reach_of(ctx.caller), if_match
    )
    return _answer(row)


def _answer(row: Row) -> Response:
    return reply(present(row), headers={"ETag": etag(row["version"])})


def _cells(row: Row) -> dict[str, Any]:
    return {**present(row), "custom_fields": row["custom_fields"]}


def present(row: Row) -> dict[str, Any]:
    """The public object of a payment's row."""
    currency, open_amount = row["currency"], row["open_amount"]
    return {
        "id": row["id"],
        "business_unit_id": row["business_unit_id"],
        "customer_id": row["customer_id"],
        "customer_external_id": row["customer_external_id"],
        "company_id": row["company_id"],
        "external_id": row["external_id"],
        "source": row["source"],
        "amount": from_minor(row["amount"], currency),
        "currency": currency,
        "paid_on": row["paid_on"],
        "open_amount": from_minor(open_amount, currency),
        "unallocated_amount": from_minor(-open_amount, currency),
        "status": status_of(open_amount),
        "reference": row["reference"],
        "reversed_reason": row["reversed_reason"],
        "allocations": [
            {
                "id": identifier,
                "item_id": item_id,
                "item_external_id": item_external_id,
                "item_number": item_number,
                "amount": from_minor(amount, currency),
                "allocated_on": allocated_on,
                "reversed_on": reversed_on,
                "reversal_reason": reversal_reason,
            }
            for (
                identifier,
                item_id,
                item_external_id,
                item_number,
                amount,
                allocated_on,
                reversed_on,
                reversal_reason,
            ) in row["allocations"]
        ],
        "custom_fields": raw(row["custom_fields"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _new_payment(body: PaymentCreate) -> usecases.NewPayment:
    currency = body.currency
    lines = [
        Line(
            amount=minor(line.amount, currency, f"/allocations/{index}/amount"),
            item_id=line.item_id,
            item_external_id=line.item_external_id,
        )
        for index, line in enumerate(body.allocations)
    ]
    return usecases.NewPayment(
        account=AccountKey(
            customer_id=body.customer_id,
            customer_external_id=body.customer_external_id,
            business_unit_id=body.business_unit_id,
        ),
        amount=minor(body.amount, currency, "/amount"),
        currency=currency,
        paid_on=body.paid_on,
        wish=Wish(
            lines=lines,
            mode=AllocationMode(body.allocate),
            allocated_on=body.allocated_on,
            paid_on=body.paid_on,
        ),
        external_id=body.external_id,
        source=body.source,
        reference=body.reference,
        custom_fields=body.custom_fields,
    )
