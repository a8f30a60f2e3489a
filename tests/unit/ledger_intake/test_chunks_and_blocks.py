"""However a file is cut into chunks, and whatever stands beside a row, the row is read alike."""

import json
import tracemalloc
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.money import to_minor
from services.ledger.domain.intake.pipeline import BATCH, CSV, JSON, NDJSON, open_intake
from tests.unit.ledger_intake.reading import Outcome, Row, invoice, ndjson, read

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
KEY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
AMOUNT = st.integers(1, 10**12).map(lambda minor: f"{minor // 100}.{minor % 100:02d}")
DAY = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


@st.composite
def good_rows(draw: st.DrawFn) -> list[Row]:
    keys = draw(st.lists(KEY, min_size=1, max_size=12, unique=True))
    return [
        invoice(
            external_id=key,
            reference=draw(TEXT),
            amount=draw(AMOUNT),
            issue_date=draw(DAY).isoformat(),
            currency=draw(st.sampled_from(["EUR", "USD"])),
            custom_fields=draw(st.dictionaries(KEY, TEXT | st.booleans() | st.integers(-10, 10), max_size=3)),
        )
        for key in keys
    ]


def spelled(rows: list[Row], style: str, ascii_only: bool) -> tuple[bytes, str]:
    if style == "ndjson":
        return b"".join(json.dumps(row, ensure_ascii=ascii_only).encode() + b"\n" for row in rows), NDJSON
    if style == "pretty":
        return json.dumps({"data": rows}, indent=2, ensure_ascii=ascii_only).encode(), JSON
    if style == "bare":
        return json.dumps(rows, separators=(",", ":"), ensure_ascii=ascii_only).encode(), JSON
    return json.dumps({"control": {"count": len(rows)}, "data": rows}, ensure_ascii=ascii_only).encode(), JSON


@settings(max_examples=60, deadline=None)
@given(
    good_rows(), st.sampled_from(["ndjson", "pretty", "bare", "object"]), st.booleans(), st.integers(1, 200)
)
def test_what_is_written_comes_out_whatever_the_chunks(
    rows: list[Row], style: str, ascii_only: bool, size: int
) -> None:
    body, media_type = spelled(rows, style, ascii_only)
    outcome = read(body, media_type=media_type, size=size)
    assert outcome.errors == []
    assert len(outcome.records) == len(rows)
    for row, record in zip(rows, outcome.records, strict=True):
        assert record["external_id"] == row["external_id"]
        assert record["amount"] == to_minor(row["amount"], row["currency"])
        assert record["issue_date"].isoformat() == row["issue_date"]
        assert (record["reference"] or "") == row["reference"]
        assert json.loads(record["custom_fields"] or "{}") == row["custom_fields"]
    outcome.intake.check_totals()


BAD: list[dict[str, Any]] = [
    {"amount": "-1"},
    {"amount": "x"},
    {"kind": "bill"},
    {"colour": 1},
    {"issue_date": "2026-02-30"},
]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([{}, {}, {}, *BAD]), min_size=1, max_size=40),
    st.sampled_from([NDJSON, JSON]),
    st.booleans(),
)
def test_a_row_fares_beside_others_as_it_does_alone(
    faults: list[dict[str, Any]], media_type: str, large: bool
) -> None:
    """The block is read at once or halved or row by row: it must not show. Large rows spread over several blocks."""
    filler = {"custom_fields": {f"f{n}": "x" * 900 for n in range(9)}} if large else {}
    rows = [invoice(place, **filler) | fault for place, fault in enumerate(faults)]
    body = ndjson(rows) if media_type == NDJSON else json.dumps(rows).encode()
    together = read(body, media_type=media_type)
    alone = [read(ndjson([row])) for row in rows]
    assert [record | {"row": 0} for record in together.records] == [
        record | {"row": 0} for outcome in alone for record in outcome.records
    ]
    assert [(error.row, error.pointer, error.code, error.detail) for error in together.errors] == [
        (place, error.pointer, error.code, error.detail)
        for place, outcome in enumerate(alone, 1)
        for error in outcome.errors
    ]
    assert together.counts[0] == len(rows)


