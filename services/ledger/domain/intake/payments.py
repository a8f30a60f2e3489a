"""Payment rows: money received, and what it pays where the sender knows."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Struct, UnsetType

from services.ledger.domain.intake.amounts import check_positive, decimals_of, minor_units
from services.ledger.domain.intake.checks import json_text
from services.ledger.domain.intake.columns import (
    Records,
    RowDefaults,
    amounts,
    assemble,
    check_customers,
    custom_fields,
    days,
    decimals_of_all,
    fields_of,
    filled,
    sums_of,
    versions,
)
from services.ledger.domain.intake.errors import Stated, refuse
from services.ledger.domain.intake.field_types import (
    Currency,
    CustomFields,
    Day,
    Id,
    Key,
    Money,
    Note,
    Version,
    Word,
    expected,
)
from services.ledger.domain.intake.received import stated_amount

PAYMENT_COLUMNS = (
    "row",
    "business_unit_id",
    "external_id",
    "source",
    "source_version",
    "customer_id",
    "customer_external_id",
    "paid_on",
    "allocated_on",
    "currency",
    "amount",
    "reference",
    "allocate",
    "allocations",
    "custom_fields",
)


class Allocation(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """So much of the payment for this item, named by our id or by the caller's key."""

    amount: Money
    item_id: Id | UnsetType | None = UNSET
    item_external_id: Key | UnsetType | None = UNSET


Allocations = Annotated[
    list[Allocation], expected("list_invalid", "a list of up to 1,000 parts", max_length=1000)
]


class PaymentRow(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """`item_external_id` on the row itself is short for one allocation of the whole amount, as flat files need it. The
    customer may be left out where an allocation names an item: it is the item's."""

    external_id: Key
    currency: Currency
    amount: Money
    paid_on: Day
    customer_id: Id | UnsetType | None = UNSET
    customer_external_id: Key | UnsetType | None = UNSET
    business_unit_id: Id | UnsetType | None = UNSET
    source: Word | UnsetType | None = UNSET
    source_version: Version | UnsetType | None = UNSET
    allocated_on: Day | UnsetType | None = UNSET
    reference: Note | UnsetType | None = UNSET
    allocate: Literal["oldest", "exact", "none"] | UnsetType | None = UNSET
    allocations: Allocations | UnsetType | None = UNSET
    item_external_id: Key | UnsetType | None = UNSET
    custom_fields: CustomFields | UnsetType | None = UNSET


def payment_records(numbers: Sequence[int], rows: Sequence[PaymentRow], defaults: RowDefaults) -> Records:
    """The rows as PAYMENT_COLUMNS, money in minor units. `allocations` is JSON text, a list of {item_id,
    item_external_id, amount in minor units}, or None; then `allocate` says how to choose. In a file of payments alone
    money received counts up. Raises RowRefused if any row must be refused."""
    given = fields_of(rows)
    currencies = given["currency"]
    totals = amounts(given["amount"], currencies, decimals_of_all(currencies), "/amount")
    check_positive(min(totals), "/amount")
    parts = [_allocations(row, total) for row, total in zip(rows, totals, strict=True)]
    customer_ids, customer_keys = filled(given["customer_id"]), filled(given["customer_external_id"])
    check_customers(customer_ids, customer_keys, required=not all(parts))
    columns = (
        numbers,
        filled(given["business_unit_id"], defaults.business_unit_id),
        given["external_id"],
        filled(given["source"], defaults.source),
        versions(given["source_version"]),
        customer_ids,
        customer_keys,
        days(given["paid_on"], "/paid_on"),
        days(given["allocated_on"], "/allocated_on"),
        currencies,
        totals,
        filled(given["reference"]),
        [None if part else row.allocate or "none" for row, part in zip(rows, parts, strict=True)],
        [json_text(part) if part else None for part in parts],
        custom_fields(given["custom_fields"]),
    )
    return assemble(columns, sums_of(currencies, totals))


def _allocations(row: PaymentRow, amount: int) -> list[dict[str, Any]]:
    decimals = decimals_of(row.currency)
    parts = [
        _part(allocation, position, row.currency, decimals)
        for position, allocation in enumerate(row.allocations or ())
    ]
    if row.item_external_id:
        if parts:
            raise refuse(
                "/item_external_id",
                "allocation_ambiguous",
                "expected item_external_id or allocations, not both",
            )
        parts = [{"item_id": None, "item_external_id": row.item_external_id, "amount": amount}]
    if parts and row.allocate:
        raise refuse("/allocate", "allocation_ambiguous", "expected allocations or allocate, not both")
    if sum(part["amount"] for part in parts) > amount:
        raise refuse(
            "/allocations", "over_allocated", "expected allocations of at most the amount of the payment"
        )
    return parts


def _part(allocation: Allocation, position: int, currency: str, decimals: int) -> dict[str, Any]:
    pointer = f"/allocations/{position}"
    if bool(allocation.item_id) == bool(allocation.item_external_id):
        raise refuse(pointer, "required", "expected either item_id or item_external_id")
    part = minor_units(allocation.amount, decimals, currency, f"{pointer}/amount")
    check_positive(part, f"{pointer}/amount")
    return {
        "item_id": allocation.item_id or None,
        "item_external_id": allocation.item_external_id or None,
        "amount": part,
    }


def payment_stated(values: Mapping[str, Any]) -> Stated | None:
    """What a refused row says it is worth, if it can be read."""
    return stated_amount(values)
