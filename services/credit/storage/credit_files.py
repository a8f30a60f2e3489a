"""The credit file of a company: how it pays and why late, as told by the others and as a person sees it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

COLUMNS = (
    "company_id, manual_grade, grade_reason, graded_by, graded_at, causes, created_at, updated_at, version"
)
_NEW = """
    INSERT INTO credit_files (tenant_id, company_id, causes, created_at, updated_at, version)
    VALUES ($1, $2, '[]', $3, $3, 0) ON CONFLICT DO NOTHING
"""
_PROFILES = """
    SELECT id, business_unit_id, payer_profile FROM customers
     WHERE tenant_id = $1 AND company_id = $2 AND payer_profile IS NOT NULL
       AND ($3::uuid[] IS NULL OR business_unit_id = ANY($3))
     ORDER BY id
"""
_CLASSES = """
    SELECT company_id, array_agg(payer_profile->>'class') AS classes FROM customers
     WHERE tenant_id = $1 AND payer_profile IS NOT NULL
       AND company_id IN (SELECT company_id FROM customers WHERE tenant_id = $1 AND id = ANY($2))
     GROUP BY company_id
"""
_CAUSES = """
    SELECT t.cause, count(*) AS times, count(*) FILTER (WHERE t.open) AS still_open
      FROM payment_troubles t JOIN customers u ON u.tenant_id = t.tenant_id AND u.id = t.customer_id
     WHERE t.tenant_id = $1 AND u.company_id = $2 AND t.cause IS NOT NULL
       AND ($3::uuid[] IS NULL OR u.business_unit_id = ANY($3))
     GROUP BY t.cause ORDER BY times DESC, t.cause
"""


async def file_of(tx: Tx, company_id: UUID, *, lock: bool = False) -> Row | None:
    """What people wrote into the file; None while nobody has."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM credit_files WHERE tenant_id = $1 AND company_id = $2{tail}",
        tx.tenant_id,
        company_id,
    )


async def change(tx: Tx, company_id: UUID, **changes: Any) -> Row:
    """Set members of a company's file, which begins to exist with the first."""
    await tx.execute(_NEW, tx.tenant_id, company_id, tx.now)
    given = [json_bytes(value).decode() if name == "causes" else value for name, value in changes.items()]
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(changes, start=4))
    row = await tx.fetchrow(
        f"UPDATE credit_files SET {sets}updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND company_id = $2"
        f" RETURNING {COLUMNS}",
        tx.tenant_id, company_id, tx.now, *given,
    )  # fmt: skip
    assert row is not None, "it was made a moment ago"
    return row


async def profiles(tx: Tx, company_id: UUID, perimeter: Sequence[UUID] | None) -> list[Row]:
    """The payer profile of each account in the perimeter, as the ledger computed it."""
    return await tx.fetch(_PROFILES, tx.tenant_id, company_id, perimeter)


async def classes_of(tx: Tx, customers: Sequence[UUID]) -> dict[UUID, list[str | None]]:
    """The payer classes of all accounts of the companies these customers belong to."""
    rows = await tx.fetch(_CLASSES, tx.tenant_id, list(customers))
    return {row["company_id"]: row["classes"] for row in rows}


async def causes(tx: Tx, company_id: UUID, perimeter: Sequence[UUID] | None) -> list[Row]:
    """Why the company paid late, as dunning knows: disputes by kind and promises that were broken."""
    return await tx.fetch(_CAUSES, tx.tenant_id, company_id, perimeter)


async def internal_grade(tx: Tx, company_id: UUID) -> Row | None:
    """The grade risk computed."""
    return await tx.fetchrow(
        "SELECT grade, points FROM internal_grades WHERE tenant_id = $1 AND company_id = $2",
        tx.tenant_id,
        company_id,
    )


async def provider_facts(tx: Tx, company_id: UUID) -> str | None:
    """What providers say, as risk tells it (JSON)."""
    fields: str | None = await tx.fetchval(
        "SELECT fields FROM provider_facts WHERE tenant_id = $1 AND company_id = $2", tx.tenant_id, company_id
    )
    return fields
