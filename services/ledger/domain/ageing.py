"""Ageing: open items by days late, in whole-day closed intervals without gap or overlap.

The buckets of one row always sum to its outstanding, whatever becomes of the credits.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from services.ledger.domain.errors import InvalidRequest

NOT_DUE = "not_due"
UNALLOCATED = "unallocated"
DEFAULT_BOUNDS = (30, 60, 90, 180)
MAX_BOUNDS = 12


class BoundsInvalid(InvalidRequest):
    code = "ageing_buckets_invalid"


class CreditMode(StrEnum):
    """Where credits (open credit notes, unallocated payments) stand."""

    OWN = "own"
    """In a column of their own, `unallocated`."""
    BY_DATE = "by_date"
    """Bucketed by their own due date, else their issue date, like any debit."""
    FIFO = "fifo"
    """Netted on the oldest debits of the same netting key; what is left over stands in `unallocated`."""


@dataclass(frozen=True, slots=True)
class AgedItem:
    """An item as of one day. `open_amount` in minor units of the row's currency, signed."""

    open_amount: int
    issued_on: date
    due_on: date | None = None
    netting_key: Hashable = None
    """What a credit may be netted within: customer and business unit (the currency is the row's)."""


@dataclass(frozen=True, slots=True)
class Ageing:
    """`amounts` (minor units, signed) and `counts` of open items by bucket label, every label present."""

    amounts: dict[str, int]
    counts: dict[str, int]

    @property
    def outstanding(self) -> int:
        return sum(self.amounts.values())

    @property
    def items_count(self) -> int:
        return sum(self.counts.values())


def check_bounds(bounds: Sequence[int]) -> tuple[int, ...]:
    """The bounds as a tuple. Raises BoundsInvalid unless they are 1 to 12 strictly rising positive whole
    days."""
    rising = all(low < high for low, high in pairwise(bounds))
    if not 1 <= len(bounds) <= MAX_BOUNDS or bounds[0] < 1 or not rising:
        raise BoundsInvalid(f"expected 1 to {MAX_BOUNDS} rising numbers of days, such as 30,60,90,180")
    return tuple(bounds)


def bucket_labels(bounds: Sequence[int] = DEFAULT_BOUNDS) -> tuple[str, ...]:
    """Column names in order: (30, 60) -> not_due, 1-30, 31-60, >60, unallocated. Raises BoundsInvalid."""
    checked = check_bounds(bounds)
    lows = (1, *(bound + 1 for bound in checked))
    return (
        NOT_DUE,
        *(f"{low}-{high}" for low, high in zip(lows, checked, strict=False)),
        f">{checked[-1]}",
        UNALLOCATED,
    )


def bucket_of(late: int, bounds: Sequence[int] = DEFAULT_BOUNDS) -> str:
    """Label for a number of days late: the due date itself is not late, day 30 is still 1-30."""
    if late <= 0:
        return NOT_DUE
    low = 1
    for high in bounds:
        if late <= high:
            return f"{low}-{high}"
        low = high + 1
    return f">{bounds[-1]}"


def age(
    items: Iterable[AgedItem],
    as_of: date,
    bounds: Sequence[int] = DEFAULT_BOUNDS,
    credit_mode: CreditMode = CreditMode.OWN,
) -> Ageing:
    """Age the items of one row (one key, one currency) at `as_of`. Raises BoundsInvalid.

    An item without a due date ages from its issue date. Netting moves amounts, never items: a debit that a
    credit covers wholly is still counted in its bucket, so that the counts sum to the number of open items in
    every mode.
    """
    labels = bucket_labels(bounds)
    amounts, counts = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0)
    open_items = [item for item in items if item.open_amount]
    remaining = (
        _netted(open_items) if credit_mode is CreditMode.FIFO else [item.open_amount for item in open_items]
    )
    for item, amount in zip(open_items, remaining, strict=True):
        own_column = item.open_amount < 0 and credit_mode is not CreditMode.BY_DATE
        label = UNALLOCATED if own_column else bucket_of((as_of - _ages_from(item)).days, bounds)
        amounts[label] += amount
        counts[label] += 1
    return Ageing(amounts, counts)


def _ages_from(item: AgedItem) -> date:
    return item.due_on or item.issued_on


def _netted(items: Sequence[AgedItem]) -> list[int]:
    """What remains of each item once credits are spent on the oldest debits of their netting key, in given
    order.

    A running total does it in SQL: a debit keeps `least(open, greatest(0, debits up to it - credits))`.
    """
    credit: dict[Hashable, int] = defaultdict(int)
    for item in items:
        if item.open_amount < 0:
            credit[item.netting_key] -= item.open_amount
    remaining = [max(item.open_amount, 0) for item in items]
    for index in sorted(range(len(items)), key=lambda i: _ages_from(items[i])):
        spent = min(credit[items[index].netting_key], remaining[index])
        remaining[index] -= spent
        credit[items[index].netting_key] -= spent
    for index, item in enumerate(items):
        if item.open_amount < 0:
            left = min(credit[item.netting_key], -item.open_amount)
            remaining[index] = -left
            credit[item.netting_key] -= left
    return remaining
