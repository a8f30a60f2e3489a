"""The journal of an item: append-only entries whose sum is what is open.

Amounts are minor units of the item's currency, signed as the item is (an invoice's `issued` is positive, what
settles it negative; the other way round for credit notes and payments). `effective_on` is a business date of
the tenant, never after its today, so that the balance row always equals as_of = today; `recorded_at` is when
the ledger knew. Corrections are new entries: nothing here changes or removes one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from services.ledger.domain.errors import InvalidRequest, StateConflict


class EntryKind(IntEnum):
    """Why an item's open amount moved. The numbers are what the journal stores: never renumber them."""

    ISSUED = 1
    AMENDED = 2
    ALLOCATED = 3
    UNALLOCATED = 4
    SETTLED_BY_SOURCE = 5
    REOPENED = 6
    WRITTEN_OFF = 7
    CANCELLED = 8

    @property
    def label(self) -> str:
        """The word of the API: `settled_by_source`."""
        return self.name.lower()


#: What `reopen` may undo. An allocation is undone by reversing it, which frees its payment too.
_REOPENABLE = frozenset({EntryKind.WRITTEN_OFF, EntryKind.CANCELLED, EntryKind.SETTLED_BY_SOURCE})


class DateInFuture(InvalidRequest):
    code = "date_in_future"


class ExceedsOpen(StateConflict):
    code = "exceeds_open"


