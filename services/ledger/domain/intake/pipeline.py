"""From the bytes of an import to batches of records: the one way in for callers.

    intake = open_intake("items", "application/x-ndjson")
    for chunk in body:
        for batch in intake.feed(chunk): ...
    for batch in intake.finish(): ...
    intake.check_totals(control)

The same bytes give the same batches however they are cut into chunks, so work that stopped resumes by reading again
and leaving out the batches that were done. Nothing here waits or allocates in proportion to the file, but for 32 MB of
fingerprints at a million rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Protocol

from services.ledger.domain.intake.blocks import Refused, Run
from services.ledger.domain.intake.columns import RowDefaults
from services.ledger.domain.intake.control import Control, check_totals, control_in_file
from services.ledger.domain.intake.csv_rows import CsvRows
from services.ledger.domain.intake.dialects import Dialect
from services.ledger.domain.intake.duplicates import Seen
from services.ledger.domain.intake.errors import Fault, ImportFailed, RowError, RowRefused
from services.ledger.domain.intake.gunzip import Gunzip
from services.ledger.domain.intake.json_rows import JsonRows
from services.ledger.domain.intake.mappings import Mapping
from services.ledger.domain.intake.ndjson_rows import NdjsonRows
from services.ledger.domain.intake.received import Received
from services.ledger.domain.intake.row_decoder import RowDecoder
from services.ledger.domain.intake.row_kinds import ROW_KINDS, RowKind

BATCH = 10_000
JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"


@dataclass(slots=True)
class Batch:
    """At most BATCH rows of a file, as they follow one another. `records` are tuples in the order of the kind's columns, for
    COPY; `errors` may name several faults of one of the `rejected` rows, `refused_keys` the external ids of those that could
    not be read but for that, and `unidentified` counts those without; `duplicates` counts the rows left out because an earlier
    row of the file says the same. received = len(records) + rejected + duplicates."""

    received: int = 0
    rejected: int = 0
    duplicates: int = 0
    unidentified: int = 0
    refused_keys: list[str] = field(default_factory=list)
    records: list[tuple[Any, ...]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


class RowReader(Protocol):
    """Finds the rows of one format."""

    control: bytes | None
    skipped: int

    def feed(self, chunk: bytes) -> Iterator[Run]: ...
    def finish(self) -> Iterator[Run]: ...


class Intake:
    """One file on its way in. Any of its methods may raise ImportFailed; then nothing of the file may be applied."""

    def __init__(self, kind: RowKind, reader: RowReader, decoder: RowDecoder, defaults: RowDefaults) -> None:
        self.received = Received()
        self.kind = kind
        self._reader = reader
        self._decoder = decoder
        self._defaults = defaults
        self._gunzip = Gunzip()
        self._seen = Seen()
        self._batch = Batch()

    def feed(self, chunk: bytes) -> Iterator[Batch]:
        """The batches that are full with this chunk. The iterator must be used up before the next call."""
        for piece in self._gunzip.feed(chunk):
            for run in self._reader.feed(piece):
                yield from self._take(run)

    def finish(self) -> Iterator[Batch]:
        """The last batches, the very last one shorter than the others."""
        for piece in self._gunzip.finish():
            for run in self._reader.feed(piece):
                yield from self._take(run)
        for run in self._reader.finish():
            yield from self._take(run)
        if self._batch.received:
            yield self._cut()

    @property
    def skipped(self) -> int:
        """Rows the mapping's `only` left out: neither received nor rejected."""
        return self._reader.skipped

    def check_totals(self, control: Control | None = None) -> None:
        """Compare what was received with the totals in the file and with those given beside it. Raises ImportFailed."""
        stated = control_in_file(self._reader.control)
        for totals in (stated, control):
            if totals is not None:
                check_totals(totals, self.received, has_amounts=self.kind.has_amounts)

    def _take(self, run: Run) -> Iterator[Batch]:
        if isinstance(run, Refused):
            self._batch.received += 1
            self._reject(run.row, run.refusal)
            if self._batch.received == BATCH:
                yield self._cut()
            return
        done = 0
        while done < len(run.rows):
            end = done + BATCH - self._batch.received
            self._accept(run.numbers[done:end], run.rows[done:end])
            done = end
            if self._batch.received == BATCH:
                yield self._cut()

    def _accept(self, numbers: Sequence[int], rows: Sequence[Any]) -> None:
        try:
            taken = self.kind.records(numbers, rows, self._defaults)
        except (RowRefused, UnicodeDecodeError) as error:
            if len(rows) == 1:
                self._refuse_decoded(numbers[0], rows[0], error)
            else:  # halved until the bad row stands alone
                half = len(rows) // 2
                self._accept(numbers[:half], rows[:half])
                self._accept(numbers[half:], rows[half:])
            return
        batch, records = self._batch, taken.records
        batch.received += len(rows)
        self.received.add_records(taken.sums)
        repeats = self._seen.repeats(taken.keys, taken.contents)
        if repeats:
            self._refuse_repeats(records, [position for position, same in repeats.items() if not same])
            records = [record for position, record in enumerate(records) if position not in repeats]
            for position, same in repeats.items():
                if same:
                    batch.duplicates += 1
                else:
                    self._report(numbers[position], [_REPEATED])
        batch.records += records

    def _refuse_repeats(self, records: Sequence[tuple[Any, ...]], positions: Sequence[int]) -> None:
        for position in positions:
            amount = self.kind.amount_of(records[position])
            if amount is not None:
                self.received.refuse_record(*amount)

    def _refuse_decoded(self, number: int, row: Any, error: Exception) -> None:
        found = error.faults if isinstance(error, RowRefused) else ()
        self._batch.received += 1
        self._reject(number, self._decoder.diagnosis(self._decoder.encoded(row), found))

    def _reject(self, number: int, refusal: RowRefused) -> None:
        self.received.add_refused(refusal.stated)
        if refusal.key is None:
            self._batch.unidentified += 1
        else:
            self._batch.refused_keys.append(refusal.key)
        self._report(number, refusal.faults)

    def _report(self, number: int, faults: Sequence[Fault]) -> None:
        self._batch.rejected += 1
        self._batch.errors += [RowError(number, fault.pointer, fault.code, fault.detail) for fault in faults]

    def _cut(self) -> Batch:
        batch, self._batch = self._batch, Batch()
        self.received.rows += batch.received
        batch.errors.sort(key=attrgetter("row"))
        return batch


