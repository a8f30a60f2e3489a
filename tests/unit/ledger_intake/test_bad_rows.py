"""Each bad row is named by its number, where it is wrong and what was expected; the good ones around it go on."""

from typing import Any

import pytest

from tests.unit.ledger_intake.reading import JSON, NDJSON, invoice, ndjson, read, read_rows

ITEM_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    (invoice(amount=None), "/amount", "required"),
    (invoice(kind=None), "/kind", "required"),
    (invoice(external_id=None), "/external_id", "required"),
    (invoice(external_id=""), "/external_id", "text_invalid"),
    (invoice(external_id="x" * 129), "/external_id", "text_invalid"),
    (invoice(external_id=5), "/external_id", "text_invalid"),
    (invoice(kind="bill"), "/kind", "value_unknown"),
    (invoice(amonut="1.00"), "/amonut", "unknown_field"),
    (invoice(issue_date="2026-02-30"), "/issue_date", "date_invalid"),
    (invoice(issue_date="01/03/2026"), "/issue_date", "date_invalid"),
    (invoice(issue_date="1899-12-31"), "/issue_date", "date_out_of_range"),
    (invoice(due_date="2200-01-01"), "/due_date", "date_out_of_range"),
    (invoice(currency="EURO"), "/currency", "currency_unknown"),
    (invoice(currency="XXX"), "/currency", "currency_unknown"),
    (invoice(currency="eur"), "/currency", "currency_unknown"),
    (invoice(amount="0.00"), "/amount", "amount_not_positive"),
    (invoice(amount="-5.00"), "/amount", "amount_not_positive"),
    (invoice(amount="10.005"), "/amount", "amount_too_precise"),
    (invoice(amount=10.005), "/amount", "amount_too_precise"),
    (invoice(amount="1.5", currency="JPY"), "/amount", "amount_too_precise"),
    (invoice(amount="1,234.56"), "/amount", "amount_invalid"),
    (invoice(amount="1_000.00"), "/amount", "amount_invalid"),
    (invoice(amount="١٢.٣٤"), "/amount", "amount_invalid"),
    (invoice(amount=" 12.00"), "/amount", "amount_invalid"),
    (invoice(amount="NaN"), "/amount", "amount_invalid"),
    (invoice(amount="Infinity"), "/amount", "amount_invalid"),
    (invoice(amount=""), "/amount", "amount_invalid"),
    (invoice(amount=True), "/amount", "amount_invalid"),
    (invoice(amount=[1]), "/amount", "amount_invalid"),
    (invoice(amount="9" * 18), "/amount", "amount_too_large"),
    (invoice(tax_amount="2000.00"), "/tax_amount", "amount_out_of_range"),
    (invoice(tax_amount="-1.00"), "/tax_amount", "amount_out_of_range"),
    (invoice(net_amount="1234.57"), "/net_amount", "amount_out_of_range"),
    (invoice(open_amount="1234.57"), "/open_amount", "open_amount_out_of_range"),
    (invoice(open_amount="-0.01"), "/open_amount", "open_amount_out_of_range"),
    (invoice(kind="credit_note", open_amount="10.00"), "/open_amount", "open_amount_out_of_range"),
    (invoice(kind="other"), "/direction", "direction_required"),
    (invoice(direction="credit"), "/direction", "direction_not_allowed"),
    (invoice(customer_external_id=None), "/customer_external_id", "required"),
    (invoice(customer_id="01900000-0000-7000-8000-000000000001"), "/customer_id", "customer_ambiguous"),
    (invoice(customer_external_id=None, customer_id="C1"), "/customer_id", "id_invalid"),
    (invoice(source_version=-1), "/source_version", "source_version_invalid"),
    (invoice(source_version="yesterday"), "/source_version", "source_version_invalid"),
    (invoice(source_version="2026-03-01T10:00:00"), "/source_version", "source_version_invalid"),
    (invoice(source_version=1.5), "/source_version", "source_version_invalid"),
    (invoice(custom_fields={"a": {"b": 1}}), "/custom_fields/a", "custom_field_invalid"),
    (invoice(custom_fields={"a/b": "x" * 1001}), "/custom_fields/a~1b", "text_invalid"),
    (invoice(custom_fields={"": 1}), "/custom_fields", "text_invalid"),
    (invoice(custom_fields=[]), "/custom_fields", "object_invalid"),
    (invoice(reference="a\x00b"), "", "json_text"),
    (invoice(reference="\ud800"), "", "json_text"),
    (invoice(custom_fields={"a": "\ud800"}), "", "json_text"),
]


