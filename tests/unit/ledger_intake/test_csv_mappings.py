"""A saved mapping turns a source's own columns into our rows."""

from datetime import date
from typing import Any

import pytest

from services.ledger.domain.intake.dialects import DialectInvalid, read_dialect
from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.mappings import read_mapping
from services.ledger.domain.intake.pipeline import CSV
from services.ledger.domain.intake.projection import check_mapping
from services.ledger.domain.intake.row_kinds import CUSTOMERS, ITEMS
from tests.unit.ledger_intake.reading import Outcome, read

COLUMNS: dict[str, Any] = {
    "TYP": {"to": "kind", "values": {"FAC": "invoice", "AV": "credit_note"}},
    "DOC": "external_id",
    "CLI": "customer_external_id",
    "DATE": "issue_date",
    "TTC": "amount",
}
BASE: dict[str, Any] = {"columns": COLUMNS, "constants": {"currency": "EUR"}}


def mapped(
    mapping: dict[str, Any], *lines: str, kind: str = "items", dialect: dict[str, Any] | None = None
) -> Outcome:
    body = "".join(f"{line}\n" for line in lines).encode()
    said = {"separator": ";", "decimal": ",", "date_formats": ["DD/MM/YYYY"]} | (dialect or {})
    return read(body, kind=kind, media_type=CSV, dialect=read_dialect(said), mapping=read_mapping(mapping))


def test_columns_values_and_constants() -> None:
    outcome = mapped(BASE, "TYP;DOC;CLI;DATE;TTC", "FAC;F1;C1;01/03/2026;12,50", "AV;A1;C1;02/03/2026;3,00")
    assert [(r["kind"], r["external_id"], r["issue_date"], r["amount"]) for r in outcome.records] == [
        ("invoice", "F1", date(2026, 3, 1), 1250),
        ("credit_note", "A1", date(2026, 3, 2), 300),
    ]
    assert outcome.sums == {"EUR": "9.50"}


def test_every_cell_at_fault_is_named() -> None:
    outcome = mapped(BASE, "TYP;DOC;CLI;DATE;TTC", "FAC;F1;C1;01/03/2026;12,50", "XXX;F2;C1;31/02/2026;12.50")
    assert outcome.named == [
        (2, "/kind", "value_unknown"),
        (2, "/issue_date", "date_invalid"),
        (2, "/amount", "amount_invalid"),
    ]
    assert "DD/MM/YYYY" in outcome.errors[1].detail
    assert "1234,56" in outcome.errors[2].detail


def test_a_refused_row_counts_what_it_states() -> None:
    outcome = mapped(BASE, "TYP;DOC;CLI;DATE;TTC", "FAC;F1;C1;31/02/2026;12,50", "AV;A1;C1;31/02/2026;2,50")
    assert outcome.sums == {"EUR": "10.00"}
    assert outcome.counts == (2, 0, 2, 0)


def test_any_other_text_and_texts_without_meaning() -> None:
    columns = COLUMNS | {
        "TYP": {"to": "kind", "values": {"AV": "credit_note", "*": "invoice"}},
        "REF": {"to": "reference", "values": {"*": None}},
    }
    outcome = mapped(
        {"columns": columns, "constants": {"currency": "EUR"}},
        "TYP;DOC;CLI;DATE;TTC;REF",
        "??;F1;C1;01/03/2026;12,50;x",
    )
    assert [(r["kind"], r["reference"]) for r in outcome.records] == [("invoice", None)]


def test_numbers_a_spreadsheet_spoilt() -> None:
    columns = COLUMNS | {
        "DOC": {"to": ["external_id", "number"], "strip_decimal_zero": True, "strip_leading_zeros": True},
    }
    outcome = mapped(
        {"columns": columns, "constants": {"currency": "EUR"}},
        "TYP;DOC;CLI;DATE;TTC",
        *(f"FAC;{number};C1;01/03/2026;1,00" for number in ("0001930571429.0", "00", "7.50", "A0.0")),
    )
    assert [(r["external_id"], r["number"]) for r in outcome.records] == [
        ("1930571429", "1930571429"),
        ("0", "0"),
        ("7.50", "7.50"),
        ("A0.0", "A0.0"),
    ]


