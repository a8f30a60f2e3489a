"""Ageing buckets: no gap, no overlap, and their sum is what is outstanding."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.ageing import (
    DEFAULT_BOUNDS,
    NOT_DUE,
    UNALLOCATED,
    AgedItem,
    BoundsInvalid,
    CreditMode,
    age,
    bucket_labels,
    bucket_of,
)

TODAY = date(2024, 6, 30)


def due(days_ago: int, amount: int, key: str = "") -> AgedItem:
    due_on = TODAY - timedelta(days_ago)
    return AgedItem(amount, due_on - timedelta(30), due_on, key)


def paid(days_ago: int, amount: int, key: str = "") -> AgedItem:
    return AgedItem(-amount, TODAY - timedelta(days_ago), None, key)


def filled(amounts: dict[str, int]) -> dict[str, int]:
    return {label: amount for label, amount in amounts.items() if amount}


def test_labels_follow_the_bounds() -> None:
    assert bucket_labels() == ("not_due", "1-30", "31-60", "61-90", "91-180", ">180", "unallocated")
    assert bucket_labels((15,)) == ("not_due", "1-15", ">15", "unallocated")


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (-5, "not_due"),
        (0, "not_due"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "91-180"),
        (180, "91-180"),
        (181, ">180"),
        (9999, ">180"),
    ],
)
def test_bucket_of_closes_on_its_last_day(late: int, expected: str) -> None:
    assert bucket_of(late) == expected


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12, unique=True).map(sorted), st.integers(-50, 500))
def test_each_number_of_days_has_one_bucket_and_buckets_rise(bounds: list[int], late: int) -> None:
    labels = bucket_labels(bounds)
    here, next_day = labels.index(bucket_of(late, bounds)), labels.index(bucket_of(late + 1, bounds))
    assert next_day == here + (late == 0 or late in bounds)


@pytest.mark.parametrize("bounds", [(), (0,), (-1, 30), (30, 30), (60, 30), tuple(range(1, 14))])
def test_bounds_that_do_not_rise_are_refused(bounds: tuple[int, ...]) -> None:
    with pytest.raises(BoundsInvalid):
        age([], TODAY, bounds)


LEDGER = [due(-3, 500), due(10, 100), due(45, 200), due(200, 50), paid(5, 120), paid(70, 30)]


def test_credits_in_a_column_of_their_own() -> None:
    aged = age(LEDGER, TODAY)
    assert filled(aged.amounts) == {NOT_DUE: 500, "1-30": 100, "31-60": 200, ">180": 50, UNALLOCATED: -150}
    assert filled(aged.counts) == {NOT_DUE: 1, "1-30": 1, "31-60": 1, ">180": 1, UNALLOCATED: 2}
    assert aged.outstanding == 700


def test_credits_by_their_own_date() -> None:
    aged = age(LEDGER, TODAY, credit_mode=CreditMode.BY_DATE)
    assert filled(aged.amounts) == {NOT_DUE: 500, "1-30": -20, "31-60": 200, "61-90": -30, ">180": 50}
    assert aged.outstanding == 700


def test_credits_spent_on_the_oldest_debits() -> None:
    aged = age(LEDGER, TODAY, credit_mode=CreditMode.FIFO)
    assert filled(aged.amounts) == {NOT_DUE: 500, "1-30": 100, "31-60": 100}
    assert filled(aged.counts) == {NOT_DUE: 1, "1-30": 1, "31-60": 1, ">180": 1, UNALLOCATED: 2}


def test_netting_stops_at_its_key_and_leaves_the_rest_unallocated() -> None:
    items = [due(10, 100, "a"), due(40, 100, "b"), paid(1, 130, "b")]
    aged = age(items, TODAY, credit_mode=CreditMode.FIFO)
    assert filled(aged.amounts) == {"1-30": 100, UNALLOCATED: -30}


def test_an_overpaid_invoice_is_a_credit() -> None:
    assert filled(age([due(10, -40)], TODAY).amounts) == {UNALLOCATED: -40}


ITEMS = st.lists(
    st.builds(
        AgedItem,
        st.integers(-10_000, 10_000),
        st.dates(date(2023, 1, 1), date(2024, 12, 31)),
        st.none() | st.dates(date(2023, 1, 1), date(2024, 12, 31)),
        st.sampled_from(["a", "b"]),
    ),
    max_size=25,
)


@given(ITEMS, st.sampled_from(CreditMode))
def test_buckets_sum_to_outstanding_whatever_becomes_of_credits(
    items: list[AgedItem], mode: CreditMode
) -> None:
    aged = age(items, TODAY, DEFAULT_BOUNDS, mode)
    assert sum(aged.amounts.values()) == aged.outstanding == sum(item.open_amount for item in items)
    assert aged.items_count == sum(1 for item in items if item.open_amount)
    if mode is not CreditMode.BY_DATE:
        assert aged.amounts[UNALLOCATED] <= 0
        assert all(amount >= 0 for label, amount in aged.amounts.items() if label != UNALLOCATED)


@given(ITEMS.map(lambda items: [AgedItem(i.open_amount, i.issued_on, i.due_on, "one") for i in items]))
def test_netting_leaves_either_debits_or_credits_and_the_youngest_debits(items: list[AgedItem]) -> None:
    aged = age(items, TODAY, credit_mode=CreditMode.FIFO)
    debits = sum(amount for label, amount in aged.amounts.items() if label != UNALLOCATED)
    assert debits == max(0, aged.outstanding)
    assert aged.amounts[UNALLOCATED] == min(0, aged.outstanding)
    # The oldest bucket that still holds something is met before anything younger is touched.
    own = age(items, TODAY).amounts
    oldest_first = [label for label in reversed(bucket_labels()) if label != UNALLOCATED]
    touched = [label for label in oldest_first if aged.amounts[label] != own[label]]
    untouched = [label for label in oldest_first if aged.amounts[label] == own[label] != 0]
    if touched and untouched:
        assert oldest_first.index(touched[-1]) < oldest_first.index(untouched[0])