@pytest.mark.parametrize(("row", "pointer", "code"), ITEM_FAULTS)
def test_a_bad_item_is_named_and_its_neighbours_land(row: dict[str, Any], pointer: str, code: str) -> None:
    outcome = read_rows(invoice(101), invoice(102), row, invoice(103))
    assert outcome.named == [(3, pointer, code)]
    assert [record["external_id"] for record in outcome.records] == ["INV-101", "INV-102", "INV-103"]
    assert [record["row"] for record in outcome.records] == [1, 2, 4]
    assert outcome.errors[0].detail


def test_every_field_at_fault_is_named_at_once() -> None:
    outcome = read_rows(invoice(amount=None, issue_date="x", kind="bill", colour="red"))
    assert outcome.named == [
        (1, "/colour", "unknown_field"),
        (1, "/kind", "value_unknown"),
        (1, "/issue_date", "date_invalid"),
        (1, "/amount", "required"),
    ]
    assert outcome.counts == (1, 0, 1, 0)


def test_the_value_that_was_wrong_is_not_echoed() -> None:
    outcome = read_rows(invoice(amount="secret-figure", issue_date="secret-day"))
    assert "secret" not in " ".join(error.detail for error in outcome.errors)


CUSTOMER = {"external_id": "C1", "name": "Dupont"}
CUSTOMER_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"company": {"country": "XX", "registration_number": "1"}}, "/company/country", "country_invalid"),
    (
        {"company": {"country": "FR", "registration_number": "732829321"}},
        "/company/registration_number",
        "registration_number_invalid",
    ),
    ({"company": {"registration_number": "732829320"}}, "/company/country", "country_invalid"),
    ({"company": {"country": "FRA"}}, "/company/country", "country_unknown"),
    ({"company": {"siren": "732829320"}}, "/company/siren", "unknown_field"),
    ({"company": "Dupont"}, "/company", "object_expected"),
    ({"payment_terms": {"days": -1}}, "/payment_terms/days", "payment_terms_invalid"),
    ({"payment_terms": {}}, "/payment_terms/days", "required"),
    ({"language": "français"}, "/language", "language_invalid"),
    ({"buyer_kind": "shop"}, "/buyer_kind", "value_unknown"),
    ({"contacts": [{"email": "a@b"}, {"email": "nobody"}]}, "/contacts/1/email", "email_invalid"),
    ({"contacts": [{"role": "dunning"}]}, "/contacts/0", "required"),
    ({"contacts": {}}, "/contacts", "list_invalid"),
    ({"actors": [{"user_id": "x", "role": "r"}]}, "/actors/0/user_id", "id_invalid"),
    ({"prepaid": "no"}, "/prepaid", "boolean_invalid"),
    ({"currency": "EEE"}, "/currency", "currency_unknown"),
    ({"address": {"city": 5}}, "/address", "object_invalid"),
]


@pytest.mark.parametrize(("said", "pointer", "code"), CUSTOMER_FAULTS)
def test_a_bad_customer_is_named(said: dict[str, Any], pointer: str, code: str) -> None:
    outcome = read_rows({"external_id": "C0", "name": "Good"}, CUSTOMER | said, kind="customers")
    assert outcome.named == [(2, pointer, code)]
    assert len(outcome.records) == 1


PAYMENT = {
    "external_id": "P1",
    "customer_external_id": "C1",
    "amount": "10.00",
    "currency": "EUR",
    "paid_on": "2026-05-01",
}
PAYMENT_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"amount": "-1.00"}, "/amount", "amount_not_positive"),
    ({"allocations": [{"item_external_id": "A", "amount": "10.01"}]}, "/allocations", "over_allocated"),
    (
        {"allocations": [{"item_external_id": "A", "amount": "0"}]},
        "/allocations/0/amount",
        "amount_not_positive",
    ),
    ({"allocations": [{"amount": "1.00"}]}, "/allocations/0", "required"),
    ({"allocations": [{"item_external_id": "A"}]}, "/allocations/0/amount", "required"),
    (
        {"allocations": [{"item_external_id": "A", "amount": "1"}], "allocate": "oldest"},
        "/allocate",
        "allocation_ambiguous",
    ),
    (
        {"allocations": [{"item_external_id": "A", "amount": "1"}], "item_external_id": "B"},
        "/item_external_id",
        "allocation_ambiguous",
    ),
    ({"allocate": "newest"}, "/allocate", "value_unknown"),
    ({"paid_on": None}, "/paid_on", "required"),
]


