"""Conversion into a reporting currency."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.exchange import (
    Conversion,
    Converted,
    Rate,
    RateInvalid,
    convert,
    convert_all,
    find_conversion,
)

JAN, FEB, MAR = (date(2024, month, 1) for month in (1, 2, 3))
RATES = [
    Rate("CHF", "EUR", Decimal("1.05"), JAN),
    Rate("CHF", "EUR", Decimal("1.02"), MAR),
    Rate("EUR", "USD", Decimal("1.25"), FEB),
]


@pytest.mark.parametrize(
    ("source", "as_of", "expected"),
    [
        ("CHF", date(2023, 12, 31), None),
        ("CHF", JAN, Conversion(Decimal("1.05"), False, JAN)),
        ("CHF", date(2024, 2, 29), Conversion(Decimal("1.05"), False, JAN)),
        ("CHF", date(2025, 1, 1), Conversion(Decimal("1.02"), False, MAR)),
        ("USD", MAR, Conversion(Decimal("1.25"), True, FEB)),
        ("JPY", MAR, None),
        ("EUR", JAN, Conversion(Decimal(1), False, None)),
    ],
)
def test_the_latest_rate_on_or_before_the_day_is_taken(
    source: str, as_of: date, expected: Conversion | None
) -> None:
    assert find_conversion(RATES, source, "EUR", as_of) == expected


def test_a_later_inverse_beats_an_older_quote_and_the_direct_one_wins_the_day() -> None:
    rates = [
        Rate("CHF", "EUR", Decimal("1.05"), JAN),
        Rate("EUR", "CHF", Decimal("0.8"), FEB),
        Rate("EUR", "CHF", Decimal("0.9"), JAN),
    ]
    assert find_conversion(rates, "CHF", "EUR", FEB) == Conversion(Decimal("0.8"), True, FEB)
    assert find_conversion(rates, "CHF", "EUR", JAN) == Conversion(Decimal("1.05"), False, JAN)


def test_no_rate_is_made_up_through_a_third_currency() -> None:
    assert find_conversion(RATES, "CHF", "USD", MAR) is None


@pytest.mark.parametrize(
    ("amount", "source", "target", "rate", "inverse", "expected"),
    [
        (100_00, "CHF", "EUR", "1.05", False, 105_00),
        (100, "JPY", "EUR", "0.0061", False, 61),
        (61, "EUR", "JPY", "163.93", False, 100),
        (1_000, "TND", "EUR", "0.30", False, 30),
        (1_00, "EUR", "TND", "3.3", False, 3_300),
        (125_00, "USD", "EUR", "1.25", True, 100_00),
        (1, "EUR", "CHF", "0.5", False, 0),  # half goes to the even minor unit
        (3, "EUR", "CHF", "0.5", False, 2),
        (-1, "EUR", "CHF", "0.5", False, 0),
        (-3, "EUR", "CHF", "0.5", False, -2),
        (10**17, "EUR", "JPY", "163.93123456789", False, 163931234567890000),
    ],
)
def test_amounts_round_half_even_to_the_minor_unit_of_the_target(
    amount: int, source: str, target: str, rate: str, inverse: bool, expected: int
) -> None:
    assert convert(amount, source, target, Conversion(Decimal(rate), inverse, JAN)) == expected


def test_what_has_no_rate_stands_apart_and_the_oldest_rate_dates_the_total() -> None:
    amounts = {"EUR": 1_00, "CHF": 10_00, "USD": 12_50, "JPY": 5_000}
    assert convert_all(amounts, "EUR", RATES, MAR) == Converted(21_20, FEB, {"JPY": 5_000})
    assert convert_all({"EUR": 7}, "EUR", [], MAR) == Converted(7, None, {})


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_is_a_number_above_zero(rate: str) -> None:
    with pytest.raises(RateInvalid):
        Rate("CHF", "EUR", Decimal(rate), JAN)
    with pytest.raises(RateInvalid):
        Rate("EUR", "EUR", Decimal(1), JAN)


@given(
    st.integers(-(10**15), 10**15),
    st.decimals("0.0001", "10000", places=6, allow_nan=False, allow_infinity=False),
)
def test_conversion_keeps_the_sign_and_errs_by_half_a_minor_unit_at_most(amount: int, rate: Decimal) -> None:
    converted = convert(amount, "EUR", "CHF", Conversion(rate, False, JAN))
    assert abs(converted - amount * rate) <= Decimal("0.5")
    assert convert(-amount, "EUR", "CHF", Conversion(rate, False, JAN)) == -converted
