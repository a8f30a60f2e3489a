"""A file that cannot be trusted fails as a whole, with a code; nothing but ImportFailed ever comes out."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.gunzip import Gunzip
from services.ledger.domain.intake.pipeline import CSV, JSON, NDJSON, open_intake
from tests.unit.ledger_intake.reading import invoice, ndjson, read

ROW = ndjson([invoice()]).strip()


def failure(body: bytes, media_type: str, **options: object) -> str:
    with pytest.raises(ImportFailed) as caught:
        read(body, media_type=media_type, **options)  # type: ignore[arg-type]
    assert caught.value.detail
    return caught.value.code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "file_truncated"),
        (b"   ", "file_truncated"),
        (b"[" + ROW, "file_truncated"),
        (b"[" + ROW + b",", "file_truncated"),
        (b"[" + ROW[:-5], "file_truncated"),
        (b'{"data": [' + ROW + b"]", "file_truncated"),
        (b'{"data": [' + ROW + b'], "control": {"count": 1', "file_truncated"),
        (b"[" + ROW + b"]]", "json_malformed"),
        (b"[" + ROW + b"] x", "json_malformed"),
        (b"[" + ROW + b",]", "json_malformed"),
        (b"[," + ROW + b"]", "json_malformed"),
        (b"[" + ROW + b" " + ROW + b"]", "json_malformed"),
        (b"[" + ROW[:-1] + b"]]", "json_malformed"),
        (b"17", "json_malformed"),
        (b"<xml/>", "json_malformed"),
        (b"{}", "data_missing"),
        (b'{"control": {"count": 1}}', "data_missing"),
        (b'{"data": {}}', "json_malformed"),
        (b'{"data": [], "data": []}', "json_duplicate_key"),
        (b'{"data": [], "rows": []}', "unknown_field"),
        (b'{"data": [],}', "json_malformed"),
        (b"{data: []}", "json_malformed"),
        (b'{"data": []} {"data": []}', "json_malformed"),
        (b"\xff\xfe[\x00]\x00", "encoding_invalid"),
        (b'[{"a": "' + b"x" * (3 << 20) + b'"}]', "row_too_large"),
        (b"[" + b"[" * (3 << 20), "json_too_deep"),
        (b"[[" + b"[1]," * (1 << 19), "row_too_large"),
    ],
)
@pytest.mark.parametrize("size", [1 << 16, 3])
def test_json_documents(body: bytes, code: str, size: int) -> None:
    if size == 3 and len(body) > 1 << 20:
        pytest.skip("a megabyte in chunks of three bytes says nothing more")
    assert failure(body, JSON, size=size) == code


@pytest.mark.parametrize(
    "body", [b"[]", b'{"data": []}', b' \n{ "data" : [ ] , "control" : {"count":0} } \n', b"\xef\xbb\xbf[]"]
)
def test_a_document_without_rows_is_well_formed(body: bytes) -> None:
    outcome = read(body, media_type=JSON)
    outcome.intake.check_totals()
    assert outcome.counts == (0, 0, 0, 0)


def test_ndjson_cut_in_its_last_row() -> None:
    assert failure(ROW + b"\n" + ROW[:-9], NDJSON) == "file_truncated"
    assert failure(ROW + b"\n" + b"\xff\xfe", NDJSON) == "file_truncated"
    assert failure(b"\xff\xfe" + ROW + b"\n", NDJSON) == "encoding_invalid"


def test_ndjson_may_lack_the_last_line_feed_and_hold_blank_lines() -> None:
    other = ndjson([invoice(2)])
    outcome = read(b"\xef\xbb\xbf" + ROW + b"\r\n\r\n  \n" + other.strip(), media_type=NDJSON)
    assert [record["row"] for record in outcome.records] == [1, 2]
    assert read(b"", media_type=NDJSON).counts == (0, 0, 0, 0)


def test_two_rows_on_a_line_are_no_ndjson() -> None:
    outcome = read(ROW + ndjson([invoice(2)]) + ndjson([invoice(3)]), media_type=NDJSON)
    assert outcome.named == [(1, "", "json_malformed")]
    assert outcome.counts == (2, 1, 1, 0)


@pytest.mark.parametrize("media_type", [NDJSON, JSON])
def test_gzip_is_known_by_its_first_bytes(media_type: str) -> None:
    rows = [invoice(n) for n in range(5000)]
    body = ndjson(rows) if media_type == NDJSON else json.dumps({"data": rows}).encode()
    for size in (1, 1000, 1 << 20):
        if size == 1:
            deflated = (
                gzip.compress(body[: len(ndjson(rows[:3]))]) if media_type == NDJSON else gzip.compress(b"[]")
            )
            assert read(deflated, media_type=media_type, size=1).counts[2] == 0
        else:
            assert read(gzip.compress(body), media_type=media_type, size=size).counts == (5000, 5000, 0, 0)


def test_gzip_streams_may_follow_one_another_and_be_padded() -> None:
    body = gzip.compress(ndjson([invoice(1)])) + gzip.compress(ndjson([invoice(2)])) + b"\0" * 512
    assert read(body).counts == (2, 2, 0, 0)


def test_gzip_that_is_cut_broken_or_followed_by_something_else() -> None:
    deflated = gzip.compress(ndjson([invoice(n) for n in range(1000)]))
    assert failure(deflated[:-20], NDJSON) == "gzip_truncated"
    assert failure(deflated[:40], NDJSON) == "gzip_truncated"
    assert failure(deflated[:200] + b"\x00" * 50 + deflated[250:], NDJSON) == "gzip_invalid"
    assert failure(deflated + b"more", NDJSON) == "gzip_invalid"


def test_inflation_has_limits() -> None:
    bomb = gzip.compress(b"\n" * (64 << 20))
    assert failure(bomb, NDJSON) == "gzip_ratio"
    small = Gunzip(max_inflated=1000)
    with pytest.raises(ImportFailed, match="file_too_large"):
        list(small.feed(gzip.compress(b"x" * 1001)))
    with pytest.raises(ImportFailed, match="file_too_large"):
        list(Gunzip(max_inflated=1000).feed(b"x" * 1001))
    assert sum(map(len, Gunzip(max_inflated=1000).feed(gzip.compress(b"x" * 1000)))) == 1000


def test_inflated_pieces_are_small() -> None:
    body = gzip.compress(bytes(range(256)) * (1 << 14))
    assert max(map(len, Gunzip().feed(body))) <= 1 << 20


def test_kind_and_media_type_are_known_ones() -> None:
    with pytest.raises(ImportFailed, match="kind_unknown"):
        open_intake("bills", NDJSON)
    with pytest.raises(ImportFailed, match="media_type_unknown"):
        open_intake("items", "text/plain")


@given(st.binary(max_size=300), st.sampled_from([JSON, NDJSON, CSV]), st.integers(1, 100))
def test_no_bytes_whatever_get_anything_else_out_than_rows_or_a_named_failure(
    body: bytes, media_type: str, size: int
) -> None:
    try:
        outcome = read(body, media_type=media_type, size=size)
    except ImportFailed as failed:
        assert failed.code
    else:
        assert outcome.counts[0] == outcome.counts[1] + outcome.counts[2] + outcome.counts[3]


GOOD = json.dumps(
    {"data": [invoice(n, custom_fields={"a": n}) for n in range(3)], "control": {"count": 3}}
).encode()


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(list(b'{}[]",:\\x0\n\x00\xff')), st.integers(1, 60))
def test_one_changed_byte_never_gets_anything_else_out(place: int, byte: int, size: int) -> None:
    body = GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]
    try:
        outcome = read(body, media_type=JSON, size=size)
    except ImportFailed:
        return
    assert outcome.counts[0] == sum(outcome.counts[1:])