def test_constants_stand_where_the_file_says_nothing() -> None:
    mapping = {
        "columns": COLUMNS | {"DEV": "currency"},
        "constants": {"currency": "EUR", "custom_fields.origin": "sage"},
    }
    outcome = mapped(
        mapping, "TYP;DOC;CLI;DATE;TTC;DEV", "FAC;F1;C1;01/03/2026;12,50;", "FAC;F2;C1;01/03/2026;12,50;USD"
    )
    assert [r["currency"] for r in outcome.records] == ["EUR", "USD"]
    assert [r["custom_fields"] for r in outcome.records] == ['{"origin":"sage"}'] * 2


@pytest.mark.parametrize(
    ("ignore", "fails"), [([], True), (["X"], True), (["X", "Y"], False), (["*"], False)]
)
def test_unknown_columns_fail_the_file_unless_ignored(ignore: list[str], fails: bool) -> None:
    lines = ("TYP;DOC;X;CLI;DATE;TTC;Y", "FAC;F1;x;C1;01/03/2026;12,50;y")
    if fails:
        with pytest.raises(ImportFailed, match=r"column_unknown.*Y"):
            mapped(BASE | {"ignore": ignore}, *lines)
    else:
        assert mapped(BASE | {"ignore": ignore}, *lines).counts == (1, 1, 0, 0)


def test_columns_missing_or_there_twice_fail_the_file() -> None:
    with pytest.raises(ImportFailed, match=r"column_missing.*TTC"):
        mapped(BASE, "TYP;DOC;CLI;DATE")
    with pytest.raises(ImportFailed, match=r"column_repeated.*DOC"):
        mapped(BASE, "TYP;DOC;CLI;DATE;TTC;DOC")


def test_only_some_rows() -> None:
    outcome = mapped(
        BASE | {"only": {"ETAT": ["ouvert"]}},
        "TYP;DOC;CLI;DATE;TTC;ETAT",
        "FAC;F1;C1;01/03/2026;1,00;soldé",
        "FAC;F2;C1;01/03/2026;2,00;ouvert",
        "nonsense;;;;;soldé",
        "FAC;F3;C1;01/03/2026;-4,00;ouvert",
    )
    assert [r["row"] for r in outcome.records] == [2]
    assert outcome.named == [(4, "/amount", "amount_not_positive")]
    assert outcome.intake.skipped == 2
    assert outcome.counts == (2, 1, 1, 0)


def test_negative_invoices_as_credit_notes() -> None:
    columns = COLUMNS | {"TVA": "tax_amount", "SOLDE": "open_amount"}
    lines = (
        "TYP;DOC;CLI;DATE;TTC;TVA;SOLDE",
        "FAC;F1;C1;01/03/2026;-12,00;-2,00;-5,00",
        "AV;F2;C1;01/03/2026;-3,00;;-3,00",
    )
    mapping = {"columns": columns, "constants": {"currency": "EUR"}}
    assert {code for _, _, code in mapped(mapping, *lines).named} == {"amount_not_positive"}
    outcome = mapped(mapping | {"negative_amounts": "credit_note"}, *lines)
    assert [(r["kind"], r["amount"], r["tax_amount"], r["open_amount"]) for r in outcome.records] == [
        ("credit_note", 1200, 200, -500),
        ("credit_note", 300, None, -300),
    ]


def test_open_amounts_without_a_sign_get_that_of_the_item() -> None:
    mapping = {
        "columns": COLUMNS | {"SOLDE": "open_amount"},
        "constants": {"currency": "EUR"},
        "open_amounts": "unsigned",
    }
    outcome = mapped(
        mapping,
        "TYP;DOC;CLI;DATE;TTC;SOLDE",
        "FAC;F1;C1;01/03/2026;12,00;5,00",
        "AV;F2;C1;01/03/2026;3,00;3,00",
    )
    assert [r["open_amount"] for r in outcome.records] == [500, -300]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("FAC;F1;C1;01/03/2026;12,00;5,00", 700),
        ("AV;F1;C1;01/03/2026;12,00;5,00", -700),
        ("FAC;F1;C1;01/03/2026;12,00;", None),
    ],
)
def test_what_was_settled_says_what_is_open(line: str, left: int | None) -> None:
    mapping = {"columns": COLUMNS | {"PAYE": "settled_amount"}, "constants": {"currency": "EUR"}}
    assert [r["open_amount"] for r in mapped(mapping, "TYP;DOC;CLI;DATE;TTC;PAYE", line).records] == [left]


