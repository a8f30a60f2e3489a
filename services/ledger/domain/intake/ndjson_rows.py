"""Where the rows of an NDJSON file begin and end: at line feeds. Blank lines are no rows."""

import re
from collections.abc import Iterator

import msgspec

from services.ledger.domain.intake.blocks import BLOCK, Decoded, Refused, Run
from services.ledger.domain.intake.errors import ImportFailed, refuse
from services.ledger.domain.intake.row_decoder import MAX_ROW, RowDecoder
from services.ledger.domain.intake.utf8 import without_mark

_SPACE = b" \t\r\n"
#: A line feed with the blank lines and the indentation after it.
_LINE_END = re.compile(rb"\n[ \t\r\n]*+")


class NdjsonRows:
    """Reads NDJSON in chunks cut anywhere; holds at most a block and one row."""

    #: NDJSON has no place for control totals inside the file.
    control: bytes | None = None
    skipped = 0

    def __init__(self, decoder: RowDecoder) -> None:
        self._decoder = decoder
        self._chunks: list[bytes] = []
        self._held = 0
        self._row = 0
        self._at_start = True
        self._skipping = False

    def feed(self, chunk: bytes) -> Iterator[Run]:
        """The rows that are complete with this chunk, once a block has come together."""
        self._chunks.append(chunk)
        self._held += len(chunk)
        if self._held >= BLOCK:
            yield from self._lines(self._gathered())

    def finish(self) -> Iterator[Run]:
        """The remaining rows. Raises ImportFailed `file_truncated` when the last line stops in mid-row."""
        rest = self._gathered()
        if self._skipping:
            rest = rest.partition(b"\n")[2]
        complete, _, last = rest.rpartition(b"\n")
        if complete:
            yield from self._block(complete)
        if last.strip(_SPACE):
            yield from self._last(last.strip(_SPACE))

    def _gathered(self) -> bytes:
        data = b"".join(self._chunks)
        if self._at_start and data:
            data = without_mark(data)
            self._at_start = False
        self._chunks, self._held = [], 0
        return data

    def _lines(self, data: bytes) -> Iterator[Run]:
        start = 0
        if self._skipping:
            start = data.find(b"\n") + 1
            if not start:
                return
            self._skipping = False
        while len(data) - start >= BLOCK:
            end = data.rfind(b"\n", start, start + BLOCK)
            if end < 0:
                end = data.find(b"\n", start + BLOCK)
            if end < 0:
                break
            yield from self._block(data[start:end])
            start = end + 1
        yield from self._keep(data[start:])

    def _keep(self, rest: bytes) -> Iterator[Run]:
        """Hold what is not a whole line yet, unless it is already longer than any row may be."""
        if len(rest) > MAX_ROW and b"\n" not in rest:
            self._row += 1
            self._skipping = True
            yield Refused(
                self._row, refuse("", "row_too_large", f"expected a row of at most {MAX_ROW} bytes")
            )
        elif rest:
            self._chunks, self._held = [rest], len(rest)

    def _block(self, block: bytes) -> Iterator[Run]:
        rows = self._decoder.lines(block)
        if rows is not None:
            yield Decoded(range(self._row + 1, self._row + 1 + len(rows)), rows)
            self._row += len(rows)
            return
        lines = [line for line in _LINE_END.split(block.strip(_SPACE)) if line]
        yield from self._decoder.singly(range(self._row + 1, self._row + 1 + len(lines)), lines)
        self._row += len(lines)

    def _last(self, raw: bytes) -> Iterator[Run]:
        """The line after the last line feed: complete it is a row like any other, else the file was cut there."""
        self._row += 1
        for run in self._decoder.singly([self._row], [raw]):
            if isinstance(run, Refused) and not _is_json(raw):
                raise ImportFailed("file_truncated", f"row {self._row}, the last one, stops before its end")
            yield run


def _is_json(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
