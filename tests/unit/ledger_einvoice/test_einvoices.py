"""Electronic invoices read: signs, prepayments, identities, what is refused; and every file of the corpus against its index."""

import csv
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdf
import pytest

from services.ledger.domain.company_identity import Identity
from services.ledger.domain.einvoice.invoice import item_row
from services.ledger.domain.einvoice.reading import PDF, XML, read_document
from services.ledger.domain.intake.errors import ImportFailed
from tests.unit.ledger_einvoice.documents import buyer, cii, ubl


def row(document: bytes, *, first_seen: bool = True) -> dict[str, Any]:
    return item_row(read_document(document, XML), first_seen=first_seen)


def test_an_invoice_of_each_syntax() -> None:
    assert row(ubl()) == {
        "external_id": "F-1", "number": "F-1", "kind": "invoice", "issue_date": "2026-03-01", "due_date": "2026-03-31",
        "currency": "EUR", "amount": "120.00", "tax_amount": "20.00", "net_amount": "100.00", "reference": "PO 45",
        "order_reference": "SO-118",
    }  # fmt: skip
    assert row(cii()) == {
        "external_id": "F-2", "number": "F-2", "kind": "invoice", "issue_date": "2026-03-01", "due_date": "2026-03-31",
        "currency": "EUR", "amount": "120.00", "tax_amount": "20.00", "net_amount": "100.00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("root", "type_code", "total", "prepaid", "payable", "expected"),
    [
        ("Invoice", "380", "120.00", None, "120.00", ("invoice", "120.00", None)),
        ("CreditNote", "381", "120.00", None, "120.00", ("credit_note", "120.00", None)),
        ("Invoice", "381", "120.00", None, "120.00", ("credit_note", "120.00", None)),
        ("Invoice", "380", "-120.00", None, "-120.00", ("credit_note", "120.00", None)),
        ("CreditNote", "381", "-120.00", None, "-120.00", ("invoice", "120.00", None)),
        ("Invoice", "384", "120.00", "20.00", "100.00", ("invoice", "120.00", "100.00")),
        ("Invoice", "380", "120.00", "120.00", "0.00", ("invoice", "120.00", "0.00")),
        ("Invoice", "380", "120.49", None, "120.00", ("invoice", "120.00", None)),  # rounded
        ("Invoice", "380", "-120.00", "-20.00", "-100.00", ("credit_note", "120.00", "-100.00")),
        (
            "Invoice",
            "380",
            "529.87",
            "1059.74",
            "-529.87",
            ("credit_note", "529.87", None),
        ),  # paid too much before
        ("Invoice", "575", "220.00", "-220.00", "440.00", ("invoice", "440.00", None)),
    ],
)
def test_the_sign_counts_once_and_what_was_paid_before_too(
    root: str, type_code: str, total: str, prepaid: str | None, payable: str, expected: tuple[Any, ...]
) -> None:
    document = ubl(
        root=root, type_code=type_code, total=total, prepaid=prepaid, payable=payable, tax="0", net="0"
    )
    made = row(document)
    assert (made["kind"], made["amount"], made.get("open_amount")) == expected
    assert made.get("settled_on") == ("2026-03-01" if expected[2] else None)
    assert "open_amount" not in row(document, first_seen=False)


def test_the_buyer_is_who_its_registered_numbers_say() -> None:
    party = read_document(ubl(buyer=buyer("C-7")), XML).buyer
    assert party.identity == Identity(
        country="FR", registration_number="732829320", vat_number="FR44732829320"
    )
    assert party.keys[:2] == ("C-7", "732829320")
    assert party.address == {"city": "Lyon"}
    wrong = read_document(ubl(buyer=buyer(vat="FR00732829320", legal="73282932100074")), XML).buyer
    assert wrong.identity == Identity(country="FR")  # check digits that do not hold join nobody
    foreign = read_document(ubl(buyer=buyer(legal="7300010000001", scheme="0088", vat="")), XML).buyer
    assert foreign.identity == Identity(country="FR")


LAUGHS = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>'


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "xml_invalid"),
        (b"<a", "xml_invalid"),
        (b"\xff\xfe\x00", "xml_invalid"),
        (LAUGHS + b"<a>&c;</a>", "doctype_refused"),
        (LAUGHS.decode().encode("utf-16"), "doctype_refused"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "doctype_refused"),
        (ubl().replace(b"<cbc:ID>F-1", b"<cbc:ID>&undeclared;", 1), "xml_invalid"),
        (b"<a>" * 100_000, "xml_invalid"),
        (b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>', "document_not_invoice"),
        (ubl(type_code="wrong"), "document_type_unknown"),
        (ubl(payable="many"), "amount_invalid"),
        (ubl(payable="1E+400"), "amount_invalid"),
        (ubl(payable="", total=""), "amount_missing"),
    ],
)
def test_what_is_refused(document: bytes, code: str) -> None:
    with pytest.raises(ImportFailed) as refused:
        row(document)
    assert refused.value.code == code


def pdf_with(*attachments: tuple[str, bytes]) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    for name, content in attachments:
        writer.add_attachment(name, content)
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def test_a_pdf_is_what_is_attached_to_it() -> None:
    read = read_document(pdf_with(("notes.txt", b"-"), ("Factur-X.xml", cii(number="F-9"))), PDF)
    assert read.number == "F-9"
    for document, code in (
        (pdf_with(("notes.txt", b"-")), "invoice_not_attached"),
        (b"%PDF-1.7 and nothing more", "pdf_invalid"),
        (cii(), "pdf_invalid"),
        (pdf_with(("factur-x.xml", LAUGHS + b"<a/>")), "doctype_refused"),
    ):
        with pytest.raises(ImportFailed) as refused:
            read_document(document, PDF)
        assert refused.value.code == code


def _iso(day: str) -> str | None:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else day[:10] or None


@pytest.mark.data
def test_every_file_of_the_corpus_says_what_its_index_says(data_dir: Path) -> None:
    base, refused, read = data_dir / "einvoice", Counter[tuple[str, str]](), Counter[str]()
    with (base / "INDEX.csv").open(encoding="utf-8", newline="") as index:
        for line in csv.DictReader(index):
            path = base / line["path"]
            try:
                invoice = read_document(path.read_bytes(), PDF if path.suffix == ".pdf" else XML)
                made = item_row(invoice, first_seen=True)
            except ImportFailed as failure:
                refused[line["category"], failure.code] += 1
                continue
            read[line["category"]] += 1
            if line["category"] == "pdf":
                assert invoice.number and made["issue_date"] and invoice.buyer.keys
                continue
            expected = (line["doc_id"], _iso(line["issue"]), _iso(line["due"]), line["currency"])
            found = (invoice.number, invoice.issued, invoice.due, invoice.currency)
            assert found == tuple(value or None for value in expected), line["path"]
            parties = (invoice.seller.name or "", invoice.buyer.name or "")
            assert parties == (line["seller"], line["buyer"]), line["path"]
            payable = Decimal(line["payable"] or 0)
            back = line["root"] == "CreditNote" or line["type_code"] == "381"
            left = Decimal(made.get("open_amount", made["amount"]))
            assert abs(left) == abs(payable), line["path"]
            if payable:
                assert (made["kind"] == "credit_note") == (back != (payable < 0)), line["path"]
    assert read == {"ubl": 282, "cii": 89, "pdf": 16}
    assert refused == {
        ("unit", "document_not_invoice"): 204,
        ("not-invoice", "document_not_invoice"): 5,
        ("ubl", "document_type_unknown"): 4,
    }
