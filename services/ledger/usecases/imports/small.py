"""An import that fits into its request: read, applied and answered in one transaction."""

from dataclasses import dataclass, field
from typing import Any

from libs.kit.db import Database, Tx
from libs.kit.tenants import Tenant
from services.ledger.domain.intake.errors import RowError
from services.ledger.storage import imports
from services.ledger.usecases.imports import snapshots
from services.ledger.usecases.imports.applying import apply_batch
from services.ledger.usecases.imports.push import SHOWN_CHANGES, Outcome, Push
from services.ledger.usecases.imports.receiving import Arrival, keep_body
from services.ledger.usecases.imports.records import (
    COUNTS,
    announce_end,
    columns_of,
    totals_of,
    write_errors,
)


@dataclass(slots=True)
class Result:
    """What an import did as a whole."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    rejected: dict[str, int] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    closing: snapshots.Closing | None = None

    def add(self, outcome: Outcome, received: int) -> None:
        """Count a batch in."""
        self.counts["received"] += received
        for name, count in outcome.counts.items():
            self.counts[name] += count
        for currency, minor in outcome.rejected.items():
            self.rejected[currency] = self.rejected.get(currency, 0) + minor
        self.errors += outcome.errors
        self.changes += outcome.changes[: SHOWN_CHANGES - len(self.changes)]


class _Rehearsed(Exception):
    """A dry run has come to its end: what it did is undone."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


async def rehearse(db: Database, tenant: Tenant, push: Push, arrival: Arrival) -> Result:
    """Do all of an import, then undo it; what it would have done."""

    async def work(tx: Tx) -> None:
        raise _Rehearsed(await _apply(tx, push, arrival))

    try:
        await db.run(tenant, work)
    except _Rehearsed as rehearsed:
        return rehearsed.result
    raise AssertionError("unreachable")


async def bring_in(tx: Tx, push: Push, arrival: Arrival, rehearsed: Result | None = None) -> None:
    """Apply an import and write it down: completed, or held when its brake says so (then nothing is applied). After a dry run
    only what it did is written down. Raises 409 `snapshot_in_progress`, `snapshot_superseded`."""
    result = rehearsed or await _apply(tx, push, arrival)
    status = "completed"
    if result.closing is not None and result.closing.reason and not push.dry_run:
        status = "held"
    counts = result.counts
    await imports.insert(
        tx,
        {
            **columns_of(push),
            "status": status,
            "counts": counts,
            "totals": totals_of(arrival.intake.received, result.rejected),
            "held": result.closing.held if status == "held" and result.closing else None,
            "diff": diff_of(result) if push.dry_run else None,
            "received_bytes": arrival.size,
            "rows_received": counts["received"],
            "rows_applied": counts["received"],
        },
    )
    await write_errors(tx, push.id, result.errors)
    if status == "held":
        await keep_body(tx, push, arrival.raw)
    elif not push.dry_run:
        announce_end(tx, push, status, counts)


def diff_of(result: Result) -> dict[str, Any]:
    """What a dry run shows: what would be done, whether the brake would hold it, and the first changes."""
    closing = result.closing
    return {
        "counts": result.counts,
        "held": None if closing is None or not closing.reason else closing.held,
        "changes": result.changes,
    }


async def _apply(tx: Tx, push: Push, arrival: Arrival) -> Result:
    result = Result()
    if push.is_snapshot:
        await snapshots.enter(tx, push)
        result.closing = await snapshots.foresee(tx, push, arrival.batches)
        if result.closing.reason and not push.dry_run:
            for batch in arrival.batches:
                result.counts["received"] += batch.received
                result.counts["rejected"] += batch.rejected
                result.errors += batch.errors
            return result
    seen = []
    for batch in arrival.batches:
        outcome = await apply_batch(tx, push, batch)
        result.add(outcome, batch.received)
        seen += outcome.seen
    if push.is_snapshot:
        seen += await snapshots.items_of_refused(tx, push, arrival.batches)
        result.add(await snapshots.close_absent(tx, push, seen), 0)
        await snapshots.leave(tx, push, applied=not push.dry_run)
    return result
