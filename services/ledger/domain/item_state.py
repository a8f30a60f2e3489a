"""What an item is worth and what state it is in, from its own facts.

Signs everywhere in the ledger: what the customer owes us is positive, what we owe the customer is negative.
"""

from datetime import date
from enum import StrEnum
from typing import Literal

from services.ledger.domain.errors import InvalidRequest


class ItemKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    OTHER = "other"


class Direction(StrEnum):
    """Which way an item of kind `other` counts: debit is owed to us, credit is owed by us."""

    DEBIT = "debit"
    CREDIT = "credit"


class ItemStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


Sign = Literal[1, -1]
_SIGNS: dict[ItemKind, Sign] = {ItemKind.INVOICE: 1, ItemKind.CREDIT_NOTE: -1, ItemKind.PAYMENT: -1}


class DirectionRequired(InvalidRequest):
    code = "direction_required"


class DirectionNotAllowed(InvalidRequest):
    code = "direction_not_allowed"


def sign_of(kind: ItemKind, direction: Direction | None = None) -> Sign:
    """+1 for what the customer owes, -1 for what it is owed.

    Raises DirectionRequired for `other` without a direction, DirectionNotAllowed for a direction on any other
    kind (an "invoice, credit" is a credit note: guessing which word was meant would turn a debt into a
    claim).
    """
    if kind is ItemKind.OTHER:
        if direction is None:
            raise DirectionRequired("an item of kind other needs direction debit or credit")
        return 1 if direction is Direction.DEBIT else -1
    if direction is not None:
        raise DirectionNotAllowed(f"only an item of kind other has a direction, not {kind}")
    return _SIGNS[kind]


def status_of(open_amount: int) -> ItemStatus:
    """Open while anything remains, on either side of zero: an overpaid invoice is still open, as a credit."""
    return ItemStatus.OPEN if open_amount else ItemStatus.CLOSED


def days_late(due_on: date | None, as_of: date, *, sign: Sign, closed_on: date | None = None) -> int:
    """Whole days past the due date, never negative; for a closed item the lateness it was settled with.

    0 on the due date itself, for credits and for what has no due date: none of these can be late.
    """
    if due_on is None or sign < 0:
        return 0
    until = closed_on if closed_on is not None and closed_on <= as_of else as_of
    return max(0, (until - due_on).days)
