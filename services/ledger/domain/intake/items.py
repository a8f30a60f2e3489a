"""Item rows: invoices, credit notes, payments and others, as an ERP sends them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from services.ledger.domain.intake.amounts import check_between, check_positive
from services.ledger.domain.intake.columns import (
    Column,
    Records,
    RowDefaults,
    amounts,
    assemble,
    check_customers,
    check_parts,
    custom_fields,
    days,
    decimals_of_all,
    fields_of,
    filled,
    optional_amounts,
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
    Name,
    Note,
    Version,
    Word,
)
from services.ledger.domain.intake.received import stated_amount

ITEM_COLUMNS = (
    "row",
    "business_unit_id",
    "external_id",
    "kind",
    "direction",
    "customer_id",
    "customer_external_id",
    "customer_name",
    "number",
    "source",
    "source_version",
    "issue_date",
    "delivery_date",
    "due_date",
    "original_due_date",
    "settled_on",
    "currency",
    "amount",
    "tax_amount",
    "net_amount",
    "open_amount",
    "reference",
    "order_reference",
    "custom_fields",
)
_SIDE = {"invoice": "debit", "credit_note": "credit", "payment": "credit"}


class ItemRow(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """`amount`, `tax_amount` and `net_amount` are positive whatever the kind; `open_amount` is signed (a credit is
    negative). `settled_on` is the day the part no longer open was settled, `customer_name` the name a customer made
    on the fly gets."""

    external_id: Key
    kind: Literal["invoice", "credit_note", "payment", "other"]
    issue_date: Day
    currency: Currency
    amount: Money
    direction: Literal["debit", "credit"] | UnsetType | None = UNSET
    customer_id: Id | UnsetType | None = UNSET
    customer_external_id: Key | UnsetType | None = UNSET
    customer_name: Name | UnsetType | None = UNSET
    number: Word | UnsetType | None = UNSET
    business_unit_id: Id | UnsetType | None = UNSET
    source: Word | UnsetType | None = UNSET
    source_version: Version | UnsetType | None = UNSET
    delivery_date: Day | UnsetType | None = UNSET
    due_date: Day | UnsetType | None = UNSET
    original_due_date: Day | UnsetType | None = UNSET
    settled_on: Day | UnsetType | None = UNSET
    tax_amount: Money | UnsetType = UNSET
    net_amount: Money | UnsetType = UNSET
    open_amount: Money | UnsetType = UNSET
    reference: Note | UnsetType | None = UNSET
    order_reference: Word | UnsetType | None = UNSET
    custom_fields: CustomFields | UnsetType | None = UNSET


def item_records(numbers: Sequence[int], rows: Sequence[ItemRow], defaults: RowDefaults) -> Records:
    """The rows as ITEM_COLUMNS: money in minor units, `direction` set for every kind, `due_date` None where only the
    customer's terms can say it (a credit is due on its own date). Raises RowRefused if any row must be refused."""
    given = fields_of(rows)
    currencies, issued = given["currency"], days(given["issue_date"], "/issue_date")
    decimals = decimals_of_all(currencies)
    totals = amounts(given["amount"], currencies, decimals, "/amount")
    check_positive(min(totals), "/amount")
    sides = _sides(given["kind"], given["direction"])
    customer_ids, customer_keys = filled(given["customer_id"]), filled(given["customer_external_id"])
    check_customers(customer_ids, customer_keys)
    taxes = optional_amounts(given["tax_amount"], currencies, decimals, "/tax_amount")
    check_parts(taxes, totals, currencies, "/tax_amount")
    nets = optional_amounts(given["net_amount"], currencies, decimals, "/net_amount")
    check_parts(nets, totals, currencies, "/net_amount")
    still_open = optional_amounts(given["open_amount"], currencies, decimals, "/open_amount")
    _check_open(still_open, totals, sides, currencies)
    signed = totals
    due = days(given["due_date"], "/due_date")
    if "credit" in sides:
        signed = [total if side == "debit" else -total for total, side in zip(totals, sides, strict=True)]
        due = [
            day or (own if side == "credit" else None)
            for day, own, side in zip(due, issued, sides, strict=True)
        ]
    columns = (
        numbers,
        filled(given["business_unit_id"], defaults.business_unit_id),
        given["external_id"],
        given["kind"],
        sides,
        customer_ids,
        customer_keys,
        filled(given["customer_name"]),
        filled(given["number"]),
        filled(given["source"], defaults.source),
        versions(given["source_version"]),
        issued,
        days(given["delivery_date"], "/delivery_date"),
        due,
        days(given["original_due_date"], "/original_due_date"),
        days(given["settled_on"], "/settled_on"),
        currencies,
        totals,
        taxes,
        nets,
        still_open,
        filled(given["reference"]),
        filled(given["order_reference"]),
        custom_fields(given["custom_fields"]),
    )
    # Python gives -1 and -2 the same hash, and one cent of credit is not two: the other sign tells them apart.
    mirrored = [None if left is None else -left for left in still_open]
    return assemble(columns, sums_of(currencies, signed), mirrored)


def _sides(kinds: Column, directions: Column) -> Column:
    """Debit is owed to us, credit by us; only a row of kind other says which, the kind of the others does."""
    if "other" not in kinds and not any(directions):
        return [_SIDE[kind] for kind in kinds]
    return [_side(kind, direction or None) for kind, direction in zip(kinds, directions, strict=True)]


def _side(kind: str, direction: str | None) -> str:
    if kind == "other":
        if direction is None:
            raise refuse(
                "/direction", "direction_required", "expected debit or credit for an item of kind other"
            )
        return direction
    if direction is not None:
        raise refuse("/direction", "direction_not_allowed", "expected no direction: only kind other has one")
    return _SIDE[kind]


def _check_open(still_open: Column, totals: Sequence[int], sides: Column, currencies: Column) -> None:
    """What is still open is signed like the item: 0 to amount for a debit, -amount to 0 for a credit."""
    for left, total, side, currency in zip(still_open, totals, sides, currencies, strict=True):
        if left is not None:
            least, most = (0, total) if side == "debit" else (-total, 0)
            if not least <= left <= most:
                check_between(left, least, most, currency, "/open_amount", "open_amount_out_of_range")


def item_stated(values: Mapping[str, Any]) -> Stated | None:
    """What a refused row says it is worth, if it can be read."""
    kind, direction = values.get("kind"), values.get("direction")
    if kind == "invoice" or (kind == "other" and direction == "debit"):
        return stated_amount(values)
    if kind in ("credit_note", "payment") or (kind == "other" and direction == "credit"):
        return stated_amount(values, credit=True)
    return None
