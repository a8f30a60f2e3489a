"""Companies as the ledger told them."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row, Tx


async def one(tx: Tx, company_id: UUID) -> Row | None:
    """A company."""
    return await tx.fetchrow(
        "SELECT id, name, country, registration_number, vat_number, group_id, merged_into_id FROM companies"
        " WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        company_id,
    )


async def seen(tx: Tx, wanted: Sequence[UUID], perimeter: Sequence[UUID] | None) -> list[UUID]:
    """Those of these that live on and have a customer in the perimeter (None: everything)."""
    rows = await tx.fetch(
        "SELECT c.id FROM companies c WHERE c.tenant_id = $1 AND c.id = ANY($2) AND c.merged_into_id IS NULL"
        " AND ($3::uuid[] IS NULL OR EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = c.tenant_id"
        " AND u.company_id = c.id AND u.business_unit_id = ANY($3)))",
        tx.tenant_id,
        list(wanted),
        None if perimeter is None else list(perimeter),
    )
    return [row["id"] for row in rows]
