"""The rows of credit insurance go over to the company that theirs was merged into; the rule for each that it already has."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from libs.kit.db import Row, Tx
from services.credit.domain.insurance.vocabulary import OPEN_STATES
from services.credit.storage.insurance.clocks import CLOCKS
from services.credit.storage.insurance.covers import COVERS, DECISIONS
from services.credit.storage.insurance.requests import TABLE as REQUESTS
from services.credit.storage.insurance.rows import columns

_STAMPED: Final = "updated_at = $4, version = version + 1"
_MOVED: Final = ("overdue_declarations", "claims", "insistences")
_TWIN_COVERS = f"""
    SELECT {columns(COVERS, "c")}, t.id AS twin_id FROM covers c
      JOIN covers t ON t.tenant_id = c.tenant_id AND t.policy_id = c.policy_id AND t.layer = c.layer AND t.company_id = $3
     WHERE c.tenant_id = $1 AND c.company_id = $2 ORDER BY c.id
"""
#: Of two open requests the one that stays is the survivor's, unless it is a draft and the other one has left.
_TWIN_REQUESTS = f"""
    UPDATE guarantee_requests r SET state = 'cancelled', error = $5, updated_at = $4, version = r.version + 1
      FROM guarantee_requests t
     WHERE r.tenant_id = $1 AND t.tenant_id = $1 AND t.policy_id = r.policy_id AND t.product = r.product
       AND r.state = ANY($6) AND t.state = ANY($6)
       AND ((r.company_id = $2 AND t.company_id = $3 AND NOT (t.state = 'draft' AND r.state <> 'draft'))
         OR (r.company_id = $3 AND t.company_id = $2 AND r.state = 'draft' AND t.state <> 'draft'))
    RETURNING {columns(REQUESTS, "r")}
"""
#: Of two identities at an insurer the survivor's stays, unless it is not certain and the other one is.
_TWIN_BUYERS = """
    DELETE FROM insurer_buyers b USING insurer_buyers t
     WHERE b.tenant_id = $1 AND t.tenant_id = $1 AND t.connection_id = b.connection_id
       AND ((b.company_id = $2 AND t.company_id = $3 AND NOT (b.state = 'identified' AND t.state <> 'identified'))
         OR (b.company_id = $3 AND t.company_id = $2 AND b.state <> 'identified' AND t.state = 'identified'))
"""
#: Of two stops of cover the earlier day counts, under one row.
_TWIN_STOPS = """
    WITH twins AS (
        UPDATE cover_stops t SET stopped_on = least(t.stopped_on, s.stopped_on), updated_at = $4, version = t.version + 1
          FROM cover_stops s
         WHERE t.tenant_id = $1 AND s.tenant_id = $1 AND t.company_id = $3 AND s.company_id = $2
           AND t.policy_id = s.policy_id AND t.regularised_on IS NULL AND s.regularised_on IS NULL
        RETURNING s.id
    )
    DELETE FROM cover_stops USING twins WHERE cover_stops.tenant_id = $1 AND cover_stops.id = twins.id
"""
#: Of two clocks that run for a company as a whole the survivor's stays and is worked out anew.
_TWIN_CLOCKS = f"""
    UPDATE cover_clocks k SET state = 'ended', updated_at = $4, version = k.version + 1
     WHERE k.tenant_id = $1 AND k.company_id = $2 AND k.kind NOT IN ('notification', 'foreclosure')
       AND k.state NOT IN ('met', 'ended') AND EXISTS (
        SELECT 1 FROM cover_clocks t
         WHERE t.tenant_id = $1 AND t.company_id = $3 AND t.kind = k.kind AND t.policy_id IS NOT DISTINCT FROM k.policy_id
           AND t.currency IS NOT DISTINCT FROM k.currency AND t.state NOT IN ('met', 'ended'))
    RETURNING {columns(CLOCKS, "k")}
