"""Real exports through mappings: every row, clean or dirty, is accounted for, and so is every cent."""

import csv
import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.ledger.domain.intake.dialects import read_dialect
from services.ledger.domain.intake.mappings import read_mapping
from services.ledger.domain.intake.pipeline import CSV
from tests.unit.ledger_intake.reading import Outcome, read

pytestmark = pytest.mark.data
MAPPINGS = Path(__file__).parent / "mappings"


def imported(data_dir: Path, name: str, size: int = 1 << 16) -> Outcome:
    saved = json.loads((MAPPINGS / f"{name}.json").read_text())
    outcome = read(
        (data_dir / "ar" / saved["file"]).read_bytes(),
        kind=saved["kind"],
        media_type=CSV,
        size=size,
        dialect=read_dialect(saved["dialect"]),
        mapping=read_mapping(saved["mapping"]),
    )
    received, taken, rejected, duplicates = outcome.counts
    assert received == taken + rejected + duplicates
    return outcome


def source(data_dir: Path, name: str) -> list[dict[str, str]]:
    saved = json.loads((MAPPINGS / f"{name}.json").read_text())
    with (data_dir / "ar" / saved["file"]).open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def answers(data_dir: Path, name: str) -> Any:
    return json.loads((data_dir / "ar" / "ANSWERS.json").read_text())[name]


def total(records: list[dict[str, Any]], column: str = "amount") -> Decimal:
    return Decimal(sum(record[column] for record in records)).scaleb(-2)


#: name: received, taken, rejected, repeats, and what is wrong with the rejected
EXPECTED: dict[str, tuple[tuple[int, int, int, int], dict[tuple[str, str], int]]] = {
    "ibm_invoices": ((1377, 1377, 0, 0), {}),
    "ibm_payments": ((1377, 1377, 0, 0), {}),
    "highradius_open_items": ((6788, 6788, 0, 0), {}),
    "order2cash_customers": ((307, 306, 0, 1), {}),
    "order2cash_invoices": (
        (4866, 4858, 5, 3),
        {("/amount", "required"): 3, ("/amount", "amount_not_positive"): 2},
    ),
    "order2cash_payments": ((4104, 4104, 0, 0), {}),
    "order2cash_orders": ((6087, 6087, 0, 0), {}),
    "unicorn_invoices": ((2153, 2147, 6, 0), {("/amount", "amount_not_positive"): 6}),
    "unicorn_pending_invoices": ((511, 511, 0, 0), {}),
    "guild_customers": ((285, 279, 6, 0), {("/external_id", "duplicate_in_file"): 6}),
    "guild_invoices": (
        (1624, 1521, 74, 29),
        {("/issue_date", "date_invalid"): 41, ("/due_date", "date_invalid"): 36},
    ),
    "cassandra_invoices": ((5724, 5640, 83, 1), {("/external_id", "duplicate_in_file"): 83}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_row_is_accounted_for(data_dir: Path, name: str) -> None:
    counts, faults = EXPECTED[name]
    outcome = imported(data_dir, name)
    assert outcome.counts == counts
    assert Counter((pointer, code) for _, pointer, code in outcome.named) == Counter(faults)


#: name: the column of the file that holds the amount
AMOUNTS = {
    "ibm_invoices": "InvoiceAmount",
    "highradius_open_items": "total_open_amount",
    "order2cash_invoices": "Invoice_Amount",
    "order2cash_payments": "Amount_Paid",
    "order2cash_orders": "Sales_Amount",
    "unicorn_invoices": "BillTotal",
    "guild_invoices": "amount_incl_gst",
    "cassandra_invoices": "Amount",
}


@pytest.mark.parametrize("name", AMOUNTS)
def test_totals_in_are_totals_out_and_rejected(data_dir: Path, name: str) -> None:
    """The file's own sum, computed apart, is the sum received; what was taken, plus refused, plus repeats makes it up."""
    outcome = imported(data_dir, name)
    figures = [row[AMOUNTS[name]].replace("$", "").replace(",", "") for row in source(data_dir, name)]
    in_file = sum((Decimal(figure) for figure in figures if figure), Decimal(0))
    assert sum(outcome.intake.received.sums().values()) == in_file
    refused = {error.row for error in outcome.errors}
    taken = {record["row"] for record in outcome.records}
    left_out = sum(
        (
            Decimal(figure)
            for row, figure in enumerate(figures, 1)
            if figure and (row in refused or row not in taken)
        ),
        Decimal(0),
    )
    assert total(outcome.records) + left_out == in_file


def test_chunks_do_not_matter(data_dir: Path) -> None:
    whole = imported(data_dir, "guild_invoices", size=1 << 30)
    cut = imported(data_dir, "guild_invoices", size=777)
    assert cut.records == whole.records
    assert cut.errors == whole.errors


def test_the_same_invoices_under_padded_and_unpadded_numbers(data_dir: Path) -> None:
    padded = {record["external_id"] for record in imported(data_dir, "ibm_invoices").records}
    assert all(len(number) == 10 for number in padded)
    unpadded = {record["external_id"] for record in imported(data_dir, "ibm_invoices_unpadded").records}
    other = read(
        (data_dir / "ar" / "ibm_accounts_receivable_with_missing.csv").read_bytes(),
        media_type=CSV,
        dialect=read_dialect({"date_formats": ["M/D/YYYY"]}),
        mapping=read_mapping(json.loads((MAPPINGS / "ibm_invoices_unpadded.json").read_text())["mapping"]),
    )
    assert other.counts == (1447, 1447, 0, 0)
    assert unpadded == {number.lstrip("0") for number in padded}
    assert len(unpadded & {record["external_id"] for record in other.records}) > 1300


def test_highradius_by_currency_and_customer(data_dir: Path) -> None:
    outcome, answer = imported(data_dir, "highradius_open_items"), answers(data_dir, "highradius")
    assert outcome.sums == {currency: found["sum"] for currency, found in answer["by_currency"].items()}
    assert len({record["customer_external_id"] for record in outcome.records}) == answer["customers"]
    late = sum(record["due_date"] < record["issue_date"] for record in outcome.records)
    assert late == answer["due_before_posting"]
    assert not any("." in record["external_id"] for record in outcome.records)


def test_unicorn_ageing_needs_its_terms_and_partial_amounts(data_dir: Path) -> None:
    outcome, answer = imported(data_dir, "unicorn_pending_invoices"), answers(data_dir, "unicorn")
    as_of = date(2025, 9, 30)
    for currency, expected in answer["by_currency"].items():
        rows = [record for record in outcome.records if record["currency"] == currency]
        assert (len(rows), total(rows, "open_amount")) == (expected["count"], Decimal(expected["sum"]))
        current = [record for record in rows if record["due_date"] >= as_of]
        assert (len(current), total(current, "open_amount")) == (
            expected["buckets"]["current"]["count"],
            Decimal(expected["buckets"]["current"]["sum"]),
        )
    assert answer["missing_due"] == sum(not row["DueDate"] for row in source(data_dir, "unicorn_invoices"))


def test_cassandra_amounts_are_settled_plus_open(data_dir: Path) -> None:
    outcome = imported(data_dir, "cassandra_invoices")
    rows = source(data_dir, "cassandra_invoices")
    for record in outcome.records:
        row = rows[record["row"] - 1]
        assert Decimal(row["Settled"]) == (Decimal(record["amount"]) - record["open_amount"]).scaleb(-2)
