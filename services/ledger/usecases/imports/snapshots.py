"""What a snapshot closes: what of its scope still counts and it does not name, unless its brake holds it."""

from dataclasses import dataclass
from typing import Any

from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.ledger.domain import journal as rules
from services.ledger.domain.intake.pipeline import BATCH, Batch
from services.ledger.domain.snapshot import brake_reason, check_order, diff_hash
from services.ledger.storage import imports, items, journal
from services.ledger.storage import snapshots as storage
from services.ledger.storage.announcements import announce
from services.ledger.usecases.imports.applying import file_day
from services.ledger.usecases.imports.customers import archive_customers
from services.ledger.usecases.imports.orders import close_orders
from services.ledger.usecases.imports.push import Outcome, Push
from services.ledger.usecases.imports.retold import entry_record, given
from services.ledger.usecases.refusal import refused_at

_KEY = 2


@dataclass(frozen=True, slots=True)
class Closing:
    """What a snapshot would close, and why it must wait for a person, if it must."""

    reason: str | None
    count: int
    amounts: list[dict[str, str]]
    diff_hash: str

    @property
    def held(self) -> dict[str, Any]:
        """As an import shows it."""
        return {
            "reason": self.reason,
            "closing_count": self.count,
            "closing_amounts": self.amounts,
            "diff_hash": self.diff_hash,
        }


async def enter(tx: Tx, push: Push) -> None:
    """Have the scope to oneself until the commit. Raises 409 `snapshot_in_progress`, `snapshot_superseded`."""
    if not await storage.try_lock(tx, push.scope):
        raise _in_progress()
    scope = await storage.read_scope(tx, push.scope)
    if scope is None:
        return
    if scope["running_import_id"] not in (None, push.id):
        raise _in_progress()
    with refused_at():
        check_order(push.scope.taken_at, scope["taken_at"])


async def note_named(tx: Tx, push: Push, first_row: int, batch: Batch) -> None:
    """Note what some rows name; those that were refused too: a row we could not read is not an item that was paid."""
    named = [record[_KEY] for record in batch.records] + batch.refused_keys
    last_row = first_row + batch.received - 1
    await imports.add_named(tx, push.id, first_row, last_row, named, batch.unidentified)


async def foresee(tx: Tx, push: Push, *, hashed: bool = False) -> Closing:
    """What would close now, once all that the file names is noted; its hash only where the brake holds it, or `hashed`."""
    figures, net = await storage.figures(tx, push.scope, push.id)
    reason = brake_reason(figures, await storage.brake(tx), await storage.unidentified(tx, push.id))
    amounts = [{"currency": code, "amount": from_minor(minor, code)} for code, minor in net.items()]
    name = ""
    if hashed or reason is not None:
        gone = await storage.closing(tx, push.scope, push.id)
        name = diff_hash((row["external_id"], row["currency"], row["open_amount"]) for row in gone)
    return Closing(reason, figures.closing_count, amounts, name)


async def close_some(tx: Tx, push: Push) -> Outcome:
    """Close the next ones that the snapshot does not name, at most a batch of them.

    Of items nothing is open any more, as of the file's day, flagged approximate. Orders are closed, customers archived: what
    they owe stays owed, and they come back when their source names them again."""
    gone = await storage.lock_gone(tx, push.scope, push.id, BATCH)
    if not gone:
        return Outcome()
    if push.kind == "orders":
        return await close_orders(tx, push, gone)
    if push.kind == "customers":
        return await archive_customers(tx, push, gone)
    return await _settle_items(tx, push, gone)


async def _settle_items(tx: Tx, push: Push, gone: list[Row]) -> Outcome:
    outcome = Outcome()
    day = file_day(tx, push)
    source = {
        "source": push.source,
        "source_version": None,
        "source_taken_at": push.taken_at,
    }
    journals = await items.entries_of(tx, [row["id"] for row in gone])
    entries = []
    for row in gone:
        since = rules.open_since(journals[row["id"]], row["open_amount"])
        assert since is not None, "what is open is open since some day"
        settled = rules.settle_to(row["open_amount"], 0, file_date=day, today=tx.today, not_before=since)
        entries += [entry_record(row["id"], entry, source) for entry in settled]
        if push.dry_run:
            outcome.show("closed", row["external_id"])
    rows = await given(tx, "closing_entries", journal.ENTRIES, entries)
    outcome.touched += await journal.apply_entries(tx, rows, push.id)
    if not push.dry_run:
        await announce(tx, outcome.touched)
    outcome.closed = len(gone)
    return outcome


async def leave(tx: Tx, push: Push, *, applied: bool) -> None:
    """Let others work on the scope."""
    await storage.write_scope(tx, push.scope, running=None, applied=applied)


async def stay(tx: Tx, push: Push) -> None:
    """Keep the scope over several transactions."""
    await storage.write_scope(tx, push.scope, running=push.id, applied=False)


def _in_progress() -> Problem:
    return Problem(409, "snapshot_in_progress", "Another snapshot of this source is being worked on.")