"""


async def policies_of(tx: Tx, ended: UUID) -> list[UUID]:
    """The policies under which something was covered, decided or asked about a company."""
    rows = await tx.fetch(
        "SELECT policy_id FROM covers WHERE tenant_id = $1 AND company_id = $2"
        " UNION SELECT policy_id FROM guarantee_decisions WHERE tenant_id = $1 AND company_id = $2"
        " UNION SELECT policy_id FROM guarantee_requests WHERE tenant_id = $1 AND company_id = $2 ORDER BY 1",
        tx.tenant_id, ended,
    )  # fmt: skip
    return [row["policy_id"] for row in rows]


async def follow_requests(tx: Tx, ended: UUID, target: UUID) -> list[Row]:
    """Requests and the insurers' names for buyers; the requests that changed."""
    stamp = (tx.tenant_id, ended, target, tx.now)
    cancelled = await tx.fetch(
        _TWIN_REQUESTS,
        *stamp,
        "The company was merged into one with a request of its own.",
        list(OPEN_STATES),
    )
    moved = await tx.fetch(
        f"UPDATE guarantee_requests SET company_id = $3, {_STAMPED} WHERE tenant_id = $1 AND company_id = $2"
        f" RETURNING {columns(REQUESTS)}",
        *stamp,
    )
    await tx.execute(_TWIN_BUYERS, *stamp[:3])
    await tx.execute(
        f"UPDATE insurer_buyers SET company_id = $3, {_STAMPED} WHERE tenant_id = $1 AND company_id = $2",
        *stamp,
    )
    known = {row["id"] for row in moved}
    return [*moved, *(row for row in cancelled if row["id"] not in known)]


async def follow_covers(tx: Tx, ended: UUID, target: UUID) -> tuple[list[Row], list[Row]]:
    """Decisions and covers: the covers that moved, and those that are one now with a cover of the survivor, and gone.

    A decision keeps the company it was told of in `merged_from`, for the lower of two lines to be found again."""
    stamp = (tx.tenant_id, ended, target, tx.now)
    twins = await tx.fetch(_TWIN_COVERS, *stamp[:3])
    pairs = [row["id"] for row in twins], [row["twin_id"] for row in twins]
    for table in (DECISIONS, REQUESTS):
        await tx.execute(
            f"UPDATE {table} o SET cover_id = p.kept FROM unnest($2::uuid[], $3::uuid[]) AS p(gone, kept)"
            " WHERE o.tenant_id = $1 AND o.cover_id = p.gone",
            tx.tenant_id, *pairs,
        )  # fmt: skip
    await tx.execute("DELETE FROM covers WHERE tenant_id = $1 AND id = ANY($2)", tx.tenant_id, pairs[0])
    await tx.execute(
        f"UPDATE {DECISIONS} SET company_id = $3, merged_from = coalesce(merged_from, $2),"
        f" merged_at = coalesce(merged_at, $4), {_STAMPED} WHERE tenant_id = $1 AND company_id = $2",
        *stamp,
    )
    moved = await tx.fetch(
        f"UPDATE {COVERS} SET company_id = $3, {_STAMPED} WHERE tenant_id = $1 AND company_id = $2"
        f" RETURNING {columns(COVERS)}",
        *stamp,
    )
    return moved, twins


async def follow_losses(tx: Tx, ended: UUID, target: UUID) -> list[Row]:
    """Stops, clocks, declarations, claims and insistences; the clocks that changed."""
    stamp = (tx.tenant_id, ended, target, tx.now)
    await tx.execute(_TWIN_STOPS, *stamp)
    ended_clocks = await tx.fetch(_TWIN_CLOCKS, *stamp)
    await tx.execute(
        f"UPDATE cover_stops SET company_id = $3, {_STAMPED} WHERE tenant_id = $1 AND company_id = $2", *stamp
    )
    clocks = await tx.fetch(
        f"UPDATE cover_clocks SET company_id = $3, {_STAMPED} WHERE tenant_id = $1 AND company_id = $2"
        f" RETURNING {columns(CLOCKS)}",
        *stamp,
    )
    for table in _MOVED:
        await tx.execute(
            f"UPDATE {table} SET company_id = $3, {_STAMPED} WHERE tenant_id = $1 AND company_id = $2", *stamp
        )
    return _newest([*ended_clocks, *clocks])


async def follow_customers(tx: Tx, ended: UUID, target: UUID) -> None:
    """Accounts go over at once, so that what they owe counts in the survivor's exposure; their own events follow."""
    await tx.execute(
        "UPDATE customers SET company_id = $3 WHERE tenant_id = $1 AND company_id = $2",
        tx.tenant_id,
        ended,
        target,
    )


def _newest(rows: Sequence[Row]) -> list[Row]:
    return list({row["id"]: row for row in rows}.values())
