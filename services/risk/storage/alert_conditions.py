"""Conditions that credit and dunning watch, as last told."""

from uuid import UUID

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming

_KEEP = """
    INSERT INTO alert_conditions (tenant_id, id, producer, kind, company_id, customer_id, raised, version)
    SELECT $1, s.id, $3, s.kind, s.company_id, s.customer_id, s.raised, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, kind text, company_id uuid, customer_id uuid,
                                              raised boolean)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        kind = excluded.kind, company_id = excluded.company_id, customer_id = excluded.customer_id,
        raised = excluded.raised, version = excluded.version
      WHERE alert_conditions.version < excluded.version
    RETURNING id
"""


async def keep(tx: Tx, producer: str, subjects: list[Incoming]) -> list[UUID]:
    """Write what is newer; the ids of what was."""
    rows = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    return [row["id"] for row in await tx.fetch(_KEEP, tx.tenant_id, json_bytes(rows).decode(), producer)]


async def doubt(tx: Tx, producer: str) -> None:
    """Before a producer's state is read anew: whatever it says next is newer. Alerts stay as they are until then."""
    await tx.execute(
        "UPDATE alert_conditions SET version = 0 WHERE tenant_id = $1 AND producer = $2",
        tx.tenant_id,
        producer,
    )
