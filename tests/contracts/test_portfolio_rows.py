"""The demo portfolio speaks the ledger's import language: every row of every unit is taken as it is."""

import json
from datetime import date

import pytest

from services.ledger.domain.intake.pipeline import NDJSON, open_intake
from services.sandbox.portfolio import generate


@pytest.mark.parametrize("kind", ["customers", "items", "payments", "orders"])
def test_the_ledger_takes_every_row(kind: str) -> None:
    taken = 0
    for book in generate(date(2026, 11, 20)).books:
        rows = getattr(book, kind)
        intake = open_intake(kind, NDJSON)
        body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        batches = [*intake.feed(body), *intake.finish()]
        assert [error for batch in batches for error in batch.errors] == []
        assert sum(len(batch.records) for batch in batches) == len(rows)
        taken += len(rows)
    assert taken > 100
