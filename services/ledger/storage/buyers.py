"""The customer that a document means by its buyer, and the business unit it means by its seller."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row, Tx
from services.ledger.domain.company_identity import Identity

_CANDIDATES = """
    SELECT cu.external_id, cu.archived_at IS NOT NULL AS archived,
           coalesce(co.country = $4 AND co.registration_number = $5 OR co.vat_number = $6 OR co.lei = $7, false) AS identified
      FROM customers cu JOIN companies co ON co.tenant_id = cu.tenant_id AND co.id = cu.company_id
     WHERE cu.tenant_id = $1 AND cu.business_unit_id = $2
       AND (cu.external_id = ANY($3::text[])
            OR cu.company_id IN (
                SELECT id FROM companies WHERE tenant_id = $1 AND country = $4 AND registration_number = $5
                UNION SELECT id FROM companies WHERE tenant_id = $1 AND vat_number = $6
                UNION SELECT id FROM companies WHERE tenant_id = $1 AND lei = $7))
     ORDER BY cu.external_id LIMIT 100
"""


async def candidates(tx: Tx, business_unit_id: UUID, keys: Sequence[str], identity: Identity) -> list[Row]:
    """Customers of a unit that bear one of the keys or stand before the company: external_id, archived, identified."""
    return await tx.fetch(
        _CANDIDATES, tx.tenant_id, business_unit_id, keys, identity.country, identity.registration_number,
        identity.vat_number, identity.lei,
    )  # fmt: skip


async def is_known(tx: Tx, business_unit_id: UUID, external_id: str) -> bool:
    """Whether the unit has an item of this key."""
    known: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM items WHERE tenant_id = $1 AND business_unit_id = $2 AND external_id = $3)",
        tx.tenant_id, business_unit_id, external_id,
    )  # fmt: skip
    return known


async def units_called(tx: Tx, names: Sequence[str]) -> list[UUID]:
    """Business units whose code or name is one of these, whatever the case."""
    rows = await tx.fetch(
        "SELECT id FROM business_units WHERE tenant_id = $1 AND (lower(code) = ANY($2) OR lower(name) = ANY($2))",
        tx.tenant_id, [name.lower() for name in names],
    )  # fmt: skip
    return [UUID(int=row["id"].int) for row in rows]
