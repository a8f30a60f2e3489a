"""What a good row becomes."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.money import MoneyError, to_minor
from services.ledger.domain.intake.columns import RowDefaults
from tests.unit.ledger_intake.reading import invoice, read, read_rows

UNIT = UUID("01900000-0000-7000-8000-000000000001")


def only_record(*rows: dict[str, Any], **options: Any) -> dict[str, Any]:
    outcome = read_rows(*rows, **options)
    assert outcome.errors == []
    (record,) = outcome.records
    return record


def test_an_invoice_with_everything() -> None:
    record = only_record(
        invoice(
            number="F-1",
            customer_name="Dupont",
            source="sap",
            source_version=7,
            delivery_date="2026-02-27",
            original_due_date="2026-03-15",
            settled_on="2026-03-20",
            tax_amount="205.76",
            net_amount="1028.80",
            open_amount="1000.00",
            reference="PO 12",
            order_reference="O-9",
            custom_fields={"site": "Lyon", "rank": 12.50, "vip": True, "note": None},
            business_unit_id=str(UNIT),
            external_id="INV-1",
        )
    )
    assert record == {
        "row": 1,
        "business_unit_id": UNIT,
        "external_id": "INV-1",
        "kind": "invoice",
        "direction": "debit",
        "customer_id": None,
        "customer_external_id": "C1",
        "customer_name": "Dupont",
        "number": "F-1",
        "source": "sap",
        "source_version": 7,
        "issue_date": date(2026, 3, 1),
        "delivery_date": date(2026, 2, 27),
        "due_date": date(2026, 3, 31),
        "original_due_date": date(2026, 3, 15),
        "settled_on": date(2026, 3, 20),
        "currency": "EUR",
        "amount": 123456,
        "tax_amount": 20576,
        "net_amount": 102880,
        "open_amount": 100000,
        "reference": "PO 12",
        "order_reference": "O-9",
        "custom_fields": '{"site":"Lyon","rank":12.5,"vip":true,"note":null}',
    }


@pytest.mark.parametrize(
    ("given", "currency", "minor"),
    [
        ('"1234.56"', "EUR", 123456),
        ("1234.56", "EUR", 123456),
        ("1234.5", "EUR", 123450),
        ('"1234"', "EUR", 123400),
        ("1234", "EUR", 123400),
        ('"+12.00"', "EUR", 1200),
        ('"0.01"', "EUR", 1),
        ("1e3", "EUR", 100000),
        ('"1234"', "JPY", 1234),
        ('"1234.0"', "JPY", 1234),
        ('"1.234"', "TND", 1234),
        ("0.1", "EUR", 10),
        ("999999999999999.99", "EUR", 99999999999999999),
        ("123456789012345.67", "EUR", 12345678901234567),
    ],
)
def test_figures_reach_minor_units_without_passing_through_float(
    given: str, currency: str, minor: int
) -> None:
    row = json.dumps(invoice(currency=currency)).replace('"1234.56"', given).encode()
    outcome = read(row)
    assert outcome.errors == []
    assert [record["amount"] for record in outcome.records] == [minor]


@pytest.mark.parametrize(
    ("row", "direction", "total"),
    [
        (invoice(), "debit", "1234.56"),
        (invoice(kind="credit_note"), "credit", "-1234.56"),
        (invoice(kind="payment"), "credit", "-1234.56"),
        (invoice(kind="other", direction="debit"), "debit", "1234.56"),
        (invoice(kind="other", direction="credit"), "credit", "-1234.56"),
    ],
)
def test_the_kind_says_which_way_an_amount_counts(row: dict[str, Any], direction: str, total: str) -> None:
    outcome = read_rows(row)
    assert [record["direction"] for record in outcome.records] == [direction]
    assert outcome.sums == {"EUR": total}


def test_a_credit_is_due_on_its_own_date_and_an_invoice_waits_for_its_terms() -> None:
    outcome = read_rows(invoice(1, due_date=None), invoice(2, kind="credit_note", due_date=None))
    assert [record["due_date"] for record in outcome.records] == [None, date(2026, 3, 1)]


@pytest.mark.parametrize(
    ("kind", "left", "minor"),
    [
        ("invoice", "0.00", 0),
        ("invoice", "1234.56", 123456),
        ("credit_note", "-1234.56", -123456),
        ("credit_note", "0", 0),
    ],
)
def test_an_open_amount_is_signed_like_its_item(kind: str, left: str, minor: int) -> None:
    assert only_record(invoice(kind=kind, open_amount=left))["open_amount"] == minor


@pytest.mark.parametrize("nothing", [{}, {"reference": None}, {"reference": ""}])
def test_left_out_null_and_empty_are_the_same(nothing: dict[str, Any]) -> None:
    body = json.dumps(
        invoice() | nothing | {"tax_amount": None, "due_date": None, "custom_fields": None}
    ).encode()
    (record,) = read(body).records
    assert [record[name] for name in ("reference", "tax_amount", "due_date", "custom_fields")] == [None] * 4


@pytest.mark.parametrize(
    ("given", "version"),
    [
        (0, 0),
        (41, 41),
        ("41", 41),
        ("2026-03-01T10:00:00Z", 1772359200000000),
        ("2026-03-01T11:00:00.5+01:00", 1772359200500000),
        (None, None),
    ],
)
def test_source_versions_grow(given: Any, version: int | None) -> None:
    assert only_record(invoice(source_version=given))["source_version"] == version


def test_the_import_says_what_rows_leave_out() -> None:
    defaults = RowDefaults(business_unit_id=UNIT, source="sap")
    outcome = read_rows(invoice(1), invoice(2, source="sage"), defaults=defaults)
    assert [(record["business_unit_id"], record["source"]) for record in outcome.records] == [
        (UNIT, "sap"),
        (UNIT, "sage"),
    ]


def test_a_customer_with_everything() -> None:
    record = only_record(
        {
            "external_id": "C1",
            "name": "Dupont SA",
            "company": {
                "country": "FR",
                "registration_number": "732 829 320",
                "vat_number": "FR44732829320",
                "name": "Dupont",
            },
            "language": "fr",
            "currency": "EUR",
            "payment_terms": {"days": 30, "end_of_month": True, "day_of_month": 10},
            "segment": "retail",
            "buyer_kind": "private",
            "prepaid": False,
            "collector_user_id": str(UNIT),
            "contacts": [{"name": "Ann", "email": "ann@example.org", "role": "dunning"}],
            "actors": [{"user_id": str(UNIT), "role": "salesperson"}],
            "address": {"city": "Lyon"},
            "custom_fields": {"tier": "A"},
        },
        kind="customers",
    )
    assert record == {
        "row": 1,
        "business_unit_id": None,
        "external_id": "C1",
        "source": None,
        "source_version": None,
        "name": "Dupont SA",
        "company_country": "FR",
        "company_registration_number": "732829320",
        "company_vat_number": "FR44732829320",
        "company_lei": None,
        "company_name": "Dupont",
        "language": "fr",
        "currency": "EUR",
        "terms_days": 30,
        "terms_end_of_month": True,
        "terms_day_of_month": 10,
        "segment": "retail",
        "buyer_kind": "private",
        "prepaid": False,
        "collector_user_id": UNIT,
        "contacts": '[{"name":"Ann","email":"ann@example.org","role":"dunning"}]',
        "actors": f'[{{"user_id":"{UNIT}","role":"salesperson"}}]',
        "address": '{"city":"Lyon"}',
        "custom_fields": '{"tier":"A"}',
    }


def test_no_contacts_and_an_empty_list_of_contacts_are_two_things() -> None:
    outcome = read_rows(
        {"external_id": "1", "name": "A"}, {"external_id": "2", "name": "B", "contacts": []}, kind="customers"
    )
    assert [record["contacts"] for record in outcome.records] == [None, "[]"]


def test_an_order() -> None:
    record = only_record(
        {
            "external_id": "O1",
            "customer_external_id": "C1",
            "amount": "10.00",
            "currency": "EUR",
            "expected_on": "2026-05-01",
        },
        kind="orders",
    )
    assert record["amount"] == 1000
    assert record["invoiced_amount"] == 0
    assert record["status"] == "open"
    assert record["tax_included"] is True
    assert record["expected_on"] == date(2026, 5, 1)


PAYMENT = {
    "external_id": "P1",
    "customer_external_id": "C1",
    "amount": "10.00",
    "currency": "EUR",
    "paid_on": "2026-05-01",
}


@pytest.mark.parametrize(
    ("said", "allocate", "allocations"),
    [
        ({}, "none", None),
        ({"allocate": "oldest"}, "oldest", None),
        ({"item_external_id": "INV-1"}, None, [["INV-1", 1000]]),
        (
            {
                "allocations": [
                    {"item_external_id": "A", "amount": "4.00"},
                    {"item_external_id": "B", "amount": 6},
                ]
            },
            None,
            [["A", 400], ["B", 600]],
        ),
    ],
)
def test_a_payment_says_what_it_pays(said: dict[str, Any], allocate: str | None, allocations: Any) -> None:
    record = only_record(PAYMENT | said, kind="payments")
    assert record["allocate"] == allocate
    parts = record["allocations"] and [
        [p["item_external_id"], p["amount"]] for p in json.loads(record["allocations"])
    ]
    assert parts == allocations


def test_the_customer_of_a_payment_may_be_its_items() -> None:
    row = {name: value for name, value in PAYMENT.items() if name != "customer_external_id"}
    outcome = read_rows(row | {"item_external_id": "INV-1"}, row | {"external_id": "P2"}, kind="payments")
    assert outcome.named == [(2, "/customer_external_id", "required")]
    assert [record["external_id"] for record in outcome.records] == ["P1"]


@pytest.mark.parametrize("text", ["١٢.٣٤", "１２", "1_2", " 1", "1e2"])
def test_money_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(MoneyError, match="expected a decimal"):
        to_minor(text, "EUR")
