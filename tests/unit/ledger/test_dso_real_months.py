"""The DSO family against an answer key nobody here wrote."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from libs.contracts.money import to_minor
from services.ledger.domain.dso import (
    DsoMethod,
    collection_effectiveness,
    dso_family,
    sales_periods,
)

pytestmark = pytest.mark.data
CENT = Decimal("0.01")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def cents(text: str) -> int:
    return to_minor(text, "USD")


def test_every_month_of_the_answer_key_comes_out_to_a_hundredth(receivables_data: Path) -> None:
    key = rows(receivables_data / "vantage_kpi_monthly_expected.csv")
    sales = {
        date.fromisoformat(row["MonthEndDate"]).replace(day=1): cents(row["CreditSales"])
        for row in rows(receivables_data / "vantage_monthly_credit_sales.csv")
    }
    # The sales file ends a month before the key, which states that month's sales itself.
    sales |= {date.fromisoformat(row["AsOfDate"]).replace(day=1): cents(row["MonthSales"]) for row in key}
    for row in key:
        as_of = date.fromisoformat(row["AsOfDate"])
        end, current = cents(row["EndAR"]), cents(row["EndCurrentAR"])
        # Its simple DSO rolls over twelve months, fewer at the start of the history.
        history = sales_periods(as_of, sales, months=12, history_from=min(sales))
        counted = dso_family(DsoMethod.COUNT_BACK, end, current, history)
        simple = dso_family(DsoMethod.SIMPLE, end, current, history)
        cei = collection_effectiveness(cents(row["BeginAR"]), cents(row["MonthSales"]), end, current)
        for figure, column in (
            (counted.dso, "DSO_Countback"),
            (counted.best_possible, "BPDSO_Countback"),
            (counted.add, "AvgDaysDelinquent"),
            (simple.dso, "DSO_Simple"),
            (cei, "CEI_Book"),
        ):
            assert figure.value is not None, (row["YearMonth"], column)
            assert abs(figure.value - Decimal(row[column])) <= CENT, (row["YearMonth"], column)
        assert (counted.exhausted, counted.holes) == (True, ())
    assert len(key) == 14
