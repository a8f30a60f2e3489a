"""The scope of a snapshot in the database: who works on it, what it no longer names, what its brake judges."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from libs.kit.db import Row, Tx
from services.ledger.domain.snapshot import DEFAULT_BRAKE, Scope, ScopeFigures

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 3))"
#: A snapshot speaks of what its source has told (`source_taken_at`: never of receipts, nor of customers made on the fly).
_TOLD = """
    t.tenant_id = $1 AND t.business_unit_id = $2 AND t.source = $3 AND t.source_taken_at IS NOT NULL
    AND t.external_id IS NOT NULL
"""
_ALL_OF = (
    "SELECT t.id, t.external_id, t.source_taken_at, {amount} FROM {table} t {join} WHERE {told} AND {counts}"
)
#: What of a kind still counts, and so can close.
_COUNTS = {"items": "t.open_amount <> 0", "orders": "t.status = 'open'", "customers": "t.archived_at IS NULL"}
_AMOUNT = {
    "items": "t.currency, t.open_amount AS amount",
    "orders": "t.currency, greatest(t.amount - t.invoiced_amount, 0) AS amount",
    "customers": "b.currency, coalesce(b.outstanding, 0) AS amount",
}
_JOIN = {"customers": "LEFT JOIN balances b ON b.tenant_id = t.tenant_id AND b.customer_id = t.id"}
_SCOPE = {
    kind: _ALL_OF.format(
        amount=_AMOUNT[kind], table=kind, join=_JOIN.get(kind, ""), told=_TOLD, counts=counts
    )
    for kind, counts in _COUNTS.items()
}
_NAMED = """
    named AS MATERIALIZED (
        SELECT DISTINCT unnest(b.named) AS external_id FROM import_batches b WHERE b.tenant_id = $1 AND b.import_id = $5)
"""
_GONE = (
    "{it}.source_taken_at <= $4 AND NOT EXISTS (SELECT FROM named n WHERE n.external_id = {it}.external_id)"
)
#: A customer stands in as many lines as it has currencies, and is counted once (`first`).
_FIGURES = """
    WITH {named},
    scope AS (
        SELECT s.currency, abs(s.amount) AS gross, s.amount AS net, s.source_taken_at <= $4 AND n.external_id IS NULL AS gone,
               {first} AS first
          FROM ({scope}) s LEFT JOIN named n ON n.external_id = s.external_id)
    SELECT currency, count(*) FILTER (WHERE first) AS open_count, sum(gross) AS open_gross,
           count(*) FILTER (WHERE gone AND first) AS closing_count, sum(gross) FILTER (WHERE gone) AS closing_gross,
           sum(net) FILTER (WHERE gone) AS closing_net
      FROM scope GROUP BY currency ORDER BY currency
"""
_ONCE = {"customers": "row_number() OVER (PARTITION BY s.id ORDER BY s.currency) = 1"}
_LIST = """
    WITH {named}
    SELECT s.external_id, coalesce(s.currency, '') AS currency, s.amount::bigint AS open_amount FROM ({scope}) s WHERE {gone}
     ORDER BY s.external_id COLLATE "C", s.currency
"""
_LOCK_GONE = """
    WITH {named}
    SELECT t.id, t.external_id, {amount} FROM {table} t WHERE {told} AND {counts} AND {gone}
     ORDER BY t.external_id, t.id LIMIT $6 FOR UPDATE OF t
"""


async def try_lock(tx: Tx, scope: Scope) -> bool:
    """Have the scope to oneself until the commit, or know at once that somebody else has it."""
    name = f"{tx.tenant_id}:{scope.business_unit_id}:{scope.source}:{scope.kind}"
    locked: bool = await tx.fetchval(_LOCK, name)
    return locked


async def read_scope(tx: Tx, scope: Scope) -> Row | None:
    """taken_at of the last snapshot applied, running_import_id of the one at work."""
    return await tx.fetchrow(
        "SELECT taken_at, running_import_id FROM snapshot_scopes"
        " WHERE tenant_id = $1 AND business_unit_id = $2 AND source = $3 AND kind = $4",
        tx.tenant_id, scope.business_unit_id, scope.source, scope.kind,
    )  # fmt: skip


async def write_scope(tx: Tx, scope: Scope, *, running: UUID | None, applied: bool) -> None:
    """Say which import works on the scope, and whether a snapshot was applied."""
    await tx.execute(
        "INSERT INTO snapshot_scopes AS s (tenant_id, business_unit_id, source, kind, taken_at, running_import_id)"
        " VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (tenant_id, business_unit_id, source, kind) DO UPDATE SET"
        " taken_at = coalesce(excluded.taken_at, s.taken_at), running_import_id = excluded.running_import_id",
        tx.tenant_id, scope.business_unit_id, scope.source, scope.kind, scope.taken_at if applied else None, running,
    )  # fmt: skip


async def figures(tx: Tx, scope: Scope, import_id: UUID) -> tuple[ScopeFigures, dict[str, int]]:
    """What the brake judges, and the signed minor units that would close by currency."""
    open_gross: dict[str, int] = {}
    closing_gross: dict[str, int] = {}
    net: dict[str, int] = {}
    counts: dict[str, int] = defaultdict(int)
    first = _ONCE.get(scope.kind, "true")
    statement = _FIGURES.format(named=_NAMED, scope=_SCOPE[scope.kind], first=first)
    for row in await tx.fetch(statement, *_of(tx, scope, import_id)):
        counts["open"] += row["open_count"]
        counts["closing"] += row["closing_count"]
        if row["currency"] is None:  # of customers nobody has charged yet
            continue
        open_gross[row["currency"]] = int(row["open_gross"])
        if row["closing_gross"] is not None:
            closing_gross[row["currency"]] = int(row["closing_gross"])
            net[row["currency"]] = int(row["closing_net"])
    return ScopeFigures(counts["open"], open_gross, counts["closing"], closing_gross), net


async def closing(tx: Tx, scope: Scope, import_id: UUID) -> list[Row]:
    """What would close: external_id, currency, open_amount, in order of external id (code points)."""
    statement = _LIST.format(named=_NAMED, scope=_SCOPE[scope.kind], gone=_GONE.format(it="s"))
    return await tx.fetch(statement, *_of(tx, scope, import_id))


async def lock_gone(tx: Tx, scope: Scope, import_id: UUID, limit: int) -> list[Row]:
    """What closes next, under its locks: id, external_id, and the open amount of items."""
    amount = "t.open_amount" if scope.kind == "items" else "0 AS open_amount"
    statement = _LOCK_GONE.format(
        named=_NAMED,
        amount=amount,
        table=scope.kind,
        told=_TOLD,
        counts=_COUNTS[scope.kind],
        gone=_GONE.format(it="t"),
    )
    return await tx.fetch(statement, *_of(tx, scope, import_id), limit)


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