def big(count: int) -> list[Row]:
    return [invoice(place, amount=f"{place}.07", reference=f"line {place}") for place in range(1, count + 1)]


def shape(outcome: Outcome) -> list[tuple[int, int, int]]:
    return [(batch.received, len(batch.records), batch.rejected) for batch in outcome.batches]


@pytest.mark.parametrize("size", [997, 1 << 16, 1 << 24])
@pytest.mark.parametrize("style", ["ndjson", "pretty", "bare", "object"])
def test_batches_are_the_same_however_the_file_is_cut(style: str, size: int) -> None:
    rows = big(2 * BATCH + 5)
    rows[7]["amount"] = "-1"
    rows[BATCH] = {"nothing": 1}
    body, media_type = spelled(rows, style, True)
    outcome = read(body, media_type=media_type, size=size)
    assert shape(outcome) == [(BATCH, BATCH - 1, 1), (BATCH, BATCH - 1, 1), (5, 5, 0)]
    assert outcome.named[0] == (8, "/amount", "amount_not_positive")
    assert {row for row, _, _ in outcome.named} == {8, BATCH + 1}
    assert outcome.records[-1]["row"] == 2 * BATCH + 5


def test_texts_that_look_like_the_end_of_a_row_do_not_cut_it() -> None:
    rows = [
        invoice(place, reference='"},{"' * (place % 7), custom_fields={"a": "]}", "b": "},{"})
        for place in range(3000)
    ]
    outcome = read(json.dumps(rows, separators=(",", ":")).encode(), media_type=JSON)
    assert outcome.errors == []
    assert [record["reference"] or "" for record in outcome.records] == [row["reference"] for row in rows]


def test_nested_lists_of_objects_do_not_cut_a_row() -> None:
    contacts = [{"name": f"n{n}", "phone": "1"} for n in range(40)]
    rows = [{"external_id": f"C{n}", "name": "A", "contacts": contacts} for n in range(500)]
    outcome = read(json.dumps(rows, separators=(",", ":")).encode(), kind="customers", media_type=JSON)
    assert outcome.counts == (500, 500, 0, 0)


def test_csv_in_chunks_of_any_size() -> None:
    lines = ["external_id,kind,customer_external_id,issue_date,due_date,currency,amount,reference"]
    lines += [
        f'INV-{n},invoice,C1,2026-03-01,2026-03-31,EUR,{n}.50,"two\nlines, ""é"""' for n in range(1, 60)
    ]
    body = "\r\n".join(lines).encode() + b"\r\n"
    whole = read(body, media_type=CSV)
    assert whole.counts == (59, 59, 0, 0)
    assert whole.records[0]["reference"] == 'two\nlines, "é"'
    for size in (1, 2, 3, 7, 50):
        assert read(body, media_type=CSV, size=size).records == whole.records


def test_memory_does_not_grow_with_the_file() -> None:
    """What an intake holds between chunks stays below a block and a row, whatever has gone through."""
    lines = [ndjson([row]) for row in big(1000)]
    chunk = b"".join(lines)
    intake = open_intake("items", NDJSON)
    list(intake.feed(chunk))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for turn in range(12):
        renamed = chunk.replace(b"INV-", b"T%d-" % turn)
        for batch in intake.feed(renamed):
            batch.records.clear()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    fingerprints = 16 * (1 << 16)
    assert grown < fingerprints + 6_000_000


def test_a_row_that_never_ends_is_not_held() -> None:
    intake = open_intake("items", NDJSON)
    head, endless = b'{"reference": "', b"x" * (1 << 16)
    tracemalloc.start()
    list(intake.feed(head))
    for _ in range(160):
        list(intake.feed(endless))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (batch,) = [*intake.feed(b'"}\n' + ndjson([invoice(2)])), *intake.finish()]
    assert [(error.row, error.code) for error in batch.errors] == [(1, "row_too_large")]
    assert len(batch.records) == 1
    assert peak < 5_000_000
