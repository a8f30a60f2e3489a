"""The journal: what is open is the sum of the entries, on any day and as known at any moment."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.errors import InvalidRequest, StateConflict
from services.ledger.domain.journal import (
    DateInFuture,
    Entry,
    EntryKind,
    ExceedsOpen,
    HasAllocations,
    NewEntry,
    balances,
    cancel,
    closed_on,
    first_sight,
    live_allocations,
    open_amount,
    open_since,
    pushed_again,
    reopen,
    settle_to,
    write_off,
)

TODAY = date(2024, 6, 30)
JAN, FEB, MAR, APR = (date(2024, month, 1) for month in (1, 2, 3, 4))


def recorded(*entries: NewEntry, start: date = TODAY) -> list[Entry]:
    """The entries as the ledger keeps them, each an hour after the one before."""
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return [
        Entry(
            id=UUID(int=number),
            recorded_at=midnight + timedelta(hours=number),
            kind=entry.kind,
            amount=entry.amount,
            effective_on=entry.effective_on,
            reverses=entry.reverses,
            as_of_approximate=entry.as_of_approximate,
        )
        for number, entry in enumerate(entries, 1)
    ]


def entry(kind: EntryKind, amount: int, on: date, **more: Any) -> NewEntry:
    return NewEntry(kind=kind, amount=amount, effective_on=on, **more)


ISSUED = entry(EntryKind.ISSUED, 100, JAN)


def test_kinds_keep_their_stored_numbers_and_their_words() -> None:
    assert {kind.label: int(kind) for kind in EntryKind} == {
        "issued": 1,
        "amended": 2,
        "allocated": 3,
        "unallocated": 4,
        "settled_by_source": 5,
        "reopened": 6,
        "written_off": 7,
        "cancelled": 8,
    }


def test_open_amount_is_the_sum_up_to_a_day_and_a_moment() -> None:
    journal = recorded(ISSUED, entry(EntryKind.ALLOCATED, -60, MAR), entry(EntryKind.WRITTEN_OFF, -40, APR))
    assert open_amount(journal) == 0
    assert [open_amount(journal, as_of=day) for day in (date(2023, 12, 31), JAN, FEB, MAR, APR)] == [
        0,
        100,
        100,
        40,
        0,
    ]
    moment = journal[1].recorded_at
    assert open_amount(journal, known_at=moment) == 40
    assert open_amount(journal, as_of=APR, known_at=moment - timedelta(seconds=1)) == 100
    assert closed_on(journal) == APR
    assert closed_on(journal[:2]) is None


def test_closed_on_is_the_last_closing_not_the_first() -> None:
    journal = recorded(
        ISSUED,
        entry(EntryKind.ALLOCATED, -100, FEB),
        entry(EntryKind.UNALLOCATED, 100, MAR),
        entry(EntryKind.SETTLED_BY_SOURCE, -100, APR),
    )
    assert closed_on(journal) == APR


class TestFirstSight:
    def test_takes_effect_on_the_issue_date(self) -> None:
        assert first_sight(100, None, issued_on=JAN, file_date=TODAY, today=TODAY) == [ISSUED]

    def test_takes_effect_on_receipt_when_the_issue_date_is_to_come(self) -> None:
        (issued,) = first_sight(100, None, issued_on=date(2024, 7, 5), file_date=TODAY, today=TODAY)
        assert issued.effective_on == TODAY

    def test_settled_in_part_on_the_day_stated(self) -> None:
        _, settled = first_sight(
            100, 30, issued_on=JAN, settled_on=date(2024, 2, 14), file_date=MAR, today=TODAY
        )
        assert settled == entry(EntryKind.SETTLED_BY_SOURCE, -70, date(2024, 2, 14))

    def test_settled_on_the_files_date_is_approximate(self) -> None:
        _, settled = first_sight(-100, 0, issued_on=JAN, file_date=MAR, today=TODAY)
        assert settled == entry(EntryKind.SETTLED_BY_SOURCE, 100, MAR, as_of_approximate=True)

    @pytest.mark.parametrize(
        ("settled_on", "expected"),
        [(date(2023, 12, 1), JAN), (date(2024, 8, 1), TODAY)],
        ids=["prepaid", "future"],
    )
    def test_is_never_settled_before_its_issue_nor_after_today(
        self, settled_on: date, expected: date
    ) -> None:
        _, settled = first_sight(100, 0, issued_on=JAN, settled_on=settled_on, file_date=MAR, today=TODAY)
        assert settled.effective_on == expected


class TestPushedAgain:
    @staticmethod
    def push(**changes: Any) -> list[NewEntry]:
        facts: dict[str, Any] = {
            "amount": 100,
            "open_now": 100,
            "new_amount": 100,
            "pushed_open": None,
            "file_date": MAR,
            "today": TODAY,
            "not_before": JAN,
        }
        return pushed_again(**(facts | changes))

    def test_the_same_again_adds_nothing(self) -> None:
        assert self.push() == self.push(pushed_open=100) == []

    def test_a_new_amount_moves_what_is_open_by_the_difference(self) -> None:
        assert self.push(new_amount=120) == [entry(EntryKind.AMENDED, 20, MAR)]
        assert self.push(open_now=20, new_amount=70) == [entry(EntryKind.AMENDED, -30, MAR)]

    def test_a_pushed_open_amount_is_authoritative(self) -> None:
        assert self.push(pushed_open=25, settled_on=FEB) == [entry(EntryKind.SETTLED_BY_SOURCE, -75, FEB)]
        assert self.push(open_now=25, pushed_open=60) == [
            entry(EntryKind.SETTLED_BY_SOURCE, 35, MAR, as_of_approximate=True)
        ]

    def test_a_closed_item_open_again_is_reopened_on_the_files_date(self) -> None:
        assert self.push(open_now=0, pushed_open=40, settled_on=FEB) == [
            entry(EntryKind.REOPENED, 40, MAR, as_of_approximate=True)
        ]

    def test_amended_and_settled_together(self) -> None:
        assert self.push(new_amount=120, pushed_open=0, settled_on=FEB) == [
            entry(EntryKind.AMENDED, 20, MAR),
            entry(EntryKind.SETTLED_BY_SOURCE, -120, MAR),
        ]
        assert self.push(new_amount=80, pushed_open=0, settled_on=FEB) == [
            entry(EntryKind.AMENDED, -20, MAR),
            entry(EntryKind.SETTLED_BY_SOURCE, -80, FEB),
        ]
        assert self.push(open_now=0, new_amount=120, pushed_open=0) == [
            entry(EntryKind.AMENDED, 20, MAR),
            entry(EntryKind.SETTLED_BY_SOURCE, -20, MAR, as_of_approximate=True),
        ]


SIGNED = st.sampled_from([1, -1])
DAY = st.dates(date(2024, 1, 1), date(2024, 12, 31))


@given(SIGNED, st.integers(1, 10**15), st.none() | st.integers(0, 10**15), DAY, DAY, st.none() | DAY)
def test_what_the_source_pushes_is_what_is_open_from_then_on(
    sign: int, amount: int, pushed: int | None, issued_on: date, file_date: date, settled_on: date | None
) -> None:
    target = None if pushed is None else sign * min(pushed, amount)
    entries = first_sight(
        sign * amount, target, issued_on=issued_on, file_date=file_date, today=TODAY, settled_on=settled_on
    )
    journal = recorded(*entries)
    assert (
        open_amount(journal)
        == open_amount(journal, as_of=TODAY)
        == (sign * amount if target is None else target)
    )
    assert all(0 <= sign * balance <= amount for _, balance in balances(entries))

    again = pushed_again(
        sign * amount,
        open_amount(journal),
        sign * amount,
        target,
        file_date=file_date,
        today=TODAY,
        not_before=entries[0].effective_on,
    )
    assert again == []


@given(SIGNED, st.integers(1, 100), st.integers(0, 100), st.integers(1, 100), st.integers(0, 100), DAY, DAY)
def test_a_second_push_lands_on_its_open_amount_too(
    sign: int, amount: int, first: int, new_amount: int, second: int, issued_on: date, file_date: date
) -> None:
    entries = first_sight(
        sign * amount, sign * min(first, amount), issued_on=issued_on, file_date=file_date, today=TODAY
    )
    added = pushed_again(
        sign * amount,
        sign * min(first, amount),
        sign * new_amount,
        sign * min(second, new_amount),
        file_date=file_date,
        today=TODAY,
        not_before=entries[0].effective_on,
    )
    journal = recorded(*entries, *added)
    assert open_amount(journal, as_of=TODAY) == sign * min(second, new_amount)
    assert all(e.effective_on <= TODAY for e in journal)


class TestOpenSince:
    RETURNED = (
        ISSUED,
        entry(EntryKind.ALLOCATED, -70, FEB),
        entry(EntryKind.UNALLOCATED, 70, MAR),
    )

    @pytest.mark.parametrize(
        ("amount", "expected"), [(30, JAN), (31, MAR), (100, MAR), (101, None), (-1, None)]
    )
    def test_is_the_day_from_which_so_much_is_open_without_a_break(
        self, amount: int, expected: date | None
    ) -> None:
        assert open_since(self.RETURNED, amount) == expected

    def test_dates_a_settlement_so_that_no_day_falls_below_zero(self) -> None:
        since = open_since(self.RETURNED, 100)
        assert since is not None
        settled = settle_to(
            100, 0, file_date=APR, today=TODAY, not_before=since, settled_on=date(2024, 2, 10)
        )
        assert min(balance for _, balance in balances([*self.RETURNED, *settled])) == 0


class TestWriteOff:
    def test_gives_up_all_that_is_open(self) -> None:
        journal = recorded(ISSUED, entry(EntryKind.ALLOCATED, -60, FEB))
        assert write_off(journal, None, TODAY, TODAY) == entry(EntryKind.WRITTEN_OFF, -40, TODAY)

    def test_gives_up_a_part(self) -> None:
        assert write_off(recorded(ISSUED), 30, MAR, TODAY) == entry(EntryKind.WRITTEN_OFF, -30, MAR)
        cent = recorded(entry(EntryKind.ISSUED, 1, JAN))
        assert write_off(cent, 1, MAR, TODAY) == entry(EntryKind.WRITTEN_OFF, -1, MAR)

    def test_gives_up_what_a_customer_overpaid(self) -> None:  # ALC-01
        payment = recorded(entry(EntryKind.ISSUED, -110, JAN), entry(EntryKind.ALLOCATED, 100, FEB))
        assert write_off(payment, 10, TODAY, TODAY) == entry(EntryKind.WRITTEN_OFF, 10, TODAY)

    def test_is_refused_beyond_what_is_open_and_at_impossible_amounts_or_dates(self) -> None:
        journal = recorded(ISSUED)
        with pytest.raises(ExceedsOpen):
            write_off(journal, 101, TODAY, TODAY)
        with pytest.raises(InvalidRequest):
            write_off(journal, 0, TODAY, TODAY)
        with pytest.raises(DateInFuture):
            write_off(journal, None, TODAY + timedelta(1), TODAY)
        with pytest.raises(StateConflict):
            write_off(recorded(ISSUED, entry(EntryKind.ALLOCATED, -100, FEB)), None, TODAY, TODAY)

    def test_does_not_reach_back_before_the_item(self) -> None:
        assert write_off(recorded(ISSUED), None, date(2020, 1, 1), TODAY).effective_on == JAN


class TestCancel:
    def test_voids_what_is_open(self) -> None:
        assert cancel(recorded(ISSUED), MAR, TODAY) == entry(EntryKind.CANCELLED, -100, MAR)

    def test_waits_until_allocations_are_reversed(self) -> None:
        allocated = recorded(ISSUED, entry(EntryKind.ALLOCATED, -60, FEB))
        with pytest.raises(HasAllocations):
            cancel(allocated, TODAY, TODAY)
        undone = recorded(
            ISSUED,
            entry(EntryKind.ALLOCATED, -60, FEB),
            entry(EntryKind.UNALLOCATED, 60, MAR, reverses=allocated[1].id),
        )
        assert live_allocations(undone) == []
        assert cancel(undone, TODAY, TODAY).amount == -100

    def test_of_a_closed_item_is_refused(self) -> None:
        with pytest.raises(StateConflict):
            cancel(recorded(ISSUED, entry(EntryKind.WRITTEN_OFF, -100, FEB)), TODAY, TODAY)


class TestReopen:
    def test_undoes_the_last_closing_that_is_not_an_allocation(self) -> None:
        journal = recorded(
            ISSUED, entry(EntryKind.SETTLED_BY_SOURCE, -30, FEB), entry(EntryKind.WRITTEN_OFF, -70, MAR)
        )
        assert reopen(journal, TODAY, TODAY) == entry(EntryKind.REOPENED, 70, TODAY, reverses=journal[2].id)

    def test_does_not_undo_twice(self) -> None:
        journal = recorded(
            ISSUED,
            entry(EntryKind.SETTLED_BY_SOURCE, -30, FEB),
            entry(EntryKind.WRITTEN_OFF, -70, MAR),
            entry(EntryKind.REOPENED, 70, APR, reverses=UUID(int=3)),
            entry(EntryKind.ALLOCATED, -70, APR),
        )
        assert reopen(journal, TODAY, TODAY) == entry(EntryKind.REOPENED, 30, TODAY, reverses=UUID(int=2))

    def test_is_refused_for_an_open_item_and_for_one_closed_by_payment(self) -> None:
        with pytest.raises(StateConflict, match="already open"):
            reopen(recorded(ISSUED, entry(EntryKind.WRITTEN_OFF, -40, FEB)), TODAY, TODAY)
        with pytest.raises(StateConflict, match="allocations"):
            reopen(recorded(ISSUED, entry(EntryKind.ALLOCATED, -100, FEB)), TODAY, TODAY)
