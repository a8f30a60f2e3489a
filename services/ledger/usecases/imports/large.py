"""An import too large for its request: read once whole, then applied a batch a transaction, from its stored chunks.

Whatever stops the work, it goes on at the first batch not applied: the same bytes give the same batches.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from libs.kit import clock, operations
from libs.kit.db import Database, Row, Tx
from libs.kit.problems import Problem
from libs.kit.tenants import Tenant
from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.pipeline import Batch, Intake
from services.ledger.storage import imports
from services.ledger.usecases.imports import snapshots
from services.ledger.usecases.imports.applying import apply_batch
from services.ledger.usecases.imports.push import Outcome, Push
from services.ledger.usecases.imports.records import (
    COUNTS,
    announce_end,
    push_of,
    totals_of,
    write_errors,
)
from services.ledger.usecases.imports.result import Rehearsed, Result

#: The job that works on an import: tenant and import are its ids.
RUN_IMPORT = "run_import"
LEASE = timedelta(seconds=45)
#: Turns of workers in which an import gets nowhere, before it is given up; each waits twice as long as the one before.
MOST_ATTEMPTS = 6
FIRST_WAIT = timedelta(seconds=5)
_RENEWED_EVERY = 10.0
#: So much is decoded before others get their turn in the event loop.
_SLICE = 1 << 16
#: Member of the totals while an import is at work: minor units that the ledger refused so far.
_REFUSED = "refused"

Ring = Callable[[Tx], Awaitable[None]]
log = structlog.get_logger(__name__)


class _Ended(Exception):
    """The import is no longer at work: cancelled, or done by another worker."""


def job_id(import_id: UUID) -> str:
    """So that one nudge at a time waits for an import."""
    return f"import:{import_id}"


async def accept(tx: Tx, push: Push, size: int) -> UUID:
    """Take an import over whose body is stored; the operation that follows it. Raises 409 as `snapshots.enter` does."""
    if push.is_snapshot:
        await snapshots.enter(tx, push)
        if not push.dry_run:
            await snapshots.stay(tx, push)
    operation = await operations.start(tx, "import", {"import_id": push.id})
    await imports.update(
        tx, push.id, status="processing", operation_id=operation, received_bytes=size, leased_until=None
    )
    return operation


async def work_on(db: Database, tenant: Tenant, import_id: UUID, ring: Ring) -> None:
    """Do what is left to do of an import, unless somebody else is at it."""
    async with db.transaction(tenant) as tx:
        row = await imports.lease(tx, import_id, clock.wall() + LEASE)
    if row is None:
        return
    work = _Work(db, tenant, push_of(row), row, ring)
    if row["attempts"] >= MOST_ATTEMPTS:
        await work.give_up()
        return
    async with _held(db, tenant, row):
        with suppress(_Ended):
            await work.go_on()


async def read_batches(db: Database, tenant: Tenant, push: Push, intake: Intake) -> AsyncIterator[Batch]:
    """The batches of a stored body. Raises ImportFailed."""
    number = 0
    while True:
        async with db.transaction(tenant, readonly=True) as tx:
            body = await imports.chunk(tx, push.id, number)
        if body is None:
            break
        for start in range(0, len(body), _SLICE):
            for batch in intake.feed(body[start : start + _SLICE]):
                yield batch
            await asyncio.sleep(0)
        number += 1
    for batch in intake.finish():
        yield batch


class _Work:
    """One worker's turn at an import."""

    def __init__(self, db: Database, tenant: Tenant, push: Push, row: Row, ring: Ring) -> None:
        self._db = db
        self._tenant = tenant
        self._push = push
        self._row = row
        self._ring = ring
        self._total: int | None = row["rows_received"]

    async def go_on(self) -> None:
        """Read it whole if that was not done, then apply what was not applied."""
        if self._total is None and not await self._validated():
            return
        if self._push.dry_run:
            await self._rehearse()
        else:
            await self._apply()

    async def give_up(self) -> None:
        """It always stopped at the same place: say so, and let the next one in. What was applied stays."""
        done = self._row["rows_applied"]
        detail = (
            f"the import stopped {MOST_ATTEMPTS} times without getting on, after row {done}, and was given up;"
            f" {'the rows up to it were applied' if done else 'nothing was applied'}, and to push the file again does no harm"
        )
        with suppress(_Ended):
            await self._step(self._fail, ImportFailed("import_gave_up", detail))

    async def _validated(self) -> bool:
        """Whether the file may be applied. If not it has failed, or is held."""
        push, intake, received, rejected = self._push, self._push.intake(), 0, 0
        try:
            async for batch in read_batches(self._db, self._tenant, push, intake):
                if push.is_snapshot:
                    async with self._db.transaction(self._tenant) as tx:
                        await snapshots.note_named(tx, push, received + 1, batch)
                        await write_errors(tx, push.id, batch.errors)
                received += batch.received
                rejected += batch.rejected
            intake.check_totals(push.control())
        except ImportFailed as failure:
            await self._step(self._fail, failure)
            return False
        self._total = received
        counts = {**dict.fromkeys(COUNTS, 0), "received": received}
        return bool(await self._step(self._pass, counts, rejected, intake))

    async def _pass(self, tx: Tx, counts: dict[str, int], rejected: int, intake: Intake) -> bool:
        """Note that the file could be read; False when its brake holds it."""
        push = self._push
        closing = await snapshots.foresee(tx, push) if push.is_snapshot and not push.dry_run else None
        if closing is None or not closing.reason:
            await imports.update(tx, push.id, rows_received=counts["received"], counts=counts, attempts=0)
            await operations.progress(tx, self._row["operation_id"], 0, counts["received"])
            return True
        await imports.update(
            tx,
            push.id,
            status="held",
            held=closing.held,
            rows_received=counts["received"],
            counts={**counts, "rejected": rejected},
            totals=totals_of(intake.received, {}),
        )
        await snapshots.leave(tx, push, applied=False)
        await operations.succeed(tx, self._row["operation_id"], {"import_id": push.id, "status": "held"})
        return False

    async def _fail(self, tx: Tx, failure: ImportFailed) -> None:
        push, row = self._push, await self._at_work(tx)
        await imports.update(
            tx, push.id, status="failed", error={"code": failure.code, "detail": failure.detail}
        )
        if push.is_snapshot and not push.dry_run:
            await snapshots.leave(tx, push, applied=False)
        await imports.drop_body(tx, push.id)
        announce_end(tx, push, "failed", {**dict.fromkeys(COUNTS, 0), **msgspec.json.decode(row["counts"])})
        await operations.fail(tx, self._row["operation_id"], Problem(422, failure.code, failure.detail))

    async def _apply(self) -> None:
        push, intake, done = self._push, self._push.intake(), 0
        async for batch in read_batches(self._db, self._tenant, push, intake):
            done += batch.received
            if done > self._row["rows_applied"]:
                await self._step(self._apply_batch, batch, done)
        if push.is_snapshot:
            while await self._step(self._close_some):
                pass
        await self._step(self._complete, intake)

    async def _apply_batch(self, tx: Tx, batch: Batch, done: int) -> None:
        row = await self._at_work(tx)
        if row["rows_applied"] >= done:
            raise _Ended
        outcome = await apply_batch(tx, self._push, batch)
        await write_errors(tx, self._push.id, outcome.errors)
        await self._add(tx, row, outcome, rows_applied=done)
        await operations.progress(tx, self._row["operation_id"], done, self._total)

    async def _close_some(self, tx: Tx) -> int:
        row = await self._at_work(tx)
        outcome = await snapshots.close_some(tx, self._push)
        if outcome.closed:
            await self._add(tx, row, outcome)
        return outcome.closed

    async def _complete(self, tx: Tx, intake: Intake) -> None:
        push, row = self._push, await self._at_work(tx)
        counts = msgspec.json.decode(row["counts"])
        totals = totals_of(intake.received, msgspec.json.decode(row["totals"]).get(_REFUSED, {}))
        await imports.update(tx, push.id, status="completed", totals=totals, held=None)
        if push.is_snapshot:
            await snapshots.leave(tx, push, applied=True)
        await imports.drop_body(tx, push.id)
        announce_end(tx, push, "completed", counts)
        result = {"import_id": push.id, "status": "completed", "counts": counts}
        await operations.succeed(tx, self._row["operation_id"], result)

    async def _rehearse(self) -> None:
        """All of it in one transaction, which is undone."""
        push, intake, result = self._push, self._push.intake(), Result()
        try:
            async with self._db.transaction(self._tenant) as tx:
                if push.is_snapshot:
                    result.closing = await snapshots.foresee(tx, push)
                async for batch in read_batches(self._db, self._tenant, push, intake):
                    result.add(await apply_batch(tx, push, batch), batch.received)
                while push.is_snapshot and (outcome := await snapshots.close_some(tx, push)).closed:
                    result.add(outcome, 0)
                raise Rehearsed(result)
        except Rehearsed:
            await self._step(self._write_rehearsal, result, intake)

    async def _write_rehearsal(self, tx: Tx, result: Result, intake: Intake) -> None:
        push = self._push
        await self._at_work(tx)
        totals = totals_of(intake.received, result.rejected)
        await imports.update(
            tx, push.id, status="completed", counts=result.counts, totals=totals, diff=result.diff
        )
        await write_errors(tx, push.id, result.errors)
        await imports.drop_body(tx, push.id)
        await operations.succeed(tx, self._row["operation_id"], {"import_id": push.id, "status": "completed"})

    async def _add(self, tx: Tx, row: Row, outcome: Outcome, **columns: Any) -> None:
        counts = msgspec.json.decode(row["counts"])
        for name, count in outcome.counts.items():
            counts[name] += count
        totals = msgspec.json.decode(row["totals"])
        refused = totals.setdefault(_REFUSED, {})
        for currency, minor in outcome.rejected.items():
            refused[currency] = refused.get(currency, 0) + minor
        await imports.update(tx, self._push.id, counts=counts, totals=totals, attempts=0, **columns)

    async def _at_work(self, tx: Tx) -> Row:
        row = await imports.read(tx, self._push.id, lock=True)
        if row is None or row["status"] != "processing":
            raise _Ended
        return row

    async def _step(self, step: Callable[..., Awaitable[Any]], *given: Any) -> Any:
        """A step in a transaction of its own, told to the other services when it is committed."""

        async def work(tx: Tx) -> Any:
            tx.actor = self._push.actor
            tx.after_commit(lambda: self._ring(tx))
            return await step(tx, *given)

        return await self._db.run(self._tenant, work)


@asynccontextmanager
async def _held(db: Database, tenant: Tenant, row: Row) -> AsyncIterator[None]:
    """Keep the lease while the work lasts. When it ends it is given back; when it breaks, only after a pause that grows; a worker
    that is killed lets it run out; one that is asked to stop has not tried in vain."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(_RENEWED_EVERY)
            async with db.transaction(tenant) as tx:
                await imports.renew(tx, row["id"], clock.wall() + LEASE)

    renewing = asyncio.create_task(renew())
    until, attempts = None, None
    try:
        yield
    except asyncio.CancelledError:
        attempts = row["attempts"]
        raise
    except Exception:
        until = clock.wall() + FIRST_WAIT * 2 ** row["attempts"]
        raise
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        await asyncio.shield(_release(db, tenant, row["id"], until, attempts))


async def _release(
    db: Database, tenant: Tenant, import_id: UUID, until: datetime | None, attempts: int | None
) -> None:
    try:
        async with db.transaction(tenant) as tx:
            await imports.renew(tx, import_id, until, attempts=attempts)
    except Exception as error:  # the lease runs out by itself
        log.warning("lease_not_released", import_id=str(import_id), error=repr(error))
