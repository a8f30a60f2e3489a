"""An import as it is written down: what was asked, what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import msgspec

from libs.contracts.currencies import exponent
from libs.kit.db import Actor, Row, Tx
from libs.kit.feed.events import Subject
from services.ledger.domain.intake.errors import ImportFailed, RowError
from services.ledger.domain.intake.received import Received
from services.ledger.storage import imports
from services.ledger.usecases.imports.push import Mode, Push

COUNTS = ("received", "created", "updated", "unchanged", "closed", "rejected")
_OPTIONS = ("media_type", "create_customers", "control_count", "control_sum", "dialect", "mapping")


def columns_of(push: Push) -> dict[str, Any]:
    """The columns that say what was asked."""
    options = {name: getattr(push, name) for name in _OPTIONS}
    options["perimeter"] = None if push.perimeter is None else [str(unit) for unit in push.perimeter]
    options["actor"] = asdict(push.actor)
    return {
        "id": push.id,
        "kind": push.kind,
        "mode": push.mode,
        "source": push.source,
        "business_unit_id": push.business_unit_id,
        "taken_at": push.taken_at,
        "dry_run": push.dry_run,
        "options": options,
        "requested_by": push.actor.subject,
    }


def push_of(row: Row) -> Push:
    """What was asked, from the row of an import."""
    options = msgspec.json.decode(row["options"])
    actor, perimeter = options["actor"], options["perimeter"]
    return Push(
        id=UUID(int=row["id"].int),
        kind=row["kind"],
        mode=cast(Mode, row["mode"]),
        source=row["source"],
        business_unit_id=UUID(int=row["business_unit_id"].int),
        taken_at=row["taken_at"],
        dry_run=row["dry_run"],
        perimeter=None if perimeter is None else tuple(map(UUID, perimeter)),
        actor=Actor(actor["subject"], _uuid(actor["key_id"]), _uuid(actor["user_id"])),
        **{name: options[name] for name in _OPTIONS},
    )


def totals_of(received: Received, rejected: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """By currency, signed, in major units: what the rows received state, what of it was rejected (`rejected`: minor units the
    ledger refused after the file was read), and what was accepted."""
    refused = received.refused_sums()
    totals = {}
    for currency, amount in sorted(received.sums().items()):
        out = refused.get(currency, Decimal(0)) + Decimal(rejected.get(currency, 0)).scaleb(
            -exponent(currency)
        )
        shown = {"received": amount, "accepted": amount - out, "rejected": out}
        totals[currency] = {name: _text(value, exponent(currency)) for name, value in shown.items()}
    return totals


async def write_errors(tx: Tx, import_id: UUID, errors: Iterable[RowError]) -> None:
    """Write rows' faults down, in order of rows."""
    ordered = sorted(errors, key=lambda error: error.row)
    await imports.add_errors(tx, import_id, [(e.row, e.pointer, e.code, e.detail) for e in ordered])


async def write_failure(tx: Tx, push: Push, failure: ImportFailed, size: int) -> None:
    """Write down that a file could not be used, and why. Nothing of it was applied."""
    error = {"code": failure.code, "detail": failure.detail}
    columns = {**columns_of(push), "status": "failed", "error": error, "received_bytes": size}
    await imports.insert(tx, columns)
    announce_end(tx, push, "failed", dict.fromkeys(COUNTS, 0))


def announce_end(tx: Tx, push: Push, status: str, counts: Mapping[str, int]) -> None:
    """Tell the others, and the audit log, that an import reached its end."""
    tx.actor = push.actor
    state = {
        "kind": push.kind,
        "mode": push.mode,
        "source": push.source,
        "business_unit_id": push.business_unit_id,
        "status": status,
        "counts": dict(counts),
    }
    tx.emit("import.completed", [Subject(push.id, 1, state)])
    tx.audit(f"import.{status}", "import", push.id, None, state)


def _text(amount: Decimal, decimals: int) -> str:
    """The currency's decimals; more only where a refused row stated more."""
    rounded = f"{amount:.{decimals}f}"
    return rounded if Decimal(rounded) == amount else f"{amount.normalize():f}"


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
