"""Due dates from terms, and terms from words. TRM ids: behaviour read from peers' tests."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.months import add_months, end_of_month, previous_month
from services.ledger.domain.payment_terms import (
    DueDateUnknown,
    PaymentTerms,
    TermsInvalid,
    TermsUnreadable,
    due_date,
    parse_terms,
)

DAYS = st.dates(date(1990, 1, 1), date(2120, 12, 31))


@pytest.mark.parametrize(
    ("issued_on", "terms", "expected"),
    [
        ("2024-01-17", PaymentTerms(0), "2024-01-17"),
        ("2024-01-17", PaymentTerms(30), "2024-02-16"),
        ("2024-01-17", PaymentTerms(30, end_of_month=True), "2024-02-29"),
        ("2024-01-17", PaymentTerms(30, end_of_month=True, day_of_month=10), "2024-03-10"),
        ("2016-01-22", PaymentTerms(30, end_of_month=True), "2016-02-29"),  # TRM-05
        ("2017-01-22", PaymentTerms(30, end_of_month=True), "2017-02-28"),  # TRM-05
        ("2024-03-02", PaymentTerms(45, end_of_month=True), "2024-04-30"),  # 16 April, not 15 June
        ("2024-01-31", PaymentTerms(0, end_of_month=True), "2024-01-31"),
        ("2024-01-31", PaymentTerms(0, day_of_month=31), "2024-01-31"),
        ("2024-02-01", PaymentTerms(0, day_of_month=31), "2024-02-29"),
        ("2024-01-10", PaymentTerms(0, day_of_month=10), "2024-01-10"),
        ("2024-01-11", PaymentTerms(0, day_of_month=10), "2024-02-10"),
        ("2024-12-31", PaymentTerms(0, end_of_month=True, day_of_month=5), "2025-01-05"),
        # Peers set the day before they add the rest (TRM-01: 14 January); ours is days first.
        ("2011-12-01", PaymentTerms(30, day_of_month=15), "2012-01-15"),
    ],
)
def test_due_date_applies_days_then_end_of_month_then_day(
    issued_on: str, terms: PaymentTerms, expected: str
) -> None:
    assert due_date(date.fromisoformat(issued_on), terms) == date.fromisoformat(expected)


def test_due_date_without_terms_is_unknown_rather_than_at_once() -> None:
    with pytest.raises(DueDateUnknown) as refused:
        due_date(date(2024, 1, 1), None)
    assert refused.value.code == "due_date_unknown"


@given(DAYS, st.integers(0, 400), st.booleans(), st.none() | st.integers(1, 31))
def test_due_date_never_precedes_what_the_days_alone_give(
    issued_on: date, days: int, eom: bool, day_of_month: int | None
) -> None:
    due = due_date(issued_on, PaymentTerms(days, eom, day_of_month))
    assert issued_on + timedelta(days) <= due <= issued_on + timedelta(days + 62)
    if day_of_month is not None:
        assert due.day == min(day_of_month, end_of_month(due).day)
    elif eom:
        assert due == end_of_month(due)


@pytest.mark.parametrize(("days", "day_of_month"), [(-1, None), (3651, None), (0, 0), (0, 32)])
def test_terms_outside_their_range_are_refused(days: int, day_of_month: int | None) -> None:
    with pytest.raises(TermsInvalid):
        PaymentTerms(days, day_of_month=day_of_month)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Net 7", PaymentTerms(7)),
        ("Net 30", PaymentTerms(30)),
        ("  NET   45 ", PaymentTerms(45)),
        ("net 30 days", PaymentTerms(30)),
        ("net30", PaymentTerms(30)),
        ("30", PaymentTerms(30)),
        ("60 days net", PaymentTerms(60)),
        ("2/10 net 30", PaymentTerms(30)),
        ("2% / 10, net 30", PaymentTerms(30)),
        ("Due on receipt", PaymentTerms(0)),
        ("Comptant", PaymentTerms(0)),
        ("À réception de facture", PaymentTerms(0)),
        ("EOM", PaymentTerms(0, end_of_month=True)),
        ("30 days EOM", PaymentTerms(30, end_of_month=True)),
        ("Net 30 E.O.M.", PaymentTerms(30, end_of_month=True)),
        ("45 jours fin de mois", PaymentTerms(45, end_of_month=True)),
        ("30 jours FDM le 10", PaymentTerms(30, end_of_month=True, day_of_month=10)),
        ("30 days end of month the 10th", PaymentTerms(30, end_of_month=True, day_of_month=10)),
        ("30j fin de mois, 15", PaymentTerms(30, end_of_month=True, day_of_month=15)),
        ("30 Tage netto", PaymentTerms(30)),
    ],
)
def test_terms_written_for_people_are_read(text: str, expected: PaymentTerms) -> None:
    assert parse_terms(text) == expected


@pytest.mark.parametrize(
    "text", ["", "NAH4", "CA10", "net", "soon", "30 or 60", "net 30 net 60", "-30", "net 99999"]
)
def test_terms_that_say_nothing_certain_are_refused(text: str) -> None:
    with pytest.raises(TermsUnreadable):
        parse_terms(text)


@given(DAYS, st.integers(-600, 600))
def test_months_later_and_back_stays_within_the_month(day: date, months: int) -> None:
    there = add_months(day, months)
    assert (there.year * 12 + there.month) - (day.year * 12 + day.month) == months
    assert there.day == min(day.day, end_of_month(there).day)
    assert previous_month(there) == add_months(there.replace(day=1), -1)
