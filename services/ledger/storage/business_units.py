"""The ledger's copy of the tenant's business units, kept from the gateway's feed."""

from collections.abc import Iterable
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.responses import json_bytes

_KEEP = """
    INSERT INTO business_units (tenant_id, id, code, name, main, version)
    SELECT $1, u.id, u.code, u.name, u.main, u.version
      FROM jsonb_to_recordset($2::jsonb) AS u(id uuid, code text, name text, main boolean, version bigint)
     ORDER BY u.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        code = excluded.code, name = excluded.name, main = excluded.main, version = excluded.version
     WHERE business_units.version < excluded.version
"""


async def keep(tx: Tx, units: list[dict[str, object]]) -> None:
    """Take over units (id, code, name, main, version) that are newer than ours."""
    await tx.execute(_KEEP, tx.tenant_id, json_bytes(units).decode())


async def distrust(tx: Tx) -> None:
    """Let whatever the gateway says next win, be its version lower: it was restored. Until then the copy serves on."""
    await tx.execute("UPDATE business_units SET version = 0 WHERE tenant_id = $1", tx.tenant_id)


async def unknown(tx: Tx, ids: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that are no business unit here."""
    wanted = set(ids)
    rows = await tx.fetch(
        "SELECT id FROM business_units WHERE tenant_id = $1 AND id = ANY($2)", tx.tenant_id, list(wanted)
    )
    return wanted - {UUID(int=row["id"].int) for row in rows}
