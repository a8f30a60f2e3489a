"""The demo portfolio keeps the promises it makes: real-looking identifiers, sums that hold, figures a
manager knows."""

import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.be import vat as belgian_vat
from stdnum.ch import uid as swiss_uid
from stdnum.de import handelsregisternummer
from stdnum.de import vat as german_vat
from stdnum.fr import siren as french_siren
from stdnum.fr import tva as french_vat
from stdnum.gb import vat as british_vat

from libs.contracts.money import to_minor
from services.sandbox.portfolio import Portfolio, generate
from services.sandbox.portfolio.billing import due_date
from services.sandbox.portfolio.rows import ItemRow

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    return generate(TODAY)


def items_by_key(portfolio: Portfolio) -> dict[str, ItemRow]:
    return {row["external_id"]: row for book in portfolio.books for row in book.items}


def open_minor(portfolio: Portfolio) -> dict[str, int]:
    """Signed open amount of every item once all payments are applied: the ledger's own arithmetic, done by
    hand."""
    open_now = {}
    for key, row in items_by_key(portfolio).items():
        sign = "" if row["kind"] == "invoice" else "-"
        open_now[key] = to_minor(row.get("open_amount", sign + row["amount"]), row["currency"])
    for book in portfolio.books:
        for payment in book.payments:
            for part in payment.get("allocations", []):
                open_now[part["item_external_id"]] -= to_minor(part["amount"], payment["currency"])
    return open_now


def test_has_the_size_and_the_variety_of_a_small_group(portfolio: Portfolio) -> None:
    customers = [row for book in portfolio.books for row in book.customers]
    items = sum(len(book.items) + len(book.payments) for book in portfolio.books)
    assert len(portfolio.books) == 3
    assert len(customers) == 300
    assert 4_500 <= items <= 6_000
    assert {row["currency"] for row in customers} == {"EUR", "CHF"}
    assert {row["buyer_kind"] for row in customers} == {"private", "public", "individual", "related"}
    assert len({row["company"]["country"] for row in customers}) == 5
    assert any(not row["contacts"] for row in customers)
    kinds = Counter(row["kind"] for book in portfolio.books for row in book.items)
    assert kinds["credit_note"] > 40
    assert any(row.get("custom_fields", {}).get("dispute") for row in items_by_key(portfolio).values())
    assert any(payment.get("allocate") == "none" for book in portfolio.books for payment in book.payments)
    assert len(portfolio.limit_wishes) == 40


@pytest.mark.parametrize("today", [TODAY + timedelta(days=40 * step) for step in range(9)])
def test_its_figures_are_those_of_a_healthy_but_not_spotless_ledger(today: date) -> None:
    portfolio = generate(today)
    franc = Decimal(portfolio.rates[-1]["rate"])
    worth = {"EUR": Decimal(1), "CHF": franc}
    items = items_by_key(portfolio)
    outstanding = overdue = sales = Decimal(0)
    for key, minor in open_minor(portfolio).items():
        row = items[key]
        amount = minor * worth[row["currency"]]
        outstanding += amount
        if row["kind"] == "invoice":
            overdue += amount if date.fromisoformat(row["due_date"]) < today else 0
            recent = date.fromisoformat(row["issue_date"]) > today - timedelta(days=365)
            sales += to_minor(row["amount"], row["currency"]) * worth[row["currency"]] if recent else 0
    for book in portfolio.books:
        for payment in book.payments:
            if "allocations" not in payment:
                outstanding -= to_minor(payment["amount"], payment["currency"]) * worth[payment["currency"]]
    assert 42 <= outstanding / sales * 365 <= 66
    assert Decimal("0.15") <= overdue / outstanding <= Decimal("0.35")


def test_registration_and_vat_numbers_pass_their_countries_checks(portfolio: Portfolio) -> None:
    checks = {
        "FR": (french_siren.is_valid, french_vat.is_valid),
        "DE": (handelsregisternummer.is_valid, german_vat.is_valid),
        "CH": (swiss_uid.is_valid, lambda number: swiss_uid.is_valid(number.removesuffix(" TVA"))),
        "BE": (belgian_vat.is_valid, belgian_vat.is_valid),
        "GB": (lambda number: re.fullmatch(r"0\d{7}", number) is not None, british_vat.is_valid),
    }
    checked = Counter[str]()
    for book in portfolio.books:
        for customer in book.customers:
            company = customer["company"]
            if customer["buyer_kind"] == "individual":
                assert "registration_number" not in company
                continue
            registration_ok, vat_ok = checks[company["country"]]
            assert registration_ok(company["registration_number"]), company
            assert vat_ok(company["vat_number"]), company
            checked[company["country"]] += 1
    assert min(checked[country] for country in checks) >= 2
    assert checked["FR"] > 150


def test_a_public_body_is_registered_as_one(portfolio: Portfolio) -> None:
    public = [row for book in portfolio.books for row in book.customers if row["buyer_kind"] == "public"]
    assert public
    for customer in public:
        assert customer["company"]["registration_number"][0] in "12"
        assert luhn.is_valid(customer["company"]["registration_number"])


