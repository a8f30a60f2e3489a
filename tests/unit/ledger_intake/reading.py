"""Reads whole bodies through an intake, for the tests of this folder."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.ledger.domain.intake.errors import RowError
from services.ledger.domain.intake.pipeline import JSON, NDJSON, Batch, Intake, open_intake

Row = dict[str, Any]


@dataclass
class Outcome:
    """All batches of a file, put together."""

    intake: Intake
    batches: list[Batch]

    @property
    def records(self) -> list[Row]:
        columns = self.intake.kind.columns
        return [dict(zip(columns, record, strict=True)) for batch in self.batches for record in batch.records]

    @property
    def errors(self) -> list[RowError]:
        return [error for batch in self.batches for error in batch.errors]

    @property
    def named(self) -> list[tuple[int, str, str]]:
        return [(error.row, error.pointer, error.code) for error in self.errors]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """received, records, rejected, duplicates"""
        made = self.batches
        return (
            sum(batch.received for batch in made),
            sum(len(batch.records) for batch in made),
            sum(batch.rejected for batch in made),
            sum(batch.duplicates for batch in made),
        )

    @property
    def sums(self) -> dict[str, str]:
        return {currency: f"{amount:f}" for currency, amount in self.intake.received.sums().items()}


def chunks(body: bytes, size: int) -> Iterable[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def read(
    body: bytes, *, kind: str = "items", media_type: str = NDJSON, size: int = 1 << 16, **options: Any
) -> Outcome:
    intake = open_intake(kind, media_type, **options)
    batches = [batch for chunk in chunks(body, size) for batch in intake.feed(chunk)]
    return Outcome(intake, batches + list(intake.finish()))


def ndjson(rows: Iterable[Row]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read_rows(*rows: Row, kind: str = "items", **options: Any) -> Outcome:
    return read(ndjson(rows), kind=kind, **options)


def invoice(place: int = 1, /, **other: Any) -> Row:
    """A good invoice; a value of None takes a field away."""
    row = {
        "kind": "invoice",
        "external_id": f"INV-{place}",
        "customer_external_id": "C1",
        "issue_date": "2026-03-01",
        "due_date": "2026-03-31",
        "currency": "EUR",
        "amount": "1234.56",
    } | other
    return {name: value for name, value in row.items() if value is not None}


__all__ = ["JSON", "NDJSON", "Outcome", "Row", "chunks", "invoice", "ndjson", "read", "read_rows"]
