"""Which customer an item, a payment or an order is booked on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import invalid
from services.ledger.storage import accounts


@dataclass(frozen=True, slots=True)
class Reach:
    """What a caller reaches: the business units of its perimeter (None: all) and the unit meant where none is named."""

    perimeter: Sequence[UUID] | None = None
    main_business_unit_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKey:
    """A customer named by our id, or by the caller's key in a business unit (the main one where none is named)."""

    customer_id: UUID | None = None
    customer_external_id: str | None = None
    business_unit_id: UUID | None = None


async def find_account(tx: Tx, key: AccountKey, reach: Reach) -> Row:
    """The customer's row.

    Raises 422: `required`, `customer_ambiguous`, `business_unit_required`, `customer_unknown` (also outside the perimeter),
    `business_unit_mismatch` when the customer belongs to another unit than the one named.
    """
    if (key.customer_id is None) == (key.customer_external_id is None):
        code = "required" if key.customer_id is None else "customer_ambiguous"
        raise invalid("/customer_id", code, "expected either customer_id or customer_external_id")
    if key.customer_id is not None:
        pointer, found = "/customer_id", await accounts.by_id(tx, key.customer_id)
    else:
        unit = key.business_unit_id or reach.main_business_unit_id
        if unit is None:
            raise invalid("/business_unit_id", "business_unit_required", "expected the id of a business unit")
        assert key.customer_external_id is not None
        pointer, found = "/customer_external_id", await accounts.by_key(tx, unit, key.customer_external_id)
    if found is None or (reach.perimeter is not None and found["business_unit_id"] not in reach.perimeter):
        raise invalid(pointer, "customer_unknown", "expected a customer that exists and that you can see")
    if key.business_unit_id is not None and found["business_unit_id"] != key.business_unit_id:
        raise invalid(
            "/business_unit_id", "business_unit_mismatch", "expected the customer's own business unit"
        )
    return found