def test_settled_beyond_the_amount_is_a_fault() -> None:
    mapping = {"columns": COLUMNS | {"PAYE": "settled_amount"}, "constants": {"currency": "EUR"}}
    outcome = mapped(
        mapping,
        "TYP;DOC;CLI;DATE;TTC;PAYE",
        "FAC;F1;C1;01/03/2026;12,00;12,01",
        "FAC;F2;C1;01/03/2026;12,00;x",
    )
    assert outcome.named == [
        (1, "/open_amount", "open_amount_out_of_range"),
        (2, "/settled_amount", "amount_invalid"),
    ]


def test_terms_give_the_due_date_where_none_is() -> None:
    mapping = {
        "columns": COLUMNS | {"ECH": "due_date", "COND": "payment_terms"},
        "constants": {"currency": "EUR"},
    }
    outcome = mapped(
        mapping,
        "TYP;DOC;CLI;DATE;TTC;ECH;COND",
        "FAC;F1;C1;01/03/2026;1,00;;Net 30",
        "FAC;F2;C1;01/03/2026;1,00;05/03/2026;Net 30",
        "FAC;F3;C1;17/01/2026;1,00;;30 jours fin de mois le 10",
        "FAC;F4;C1;17/01/2026;1,00;;NAH4",
    )
    assert [r["due_date"] for r in outcome.records] == [
        date(2026, 3, 31),
        date(2026, 3, 5),
        date(2026, 3, 10),
        None,
    ]


def test_customers_are_put_together_from_flat_columns() -> None:
    mapping = {
        "columns": {
            "N": "external_id",
            "NOM": {"to": ["name", "company.name"]},
            "SIREN": "company.registration_number",
            "COND": "payment_terms",
            "VILLE": "address.city",
            "MAIL": "contact.email",
            "TEL": "contact.phone",
            "VIP": "prepaid",
        },
        "constants": {"company.country": "FR", "contact.role": "accounting"},
    }
    outcome = mapped(
        mapping,
        "N;NOM;SIREN;COND;VILLE;MAIL;TEL;VIP",
        "1;Dupont;732 829 320;45 jours fin de mois;Lyon;a@example.org;;oui",
        "2;Durand;732 829 320;whenever;;b@example.org;;no",
        "3;Martin;732829320;14;Paris;c@example.org;01;yes",
        kind="customers",
    )
    assert outcome.named == [
        (1, "/prepaid", "boolean_invalid"),
        (2, "/payment_terms", "payment_terms_unreadable"),
    ]
    (record,) = outcome.records
    assert record["company_registration_number"] == "732829320"
    assert (record["terms_days"], record["prepaid"], record["address"]) == (14, True, '{"city":"Paris"}')
    assert record["contacts"] == '[{"email":"c@example.org","phone":"01","role":"accounting"}]'


@pytest.mark.parametrize(
    ("mapping", "pointer"),
    [
        ({"columns": {"A": "colour"}}, "/columns/A"),
        ({"columns": {"A": "amount", "B": "amount"}}, "/columns/B"),
        ({"columns": {"A": "company.country"}}, "/columns/A"),
        ({"constants": {"colour": 1}}, "/constants/colour"),
    ],
)
def test_a_mapping_is_checked_when_it_is_saved(mapping: dict[str, Any], pointer: str) -> None:
    with pytest.raises(DialectInvalid) as caught:
        check_mapping(ITEMS, read_mapping(mapping))
    assert caught.value.pointer == pointer
    check_mapping(CUSTOMERS, read_mapping({"columns": {"A": "company.country", "B": "custom_fields.tier"}}))


@pytest.mark.parametrize(
    "mapping",
    [{"columns": []}, {"colour": 1}, {"columns": {"A": {"into": "x"}}}, {"negative_amounts": "maybe"}, 5],
)
def test_mappings_that_make_no_sense(mapping: Any) -> None:
    with pytest.raises(DialectInvalid):
        read_mapping(mapping)
