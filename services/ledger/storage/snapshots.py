"""The scope of a snapshot in the database: who works on it, what it no longer names, what its brake judges."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from libs.kit.db import Row, Tx
from services.ledger.domain.snapshot import DEFAULT_BRAKE, Scope, ScopeFigures

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 3))"
#: A snapshot speaks of items its source has told, never of receipts: these have no `source_taken_at`. What has no external
#: id cannot be named.
_IN_SCOPE = """
    i.tenant_id = $1 AND i.business_unit_id = $2 AND i.source = $3 AND i.open_amount <> 0
    AND i.source_taken_at IS NOT NULL AND i.external_id IS NOT NULL
"""
_NAMED = """
    named AS MATERIALIZED (
        SELECT DISTINCT unnest(b.named) AS external_id FROM import_batches b WHERE b.tenant_id = $1 AND b.import_id = $5)
"""
_GONE = "i.source_taken_at <= $4 AND NOT EXISTS (SELECT FROM named n WHERE n.external_id = i.external_id)"
_FIGURES = f"""
    WITH {_NAMED},
    scope AS (
        SELECT i.currency, abs(i.open_amount) AS gross, i.open_amount AS net,
               i.source_taken_at <= $4 AND n.external_id IS NULL AS gone
          FROM items i LEFT JOIN named n ON n.external_id = i.external_id
         WHERE {_IN_SCOPE})
    SELECT currency, count(*) AS open_count, sum(gross) AS open_gross, count(*) FILTER (WHERE gone) AS closing_count,
           sum(gross) FILTER (WHERE gone) AS closing_gross, sum(net) FILTER (WHERE gone) AS closing_net
      FROM scope GROUP BY currency ORDER BY currency
"""
_LIST = f"""
    WITH {_NAMED}
    SELECT i.external_id, i.currency, i.open_amount FROM items i WHERE {_IN_SCOPE} AND {_GONE}
     ORDER BY i.external_id COLLATE "C"
"""
_LOCK_GONE = f"""
    WITH {_NAMED}
    SELECT i.id, i.external_id, i.open_amount FROM items i WHERE {_IN_SCOPE} AND {_GONE}
     ORDER BY i.external_id, i.id LIMIT $6 FOR UPDATE OF i
"""
_KIND = "items"


async def try_lock(tx: Tx, scope: Scope) -> bool:
    """Have the scope to oneself until the commit, or know at once that somebody else has it."""
    name = f"{tx.tenant_id}:{scope.business_unit_id}:{scope.source}:{_KIND}"
    locked: bool = await tx.fetchval(_LOCK, name)
    return locked


async def read_scope(tx: Tx, scope: Scope) -> Row | None:
    """taken_at of the last snapshot applied, running_import_id of the one at work."""
    return await tx.fetchrow(
        "SELECT taken_at, running_import_id FROM snapshot_scopes"
        " WHERE tenant_id = $1 AND business_unit_id = $2 AND source = $3 AND kind = $4",
        tx.tenant_id, scope.business_unit_id, scope.source, _KIND,
    )  # fmt: skip


async def write_scope(tx: Tx, scope: Scope, *, running: UUID | None, applied: bool) -> None:
    """Say which import works on the scope, and whether a snapshot was applied."""
    await tx.execute(
        "INSERT INTO snapshot_scopes AS s (tenant_id, business_unit_id, source, kind, taken_at, running_import_id)"
        " VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (tenant_id, business_unit_id, source, kind) DO UPDATE SET"
        " taken_at = coalesce(excluded.taken_at, s.taken_at), running_import_id = excluded.running_import_id",
        tx.tenant_id, scope.business_unit_id, scope.source, _KIND, scope.taken_at if applied else None, running,
    )  # fmt: skip


async def figures(tx: Tx, scope: Scope, import_id: UUID) -> tuple[ScopeFigures, dict[str, int]]:
    """What the brake judges, and the signed minor units that would close by currency."""
    open_gross: dict[str, int] = {}
    closing_gross: dict[str, int] = {}
    net: dict[str, int] = {}
    counts: dict[str, int] = defaultdict(int)
    for row in await tx.fetch(_FIGURES, *_of(tx, scope, import_id)):
        counts["open"] += row["open_count"]
        counts["closing"] += row["closing_count"]
        open_gross[row["currency"]] = int(row["open_gross"])
        if row["closing_count"]:
            closing_gross[row["currency"]] = int(row["closing_gross"])
            net[row["currency"]] = int(row["closing_net"])
    return ScopeFigures(counts["open"], open_gross, counts["closing"], closing_gross), net


async def closing(tx: Tx, scope: Scope, import_id: UUID) -> list[Row]:
    """What would close: external_id, currency, open_amount, in order of external id (code points)."""
    return await tx.fetch(_LIST, *_of(tx, scope, import_id))


async def lock_gone(tx: Tx, scope: Scope, import_id: UUID, limit: int) -> list[Row]:
    """The next items that close, under their locks: id, external_id, open_amount."""
    return await tx.fetch(_LOCK_GONE, *_of(tx, scope, import_id), limit)


async def unidentified(tx: Tx, import_id: UUID) -> int:
    """Rows of the file whose external id cannot be read."""
    count: int = await tx.fetchval(
        "SELECT coalesce(sum(unidentified), 0)::bigint FROM import_batches WHERE tenant_id = $1 AND import_id = $2",
        tx.tenant_id, import_id,
    )  # fmt: skip
    return count


async def brake(tx: Tx) -> Decimal:
    """The tenant's `snapshot_brake`: the share of what is open that may close unasked."""
    text = await tx.fetchval(
        "SELECT settings->>'snapshot_brake' FROM tenants WHERE tenant_id = $1", tx.tenant_id
    )
    return DEFAULT_BRAKE if text is None else Decimal(text)


def _of(tx: Tx, scope: Scope, import_id: UUID) -> Sequence[object]:
    return tx.tenant_id, scope.business_unit_id, scope.source, scope.taken_at, import_id
