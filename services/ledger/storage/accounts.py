"""The customer as the account that items and orders are booked on: found by id or by the caller's key.

Whoever asks means to book: the account is held FOR KEY SHARE, so that it is not deleted meanwhile (items and balances have no
foreign key to it). Several are held in the order in which everybody takes them.
"""

from collections.abc import Collection
from uuid import UUID

from libs.kit.db import Row, Tx

_SELECT = """
    SELECT c.id, c.business_unit_id, c.company_id, c.external_id, c.name, c.terms_days, c.terms_end_of_month,
           c.terms_day_of_month
      FROM customers c
     WHERE c.tenant_id = $1 AND
"""
_HOLD = "ORDER BY c.external_id, c.business_unit_id FOR KEY SHARE OF c"


async def by_id(tx: Tx, customer_id: UUID) -> Row | None:
    """The account with this id."""
    return await tx.fetchrow(f"{_SELECT} c.id = $2 {_HOLD}", tx.tenant_id, customer_id)


async def by_key(tx: Tx, business_unit_id: UUID, external_id: str) -> Row | None:
    """The account that a business unit knows by this key."""
    return await tx.fetchrow(
        f"{_SELECT} c.business_unit_id = $2 AND c.external_id = $3 {_HOLD}",
        tx.tenant_id,
        business_unit_id,
        external_id,
    )


async def by_keys(tx: Tx, keys: Collection[tuple[UUID, str]]) -> list[Row]:
    """The accounts known by (business unit, key)."""
    units, external_ids = [unit for unit, _ in keys], [external_id for _, external_id in keys]
    return await tx.fetch(
        f"{_SELECT} (c.business_unit_id, c.external_id) IN (SELECT * FROM unnest($2::uuid[], $3::text[])) {_HOLD}",
        tx.tenant_id, units, external_ids,
    )  # fmt: skip


async def by_ids(tx: Tx, ids: Collection[UUID]) -> list[Row]:
    """The accounts with these ids."""
    return await tx.fetch(f"{_SELECT} c.id = ANY($2::uuid[]) {_HOLD}", tx.tenant_id, list(ids))
