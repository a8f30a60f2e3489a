"""Where the rows of a CSV file begin and end, and what its cells say.

Blank lines and lines of empty cells are no rows. A quote that is never closed spoils its own line only.
"""

import codecs
import csv
import io
from collections.abc import Iterator

import msgspec
from typing_extensions import override

from services.ledger.domain.intake.blocks import BLOCK, Decoded, Refused, Run
from services.ledger.domain.intake.dialects import Dialect
from services.ledger.domain.intake.errors import ImportFailed, RowRefused, refuse
from services.ledger.domain.intake.mappings import Mapping
from services.ledger.domain.intake.projection import Cells, Projection
from services.ledger.domain.intake.row_decoder import MAX_ROW, RowDecoder
from services.ledger.domain.intake.row_kinds import RowKind

#: Rows decoded at once.
_TOGETHER = 500


class CsvRows:
    """Reads CSV in chunks cut anywhere; holds at most a chunk and one row."""

    #: CSV has no place for control totals inside the file.
    control: bytes | None = None

    def __init__(self, kind: RowKind, decoder: RowDecoder, dialect: Dialect, mapping: Mapping) -> None:
        self.skipped = 0
        self._kind, self._decoder, self._dialect, self._mapping = kind, decoder, dialect, mapping
        codec = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
        self._text = codecs.getincrementaldecoder(codec)("strict")
        self._held: list[str] = []
        self._size = 0
        self._row = 0
        self._lines_to_skip = dialect.skip_lines
        self._projection: Projection | None = None

    def feed(self, chunk: bytes) -> Iterator[Run]:
        """The rows that are complete with this chunk, once a block has come together. Raises ImportFailed."""
        self._hold(self._decoded(chunk, final=False))
        if self._size >= BLOCK:
            yield from self._rows(final=False)

    def finish(self) -> Iterator[Run]:
        """The remaining rows. Raises ImportFailed: `header_missing`, or `file_truncated` if the last line is cut."""
        self._hold(self._decoded(b"", final=True))
        yield from self._rows(final=True)
        if self._projection is None:
            raise ImportFailed("header_missing", "expected a header line, found none")

    def _decoded(self, chunk: bytes, *, final: bool) -> str:
        try:
            return self._text.decode(chunk, final)
        except UnicodeError:
            expected = f"expected text in {self._dialect.encoding}"
            raise ImportFailed("encoding_invalid", f"after row {self._row}: {expected}") from None

    def _hold(self, text: str) -> None:
        self._held.append(text)
        self._size += len(text)

    def _rows(self, *, final: bool) -> Iterator[Run]:
        numbers: list[int] = []
        records: list[Cells] = []
        for record in self._records(final=final):
            if isinstance(record, RowRefused):
                yield from self._together(numbers, records)
                numbers, records = [], []
                self._row += 1
                yield Refused(self._row, record)
            elif self._is_row(record):
                numbers.append(self._row)
                records.append(record)
                if len(records) == _TOGETHER:
                    yield from self._together(numbers, records)
                    numbers, records = [], []
        yield from self._together(numbers, records)

    def _is_row(self, cells: Cells) -> bool:
        """Whether a record is a row to take, and not the header, blank, or left out by the mapping's `only`."""
        if not any(cells):
            return False
        if self._projection is None and self._begin(cells):
            return False
        self._row += 1
        if self._mapping.only and not self._ready().wanted(cells):
            self.skipped += 1
            return False
        return True

    def _together(self, numbers: list[int], records: list[Cells]) -> Iterator[Run]:
        """Rows at once; a block with a bad row is halved until that row stands alone."""
        if not records:
            return
        try:
            rows = self._ready().rows(records)
        except RowRefused as refusal:
            if len(records) == 1:
                yield Refused(numbers[0], refusal)
            else:
                half = len(records) // 2
                yield from self._together(numbers[:half], records[:half])
                yield from self._together(numbers[half:], records[half:])
            return
        decoded = self._decoder.elements(msgspec.json.encode(rows)[1:-1])
        if decoded is not None:
            yield Decoded(numbers, decoded)
        else:
            yield from self._decoder.singly(numbers, [msgspec.json.encode(row) for row in rows])

    def _ready(self) -> Projection:
        assert self._projection is not None
        return self._projection

    def _begin(self, cells: Cells) -> bool:
        """Make the mapping ready for the columns of this file; whether the record was the header."""
        named = self._dialect.header
        header = (
            [cell.strip() for cell in cells] if named else [str(place + 1) for place in range(len(cells))]
        )
        self._projection = Projection(self._kind, self._dialect, self._mapping, header)
        return named

    def _records(self, *, final: bool) -> Iterator[Cells | RowRefused]:
        text = "".join(self._held)
        end = len(text) if final else text.rfind("\n") + 1
        self._held, self._size = [text[end:]], len(text) - end
        source = _Lines(list(io.StringIO(text[:end], newline="\n")))
        cut_off = final and not text.endswith(("\n", "\r"))
        reader = self._reader(source)
        self._skip_lines(source)
        while True:
            begin = source.position
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error:
                if source.at_end and not final and sum(map(len, source.lines[begin:])) <= MAX_ROW:
                    self._held.insert(0, "".join(source.lines[begin:]))
                    break
                if source.at_end and cut_off:
                    raise self._truncated() from None
                source.position = begin + 1
                yield self._malformed()
                continue
            if (
                cut_off
                and source.at_end
                and self._projection is not None
                and len(cells) < self._projection.width
            ):
                raise self._truncated()
            yield cells
        self._size = sum(map(len, self._held))
        if self._size > MAX_ROW:
            raise ImportFailed(
                "row_too_large", f"after row {self._row}: expected lines of at most {MAX_ROW} characters"
            )

    def _reader(self, source: Iterator[str]) -> "Iterator[Cells]":
        quote = self._dialect.quote
        return csv.reader(
            source,
            delimiter=self._dialect.separator,
            quotechar=quote,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )

    def _skip_lines(self, source: "_Lines") -> None:
        skipped = min(self._lines_to_skip, len(source.lines))
        source.position += skipped
        self._lines_to_skip -= skipped

    def _malformed(self) -> RowRefused:
        if self._projection is None:
            raise ImportFailed(
                "header_missing", "expected a header line, found one that is not CSV as declared"
            )
        return refuse(
            "", "csv_malformed", "expected cells as the dialect says: a quote is open, or within a cell"
        )

    def _truncated(self) -> ImportFailed:
        return ImportFailed("file_truncated", f"row {self._row + 1}, the last one, stops before its end")


class _Lines(Iterator[str]):
    """Lines one can go back to: what begins in a spoilt line is none of the next line's fault."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.position = 0

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.lines)

    @override
    def __next__(self) -> str:
        if self.position >= len(self.lines):
            raise StopIteration
        self.position += 1
        return self.lines[self.position - 1]
