"""Orders: what a customer has ordered and not yet been invoiced counts in its potential risk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.etag import require_match
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import raw
from services.ledger.domain import custom_fields
from services.ledger.storage import orders
from services.ledger.storage.announcements import announce
from services.ledger.storage.rowset import inline
from services.ledger.usecases.accounts import AccountKey, Reach, find_account

_CONTENT = (
    "customer_id", "currency", "amount", "tax_included", "invoiced_amount", "expected_on", "status", "reference",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as a caller states it; amounts in minor units of `currency`."""

    account: AccountKey
    external_id: str
    currency: str
    amount: int
    tax_included: bool = True
    invoiced_amount: int = 0
    expected_on: date | None = None
    status: str = "open"
    reference: str | None = None
    source: str | None = None
    source_version: int | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)


async def create_order(tx: Tx, given: NewOrder, reach: Reach) -> tuple[Row, bool]:
    """Record an order; its row, and False when it was known with the same content.

    Raises 422 for a customer that cannot be found or amounts that do not fit, 409 `external_id_exists`.
    """
    _check(given.amount, given.invoiced_amount)
    account = await find_account(tx, given.account, reach)
    unit: UUID = account["business_unit_id"]
    record = {
        "id": new_id(),
        "business_unit_id": unit,
        "customer_id": account["id"],
        "external_id": given.external_id,
        "currency": given.currency,
        "amount": given.amount,
        "tax_included": given.tax_included,
        "invoiced_amount": given.invoiced_amount,
        "expected_on": given.expected_on,
        "status": given.status,
        "reference": given.reference,
        "source": given.source,
        "source_version": given.source_version,
        "source_taken_at": tx.now if given.source else None,
        "custom_fields": raw(custom_fields.encode(given.custom_fields)),
    }
    written = await orders.upsert_orders(tx, inline(orders.ORDERS, [record]), only_new=True)
    row = await orders.find(tx, unit, given.external_id)
    assert row is not None, "it was written, or was there"
    if not written.order_ids:
        same = custom_fields.same(row["custom_fields"], given.custom_fields)
        if not same or any(row[name] != record[name] for name in _CONTENT):
            detail = "This external_id names an order of other content: change that one instead."
            raise Problem(409, "external_id_exists", detail, existing_id=str(row["id"]))
        return row, False
    await announce(tx, written.touched, order_ids=written.order_ids)
    tx.audit(
        "order.created",
        "order",
        row["id"],
        None,
        _audited(row, "customer_id", "currency", "amount", "status"),
    )
    return row, True


async def read_order(tx: Tx, order_id: UUID, perimeter: Sequence[UUID] | None) -> Row:
    """An order. Raises 404."""
    row = await orders.get(tx, order_id, perimeter)
    if row is None:
        raise not_found("order", order_id)
    return row


async def change_order(
    tx: Tx, order_id: UUID, changes: Mapping[str, Any], reach: Reach, if_match: str | None
) -> Row:
    """Change an order; members that are absent stay. Raises 404, 412, 422."""
    before = await orders.get(tx, order_id, reach.perimeter, lock=True)
    if before is None:
        raise not_found("order", order_id)
    require_match(if_match, before["version"])
    record = {name: changes.get(name, before[name]) for name in _CONTENT}
    _check(record["amount"], record["invoiced_amount"])
    fields = custom_fields.replaced(before["custom_fields"], changes.get("custom_fields"))
    record |= {
        "id": order_id,
        "business_unit_id": before["business_unit_id"],
        "external_id": before["external_id"],
        "custom_fields": raw(before["custom_fields"] if fields is None else fields),
        "source": before["source"],
        "source_version": before["source_version"],
    }
    written = await orders.upsert_orders(tx, inline(orders.ORDERS, [record]))
    if not written.order_ids:
        return before
    await announce(tx, written.touched, order_ids=written.order_ids)
    after = await read_order(tx, order_id, None)
    named = [name for name in _CONTENT if before[name] != after[name]]
    tx.audit("order.changed", "order", order_id, _audited(before, *named), _audited(after, *named))
    return after


def _check(amount: int, invoiced_amount: int) -> None:
    if amount < 0:
        raise invalid("/amount", "amount_not_positive", "expected an amount of at least zero")
    if not 0 <= invoiced_amount <= amount:
        raise invalid(
            "/invoiced_amount", "amount_out_of_range", "expected a part of the amount: from zero up to it"
        )


def _audited(row: Row, *names: str) -> dict[str, Any]:
    """Members of an order as the audit log shows them: money as decimal strings."""
    return {
        name: from_minor(row[name], row["currency"]) if name.endswith("amount") else row[name]
        for name in names
    }
