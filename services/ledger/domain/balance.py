"""A balance: the sum of a key's open items, split the way a credit manager reads it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An item as of one day. `open_amount` in minor units of the balance's currency, signed (credits
    negative)."""

    open_amount: int
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Balance:
    """Minor units of one currency; `outstanding = not_due + overdue + credits`, with `credits` at most 0."""

    outstanding: int
    not_due: int
    overdue: int
    credits: int
    oldest_due_date: date | None
    """Earliest due date among the debits."""
    items_count: int


def balance(items: Iterable[OpenItem], as_of: date) -> Balance:
    """Sum items of one currency at `as_of`. Closed items (open amount 0) count for nothing.

    A debit without a due date is never overdue. An invoice below zero (overpaid) is a credit: the sign of
    what is open decides, not the kind of the item.
    """
    not_due = overdue = credit = count = 0
    oldest: date | None = None
    for item in items:
        if item.open_amount == 0:
            continue
        count += 1
        if item.open_amount < 0:
            credit += item.open_amount
            continue
        if item.due_on is not None and item.due_on < as_of:
            overdue += item.open_amount
        else:
            not_due += item.open_amount
        if item.due_on is not None and (oldest is None or item.due_on < oldest):
            oldest = item.due_on
    return Balance(not_due + overdue + credit, not_due, overdue, credit, oldest, count)
