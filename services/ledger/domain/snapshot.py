"""Which items a snapshot closes by not naming them, and when the brake holds it.

A snapshot is all the open items of one scope (business unit, source) at one moment. On large ones SQL selects
what `closing` selects here and counts what `brake_reason` judges. Of orders it closes the open ones, their amount being what
of them is not invoiced; of customers it archives those in use, their amount being what they owe.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from services.ledger.domain.errors import StateConflict

DEFAULT_BRAKE = Decimal("0.20")


class SnapshotSuperseded(StateConflict):
    code = "snapshot_superseded"


class SnapshotChanged(StateConflict):
    code = "snapshot_changed"


class HeldReason(StrEnum):
    COUNT = "brake_count"
    AMOUNT = "brake_amount"
    UNIDENTIFIED_ROWS = "unidentified_rows"


@dataclass(frozen=True, slots=True)
class Scope:
    business_unit_id: UUID
    source: str
    taken_at: datetime
    kind: str = "items"


@dataclass(frozen=True, slots=True)
class LedgerItem:
    """An open item of the ledger. `open_amount` signed minor units; `changed_at` and `source`: its last
    change."""

    external_id: str
    business_unit_id: UUID
    source: str
    changed_at: datetime
    currency: str
    open_amount: int
    is_receipt: bool = False
    """Made through the payments resource: the ERP may not know it yet."""


@dataclass(frozen=True, slots=True)
class ScopeFigures:
    """Of the scope before the snapshot and of what it would close: items, and gross open amount (absolute
    minor units, so that credits do not hide debits) by currency."""

    open_count: int
    open_gross: Mapping[str, int]
    closing_count: int
    closing_gross: Mapping[str, int]


def check_order(taken_at: datetime, last_applied: datetime | None) -> None:
    """Raises SnapshotSuperseded for a snapshot older than the last applied one of its scope; the same moment
    again is the same file sent twice, which changes nothing."""
    if last_applied is not None and taken_at < last_applied:
        raise SnapshotSuperseded(f"a snapshot taken at {last_applied.isoformat()} was already applied")


def in_scope(item: LedgerItem, scope: Scope) -> bool:
    """Whether a snapshot of `scope` speaks of the item at all."""
    return (
        item.business_unit_id == scope.business_unit_id
        and item.source == scope.source
        and not item.is_receipt
    )


def closing(items: Iterable[LedgerItem], scope: Scope, received: Collection[str]) -> list[LedgerItem]:
    """The items that the snapshot closes, by external id: open, in scope, unchanged since it was taken, not
    received.

    `received` holds the external ids of all rows of the file, rejected ones too: a row we could not read is
    not an item that was paid.
    """
    known = set(received)
    gone = [
        item
        for item in items
        if item.open_amount
        and in_scope(item, scope)
        and item.changed_at <= scope.taken_at
        and item.external_id not in known
    ]
    return sorted(gone, key=lambda item: item.external_id)


def figures(items: Iterable[LedgerItem], scope: Scope, gone: Collection[LedgerItem]) -> ScopeFigures:
    """What the brake judges."""
    open_items = [item for item in items if item.open_amount and in_scope(item, scope)]
    return ScopeFigures(len(open_items), _gross(open_items), len(gone), _gross(gone))


def brake_reason(
    scope: ScopeFigures, brake: Decimal = DEFAULT_BRAKE, unidentified_rows: int = 0
) -> HeldReason | None:
    """Why the snapshot must wait for a person, or None: more than the share `brake` (0.20 is 20 %, itself
    allowed) of the open items by count, or of the gross open amount in any currency, would close.

    Rejected rows without a readable external id may be any of the items that seem gone: while some would
    close, one such row holds too.
    """
    if scope.closing_count == 0:
        return None
    if unidentified_rows:
        return HeldReason.UNIDENTIFIED_ROWS
    if scope.closing_count > brake * scope.open_count:
        return HeldReason.COUNT
    if any(gross > brake * scope.open_gross.get(code, 0) for code, gross in scope.closing_gross.items()):
        return HeldReason.AMOUNT
    return None


def closing_amounts(gone: Iterable[LedgerItem]) -> dict[str, int]:
    """What would leave the ledger: signed minor units by currency."""
    totals: dict[str, int] = defaultdict(int)
    for item in gone:
        totals[item.currency] += item.open_amount
    return dict(totals)


def diff_hash(gone: Iterable[tuple[str, str, int]]) -> str:
    """SHA-256 (hex) of what would close: `(external_id, currency, open amount)` in order of external id (code
    points).

    A person who confirms one list must not close another: confirming compares it with the list of that
    moment.
    """
    digest = sha256()
    for row in gone:
        digest.update(json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def check_confirmed(confirmed: str, current: str) -> None:
    """Raises SnapshotChanged when the list confirmed is no longer the list that would close."""
    if confirmed != current:
        raise SnapshotChanged("what the snapshot would close has changed since it was shown")


def _gross(items: Iterable[LedgerItem]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for item in items:
        totals[item.currency] += abs(item.open_amount)
    return dict(totals)
