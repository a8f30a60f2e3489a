"""Credit limit rows: what somebody decided elsewhere, told by the accounts the limit is for."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from libs.contracts.money import MAX_MINOR
from services.ledger.domain.intake.columns import (
    Records,
    RowDefaults,
    amounts,
    assemble,
    check_customers,
    check_parts,
    days,
    decimals_of_all,
    fields_of,
    filled,
    sums_of,
)
from services.ledger.domain.intake.errors import Stated
from services.ledger.domain.intake.field_types import Currency, Day, Id, Key, Money, Note, Word
from services.ledger.domain.intake.received import stated_amount

LIMIT_COLUMNS = (
    "row",
    "business_unit_id",
    "external_id",
    "source",
    "customer_id",
    "customer_external_id",
    "currency",
    "amount",
    "valid_until",
    "reason",
)


class LimitRow(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """`amount` is not negative; zero allows nothing. `valid_until` is the last day that counts."""

    currency: Currency
    amount: Money
    customer_id: Id | UnsetType | None = UNSET
    customer_external_id: Key | UnsetType | None = UNSET
    business_unit_id: Id | UnsetType | None = UNSET
    source: Word | UnsetType | None = UNSET
    valid_until: Day | UnsetType | None = UNSET
    reason: Note | UnsetType | None = UNSET


def limit_records(numbers: Sequence[int], rows: Sequence[LimitRow], defaults: RowDefaults) -> Records:
    """The rows as LIMIT_COLUMNS, money in minor units; a row is known by its customer. Raises RowRefused if one must be."""
    given = fields_of(rows)
    currencies = given["currency"]
    totals = amounts(given["amount"], currencies, decimals_of_all(currencies), "/amount")
    check_parts(totals, [MAX_MINOR] * len(totals), currencies, "/amount")
    customer_ids, customer_keys = filled(given["customer_id"]), filled(given["customer_external_id"])
    check_customers(customer_ids, customer_keys)
    columns = (
        numbers,
        filled(given["business_unit_id"], defaults.business_unit_id),
        [key or str(identifier) for key, identifier in zip(customer_keys, customer_ids, strict=True)],
        filled(given["source"], defaults.source),
        customer_ids,
        customer_keys,
        currencies,
        totals,
        days(given["valid_until"], "/valid_until"),
        filled(given["reason"]),
    )
    return assemble(columns, sums_of(currencies, totals))


def limit_stated(values: Mapping[str, Any]) -> Stated | None:
    """What a refused row says it is worth, if it can be read."""
    return stated_amount(values)
