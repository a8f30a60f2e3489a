"""Order rows of a file, in the transaction's temporary table `told_orders`."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from services.ledger.storage.orders import ORDERS
from services.ledger.storage.rowset import Rowset, definition

#: Columns of the records copied in; `id` is made by the database.
COLUMNS = tuple(name for name in ORDERS if name != "id")
_DEFINITION = "id uuid NOT NULL DEFAULT uuidv7(), " + definition({name: ORDERS[name] for name in COLUMNS})
#: The rows as `orders.upsert_orders` takes them: custom fields that are left out are those we have.
ROWS = Rowset(f"""(
    SELECT t.id, {", ".join(f"t.{name}" for name in COLUMNS if name != "custom_fields")},
           coalesce(t.custom_fields, o.custom_fields, '{{{{}}}}') AS custom_fields
      FROM pg_temp.told_orders t
      LEFT JOIN orders o ON o.tenant_id = $1::uuid AND o.business_unit_id = t.business_unit_id
                        AND o.external_id = t.external_id) AS given""")


async def tell(tx: Tx, rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows of COLUMNS in."""
    await tx.execute("DROP TABLE IF EXISTS pg_temp.told_orders")
    await tx.copy_to_temp("told_orders", _DEFINITION, COLUMNS, rows)


async def keys_of(tx: Tx, ids: Sequence[UUID]) -> list[Row]:
    """The external ids of orders: id, external_id."""
    return await tx.fetch(
        "SELECT o.id, o.external_id FROM orders o WHERE o.tenant_id = $1 AND o.id = ANY($2) ORDER BY o.external_id",
        tx.tenant_id, ids,
    )  # fmt: skip
