"""Rows of one file that speak of the same thing."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.intake.duplicates import Seen
from services.ledger.domain.intake.pipeline import BATCH
from tests.unit.ledger_intake.reading import invoice, read_rows


def test_an_identical_repeat_is_counted_and_left_out() -> None:
    outcome = read_rows(invoice(1), invoice(2), invoice(1))
    assert outcome.counts == (3, 2, 0, 1)
    assert outcome.errors == []
    assert outcome.sums == {"EUR": "3703.68"}


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "1.00"},
        {"reference": "x"},
        {"kind": "credit_note"},
        {"due_date": "2026-04-01"},
        {"number": "1"},
    ],
)
def test_a_repeat_that_says_something_else_is_refused(other: dict[str, Any]) -> None:
    outcome = read_rows(invoice(1), invoice(1, **other), invoice(1))
    assert outcome.named == [(2, "/external_id", "duplicate_in_file")]
    assert outcome.counts == (3, 1, 1, 1)


def test_one_cent_of_credit_is_not_two() -> None:
    """hash(-1) == hash(-2) in Python."""
    outcome = read_rows(
        invoice(1, kind="credit_note", open_amount="-0.01"),
        invoice(1, kind="credit_note", open_amount="-0.02"),
    )
    assert outcome.counts == (2, 1, 1, 0)


def test_the_same_text_in_other_words_is_the_same() -> None:
    outcome = read_rows(invoice(1, amount="1234.50"), invoice(1, amount=1234.5, reference=""))
    assert outcome.counts == (2, 1, 0, 1)


def test_a_refused_row_does_not_claim_its_key() -> None:
    outcome = read_rows(invoice(1, amount="-1"), invoice(1))
    assert outcome.counts == (2, 1, 1, 0)
    assert outcome.records[0]["row"] == 2


def test_business_units_have_keys_of_their_own() -> None:
    outcome = read_rows(
        invoice(1, business_unit_id=str(uuid4())), invoice(1, business_unit_id=str(uuid4())), invoice(1)
    )
    assert outcome.counts == (3, 3, 0, 0)


def test_repeats_are_found_across_batches() -> None:
    rows = [invoice(place) for place in range(BATCH + 50)]
    outcome = read_rows(*rows, invoice(3), invoice(4, amount="2.00"))
    assert outcome.named == [(BATCH + 52, "/external_id", "duplicate_in_file")]
    assert outcome.batches[1].duplicates == 1


@given(
    st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), st.integers(-2, 2)), max_size=200
    ),
    st.integers(1, 50),
)
def test_fingerprints_are_kept_as_a_dict_would(pairs: list[tuple[int, int]], step: int) -> None:
    seen, known = Seen(), dict[int, int]()
    for start in range(0, len(pairs), step):
        part = pairs[start : start + step]
        found = seen.repeats([key for key, _ in part], [content for _, content in part])
        for position, (key, content) in enumerate(part):
            key = key or 1  # 0 marks a free place
            if key in known:
                assert found[position] == (known[key] == content)
            else:
                assert position not in found
                known[key] = content


def test_many_fingerprints() -> None:
    seen = Seen()
    keys = [hash(("k", n)) for n in range(50_000)]
    assert seen.repeats(keys, keys) == {}
    assert seen.repeats(keys[::7], keys[::7]) == dict.fromkeys(range(len(keys[::7])), True)