@pytest.mark.parametrize(("said", "pointer", "code"), PAYMENT_FAULTS)
def test_a_bad_payment_is_named(said: dict[str, Any], pointer: str, code: str) -> None:
    outcome = read_rows(PAYMENT | {"external_id": "P0"}, PAYMENT | said, kind="payments")
    assert outcome.named == [(2, pointer, code)]
    assert len(outcome.records) == 1


ORDER = {"external_id": "O1", "customer_external_id": "C1", "amount": "10.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("said", "pointer", "code"),
    [
        ({"amount": "-1.00"}, "/amount", "amount_out_of_range"),
        ({"invoiced_amount": "10.01"}, "/invoiced_amount", "amount_out_of_range"),
        ({"status": "lost"}, "/status", "value_unknown"),
    ],
)
def test_a_bad_order_is_named(said: dict[str, Any], pointer: str, code: str) -> None:
    assert read_rows(ORDER | said, kind="orders").named == [(1, pointer, code)]


RAW_FAULTS: list[tuple[bytes, str]] = [
    (b"5", "object_expected"),
    (b'"text"', "object_expected"),
    (b"[]", "object_expected"),
    (b"null", "object_expected"),
    (b'{"amount": NaN}', "json_number"),
    (b'{"amount": Infinity}', "json_number"),
    (b'{"external_id": "\xff"}', "json_encoding"),
    (b'{"external_id": "a\tb"}', "json_malformed"),
    (b'{"external_id": "A",}', "json_malformed"),
    (b'{"custom_fields": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}", "json_too_deep"),
]


@pytest.mark.parametrize("media_type", [NDJSON, JSON])
@pytest.mark.parametrize(("raw", "code"), RAW_FAULTS)
def test_what_is_no_row_is_named_and_its_neighbours_land(raw: bytes, code: str, media_type: str) -> None:
    before, after = ndjson([invoice(1)]).strip(), ndjson([invoice(2)]).strip()
    body = (
        b"[" + b", ".join([before, raw, after]) + b"]"
        if media_type == JSON
        else b"\n".join([before, raw, after, b""])
    )
    outcome = read(body, media_type=media_type)
    assert outcome.named == [(2, "", code)]
    assert [record["row"] for record in outcome.records] == [1, 3]


DUPLICATED = [
    b'{"amount":"1.00",',
    b'{"amount" : "1.00",',
    b'{"reference":"a : b","amount":"1.00",',
    b'{"reference":"a\\":b","amount":"1.00",',
    b'{"reference":null,"amount":null,',
    b'{"custom_fields":{"a":1,"a":2},',
]


@pytest.mark.parametrize("head", DUPLICATED)
@pytest.mark.parametrize("neighbour", [{}, {"reference": "at 10:30"}])
def test_a_key_that_stands_twice_is_a_fault(head: bytes, neighbour: dict[str, Any]) -> None:
    twice = head + ndjson([invoice(2)]).strip()[1:]
    outcome = read(ndjson([invoice(1, **neighbour)]) + twice + b"\n" + ndjson([invoice(3)]))
    assert outcome.named == [(2, "", "json_duplicate_key")]
    assert len(outcome.records) == 2


def test_a_key_that_stands_twice_in_a_nested_object_is_a_fault() -> None:
    good = (
        b'{"external_id":"1","name":"A","company":{"country":"FR"},"contacts":[{"name":"x","phone":"1"}]}\n'
    )
    bad = good.replace(b'"name":"x"', b'"name":"x","name":"y"').replace(b'"1"', b'"2"', 1)
    assert read(good + bad, kind="customers").named == [(2, "", "json_duplicate_key")]


def test_a_row_too_long_is_skipped_without_being_held() -> None:
    body = ndjson([invoice(1), invoice(2, reference="x" * (3 << 20)), invoice(3)])
    outcome = read(body)
    assert outcome.named == [(2, "", "row_too_large")]
    assert [record["row"] for record in outcome.records] == [1, 3]


def test_a_refused_row_keeps_its_key_where_that_much_can_be_read() -> None:
    """A snapshot must not close an item because its row was refused."""
    outcome = read_rows(
        invoice(1, amount="x"), invoice(2), invoice(4, kind="bill"), invoice(5, external_id=7)
    )
    (batch,) = outcome.batches
    assert batch.refused_keys == ["INV-1", "INV-4"]
    assert (batch.unidentified, batch.rejected) == (1, 3)
