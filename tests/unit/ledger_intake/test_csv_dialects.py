"""How figures, dates and cells are read, as the dialect says and not otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.intake.cells import dates, figures
from services.ledger.domain.intake.dialects import Dialect, DialectInvalid, read_dialect
from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.mappings import read_mapping
from services.ledger.domain.intake.pipeline import CSV
from tests.unit.ledger_intake.reading import Outcome, read

HEADER = "external_id,kind,customer_external_id,issue_date,due_date,currency,amount"
LINE = "INV-1,invoice,C1,2026-03-01,2026-03-31,EUR,10.00"


def csv(
    *lines: str, dialect: dict[str, Any] | None = None, encoding: str = "utf-8", **options: Any
) -> Outcome:
    body = "".join(f"{line}\n" for line in lines).encode(encoding)
    return read(body, media_type=CSV, dialect=read_dialect(dialect or {}), **options)


@pytest.mark.parametrize(
    ("dialect", "text", "plain"),
    [
        ({}, "1234.56", "1234.56"),
        ({}, "-1234.56", "-1234.56"),
        ({}, "+7", "7"),
        ({}, "(12.50)", "-12.50"),
        ({}, "12.50-", "-12.50"),
        ({}, "-12.50-", None),
        ({}, "(-12.50)", None),
        ({}, "1,234.56", None),
        ({}, "1234,56", None),
        ({}, "12.", None),
        ({}, ".5", None),
        ({}, "1e3", None),
        ({}, "1_000", None),
        ({}, "١٢", None),
        ({}, "NaN", None),
        ({}, "", None),
        ({"grouping": ","}, "1,234,567.89", "1234567.89"),
        ({"grouping": ","}, "1234567.89", "1234567.89"),
        ({"grouping": ","}, "1,23,456.00", None),
        ({"grouping": ","}, "12,34", None),
        ({"grouping": ",", "symbols": ["$"]}, "$4,235.00", "4235.00"),
        ({"grouping": ",", "symbols": ["$"]}, "-$4,235.00", "-4235.00"),
        ({"grouping": ",", "symbols": ["$"]}, "($4,235.00)", "-4235.00"),
        ({"grouping": ",", "symbols": ["$"]}, "€4,235.00", None),
        ({"symbols": ["EUR", "E"]}, "12.00 EUR", "12.00"),
        ({"decimal": ",", "grouping": "."}, "1.234,56", "1234.56"),
        ({"decimal": ",", "grouping": "."}, "1.234", "1234"),
        ({"decimal": ","}, "1234,5", "1234.5"),
        ({"decimal": ","}, "1.234,56", None),
        ({"decimal": ",", "grouping": " "}, "6 580,10", "6580.10"),
        ({"decimal": ",", "grouping": " "}, "6\u00a0580,10", "6580.10"),
        ({"decimal": ",", "grouping": " "}, "6\u202f580,10", "6580.10"),
        ({"decimal": ".", "grouping": "'"}, "1'000.00", "1000.00"),
    ],
)
def test_figures(dialect: dict[str, Any], text: str, plain: str | None) -> None:
    assert figures(read_dialect(dialect))(text) == plain


@given(st.integers(-(10**14), 10**14), st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]))
def test_a_figure_written_with_grouping_is_read_back(minor: int, marks: tuple[str, str]) -> None:
    decimal, grouping = marks
    text = f"{abs(minor) // 100:,}".replace(",", grouping) + f"{decimal}{abs(minor) % 100:02d}"
    plain = figures(Dialect(decimal=decimal, grouping=grouping))(("-" if minor < 0 else "") + text)  # type: ignore[arg-type]
    assert plain is not None
    assert int(plain.replace(".", "")) == minor


@pytest.mark.parametrize(
    ("formats", "text", "iso"),
    [
        (["YYYY-MM-DD"], "2026-03-01", "2026-03-01"),
        (["YYYY-MM-DD"], "2026-3-1", None),
        (["YYYY-MM-DD"], "2026-02-30", None),
        (["YYYYMMDD"], "20260301", "2026-03-01"),
        (["DD/MM/YYYY"], "01/03/2026", "2026-03-01"),
        (["DD/MM/YYYY"], "1/3/2026", None),
        (["D/M/YYYY"], "1/3/2026", "2026-03-01"),
        (["M/D/YYYY"], "1/13/2026", "2026-01-13"),
        (["M/D/YYYY"], "13/1/2026", None),
        (["D/M/YYYY", "M/D/YYYY"], "13/1/2026", "2026-01-13"),
        (["D/M/YYYY", "M/D/YYYY"], "1/13/2026", "2026-01-13"),
        (["D/M/YYYY", "M/D/YYYY"], "1/2/2026", "2026-02-01"),
        (["M/D/YY"], "5/22/24", "2024-05-22"),
        (["M/D/YY"], "5/22/69", "2069-05-22"),
        (["M/D/YY"], "5/22/70", "1970-05-22"),
        (["M/D/YY H:mm"], "6/6/24 00:00", "2024-06-06"),
        (["D-MMM-YYYY"], "12-Mar-2026", "2026-03-12"),
        (["D MMM YYYY"], "12 september 2026", "2026-09-12"),
        (["D-MMM-YY"], "26-Apr-11", "2011-04-26"),
        (["D-MMM-YY"], "26-Avr-11", None),
        (["DD.MM.YYYY"], "01x03x2026", None),
        (["YYYY-MM-DDTHH:mm:ssZ"], "2026-03-01T10:00:00Z", "2026-03-01"),
    ],
)
def test_dates(formats: list[str], text: str, iso: str | None) -> None:
    assert dates(read_dialect({"date_formats": formats}))(text) == iso


@pytest.mark.parametrize(
    ("dialect", "pointer"),
    [
        ({"separator": ";;"}, "/separator"),
        ({"separator": '"'}, ""),
        ({"encoding": "ebcdic"}, "/encoding"),
        ({"decimal": ","}, None),
        ({"decimal": ",", "grouping": ","}, ""),
        ({"date_formats": []}, "/date_formats"),
        ({"colour": 1}, ""),
        ({"skip_lines": -1}, "/skip_lines"),
        ([], ""),
    ],
)
def test_dialects_that_cannot_be(dialect: Any, pointer: str | None) -> None:
    if pointer is None:
        read_dialect(dialect)
        return
    with pytest.raises(DialectInvalid) as caught:
        read_dialect(dialect)
    assert caught.value.pointer == pointer
    assert caught.value.detail


@pytest.mark.parametrize("formats", [["DD/MM"], ["MM/DD/YYYY MM"], ["YYYY"], ["hello"]])
def test_a_date_format_needs_a_day_a_month_and_a_year(formats: list[str]) -> None:
    with pytest.raises(DialectInvalid, match="/date_formats/0"):
        dates(read_dialect({"date_formats": formats}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-15"])
def test_encodings(encoding: str) -> None:
    said = {"encoding": "utf-8" if encoding == "utf-8-sig" else encoding}
    outcome = csv(HEADER + ",reference", LINE + ",Café 5 €", dialect=said, encoding=encoding)
    assert [record["reference"] for record in outcome.records] == ["Café 5 €"]


def test_bytes_that_are_not_the_encoding_fail_the_file() -> None:
    with pytest.raises(ImportFailed, match="encoding_invalid"):
        csv(HEADER + ",reference", LINE + ",Café", encoding="cp1252")


def test_separator_quotes_null_words_and_lines_before_the_header() -> None:
    outcome = csv(
        "Liste des factures;;",
        "",
        HEADER.replace(",", ";") + ";reference;number",
        "INV-1; invoice ;'C;1';2026-03-01;N/A;EUR;1 234,50;'it''s';-",
        dialect={
            "separator": ";",
            "quote": "'",
            "decimal": ",",
            "grouping": " ",
            "null_words": ["N/A", "-"],
            "skip_lines": 2,
        },
    )
    (record,) = outcome.records
    assert (record["customer_external_id"], record["amount"], record["reference"]) == ("C;1", 123450, "it's")
    assert (record["due_date"], record["number"]) == (None, None)


def test_without_quotes_a_quote_is_a_character() -> None:
    outcome = csv(HEADER + ",reference", LINE + ',19" rack', dialect={"quote": None})
    assert outcome.records[0]["reference"] == '19" rack'


def test_blank_lines_and_lines_of_empty_cells_are_no_rows() -> None:
    outcome = csv("", ",,,,,,", HEADER, "", LINE, ",,,,,,", LINE.replace("INV-1", "INV-2"), "", "")
    assert [record["row"] for record in outcome.records] == [1, 2]


def test_rows_with_too_many_or_too_few_cells_are_named() -> None:
    outcome = csv(HEADER, LINE + ",,", LINE + ",more", "INV-2,invoice", LINE.replace("INV-1", "INV-4"))
    assert outcome.named == [(2, "", "cells_count"), (3, "", "cells_count")]
    assert [record["row"] for record in outcome.records] == [1, 4]


def test_an_open_quote_spoils_its_own_line_only() -> None:
    lines = [LINE.replace("INV-1", f"INV-{n}") for n in range(1, 40)]
    lines[4] = lines[4].replace("C1", '"C1')
    lines[20] = lines[20].replace("C1", '"C"1')
    outcome = csv(HEADER, *lines)
    assert outcome.named == [(5, "", "csv_malformed"), (21, "", "csv_malformed")]
    assert outcome.counts == (39, 37, 2, 0)


def test_a_nul_character_is_named() -> None:
    outcome = csv(HEADER + ",reference", LINE + ",a\x00b", LINE.replace("INV-1", "INV-2") + ",ok")
    assert outcome.named == [(1, "", "json_text")]
    assert len(outcome.records) == 1


@pytest.mark.parametrize("end", ["INV-2,invoice,C1,2026-0", 'INV-2,invoice,"C1'])
def test_a_file_cut_in_its_last_line_fails(end: str) -> None:
    with pytest.raises(ImportFailed, match="file_truncated"):
        read(f"{HEADER}\n{LINE}\n{end}".encode(), media_type=CSV)
    assert read(f"{HEADER}\n{LINE}".encode(), media_type=CSV).counts == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "header_missing"),
        (["", ""], "header_missing"),
        (['"open,header', LINE], "header_missing"),
        (["external_id,colour"], "column_unknown"),
        (["external_id,kind,external_id"], "column_repeated"),
    ],
)
def test_headers_that_fail_the_file(lines: list[str], code: str) -> None:
    with pytest.raises(ImportFailed) as caught:
        csv(*lines)
    assert caught.value.code == code


def test_without_a_header_columns_have_numbers() -> None:
    fields = HEADER.split(",")
    mapping = read_mapping({"columns": {str(place): name for place, name in enumerate(fields, 1)}})
    assert csv(LINE, dialect={"header": False}, mapping=mapping).counts == (1, 1, 0, 0)
