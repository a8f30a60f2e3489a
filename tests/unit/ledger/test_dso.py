"""The DSO family against published and hand-computed figures. Amounts in cents."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.dso import (
    DsoMethod,
    Figure,
    SalesPeriod,
    collection_effectiveness,
    count_back_dso,
    dso_family,
    sales_periods,
    simple_dso,
    true_dso,
)
from services.ledger.domain.months import add_months

NEWEST = date(2024, 3, 1)


def periods(*sales_and_days: tuple[int, int]) -> list[SalesPeriod]:
    """Newest first; sales in whole units, kept in cents."""
    return [
        SalesPeriod(add_months(NEWEST, -back), days, sales * 100)
        for back, (sales, days) in enumerate(sales_and_days)
    ]


def rounded(figure: Figure, places: str = "0.01") -> Decimal:
    assert figure.value is not None, figure.reason
    return figure.value.quantize(Decimal(places))


ORACLE = periods((2500, 30), (1750, 31), (2250, 31), (2500, 30), (2000, 31), (2250, 30))


@pytest.mark.parametrize(
    ("receivables", "history", "expected"),
    [
        (212_000, periods((100_000, 30), (80_000, 30), (70_000, 30)), "73.71"),
        (250_000, periods((90_000, 31), (110_000, 28), (120_000, 31)), "71.92"),
        # The published page divides 2,000 by the last month; what is left is 1,000.
        (12_000, ORACLE, "166.33"),
        (300_000, periods((120_000, 31), (200_000, 31), (260_000, 30)), "58.90"),  # DSO-10
        (135_000, periods((90_000, 30), (90_000, 30), (90_000, 30)), "45.00"),  # DSO-13
        (950, periods((400, 31), (380, 28), (350, 31)), "74.06"),  # DSO-15
        (100_000, periods((100_000, 30), (80_000, 30)), "30.00"),
        (0, periods((100_000, 30)), "0.00"),
        (0, [], "0.00"),
    ],
)
def test_count_back_gives_the_known_days(receivables: int, history: list[SalesPeriod], expected: str) -> None:
    counted = count_back_dso(receivables * 100, history)
    assert rounded(counted.days) == Decimal(expected)
    assert (counted.exhausted, counted.unexplained, counted.holes) == (True, 0, ())


def test_count_back_without_enough_history_says_what_it_cannot_explain() -> None:
    counted = count_back_dso(70_000_000, periods((200_000, 31), (200_000, 31), (180_000, 30)))  # DSO-12
    assert (counted.days.value, counted.exhausted, counted.unexplained) == (Decimal(92), False, 12_000_000)


def test_count_back_counts_through_a_month_without_sales() -> None:
    counted = count_back_dso(15_000, periods((100, 31), (0, 29), (100, 31)))
    assert rounded(counted.days) == Decimal("75.50")
    assert counted.holes == (date(2024, 2, 1),)
    negative = count_back_dso(15_000, periods((100, 31), (-40, 29), (100, 31)))
    assert negative == counted


def test_count_back_of_nothing_sold_has_no_days() -> None:
    counted = count_back_dso(15_000, periods((0, 31), (0, 29)))
    assert counted.days == Figure(None, "no_sales")
    assert (counted.exhausted, counted.unexplained) == (False, 15_000)


def test_month_to_date_counts_the_days_elapsed() -> None:
    sales = {date(2024, 3, 1): 5_000, date(2024, 2, 1): 10_000}
    history = sales_periods(date(2024, 3, 12), sales, months=3)
    assert [(period.days, period.sales) for period in history] == [(12, 5_000), (29, 10_000), (31, 0)]
    assert rounded(count_back_dso(10_000, history).days) == Decimal("26.50")


def test_history_begins_with_the_first_sale() -> None:
    history = sales_periods(date(2024, 3, 31), {date(2024, 2, 1): 100}, 12, history_from=date(2024, 2, 9))
    assert [period.month for period in history] == [date(2024, 3, 1), date(2024, 2, 1)]


@pytest.mark.parametrize(
    ("receivables", "history", "expected"),
    [
        (1_200_000, periods((10_000_000, 365)), "43.80"),
        (300_000, periods((120_000, 31), (200_000, 31), (260_000, 30)), "47.59"),  # DSO-10
        (135_000, periods((90_000, 30), (90_000, 30), (90_000, 30)), "45.00"),  # DSO-13
        (0, periods((90_000, 30)), "0.00"),
    ],
)
def test_simple_gives_the_known_days(receivables: int, history: list[SalesPeriod], expected: str) -> None:
    assert rounded(simple_dso(receivables * 100, history)) == Decimal(expected)


@pytest.mark.parametrize("sales", [0, -100])
def test_nothing_sold_is_null_with_a_reason_never_a_division_by_zero(sales: int) -> None:
    assert simple_dso(100, periods((sales, 31))) == Figure(None, "no_sales")
    assert simple_dso(100, []) == Figure(None, "no_sales")


@pytest.mark.parametrize("method", DsoMethod)
def test_more_credits_than_debits_is_null_with_a_reason(method: DsoMethod) -> None:
    family = dso_family(method, -1, 100, periods((1_000, 31)))
    assert {family.dso.reason, family.contractual.reason, family.overdue.reason, family.add.reason} == {
        "receivables_negative"
    }
    counted = count_back_dso(-1, periods((1_000, 31)))
    assert (counted.exhausted, counted.unexplained, counted.holes) == (False, 0, ())


def test_family_by_the_simple_method() -> None:
    family = dso_family(DsoMethod.SIMPLE, 120_000_000, 80_000_000, periods((10_000_000, 365)))
    assert [rounded(f) for f in (family.dso, family.best_possible, family.add)] == [
        Decimal("43.80"),
        Decimal("29.20"),
        Decimal("14.60"),
    ]
    assert [rounded(f) for f in (family.contractual, family.overdue)] == [Decimal("29.20"), Decimal("14.60")]
    assert (family.exhausted, family.unexplained, family.holes) == (None, None, ())


def test_simple_names_the_months_without_sales_too() -> None:
    family = dso_family(DsoMethod.SIMPLE, 10_000, 0, periods((200, 31), (0, 29), (-1, 31), (100, 31)))
    assert family.holes == (date(2024, 2, 1), date(2024, 1, 1))


def test_family_without_receivables_has_a_dso_of_zero_but_no_share_of_it() -> None:
    family = dso_family(DsoMethod.COUNT_BACK, 0, 0, periods((1_000, 31)))
    assert [family.dso.value, family.best_possible.value, family.add.value] == [Decimal(0)] * 3
    assert family.contractual == family.overdue == Figure(None, "no_receivables")


@given(
    st.lists(st.tuples(st.integers(-50, 10_000), st.integers(28, 31)), min_size=1, max_size=14),
    st.integers(0, 3_000_000),
    st.integers(0, 3_000_000),
)
def test_count_back_never_falls_when_receivables_rise_and_its_parts_add_up(
    history: list[tuple[int, int]], first: int, second: int
) -> None:
    low, high = sorted((first, second))
    less, more = count_back_dso(low, periods(*history)), count_back_dso(high, periods(*history))
    if less.days.value is not None and more.days.value is not None:
        assert less.days.value <= more.days.value <= sum(days for _, days in history)
    sold = sum(max(sales, 0) * 100 for sales, _ in history)
    assert more.unexplained == max(0, high - sold)
    assert more.exhausted == (high <= sold)
    family = dso_family(DsoMethod.COUNT_BACK, high, low, periods(*history))
    if (
        family.dso.value is not None
        and family.add.value is not None
        and family.best_possible.value is not None
    ):
        assert abs(family.best_possible.value + family.add.value - family.dso.value) < Decimal("1e-20")
        assert family.add.value >= 0


@pytest.mark.parametrize(
    ("opening", "sales", "closing", "closing_not_due", "expected"),
    [
        (500_000_00, 300_000_00, 450_000_00, 380_000_00, "83.33"),
        (10760687_35, 5648631_86, 10847081_49, 8095793_78, "66.91"),  # DSO-17
        (100, 0, 0, 0, "100.00"),
    ],
)
def test_collection_effectiveness_gives_the_known_percentage(
    opening: int, sales: int, closing: int, closing_not_due: int, expected: str
) -> None:
    assert rounded(collection_effectiveness(opening, sales, closing, closing_not_due)) == Decimal(expected)


def test_collection_effectiveness_over_months_takes_the_average_sales() -> None:
    one = collection_effectiveness(500, 300, 450, 380)
    assert collection_effectiveness(500, 900, 450, 380, months=3) == one


def test_collection_effectiveness_with_nothing_to_collect_is_null() -> None:
    assert collection_effectiveness(0, 100, 100, 100) == Figure(None, "nothing_collectable")


def test_true_dso_weighs_each_item_by_the_sales_of_its_month() -> None:
    sales = {date(2024, 1, 1): 1_000, date(2024, 2, 1): 500}
    items = [(date(2024, 1, 11), 100), (date(2024, 2, 19), 250), (date(2023, 12, 1), 40)]
    measured = true_dso(items, sales, date(2024, 2, 29))
    assert (measured.days.value, measured.unexplained) == (Decimal("4.9") + Decimal(5), 40)
    assert true_dso([], sales, date(2024, 2, 29)).days == Figure(None, "no_receivables")
    assert true_dso([(date(2023, 1, 1), 5)], sales, date(2024, 2, 29)).days == Figure(None, "no_sales")