class HasAllocations(StateConflict):
    code = "has_allocations"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    kind: EntryKind
    amount: int
    effective_on: date
    reverses: UUID | None = None
    as_of_approximate: bool = False
    """The day is that of the file that told it, not one that the source stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(NewEntry):
    id: UUID
    recorded_at: datetime


def open_amount(entries: Iterable[Entry], as_of: date | None = None, known_at: datetime | None = None) -> int:
    """What is open: the sum of the entries effective by `as_of` and recorded by `known_at`, both included."""
    return sum(
        entry.amount
        for entry in entries
        if (as_of is None or entry.effective_on <= as_of)
        and (known_at is None or entry.recorded_at <= known_at)
    )


def balances(entries: Iterable[NewEntry]) -> list[tuple[date, int]]:
    """The open amount at the end of each day on which it was touched, in order of days."""
    by_day: dict[date, int] = defaultdict(int)
    for entry in entries:
        by_day[entry.effective_on] += entry.amount
    running, days = 0, []
    for day in sorted(by_day):
        running += by_day[day]
        days.append((day, running))
    return days


def closed_on(entries: Iterable[NewEntry]) -> date | None:
    """The day since which nothing has been open; None while something is."""
    day_closed: date | None = None
    for day, balance in balances(entries):
        if balance:
            day_closed = None
        elif day_closed is None:
            day_closed = day
    return day_closed


def open_since(entries: Iterable[NewEntry], amount: int) -> date | None:
    """The first day from which at least `amount` (signed as the item) has been open without a break until
    now.

    None when not so much is open. What settles an item may not take effect earlier: before its issue, or
    while another payment (later returned) covered it, an as-of figure would fall below zero.
    """
    since: date | None = None
    for day, balance in reversed(balances(entries)):
        if not _covers(balance, amount):
            break
        since = day
    return since


def first_sight(
    amount: int,
    pushed_open: int | None,
    *,
    issued_on: date,
    file_date: date,
    today: date,
    settled_on: date | None = None,
) -> list[NewEntry]:
    """Entries of an item the ledger has never seen; `amount` and `pushed_open` signed.

    It is issued on its issue date, on the day of receipt when that date is still to come. What the source
    says is no longer open left on `settled_on`, else on the file's date (flagged approximate).
    """
    issued = NewEntry(kind=EntryKind.ISSUED, amount=amount, effective_on=min(issued_on, today))
    if pushed_open is None:
        return [issued]
    settled = settle_to(
        amount,
        pushed_open,
        file_date=file_date,
        today=today,
        not_before=issued.effective_on,
        settled_on=settled_on,
    )
    return [issued, *settled]


def pushed_again(
    amount: int,
    open_now: int,
    new_amount: int,
    pushed_open: int | None,
    *,
    file_date: date,
    today: date,
    not_before: date,
    settled_on: date | None = None,
) -> list[NewEntry]:
    """Entries that a repeated push adds; none when it says nothing new. Amounts signed.

    A new amount moves what is open by the difference (`amended`). A pushed open amount is authoritative: what
    then differs was settled by the source. Without one, an invoice lowered below what was paid goes below
    zero and is a credit of the customer, which is what it is in the ERP.
    """
    amended = new_amount - amount
    effective_on = _within(file_date, not_before, today)
    entries = [NewEntry(kind=EntryKind.AMENDED, amount=amended, effective_on=effective_on)] if amended else []
    if pushed_open is None:
        return entries
    settled = settle_to(
        open_now + amended,
        pushed_open,
        file_date=file_date,
        today=today,
        # What was added only from that day on cannot have been settled before it.
        not_before=effective_on if abs(new_amount) > abs(amount) else not_before,
        settled_on=settled_on,
        was_closed=open_now == 0,
    )
    return [*entries, *settled]


def settle_to(
    open_now: int,
    target: int,
    *,
    file_date: date,
    today: date,
    not_before: date,
    settled_on: date | None = None,
    was_closed: bool = False,
) -> list[NewEntry]:
    """The entry that brings what is open to what the source says (0 for an item gone from a snapshot), if
    any.

    `not_before` is the day the item was issued, better `open_since`. A closed item that shows an open amount
    again is `reopened`, on the file's date: the settlement date it once had does not date its return.
    """
    if open_now == target:
        return []
    reopened = was_closed and target != 0
    stated = None if reopened else settled_on
    return [
        NewEntry(
            kind=EntryKind.REOPENED if reopened else EntryKind.SETTLED_BY_SOURCE,
            amount=target - open_now,
            effective_on=_within(stated or file_date, not_before, today),
            as_of_approximate=stated is None,
        )
    ]


def write_off(entries: Sequence[Entry], amount: int | None, on: date, today: date) -> NewEntry:
    """Give up `amount` (positive minor units; None: all that is open) of a debit, or of a credit nobody will
    claim.

    Raises StateConflict when nothing is open, ExceedsOpen, InvalidRequest below 1, DateInFuture.
    """
    open_now = _required_open(entries)
    if amount is not None and amount <= 0:
        raise InvalidRequest("the amount to write off must be above zero")
    part = open_now if amount is None else (amount if open_now > 0 else -amount)
    since = open_since(entries, part)
    if since is None:
        raise ExceedsOpen("no more can be written off than is open")
    return NewEntry(kind=EntryKind.WRITTEN_OFF, amount=-part, effective_on=effective_day(on, today, since))


def cancel(entries: Sequence[Entry], on: date, today: date) -> NewEntry:
    """Void what is open of an item issued in error.

    Raises StateConflict when nothing is open, HasAllocations while a payment or credit is allocated to it
    (reverse that first: its money must go somewhere), DateInFuture.
    """
    open_now = _required_open(entries)
    if live_allocations(entries):
        raise HasAllocations("reverse the item's allocations before cancelling it")
    since = open_since(entries, open_now)
    assert since is not None  # what is open now is open since some day
    return NewEntry(kind=EntryKind.CANCELLED, amount=-open_now, effective_on=effective_day(on, today, since))


def reopen(entries: Sequence[Entry], on: date, today: date) -> NewEntry:
    """Undo the last write-off, cancellation or settlement by the source of a closed item.

    Raises StateConflict when the item is open or was closed by allocations alone, DateInFuture.
    """
    if open_amount(entries) != 0:
        raise StateConflict("the item is already open")
    reversed_ids = {entry.reverses for entry in entries}
    undoable = [e for e in entries if e.kind in _REOPENABLE and e.id not in reversed_ids]
    if not undoable:
        raise StateConflict("the item was closed by allocations: reverse one of them to reopen it")
    last = max(undoable, key=lambda entry: (entry.recorded_at, entry.id))
    return NewEntry(
        kind=EntryKind.REOPENED,
        amount=-last.amount,
        effective_on=effective_day(on, today, last.effective_on),
        reverses=last.id,
    )


def live_allocations(entries: Sequence[Entry]) -> list[Entry]:
    """The `allocated` entries that no later entry reverses."""
    reversed_ids = {entry.reverses for entry in entries}
    return [entry for entry in entries if entry.kind is EntryKind.ALLOCATED and entry.id not in reversed_ids]


def effective_day(on: date, today: date, *since: date) -> date:
    """The day an entry asked for `on` takes effect: not before any of `since`. Raises DateInFuture after
    `today`."""
    if on > today:
        raise DateInFuture(f"expected a date up to today, {today.isoformat()}")
    return max(on, *since)


def _within(day: date, not_before: date, today: date) -> date:
    return max(not_before, min(day, today))


def _covers(balance: int, amount: int) -> bool:
    return balance >= amount if amount > 0 else balance <= amount


def _required_open(entries: Sequence[Entry]) -> int:
    open_now = open_amount(entries)
    if open_now == 0:
        raise StateConflict("the item is closed")
    return open_now
