"""Customer rows into the ledger."""

from collections.abc import Sequence

from libs.kit.db import Row, Tx
from services.ledger.domain.intake.customers import CUSTOMER_COLUMNS
from services.ledger.storage import customers
from services.ledger.usecases.imports.accounts import known_units, snapshot_fault
from services.ledger.usecases.imports.push import Outcome, Push, Records
from services.ledger.usecases.upsert_customers import upsert_customers

_SOURCE = CUSTOMER_COLUMNS.index("source")


async def apply_customers(tx: Tx, push: Push, records: Records) -> Outcome:
    """Bring a batch of CUSTOMER_COLUMNS in."""
    outcome = Outcome()
    units = await known_units(tx, push, records)
    reachable = []
    for record in records:
        fault = snapshot_fault(push, record[1], record[_SOURCE]) if push.is_snapshot else None
        if fault is not None:
            outcome.reject(record[0], fault.pointer, fault.code, fault.detail)
        elif record[1] in units:
            reachable.append(record)
        else:
            detail = "expected the id of a business unit you can see"
            outcome.reject(record[0], "/business_unit_id", "business_unit_unknown", detail)
    keys = {record[0]: record[2] for record in reachable}
    for done in await upsert_customers(tx, reachable, taken_at=push.taken_at or tx.now):
        match done.outcome:
            case "created" | "updated":
                setattr(outcome, done.outcome, getattr(outcome, done.outcome) + 1)
                if push.dry_run:
                    outcome.show(done.outcome, keys[done.row])
            case "unchanged":
                outcome.unchanged += 1
            case "rejected":
                assert done.fault is not None
                outcome.reject(done.row, done.fault.pointer, done.fault.code, done.fault.detail)
    return outcome


async def archive_customers(tx: Tx, push: Push, gone: Sequence[Row]) -> Outcome:
    """Put customers away that their source no longer names; they are locked."""
    outcome = Outcome(closed=len(gone))
    away = {"archived_at": tx.now, "archived_by_source": push.source, "source_taken_at": push.taken_at}
    rows = await customers.patch(tx, [{"id": row["id"], **away} for row in gone])
    tx.emit("customer.changed", map(customers.subject, rows))
    if push.dry_run:
        for row in gone:
            outcome.show("closed", row["external_id"])
    return outcome
