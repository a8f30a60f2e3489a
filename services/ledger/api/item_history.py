"""What happened to an item: its journal, and its allocations on either side."""

from typing import Any

from fastapi import Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.amounts import minor, reach_of
from services.ledger.api.fields import Id, IfMatch
from services.ledger.api.item_schemas import (
    AllocationCreate,
    AllocationReversal,
    Item,
    ItemAllocation,
    ItemEntry,
)
from services.ledger.api.items import present
from services.ledger.domain.allocation import AllocationMode
from services.ledger.domain.journal import EntryKind
from services.ledger.storage import allocations as storage
from services.ledger.storage import items
from services.ledger.usecases import allocations as usecases
from services.ledger.usecases.items import read_item

router = Router("Items")
READ, WRITE = scope("ledger:read"), scope("ledger:write")


@router.get(
    "/items/{item_id}/entries",
    response_model=Page[ItemEntry],
    summary="List an item's entries",
    openapi_extra=READ,
)
async def list_item_entries(ctx: Ctx, item_id: Id, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The journal, oldest entry first. Nothing in it is ever changed: corrections are new entries."""
    item = await read_item(ctx.tx, item_id, ctx.caller.perimeter)
    rows = await items.read_entries(ctx.tx, item_id, cursor, limit)
    return reply(page(rows, limit, lambda row: _entry(row, item["currency"])))


@router.get(
    "/items/{item_id}/allocations",
    response_model=Page[ItemAllocation],
    summary="List an item's allocations",
    openapi_extra=READ,
)
async def list_item_allocations(ctx: Ctx, item_id: Id, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What the item paid, or what paid it, oldest first, with the allocations that were taken back."""
    await read_item(ctx.tx, item_id, ctx.caller.perimeter)
    rows = await storage.of_item(ctx.tx, item_id, cursor, limit)
    return reply(page(rows, limit, _allocation))


@router.post(
    "/items/{item_id}/allocations",
    response_model=Item,
    summary="Allocate an item",
    openapi_extra=WRITE,
)
async def allocate_item(ctx: Ctx, item_id: Id, body: AllocationCreate, if_match: IfMatch = None) -> Response:
    """Spends a credit (credit note, payment) on the items named, or lets the credits named pay an invoice.

    Never more than is open on either side: 409 `over_allocated`. Never across currencies: 422 `currency_mismatch`. The
    allocation counts from `allocated_on`, not before both sides were open.
    """
    reach = reach_of(ctx.caller)
    item = await read_item(ctx.tx, item_id, ctx.caller.perimeter)
    wish = wish_of(body, item["currency"])
    act = usecases.settle_debit if item["direction"] > 0 and wish.lines else usecases.allocate_credit
    touched = await act(ctx.tx, item_id, wish, reach, if_match)
    row = await usecases.announce_allocation(ctx.tx, item_id, "item.allocated", touched)
    return reply(present(row, ctx.tx.today), headers={"ETag": etag(row["version"])})


@router.post(
    "/items/{item_id}/allocations/{allocation_id}/reverse",
    response_model=Item,
    summary="Take an item's allocation back",
    openapi_extra=WRITE,
)
async def reverse_item_allocation(
    ctx: Ctx, item_id: Id, allocation_id: Id, body: AllocationReversal
) -> Response:
    """Undoes what this credit paid: the other item is open again, with its original dates. 409 `invalid_state` when that was
    done before."""
    touched = await usecases.take_back(
        ctx.tx, item_id, allocation_id, body.reversed_on, body.reason, reach_of(ctx.caller)
    )
    row = await usecases.announce_allocation(ctx.tx, item_id, "item.unallocated", touched)
    return reply(present(row, ctx.tx.today), headers={"ETag": etag(row["version"])})


def wish_of(body: AllocationCreate, currency: str) -> usecases.Wish:
    """What a body asks for, in minor units of the item's currency."""
    lines = [
        usecases.Line(
            amount=minor(line.amount, currency, f"/allocations/{index}/amount"),
            item_id=line.item_id,
            item_external_id=line.item_external_id,
        )
        for index, line in enumerate(body.allocations)
    ]
    mode = AllocationMode(body.allocate) if body.allocate else AllocationMode.NONE
    return usecases.Wish(lines=lines, mode=mode, allocated_on=body.allocated_on)


def _entry(row: Row, currency: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "item_id": row["item_id"],
        "kind": EntryKind(row["kind"]).label,
        "amount": from_minor(row["amount"], currency),
        "currency": currency,
        "effective_on": row["effective_on"],
        "recorded_at": row["recorded_at"],
        "reverses": row["reverses"],
        "allocation_id": row["allocation_id"],
        "import_id": row["import_id"],
        "reason": row["reason"],
    }


_ALLOCATION: tuple[str, ...] = tuple(ItemAllocation.model_fields)


def _allocation(row: Row) -> dict[str, Any]:
    return {**{name: row[name] for name in _ALLOCATION}, "amount": from_minor(row["amount"], row["currency"])}
