"""A person's word on an import: apply what the brake held, or give it up."""

from uuid import UUID

import msgspec

from libs.kit import operations
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from services.ledger.domain.intake.pipeline import Batch
from services.ledger.domain.snapshot import SnapshotChanged, check_confirmed
from services.ledger.storage import imports
from services.ledger.usecases.imports import snapshots
from services.ledger.usecases.imports.large import accept
from services.ledger.usecases.imports.receiving import MAX_ROWS_AT_ONCE
from services.ledger.usecases.imports.records import COUNTS, announce_end, push_of
from services.ledger.usecases.imports.small import confirm_small


async def find(tx: Tx, import_id: UUID, perimeter: tuple[UUID, ...] | None, *, lock: bool = False) -> Row:
    """An import. Raises 404."""
    row = await imports.read(tx, import_id, perimeter, lock=lock)
    if row is None:
        raise not_found("import", import_id)
    return row


async def confirm(tx: Tx, row: Row, diff_hash: str) -> bool:
    """Have a held snapshot applied, if what it would close now is what was agreed to; True when it was applied at once, False
    when a worker must be nudged.

    Raises 409 `invalid_state`, `snapshot_changed` with the new `held`, `snapshot_in_progress`, `snapshot_superseded`.
    """
    if row["status"] != "held":
        raise Problem(409, "invalid_state", f"The import is {row['status']}: only a held one is confirmed.")
    push = push_of(row)
    await snapshots.enter(tx, push)
    closing = await snapshots.foresee(tx, push, hashed=True)
    try:
        check_confirmed(diff_hash, closing.diff_hash)
    except SnapshotChanged as changed:
        detail = "What the snapshot would close has changed since it was shown."
        held = {**closing.held, "reason": closing.reason or msgspec.json.decode(row["held"])["reason"]}
        raise Problem(409, changed.code, detail, held=held) from changed
    if row["rows_received"] > MAX_ROWS_AT_ONCE:
        await imports.update(
            tx, push.id, counts={**dict.fromkeys(COUNTS, 0), "received": row["rows_received"]}
        )
        await accept(tx, push, row["received_bytes"])
        return False
    intake = push.intake()
    batches: list[Batch] = []
    number = 0
    while (body := await imports.chunk(tx, push.id, number)) is not None:
        batches += intake.feed(body)
        number += 1
    batches += intake.finish()
    await confirm_small(tx, push, intake, batches)
    return True


async def cancel(tx: Tx, row: Row) -> None:
    """Give an import up that is held or at work. What a worker has applied of it stays. Raises 409 `invalid_state`."""
    if row["status"] not in ("held", "processing"):
        raise Problem(
            409, "invalid_state", f"The import is {row['status']}: it cannot be cancelled any more."
        )
    push = push_of(row)
    if push.is_snapshot and row["status"] == "processing" and not push.dry_run:
        await snapshots.leave(tx, push, applied=False)
    await imports.update(tx, push.id, status="cancelled")
    await imports.drop_body(tx, push.id)
    if row["operation_id"] is not None and row["status"] == "processing":
        await operations.cancel(tx, row["operation_id"])
    announce_end(tx, push, "cancelled", msgspec.json.decode(row["counts"]))
