"""Allocating credits to debits: never more than is open, never across currencies, and every step can be taken
back."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.allocation import (
    Allocatable,
    Allocation,
    AllocationMode,
    AllocationPair,
    AmountNotPositive,
    CurrencyMismatch,
    NotAllocatable,
    OverAllocated,
    allocate_by_mode,
    allocate_listed,
    allocation_day,
    allocation_entries,
    reverse_payment,
    unallocate,
)
from services.ledger.domain.errors import StateConflict
from services.ledger.domain.journal import DateInFuture, Entry, EntryKind, NewEntry, open_amount

TODAY = date(2024, 6, 30)
PAYMENT = UUID(int=999)


def item(
    number: int, open_now: int, due_on: date | None = date(2024, 5, 1), currency: str = "EUR"
) -> Allocatable:
    return Allocatable(UUID(int=number), open_now, currency, due_on, date(2024, 4, 1), f"F{number:04}")


def payment(amount: int, currency: str = "EUR") -> Allocatable:
    return Allocatable(PAYMENT, -amount, currency, None, date(2024, 6, 1))


def spent(allocations: list[Allocation]) -> list[tuple[int, int]]:
    return [(allocation.item_id.int, allocation.amount) for allocation in allocations]


def listed(*lines: tuple[int, int]) -> list[Allocation]:
    return [Allocation(UUID(int=number), amount) for number, amount in lines]


class TestListed:
    def test_within_what_is_open_is_taken_as_it_stands(self) -> None:
        items = [item(1, 100), item(2, 50)]
        assert spent(allocate_listed(payment(120), listed((1, 80), (2, 40)), items)) == [(1, 80), (2, 40)]

    def test_lines_on_one_item_count_together(self) -> None:
        assert spent(allocate_listed(payment(100), listed((1, 60), (1, 40)), [item(1, 100)])) == [(1, 100)]
        with pytest.raises(OverAllocated):
            allocate_listed(payment(200), listed((1, 60), (1, 41)), [item(1, 100)])

    def test_more_than_the_item_or_the_payment_has_is_refused(self) -> None:
        with pytest.raises(OverAllocated) as refused:
            allocate_listed(payment(500), listed((1, 101)), [item(1, 100)])
        assert (refused.value.item_id, refused.value.asked, refused.value.available) == (
            UUID(int=1),
            101,
            100,
        )
        with pytest.raises(OverAllocated) as refused:
            allocate_listed(payment(90), listed((1, 91)), [item(1, 100)])
        assert (refused.value.item_id, refused.value.available) == (PAYMENT, 90)
        assert refused.value.code == "over_allocated"
        with pytest.raises(OverAllocated):
            allocate_listed(payment(0), listed((1, 1)), [item(1, 100)])
        with pytest.raises(OverAllocated):
            allocate_listed(payment(10), listed((1, 1)), [item(1, 0)])

    def test_another_currency_is_refused(self) -> None:
        with pytest.raises(CurrencyMismatch) as refused:
            allocate_listed(payment(100), listed((1, 10)), [item(1, 100, currency="CHF")])
        assert refused.value.code == "currency_mismatch"

    def test_only_a_credit_pays_and_only_a_debit_is_paid(self) -> None:
        with pytest.raises(NotAllocatable):
            allocate_listed(item(2, 100), listed((1, 10)), [item(1, 100)])
        with pytest.raises(NotAllocatable):
            allocate_listed(payment(100), listed((1, 10)), [item(1, -100)])

    @pytest.mark.parametrize("amount", [0, -5])
    def test_amounts_are_above_zero(self, amount: int) -> None:
        with pytest.raises(AmountNotPositive):
            allocate_listed(payment(100), listed((1, amount)), [item(1, 100)])

    def test_a_credit_note_pays_invoices_like_a_payment(self) -> None:
        note = item(7, -80)
        assert spent(allocate_listed(note, listed((1, 80)), [item(1, 100)])) == [(1, 80)]


OLD, MID, NEW = (date(2024, month, 1) for month in (1, 3, 5))


class TestModes:
    def test_oldest_first_and_the_rest_stays_unallocated(self) -> None:
        items = [item(1, 100, NEW), item(2, 100, OLD), item(3, 100, MID), item(4, -50, OLD)]
        assert spent(allocate_by_mode(payment(230), AllocationMode.OLDEST, items)) == [
            (2, 100),
            (3, 100),
            (1, 30),
        ]
        assert spent(allocate_by_mode(payment(900), AllocationMode.OLDEST, items)) == [
            (2, 100),
            (3, 100),
            (1, 100),
        ]

    def test_oldest_ties_by_number_and_passes_over_other_currencies(self) -> None:
        items = [item(3, 10, OLD), item(2, 10, OLD), item(1, 10, OLD, "CHF"), item(0, 0, OLD)]
        assert spent(allocate_by_mode(payment(15), AllocationMode.OLDEST, items)) == [(2, 10), (3, 5)]

    def test_an_item_without_a_due_date_ages_from_its_issue(self) -> None:
        items = [item(1, 1, MID), item(2, 10, None)]  # issued 1 April
        assert spent(allocate_by_mode(payment(1), AllocationMode.OLDEST, items)) == [(1, 1)]

    @pytest.mark.parametrize(
        ("paid", "expected"),
        [
            (60, [(2, 60)]),
            (42, [(3, 42)]),  # the oldest of two equal ones (ALC-03: amounts that match are reconciled)
            (244, [(3, 42), (2, 60), (1, 100), (4, 42)]),  # the whole account
            (61, []),
            (202, []),  # a sum of some is a guess
        ],
    )
    def test_exact_takes_one_fitting_item_or_all_of_them(
        self, paid: int, expected: list[tuple[int, int]]
    ) -> None:
        items = [item(1, 100, MID), item(2, 60, date(2024, 2, 1)), item(3, 42, OLD), item(4, 42, NEW)]
        assert spent(allocate_by_mode(payment(paid), AllocationMode.EXACT, items)) == expected

    def test_none_allocates_nothing(self) -> None:
        assert allocate_by_mode(payment(100), AllocationMode.NONE, [item(1, 100)]) == []

    def test_a_debit_cannot_be_spent(self) -> None:
        with pytest.raises(NotAllocatable):
            allocate_by_mode(item(1, 1), AllocationMode.OLDEST, [])

    @pytest.mark.parametrize("mode", [AllocationMode.OLDEST, AllocationMode.EXACT])
    def test_nothing_left_allocates_nothing(self, mode: AllocationMode) -> None:
        assert allocate_by_mode(payment(0), mode, [item(1, 100)]) == []


ITEMS = st.lists(
    st.tuples(
        st.integers(-500, 500), st.dates(date(2024, 1, 1), date(2024, 6, 1)), st.sampled_from(["EUR", "CHF"])
    ),
    max_size=12,
).map(lambda facts: [item(n, amount, due, currency) for n, (amount, due, currency) in enumerate(facts, 1)])


@given(st.integers(0, 2_000), st.sampled_from(AllocationMode), ITEMS)
def test_no_mode_spends_more_than_there_is_or_than_is_open(
    paid: int, mode: AllocationMode, items: list[Allocatable]
) -> None:
    by_id = {i.item_id: i for i in items}
    allocations = allocate_by_mode(payment(paid), mode, items)
    total = sum(allocation.amount for allocation in allocations)
    owed = sum(i.open_amount for i in items if i.currency == "EUR" and i.open_amount > 0)
    assert all(0 < a.amount <= by_id[a.item_id].open_amount for a in allocations)
    assert all(by_id[a.item_id].currency == "EUR" for a in allocations)
    if mode is AllocationMode.OLDEST:
        assert total == min(paid, owed)
    else:
        assert total in (0, paid)
    # What a mode proposes is a list that would have been accepted.
    assert allocate_listed(payment(paid), allocations, items) == allocations


MAY, JUNE, JULY = date(2024, 5, 15), date(2024, 6, 10), date(2024, 7, 1)


@pytest.mark.parametrize(
    ("asked", "paid_on", "credit_since", "debit_since", "expected"),
    [
        (None, MAY, MAY, OLD, MAY),  # with its payment
        (None, None, MAY, OLD, TODAY),  # later
        (JUNE, MAY, MAY, OLD, JUNE),  # cash received in May, matched in June: the day it is matched (AGE-16)
        (None, MAY, MAY, JUNE, JUNE),  # paid before the invoice existed
        (OLD, MAY, MAY, MID, MAY),
        (None, JULY, TODAY, OLD, TODAY),  # a payment dated ahead counts from today
    ],
)
def test_an_allocation_takes_effect_once_both_sides_are_open(
    asked: date | None, paid_on: date | None, credit_since: date, debit_since: date, expected: date
) -> None:
    assert allocation_day(asked, TODAY, credit_since, debit_since, paid_on) == expected


def test_an_allocation_is_not_dated_ahead() -> None:
    with pytest.raises(DateInFuture):
        allocation_day(JULY, TODAY, MAY, MAY)


def recorded(number: int, entry: NewEntry) -> Entry:
    return Entry(
        id=UUID(int=number),
        recorded_at=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number),
        kind=entry.kind,
        amount=entry.amount,
        effective_on=entry.effective_on,
        reverses=entry.reverses,
    )


def issued(number: int, amount: int, on: date) -> Entry:
    return recorded(number, NewEntry(kind=EntryKind.ISSUED, amount=amount, effective_on=on))


class TestReversal:
    """An invoice of 100, a payment of 110 that pays it, then the payment comes back."""

    INVOICE = issued(1, 100, date(2024, 3, 1))
    RECEIPT = issued(2, -110, date(2024, 5, 2))
    PAIR = AllocationPair(
        *(
            recorded(n, e)
            for n, e in enumerate(allocation_entries(Allocation(UUID(int=1), 100), date(2024, 5, 3)), 3)
        )
    )

    def test_an_allocation_moves_both_sides_towards_zero(self) -> None:
        assert open_amount([self.RECEIPT, self.PAIR.credit]) == -10
        assert open_amount([self.INVOICE, self.PAIR.debit]) == 0

    def test_taking_an_allocation_back_restores_both_sides(self) -> None:
        credit, debit = unallocate(self.PAIR, TODAY, TODAY)
        assert (credit.reverses, debit.reverses) == (self.PAIR.credit.id, self.PAIR.debit.id)
        assert open_amount([self.RECEIPT, self.PAIR.credit, recorded(5, credit)]) == -110
        assert open_amount([self.INVOICE, self.PAIR.debit, recorded(6, debit)]) == 100
        assert open_amount([self.INVOICE, self.PAIR.debit, recorded(6, debit)], as_of=date(2024, 6, 29)) == 0

    def test_an_allocation_is_not_taken_back_before_it_was_made_nor_in_the_future(self) -> None:
        assert unallocate(self.PAIR, date(2024, 1, 1), TODAY)[0].effective_on == date(2024, 5, 3)
        with pytest.raises(DateInFuture):
            unallocate(self.PAIR, TODAY + timedelta(1), TODAY)

    def test_a_returned_payment_restores_what_it_paid_and_closes_itself(self) -> None:
        journal = [self.RECEIPT, self.PAIR.credit]
        ((credit, debit),), cancelled = reverse_payment(journal, [self.PAIR], TODAY, TODAY)
        assert (cancelled.kind, cancelled.amount) == (EntryKind.CANCELLED, 110)
        assert open_amount([*journal, recorded(5, credit), recorded(6, cancelled)]) == 0
        assert open_amount([self.INVOICE, self.PAIR.debit, recorded(7, debit)]) == 100

    def test_a_payment_is_not_reversed_before_it_was_allocated(self) -> None:
        journal = [self.RECEIPT, self.PAIR.credit]
        _, cancelled = reverse_payment(journal, [self.PAIR], date(2024, 1, 1), TODAY)
        assert cancelled.effective_on == date(2024, 5, 3)

    def test_a_payment_is_reversed_once(self) -> None:
        cancelled = NewEntry(kind=EntryKind.CANCELLED, amount=110, effective_on=TODAY)
        with pytest.raises(StateConflict):
            reverse_payment([self.RECEIPT, recorded(9, cancelled)], [], TODAY, TODAY)
