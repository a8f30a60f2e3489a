"""Allocating a credit (a payment, or a credit note) to what it pays, and taking an allocation back.

Never more than is open on either side, never across currencies. Amounts of allocations are positive minor
units; the entries they become are signed: the credit's rises towards zero, the debit's falls.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.ledger.domain.errors import InvalidRequest, StateConflict
from services.ledger.domain.journal import Entry, EntryKind, NewEntry, effective_day, open_amount


class AllocationMode(StrEnum):
    """How to allocate when no list says it."""

    OLDEST = "oldest"
    """To the oldest due dates first; what is left over stays unallocated."""
    EXACT = "exact"
    """Only where it fits to the last minor unit: one item (the oldest of several equal), else all of them
    together."""
    NONE = "none"


class OverAllocated(StateConflict):
    """More was asked of `item_id` than the `available` minor units it has open."""

    code = "over_allocated"

    def __init__(self, item_id: UUID, asked: int, available: int) -> None:
        super().__init__("an allocation may not exceed what is open")
        self.item_id = item_id
        self.asked = asked
        self.available = available


class CurrencyMismatch(InvalidRequest):
    """A credit in one currency cannot pay an item in another: the exchange difference would have no place."""

    code = "currency_mismatch"

    def __init__(self, item_id: UUID, currency: str, expected: str) -> None:
        super().__init__(f"expected an item in {expected}, not {currency}")
        self.item_id = item_id


class NotAllocatable(InvalidRequest):
    code = "not_allocatable"


class AmountNotPositive(InvalidRequest):
    code = "amount_not_positive"


@dataclass(frozen=True, slots=True)
class Allocatable:
    """An item as it stands, under its row lock. `open_amount` signed minor units of `currency`."""

    item_id: UUID
    open_amount: int
    currency: str
    due_on: date | None
    issued_on: date
    number: str = ""


@dataclass(frozen=True, slots=True)
class Allocation:
    """`amount` (positive minor units) of a credit spent on `item_id`."""

    item_id: UUID
    amount: int


@dataclass(frozen=True, slots=True)
class AllocationPair:
    """The two entries of one allocation, as recorded: in the credit's journal and in the debit's."""

    credit: Entry
    debit: Entry


def allocate_listed(
    credit: Allocatable, asked: Sequence[Allocation], items: Iterable[Allocatable]
) -> list[Allocation]:
    """Check an explicit list against what is open; several lines on one item count together. All or nothing.

    `items` holds every item named in the list. Raises AmountNotPositive, NotAllocatable (the credit is none,
    or the item is not a debit), CurrencyMismatch, OverAllocated.
    """
    _require_credit(credit)
    by_id = {item.item_id: item for item in items}
    wanted: dict[UUID, int] = {}
    for line in asked:
        if line.amount <= 0:
            raise AmountNotPositive("the amount of an allocation must be above zero")
        wanted[line.item_id] = wanted.get(line.item_id, 0) + line.amount
    for item_id, amount in wanted.items():
        item = by_id[item_id]
        _require_same_currency(credit, item)
        if item.open_amount < 0 or item_id == credit.item_id:
            raise NotAllocatable("a credit is allocated to a debit, not to another credit")
        if amount > item.open_amount:
            raise OverAllocated(item_id, amount, item.open_amount)
    total = sum(wanted.values())
    if total > -credit.open_amount:
        raise OverAllocated(credit.item_id, total, -credit.open_amount)
    return [Allocation(item_id, amount) for item_id, amount in wanted.items()]


def allocate_by_mode(
    credit: Allocatable, mode: AllocationMode, items: Iterable[Allocatable]
) -> list[Allocation]:
    """Allocate to `items` (the customer's open items in the credit's business unit); other currencies and
    credits among them are passed over. Raises NotAllocatable when the credit is none."""
    _require_credit(credit)
    debits = sorted(
        (item for item in items if item.open_amount > 0 and item.currency == credit.currency),
        key=_oldest_first,
    )
    match mode:
        case AllocationMode.OLDEST:
            return _oldest(-credit.open_amount, debits)
        case AllocationMode.EXACT:
            return _exact(-credit.open_amount, debits)
        case AllocationMode.NONE:
            return []


def allocation_entries(allocation: Allocation, effective_on: date) -> tuple[NewEntry, NewEntry]:
    """The entries of an allocation: first the credit's, then the debit's; they sum to zero."""
    return (
        NewEntry(kind=EntryKind.ALLOCATED, amount=allocation.amount, effective_on=effective_on),
        NewEntry(kind=EntryKind.ALLOCATED, amount=-allocation.amount, effective_on=effective_on),
    )


def allocation_day(
    asked: date | None, today: date, credit_since: date, debit_since: date, paid_on: date | None = None
) -> date:
    """The day an allocation takes effect: as asked, else `paid_on` when made with its payment, else today.

    Never before both sides have had so much open (`journal.open_since` of each): a payment dated before the invoice it
    pays settles it on its issue. Raises DateInFuture for a day asked after `today`.
    """
    return effective_day(asked or min(paid_on or today, today), today, credit_since, debit_since)


def unallocate(pair: AllocationPair, on: date, today: date) -> tuple[NewEntry, NewEntry]:
    """Entries that take an allocation back on both sides, from `on`; the debit is open again with the due
    date it always had. The caller has checked that it was not taken back before. Raises DateInFuture."""
    return _reverse(pair.credit, on, today), _reverse(pair.debit, on, today)


def reverse_payment(
    entries: Sequence[Entry], pairs: Sequence[AllocationPair], on: date, today: date
) -> tuple[list[tuple[NewEntry, NewEntry]], NewEntry]:
    """Take a bounced, returned or mistaken payment back: its live allocations (as `unallocate` gives them, in
    the order of `pairs`), then the entry that cancels the payment itself.

    Raises StateConflict when nothing of the payment is left to reverse, DateInFuture.
    """
    taken_back = [unallocate(pair, on, today) for pair in pairs]
    freed = open_amount(entries) + sum(credit.amount for credit, _ in taken_back)
    if freed == 0:
        raise StateConflict("the payment was already reversed")
    since = max(entry.effective_on for entry in entries)
    cancelled = NewEntry(
        kind=EntryKind.CANCELLED, amount=-freed, effective_on=effective_day(on, today, since)
    )
    return taken_back, cancelled


def _oldest(available: int, debits: Sequence[Allocatable]) -> list[Allocation]:
    allocations = []
    for item in debits:
        spent = min(available, item.open_amount)
        if spent == 0:
            break
        allocations.append(Allocation(item.item_id, spent))
        available -= spent
    return allocations


def _exact(available: int, debits: Sequence[Allocatable]) -> list[Allocation]:
    fitting = next((item for item in debits if item.open_amount == available), None)
    if fitting is not None:
        return [Allocation(fitting.item_id, available)]
    if sum(item.open_amount for item in debits) == available:
        return [Allocation(item.item_id, item.open_amount) for item in debits]
    return []


def _oldest_first(item: Allocatable) -> tuple[date, date, str, UUID]:
    return (item.due_on or item.issued_on, item.issued_on, item.number, item.item_id)


def _require_credit(credit: Allocatable) -> None:
    if credit.open_amount > 0:
        raise NotAllocatable("only a payment or another credit can be allocated")


def _require_same_currency(credit: Allocatable, item: Allocatable) -> None:
    if item.currency != credit.currency:
        raise CurrencyMismatch(item.item_id, item.currency, credit.currency)


def _reverse(entry: Entry, on: date, today: date) -> NewEntry:
    return NewEntry(
        kind=EntryKind.UNALLOCATED,
        amount=-entry.amount,
        effective_on=effective_day(on, today, entry.effective_on),
        reverses=entry.id,
    )
