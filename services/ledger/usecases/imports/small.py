"""An import that fits into its request: read, applied and answered in one transaction."""

from collections.abc import Sequence

from libs.kit.db import Database, Tx
from libs.kit.tenants import Tenant
from services.ledger.domain.intake.pipeline import Batch, Intake
from services.ledger.storage import imports
from services.ledger.usecases.imports import snapshots
from services.ledger.usecases.imports.applying import apply_batch
from services.ledger.usecases.imports.push import Push
from services.ledger.usecases.imports.receiving import Arrival, keep_body
from services.ledger.usecases.imports.records import announce_end, columns_of, totals_of, write_errors
from services.ledger.usecases.imports.result import Rehearsed, Result


async def rehearse(db: Database, tenant: Tenant, push: Push, arrival: Arrival) -> Result:
    """Do all of an import, then undo it; what it would have done."""

    async def work(tx: Tx) -> None:
        await imports.insert(tx, columns_of(push))
        raise Rehearsed(await _apply(tx, push, arrival.batches))

    try:
        await db.run(tenant, work)
    except Rehearsed as rehearsed:
        return rehearsed.result
    raise AssertionError("unreachable")


async def bring_in(tx: Tx, push: Push, arrival: Arrival, rehearsed: Result | None = None) -> None:
    """Apply an import and write it down: completed, or held when its brake says so (then nothing is applied). After a dry run
    only what it did is written down. Raises 409 `snapshot_in_progress`, `snapshot_superseded`."""
    await imports.insert(tx, {**columns_of(push), "received_bytes": arrival.size})
    result = rehearsed or await _apply(tx, push, arrival.batches)
    if await finish_small(tx, push, arrival.intake, result) == "held":
        await keep_body(tx, push, arrival.raw)


async def confirm_small(tx: Tx, push: Push, intake: Intake, batches: Sequence[Batch]) -> None:
    """Apply a held import that a person has agreed to."""
    await finish_small(tx, push, intake, await _apply(tx, push, batches, confirmed=True))


async def finish_small(tx: Tx, push: Push, intake: Intake, result: Result) -> str:
    """Write down what became of an import; its status."""
    braked = result.closing is not None and result.closing.reason and not result.confirmed
    status = "held" if braked and not push.dry_run else "completed"
    counts = result.counts
    await imports.update(
        tx,
        push.id,
        status=status,
        counts=counts,
        totals=totals_of(intake.received, result.rejected),
        held=result.closing.held if status == "held" and result.closing else None,
        diff=result.diff if push.dry_run else None,
        rows_received=counts["received"],
        rows_applied=0 if status == "held" else counts["received"],
        leased_until=None,
    )
    await write_errors(tx, push.id, result.errors)
    if status == "completed":
        await imports.drop_body(tx, push.id)
        if not push.dry_run:
            announce_end(tx, push, status, counts)
    return status


async def _apply(tx: Tx, push: Push, batches: Sequence[Batch], *, confirmed: bool = False) -> Result:
    result = Result(confirmed=confirmed)
    if push.is_snapshot:
        await snapshots.enter(tx, push)
        first_row = 1
        for batch in batches:
            await snapshots.note_named(tx, push, first_row, batch)
            first_row += batch.received
        result.closing = await snapshots.foresee(tx, push)
        if result.closing.reason and not push.dry_run and not confirmed:
            for batch in batches:
                result.refuse_only(batch)
            return result
    for batch in batches:
        result.add(await apply_batch(tx, push, batch), batch.received)
    if push.is_snapshot:
        while (outcome := await snapshots.close_some(tx, push)).closed:
            result.add(outcome, 0)
        await snapshots.leave(tx, push, applied=not push.dry_run)
    return result
