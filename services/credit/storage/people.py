"""The tenant's users, as the gateway last described them: who is written to, and in which language."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming

_KEEP = """
    INSERT INTO people (tenant_id, id, name, email, language, roles, perimeter, active, version)
    SELECT $1, s.id, s.name, s.email, s.language, s.roles, nullif(s.perimeter, 'null'), s.active, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, name text, email text, language text, roles text[],
                                              perimeter jsonb, active boolean)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        name = excluded.name, email = excluded.email, language = excluded.language, roles = excluded.roles,
        perimeter = excluded.perimeter, active = excluded.active, version = excluded.version
      WHERE people.version < excluded.version
"""
_WHO_SEES = """
    SELECT id, name, email, language FROM people
     WHERE tenant_id = $1 AND active AND ($3::uuid[] IS NULL OR id = ANY($3)) AND ($4::text[] IS NULL OR roles && $4)
       AND (perimeter IS NULL OR EXISTS (
            SELECT 1 FROM customers u WHERE u.tenant_id = $1 AND u.company_id = $2
                AND people.perimeter ? u.business_unit_id::text))
     ORDER BY name, id LIMIT $5
"""


async def keep(tx: Tx, subjects: list[Incoming]) -> None:
    """`user.changed`."""
    rows = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    await tx.execute(_KEEP, tx.tenant_id, json_bytes(rows).decode())


async def who_sees(
    tx: Tx,
    company_id: UUID,
    *,
    users: Sequence[UUID] | None = None,
    roles: Sequence[str] | None = None,
    limit: int = 50,
) -> list[Row]:
    """Active users among `users`, or holding one of `roles`, who have the company in sight; by name."""
    return await tx.fetch(_WHO_SEES, tx.tenant_id, company_id, users, roles, limit)


async def exists(tx: Tx, identifier: UUID) -> bool:
    """Whether a user is known and active."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM people WHERE tenant_id = $1 AND id = $2 AND active)", tx.tenant_id, identifier
        )
    )  # fmt: skip
