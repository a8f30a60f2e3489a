"""What risk keeps of credit: each company's limit."""

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.risk.storage import alert_conditions
from services.risk.usecases.profiles import join_all_anew, join_anew

_LIMITS = """
    INSERT INTO limits (tenant_id, company_id, state, amount, currency, valid_until, pending_request_id, version)
    SELECT $1, s.id, s.state, s.amount, s.currency, s.valid_until, s.pending_request_id, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, state text, amount bigint, currency char(3),
                                              valid_until date, pending_request_id uuid)
     ORDER BY s.id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        state = excluded.state, amount = excluded.amount, currency = excluded.currency,
        valid_until = excluded.valid_until, pending_request_id = excluded.pending_request_id, version = excluded.version
      WHERE limits.version < excluded.version
    RETURNING company_id
"""


async def keep_limits(tx: Tx, subjects: list[Incoming]) -> None:
    """`limit.changed`."""
    rows = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    changed = await tx.fetch(_LIMITS, tx.tenant_id, json_bytes(rows).decode())
    await join_anew(tx, [row["company_id"] for row in changed])


async def forget(tx: Tx) -> None:
    """Empty what came from credit, before its state is read anew."""
    await alert_conditions.doubt(tx, "credit")
    await tx.execute("DELETE FROM limits WHERE tenant_id = $1", tx.tenant_id)
    await join_all_anew(tx)
