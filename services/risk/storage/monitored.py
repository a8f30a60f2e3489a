"""Members of a portfolio: as their provider names them, and how old what is known of them is."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.responses import json_bytes

_BEHIND = """
    WITH told AS (SELECT * FROM jsonb_to_recordset($3::jsonb) AS e(id text, number text, ref text)),
    named AS (
        SELECT e.id, m.company_id FROM told e
          JOIN monitorings m ON m.tenant_id = $1 AND m.connection_id = $2 AND m.provider_ref = e.ref
         WHERE m.state = 'member'
        UNION ALL
        SELECT e.id, m.company_id FROM told e
          JOIN companies k ON k.tenant_id = $1 AND k.registration_number = e.number
          JOIN monitorings m ON m.tenant_id = $1 AND m.connection_id = $2 AND m.company_id = k.id
         WHERE m.state = 'member'
    )
    SELECT id, min(company_id::text)::uuid AS company_id FROM named GROUP BY 1
"""
#: A member is stale when its record (or, without one, its membership) is older than the connection allows.
STALE = """
    SELECT m.company_id,
           bool_or(coalesce(r.checked_at, m.member_since) + make_interval(days => c.stale_after_days) < $3) AS stale,
           min(coalesce(r.checked_at, m.member_since)) AS oldest
      FROM monitorings m
      JOIN provider_connections c ON c.tenant_id = m.tenant_id AND c.id = m.connection_id
      LEFT JOIN provider_records r
             ON r.tenant_id = m.tenant_id AND r.connection_id = m.connection_id AND r.company_id = m.company_id
     WHERE m.tenant_id = $1 AND m.state = 'member' AND ($2::uuid[] IS NULL OR m.company_id = ANY($2))
     GROUP BY m.company_id
"""
_TURNED = f"""
    SELECT p.company_id FROM company_profiles p LEFT JOIN ({STALE}) s ON s.company_id = p.company_id
     WHERE p.tenant_id = $1 AND p.stale <> coalesce(s.stale, false)
"""


async def members_behind(tx: Tx, connection_id: UUID, events: Sequence[Mapping[str, Any]]) -> dict[str, UUID]:
    """Event id → the member it speaks of; events of strangers are left out. Events: id, number, ref."""
    rows = await tx.fetch(_BEHIND, tx.tenant_id, connection_id, json_bytes(list(events)).decode())
    return {row["id"]: row["company_id"] for row in rows}


async def ages(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, tuple[bool, Any]]:
    """Of those of these companies that are members: whether they are stale, and since when nothing was heard."""
    rows = await tx.fetch(STALE, tx.tenant_id, list(companies), tx.now)
    return {row["company_id"]: (row["stale"], row["oldest"]) for row in rows}


async def turned(tx: Tx) -> list[UUID]:
    """Companies whose data has become stale, or no longer is, since their profile was joined."""
    return [row["company_id"] for row in await tx.fetch(_TURNED, tx.tenant_id, None, tx.now)]
