"""The DSO family against an answer key nobody here wrote, and the ageing and count-back of real invoices."""

import csv
import json
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from libs.contracts.money import to_minor
from services.ledger.domain.ageing import AgedItem, age
from services.ledger.domain.dso import (
    DsoMethod,
    collection_effectiveness,
    count_back_dso,
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


def test_every_month_end_of_real_invoices_has_its_buckets_and_count_back(receivables_data: Path) -> None:
    def day(text: str) -> date:
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a date without a time

    invoices = [
        (day(r["InvoiceDate"]), day(r["DueDate"]), day(r["SettledDate"]), cents(r["InvoiceAmount"]))
        for r in rows(receivables_data / "ibm_accounts_receivable.csv")
    ]
    sales: dict[date, int] = defaultdict(int)
    for issued_on, _, _, amount in invoices:
        sales[issued_on.replace(day=1)] += amount
    answers = json.loads((receivables_data / "ANSWERS.json").read_text())["ibm"]["monthly"]
    assert len(answers) == 22
    for answer in answers:
        as_of = date.fromisoformat(answer["as_of"])
        still_open = [
            AgedItem(amount, issued_on, due_on)
            for issued_on, due_on, settled_on, amount in invoices
            if issued_on <= as_of < settled_on
        ]
        aged = age(still_open, as_of, bounds=(30, 60, 90))
        assert (aged.items_count, aged.outstanding) == (answer["open_count"], cents(answer["open_sum"]))
        for theirs, ours in {"current": "not_due", "90+": ">90"}.items():
            answer["buckets"][ours] = answer["buckets"].pop(theirs)
        for label, bucket in answer["buckets"].items():
            assert (aged.counts[label], aged.amounts[label]) == (bucket["count"], cents(bucket["sum"]))
        counted = count_back_dso(aged.outstanding, sales_periods(as_of, sales, 36, history_from=min(sales)))
        assert counted.days.value is not None
        assert abs(counted.days.value - Decimal(str(answer["dso_countback"]))) <= Decimal("0.0001")
