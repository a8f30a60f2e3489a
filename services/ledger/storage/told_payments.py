"""Payment rows of a file against what is there: payments known by their key, and the items that payments are spent on."""

from collections.abc import Collection, Sequence
from uuid import UUID

from libs.kit.db import Row, Tx
from services.ledger.storage.items import COLUMNS, FROM, LOCK_ORDER

_BY_KEYS = """
    SELECT e.id FROM unnest($2::uuid[], $3::text[]) AS k(business_unit_id, external_id)
     CROSS JOIN LATERAL (
        SELECT e.id FROM items e
         WHERE e.tenant_id = $1 AND e.business_unit_id = k.business_unit_id AND e.external_id = k.external_id OFFSET 0) e
"""
#: ANY(ARRAY(…)) finds the ids first and looks each up; with IN (…) a tenant believed small was read again for every key.
_KNOWN = f"SELECT {COLUMNS} {FROM} WHERE i.tenant_id = $1 AND i.id = ANY(ARRAY({_BY_KEYS}))"
_LOCK = f"""
    SELECT {COLUMNS} {FROM}
     WHERE i.tenant_id = $1
       AND i.id = ANY(ARRAY({_BY_KEYS} UNION SELECT unnest($4::uuid[])
                    UNION SELECT o.id FROM items o WHERE o.tenant_id = $1 AND o.customer_id = ANY($5::uuid[])
                                                     AND o.open_amount <> 0 AND o.open_amount > 0))
     {LOCK_ORDER}
"""
_PAID = """
    SELECT a.credit_item_id, a.debit_item_id, d.external_id AS debit_external_id, a.amount
      FROM allocations a JOIN items d ON d.tenant_id = a.tenant_id AND d.id = a.debit_item_id
     WHERE a.tenant_id = $1 AND a.credit_item_id = ANY($2::uuid[])
"""
Key = tuple[UUID, str]


async def known(tx: Tx, keys: Collection[Key]) -> dict[Key, Row]:
    """The items, of whatever kind, that bear one of the keys (business unit, external id)."""
    rows = await tx.fetch(_KNOWN, tx.tenant_id, *_columns(keys))
    return {(row["business_unit_id"], row["external_id"]): row for row in rows}


async def paid_by(tx: Tx, payment_ids: Sequence[UUID]) -> list[Row]:
    """What payments were ever allocated to: credit_item_id, debit_item_id, debit_external_id, amount."""
    return await tx.fetch(_PAID, tx.tenant_id, payment_ids)


async def lock_payable(
    tx: Tx, keys: Collection[Key], ids: Collection[UUID], customer_ids: Collection[UUID]
) -> list[Row]:
    """Under their locks, in the house's order: items by key or id, and all open debits of some customers."""
    return await tx.fetch(_LOCK, tx.tenant_id, *_columns(keys), list(ids), list(customer_ids))


def _columns(keys: Collection[Key]) -> tuple[list[UUID], list[str]]:
    return [unit for unit, _ in keys], [external_id for _, external_id in keys]
