"""Signs, status and lateness of an item; a balance as a sum of items."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.balance import Balance, OpenItem, balance
from services.ledger.domain.item_state import (
    Direction,
    DirectionNotAllowed,
    DirectionRequired,
    ItemKind,
    ItemStatus,
    Sign,
    days_late,
    sign_of,
    status_of,
)

TODAY = date(2024, 6, 30)


@pytest.mark.parametrize(
    ("kind", "direction", "expected"),
    [
        (ItemKind.INVOICE, None, 1),
        (ItemKind.CREDIT_NOTE, None, -1),
        (ItemKind.PAYMENT, None, -1),
        (ItemKind.OTHER, Direction.DEBIT, 1),
        (ItemKind.OTHER, Direction.CREDIT, -1),
    ],
)
def test_what_is_owed_to_us_is_positive(kind: ItemKind, direction: Direction | None, expected: int) -> None:
    assert sign_of(kind, direction) == expected


def test_only_other_items_have_a_direction_and_they_need_one() -> None:
    with pytest.raises(DirectionRequired):
        sign_of(ItemKind.OTHER)
    with pytest.raises(DirectionNotAllowed):
        sign_of(ItemKind.INVOICE, Direction.CREDIT)


@pytest.mark.parametrize(("amount", "expected"), [(1, "open"), (-1, "open"), (0, "closed")])
def test_an_item_is_open_on_either_side_of_zero(amount: int, expected: str) -> None:
    assert status_of(amount) is ItemStatus(expected)


@pytest.mark.parametrize(
    ("due_on", "closed_on", "sign", "expected"),
    [
        (date(2024, 6, 30), None, 1, 0),
        (date(2024, 6, 29), None, 1, 1),
        (date(2024, 7, 9), None, 1, 0),
        (date(2024, 6, 1), date(2024, 6, 11), 1, 10),
        (date(2024, 6, 1), date(2024, 5, 20), 1, 0),
        (date(2024, 6, 1), date(2024, 7, 11), 1, 29),  # closed only after the day looked at
        (date(2024, 6, 1), None, -1, 0),
        (None, None, 1, 0),
    ],
)
def test_days_late_are_whole_days_past_the_due_date(
    due_on: date | None, closed_on: date | None, sign: Sign, expected: int
) -> None:
    assert days_late(due_on, TODAY, sign=sign, closed_on=closed_on) == expected


def test_a_balance_splits_debits_by_due_date_and_keeps_credits_apart() -> None:
    items = [
        OpenItem(500, date(2024, 7, 1)),
        OpenItem(300, date(2024, 6, 30)),
        OpenItem(200, date(2024, 6, 29)),
        OpenItem(100, date(2024, 2, 1)),
        OpenItem(50, None),
        OpenItem(-70, date(2023, 1, 1)),
        OpenItem(0, date(2020, 1, 1)),
    ]
    assert balance(items, TODAY) == Balance(1080, 850, 300, -70, date(2024, 2, 1), 6)


@given(st.lists(st.builds(OpenItem, st.integers(-(10**12), 10**12), st.none() | st.dates())), st.dates())
def test_outstanding_is_not_due_plus_overdue_plus_credits(items: list[OpenItem], as_of: date) -> None:
    result = balance(items, as_of)
    assert result.outstanding == sum(i.open_amount for i in items)
    assert result.outstanding == result.not_due + result.overdue + result.credits
    assert result.credits <= 0 <= min(result.not_due, result.overdue)
    if result.overdue:
        assert result.oldest_due_date is not None
        assert result.oldest_due_date < as_of