_REPEATED = Fault(
    "/external_id",
    "duplicate_in_file",
    "expected each external_id once: an earlier row has this one and other values",
)


def open_intake(
    kind: str,
    media_type: str,
    *,
    defaults: RowDefaults | None = None,
    dialect: Dialect | None = None,
    mapping: Mapping | None = None,
) -> Intake:
    """An intake for a kind of rows (items, customers, orders, payments) in a media type (JSON, NDJSON, CSV), deflated
    or not. Raises ImportFailed `kind_unknown` or `media_type_unknown`."""
    row_kind = ROW_KINDS.get(kind)
    if row_kind is None:
        raise ImportFailed("kind_unknown", "expected one of " + ", ".join(ROW_KINDS))
    decoder = RowDecoder(row_kind)
    reader: RowReader
    if media_type == NDJSON:
        reader = NdjsonRows(decoder)
    elif media_type == JSON:
        reader = JsonRows(decoder)
    elif media_type == CSV:
        reader = CsvRows(row_kind, decoder, dialect or Dialect(), mapping or Mapping())
    else:
        raise ImportFailed("media_type_unknown", f"expected {JSON}, {NDJSON} or {CSV}")
    return Intake(row_kind, reader, decoder, defaults or RowDefaults())


__all__ = ["BATCH", "CSV", "JSON", "NDJSON", "Batch", "Intake", "RowReader", "open_intake"]
