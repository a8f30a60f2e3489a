"""The kinds of rows an import can hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from services.ledger.domain.intake.columns import Records, RowDefaults
from services.ledger.domain.intake.credit_limits import LIMIT_COLUMNS, LimitRow, limit_records, limit_stated
from services.ledger.domain.intake.customers import (
    CUSTOMER_COLUMNS,
    CustomerRow,
    customer_records,
    nothing_stated,
)
from services.ledger.domain.intake.errors import Stated
from services.ledger.domain.intake.items import ITEM_COLUMNS, ItemRow, item_records, item_stated
from services.ledger.domain.intake.orders import ORDER_COLUMNS, OrderRow, order_records, order_stated
from services.ledger.domain.intake.payments import (
    PAYMENT_COLUMNS,
    PaymentRow,
    payment_records,
    payment_stated,
)


@dataclass(frozen=True, slots=True)
class RowKind:
    """All that differs between one kind of rows and another. Every kind's columns begin row, business_unit_id,
    external_id: the last two are its key."""

    name: str
    model: type[Struct]
    columns: tuple[str, ...]
    records: Callable[[Sequence[int], Sequence[Any], RowDefaults], Records]
    stated: Callable[[Mapping[str, Any]], Stated | None]
    has_amounts: bool = True

    def amount_of(self, record: Sequence[Any]) -> tuple[str, int] | None:
        """Currency and signed minor units of a record of this kind."""
        if not self.has_amounts:
            return None
        at = self.columns.index
        credit = "direction" in self.columns and record[at("direction")] == "credit"
        amount: int = record[at("amount")]
        return record[at("currency")], -amount if credit else amount


ITEMS: Final = RowKind("items", ItemRow, ITEM_COLUMNS, item_records, item_stated)
CUSTOMERS: Final = RowKind(
    "customers", CustomerRow, CUSTOMER_COLUMNS, customer_records, nothing_stated, has_amounts=False
)
ORDERS: Final = RowKind("orders", OrderRow, ORDER_COLUMNS, order_records, order_stated)
PAYMENTS: Final = RowKind("payments", PaymentRow, PAYMENT_COLUMNS, payment_records, payment_stated)
CREDIT_LIMITS: Final = RowKind("credit_limits", LimitRow, LIMIT_COLUMNS, limit_records, limit_stated)
ROW_KINDS: Final = {kind.name: kind for kind in (ITEMS, CUSTOMERS, ORDERS, PAYMENTS, CREDIT_LIMITS)}
