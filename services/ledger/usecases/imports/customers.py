"""Customer rows into the ledger."""

from libs.kit.db import Tx
from services.ledger.usecases.imports.accounts import known_units
from services.ledger.usecases.imports.push import Outcome, Push, Records
from services.ledger.usecases.upsert_customers import upsert_customers


async def apply_customers(tx: Tx, push: Push, records: Records) -> Outcome:
    """Bring a batch of CUSTOMER_COLUMNS in."""
    outcome = Outcome()
    units = await known_units(tx, push, records)
    reachable = []
    for record in records:
        if record[1] in units:
            reachable.append(record)
        else:
            detail = "expected the id of a business unit you can see"
            outcome.reject(record[0], "/business_unit_id", "business_unit_unknown", detail)
    keys = {record[0]: record[2] for record in reachable}
    for done in await upsert_customers(tx, reachable):
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
