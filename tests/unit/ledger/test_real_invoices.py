"""Ageing, due dates from terms and count-back DSO of real invoices, against figures computed outside the product."""

import csv
import json
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from libs.contracts.money import to_minor
from services.ledger.domain.ageing import AgedItem, Ageing, age
from services.ledger.domain.dso import count_back_dso, sales_periods
from services.ledger.domain.payment_terms import due_date, parse_terms

pytestmark = pytest.mark.data
#: The names the answers give to the first and the last bucket.
THEIR_LABELS = {"not_due": "current", ">90": "90+"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def answers(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "ANSWERS.json").read_text())[name]
    return found


def day(text: str, shape: str) -> date:
    return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a date without a time


def cents(text: str) -> int:
    return to_minor(text, "USD")


def agrees(aged: Ageing, buckets: dict[str, dict[str, Any]]) -> bool:
    ours = {
        THEIR_LABELS.get(label, label): (aged.counts[label], amount)
        for label, amount in aged.amounts.items()
        if label != "unallocated"
    }
    return ours == {label: (bucket["count"], cents(bucket["sum"])) for label, bucket in buckets.items()}


def test_every_month_end_has_its_buckets_and_count_back(receivables_data: Path) -> None:
    invoices = [
        (
            day(row["InvoiceDate"], "%m/%d/%Y"),
            day(row["DueDate"], "%m/%d/%Y"),
            day(row["SettledDate"], "%m/%d/%Y"),
            cents(row["InvoiceAmount"]),
        )
        for row in rows(receivables_data / "ibm_accounts_receivable.csv")
    ]
    sales: dict[date, int] = defaultdict(int)
    for issued_on, _, _, amount in invoices:
        sales[issued_on.replace(day=1)] += amount
    months = answers(receivables_data, "ibm")["monthly"]
    assert len(months) == 22
    for month in months:
        as_of = date.fromisoformat(month["as_of"])
        still_open = [
            AgedItem(amount, issued_on, due_on)
            for issued_on, due_on, settled_on, amount in invoices
            if issued_on <= as_of < settled_on
        ]
        aged = age(still_open, as_of, bounds=(30, 60, 90))
        assert (aged.items_count, aged.outstanding) == (month["open_count"], cents(month["open_sum"]))
        assert agrees(aged, month["buckets"])
        counted = count_back_dso(aged.outstanding, sales_periods(as_of, sales, 36, history_from=min(sales)))
        assert counted.days.value is not None
        assert abs(counted.days.value - Decimal(str(month["dso_countback"]))) <= Decimal("0.0001")


def test_due_dates_come_from_terms_where_the_file_has_none(receivables_data: Path) -> None:
    items: dict[str, list[AgedItem]] = defaultdict(list)
    from_terms = 0
    for row in rows(receivables_data / "unicorn_inc_invoices.csv"):
        issued_on = day(row["InvoiceDate"], "%m/%d/%y")
        derived = due_date(issued_on, parse_terms(row["CustomerTerms"]))
        stated = day(row["DueDate"].split()[0], "%m/%d/%y") if row["DueDate"] else None
        from_terms += stated is None
        assert stated in (derived, None)
        if row["Status"] == "Pending":
            open_amount = cents(row["BillTotal"]) - cents(row["Applied"])
            items[row["Currency"]].append(AgedItem(open_amount, issued_on, stated or derived))
    expected = answers(receivables_data, "unicorn")
    assert from_terms == expected["missing_due"]
    assert items.keys() == expected["by_currency"].keys()
    for currency, figures in expected["by_currency"].items():
        aged = age(items[currency], date(2025, 9, 30), bounds=(30, 60, 90))
        assert (aged.items_count, aged.outstanding) == (figures["count"], cents(figures["sum"]))
        assert agrees(aged, figures["buckets"])


def test_an_open_item_list_ages_by_currency(receivables_data: Path) -> None:
    items: dict[str, list[AgedItem]] = defaultdict(list)
    for row in rows(receivables_data / "highradius_open_items.csv"):
        posted_on, due_on = date.fromisoformat(row["posting_date"]), date.fromisoformat(row["due_in_date"])
        items[row["invoice_currency"]].append(AgedItem(cents(row["total_open_amount"]), posted_on, due_on))
    for currency, figures in answers(receivables_data, "highradius")["by_currency"].items():
        aged = age(items[currency], date(2020, 5, 22), bounds=(30, 60, 90))
        assert (aged.items_count, aged.outstanding) == (figures["count"], cents(figures["sum"]))
        assert agrees(aged, figures["buckets"])
