"""Finding what a caller may see: customers, items and objects that hang on them."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row
from libs.kit.etag import require_match
from libs.kit.problems import invalid, not_found
from libs.kit.route import Ctx
from services.dunning.storage import situations
from services.dunning.storage.records import Records

_CUSTOMER = (
    "SELECT id, company_id, business_unit_id, external_id, name, language, contacts, address, country, time_zone,"
    " collector_user_id, scenario_id FROM customers WHERE tenant_id = $1 AND id = $2 AND NOT archived"
)


async def customer_in_sight(ctx: Ctx, customer_id: UUID, *, pointer: str | None = None) -> Row:
    """A customer of the caller's perimeter; the ledger is asked once about one that is not known yet. Raises 404, or 422 at
    `pointer` when the customer was named in a body."""
    row = await ctx.tx.fetchrow(_CUSTOMER, ctx.tx.tenant_id, customer_id)
    if row is None:
        await ctx.runtime.feed.drain("ledger", ctx.tx.tenant_id, within=2)
        row = await ctx.tx.fetchrow(_CUSTOMER, ctx.tx.tenant_id, customer_id)
    perimeter = ctx.caller.perimeter
    if row is None or (perimeter is not None and row["business_unit_id"] not in perimeter):
        raise (
            not_found("customer", customer_id)
            if pointer is None
            else invalid(pointer, "customer_unknown", "expected the id of a customer")
        )
    return row


async def items_of_one(ctx: Ctx, item_ids: Sequence[UUID]) -> list[Row]:
    """Open items of one customer in sight, oldest first. Raises 422 naming the first that is not."""
    rows = await situations.open_items(ctx.tx, item_ids)
    if len(rows) < len(set(item_ids)):
        await ctx.runtime.feed.drain("ledger", ctx.tx.tenant_id, within=2)
        rows = await situations.open_items(ctx.tx, item_ids)
    perimeter = ctx.caller.perimeter
    known = {row["id"]: row for row in rows if perimeter is None or row["customer_unit_id"] in perimeter}
    for place, one in enumerate(item_ids):
        if one not in known:
            raise invalid(f"/item_ids/{place}", "item_unknown", "expected the id of an item")
        if known[one]["open_amount"] == 0:
            raise invalid(f"/item_ids/{place}", "item_closed", "expected an open item")
    if len({row["customer_id"] for row in rows}) > 1:
        raise invalid("/item_ids", "several_customers", "expected items of one customer")
    return rows


async def one_of(
    ctx: Ctx,
    records: Records,
    what: str,
    identifier: UUID,
    if_match: str | None = None,
    *,
    lock: bool = False,
) -> Row:
    """A promise, dispute … in sight. Raises 404 and, for another version than `if_match`, 412."""
    row = await records.get(ctx.tx, identifier, ctx.caller.perimeter, lock=lock)
    if row is None:
        raise not_found(what, identifier)
    require_match(if_match, row["version"])
    return row