def test_accounts_that_share_a_company_agree_on_every_identifier(portfolio: Portfolio) -> None:
    companies: dict[str, list[tuple[str, str]]] = {}
    for book in portfolio.books:
        for customer in book.customers:
            company = customer["company"]
            if "registration_number" in company:
                entry = (company["vat_number"], company["name"])
                companies.setdefault(company["registration_number"], []).append(entry)
    shared = [entries for entries in companies.values() if len(entries) > 1]
    assert len(shared) >= 8
    assert all(len(set(entries)) == 1 for entries in companies.values())


def test_every_key_is_unique_and_every_reference_leads_somewhere(portfolio: Portfolio) -> None:
    for book in portfolio.books:
        customers = [row["external_id"] for row in book.customers]
        items = [row["external_id"] for row in book.items]
        payments = [row["external_id"] for row in book.payments]
        assert len(set(customers)) == len(customers)
        assert len(set(items + payments)) == len(items) + len(payments), (
            "items and payments share one namespace"
        )
        for row in [*book.items, *book.payments, *book.orders]:
            assert row["customer_external_id"] in set(customers)
        for payment in book.payments:
            assert {part["item_external_id"] for part in payment.get("allocations", [])} <= set(items)
    accounts = {(book.unit.code, row["external_id"]) for book in portfolio.books for row in book.customers}
    for link in portfolio.parents:
        assert {link["child"], link["parent"]} <= accounts
    assert {(wish["unit"], wish["customer_external_id"]) for wish in portfolio.limit_wishes} <= accounts


def test_no_mail_can_reach_anybody(portfolio: Portfolio) -> None:
    addresses = [
        contact["email"] for book in portfolio.books for row in book.customers for contact in row["contacts"]
    ]
    assert len(addresses) > 250
    assert all(re.fullmatch(r"[a-z.]+@[a-z0-9-]{1,63}\.example\.com", address) for address in addresses)


def check_sums(portfolio: Portfolio) -> None:
    items = items_by_key(portfolio)
    for row in items.values():
        amounts = [to_minor(row[name], row["currency"]) for name in ("amount", "tax_amount", "net_amount")]
        assert amounts[0] == amounts[1] + amounts[2]
        assert amounts[0] > 0
        assert row["issue_date"] <= row["due_date"]
        assert row["issue_date"] <= portfolio.today.isoformat()
    for key, minor in open_minor(portfolio).items():
        issued = to_minor(items[key]["amount"], items[key]["currency"])
        assert 0 <= minor <= issued if items[key]["kind"] == "invoice" else -issued <= minor <= 0, key
    for book in portfolio.books:
        for payment in book.payments:
            assert payment["paid_on"] <= portfolio.today.isoformat()
            parts = payment.get("allocations", [])
            assert ("allocations" in payment) != ("allocate" in payment)
            if parts:
                paid = sum(to_minor(part["amount"], payment["currency"]) for part in parts)
                assert paid == to_minor(payment["amount"], payment["currency"])
            for part in parts:
                item = items[part["item_external_id"]]
                assert item["customer_external_id"] == payment["customer_external_id"]
                assert item["currency"] == payment["currency"]
                assert item["issue_date"] < payment["paid_on"], "an invoice is paid after it was written"


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    today=st.dates(date(2024, 1, 1), date(2031, 12, 31)),
    other=st.integers(1, 99),
)
def test_sums_hold_for_any_seed_and_day_and_repeat_to_the_cent(seed: int, today: date, other: int) -> None:
    portfolio = generate(today, seed)
    check_sums(portfolio)
    assert generate(today, seed) == portfolio
    assert generate(today, seed + other) != portfolio


def test_only_deposits_and_unexplained_money_come_without_an_invoice(portfolio: Portfolio) -> None:
    prepaid = {row["external_id"] for book in portfolio.books for row in book.customers if row["prepaid"]}
    assert prepaid
    for book in portfolio.books:
        for payment in book.payments:
            if payment["reference"].startswith("DEPOSIT"):
                assert payment["customer_external_id"] in prepaid
                assert payment.get("allocate") == "none"


def test_the_rates_cover_every_month_of_the_history(portfolio: Portfolio) -> None:
    first = min(row["issue_date"] for row in items_by_key(portfolio).values())
    days = [row["valid_on"] for row in portfolio.rates]
    assert days == sorted(set(days))
    assert days[0] <= first
    assert days[-1][:7] == portfolio.today.isoformat()[:7]
    assert all(Decimal("1.01") < Decimal(row["rate"]) < Decimal("1.10") for row in portfolio.rates)


@pytest.mark.parametrize(
    ("issued", "days", "end_of_month", "expected"),
    [
        (date(2026, 1, 15), 30, False, date(2026, 2, 14)),
        (date(2026, 1, 15), 30, True, date(2026, 2, 28)),
        (date(2026, 1, 31), 45, True, date(2026, 3, 31)),
        (date(2026, 6, 1), 0, False, date(2026, 6, 1)),
    ],
)
def test_a_due_date_follows_the_terms(issued: date, days: int, end_of_month: bool, expected: date) -> None:
    assert due_date(issued, {"days": days, "end_of_month": end_of_month}) == expected
