"""Order rows: what was ordered and is not invoiced yet."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from libs.contracts.money import MAX_MINOR
from services.ledger.domain.intake.columns import (
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
from services.ledger.domain.intake.errors import Stated
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
)
from services.ledger.domain.intake.received import stated_amount

ORDER_COLUMNS = (
    "row",
    "business_unit_id",
    "external_id",
    "source",
    "source_version",
    "customer_id",
    "customer_external_id",
    "expected_on",
    "currency",
    "amount",
    "tax_included",
    "invoiced_amount",
    "status",
    "reference",
    "custom_fields",
)


class OrderRow(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Amounts include tax unless `tax_included` is false."""

    external_id: Key
    currency: Currency
    amount: Money
    customer_id: Id | UnsetType | None = UNSET
    customer_external_id: Key | UnsetType | None = UNSET
    business_unit_id: Id | UnsetType | None = UNSET
    source: Word | UnsetType | None = UNSET
    source_version: Version | UnsetType | None = UNSET
    tax_included: bool | UnsetType | None = UNSET
    expected_on: Day | UnsetType | None = UNSET
    invoiced_amount: Money | UnsetType = UNSET
    status: Literal["open", "closed", "cancelled"] | UnsetType | None = UNSET
    reference: Note | UnsetType | None = UNSET
    custom_fields: CustomFields | UnsetType | None = UNSET


def order_records(numbers: Sequence[int], rows: Sequence[OrderRow], defaults: RowDefaults) -> Records:
    """The rows as ORDER_COLUMNS, money in minor units. Raises RowRefused if any row must be refused."""
    given = fields_of(rows)
    currencies = given["currency"]
    decimals = decimals_of_all(currencies)
    totals = amounts(given["amount"], currencies, decimals, "/amount")
    check_parts(totals, [MAX_MINOR] * len(totals), currencies, "/amount")
    stated = optional_amounts(given["invoiced_amount"], currencies, decimals, "/invoiced_amount")
    invoiced = [amount or 0 for amount in stated]
    check_parts(invoiced, totals, currencies, "/invoiced_amount")
    customer_ids, customer_keys = filled(given["customer_id"]), filled(given["customer_external_id"])
    check_customers(customer_ids, customer_keys)
    columns = (
        numbers,
        filled(given["business_unit_id"], defaults.business_unit_id),
        given["external_id"],
        filled(given["source"], defaults.source),
        versions(given["source_version"]),
        customer_ids,
        customer_keys,
        days(given["expected_on"], "/expected_on"),
        currencies,
        totals,
        [included is not False for included in given["tax_included"]],
        invoiced,
        filled(given["status"], "open"),
        filled(given["reference"]),
        custom_fields(given["custom_fields"]),
    )
    return assemble(columns, sums_of(currencies, totals))


def order_stated(values: Mapping[str, Any]) -> Stated | None:
    """What a refused row says it is worth, if it can be read."""
    return stated_amount(values)
