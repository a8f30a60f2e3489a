"""What a company's facts come to in the reporting currency."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.exchange import Conversion
from services.risk.domain.profile import Amounts, LimitUse, limit_use, total

MARCH = date(2026, 3, 1)
RATES = {
    "EUR": Conversion(Decimal(1), inverse=False, valid_on=None),
    "CHF": Conversion(Decimal("1.05"), inverse=False, valid_on=MARCH),
}


def test_parts_are_converted_and_added_and_what_has_no_rate_stands_apart() -> None:
    parts = [
        Amounts("EUR", 100_00, 40_00, -10_00, 5_00),
        Amounts("CHF", 100_00, 10_00, 0, 20_00),
        Amounts("USD", 50_00, 50_00, 0, 0),
    ]
    owed = total(parts, "EUR", RATES)
    assert (owed.outstanding, owed.overdue, owed.credits, owed.order_book) == (205_00, 50_50, -10_00, 26_00)
    assert (owed.rate_date, owed.unconverted) == (MARCH, {"USD": 50_00})


@given(st.lists(st.builds(Amounts, st.just("EUR"), *[st.integers(-(10**12), 10**12)] * 4)))
def test_one_currency_adds_up_exactly(parts: list[Amounts]) -> None:
    owed = total(parts, "EUR", RATES)
    assert owed.outstanding == sum(part.outstanding for part in parts)
    assert (owed.rate_date, owed.unconverted) == (None, {})


@pytest.mark.parametrize(
    ("state", "allowed", "outstanding", "expected"),
    [
        ("approved", 100, 50, LimitUse(100, 500, 0)),
        ("approved", 100, 130, LimitUse(100, 1300, 30)),
        ("approved", 100, -5, LimitUse(100, 0, 0)),
        ("approved", 0, 5, LimitUse(0, None, 5)),
        ("approved", None, 5, LimitUse(None, None, None)),  # its currency has no rate
        ("blocked", 100, 5, LimitUse(0, None, 5)),
        ("expired", 100, 5, LimitUse(None, None, None)),
        ("none", None, 5, LimitUse(None, None, None)),
    ],
)
def test_use_of_a_limit(state: str, allowed: int | None, outstanding: int, expected: LimitUse) -> None:
    assert limit_use(state, allowed, outstanding) == expected
