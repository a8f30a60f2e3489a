"""Where the rows of one JSON document begin and end: `{"data": [row, …], "control": {…}}`, or the bare array.

The document is never held whole. Blocks are cut by a guess that cannot go wrong: what stands between the first two rows
(`},{` or `},\\n  {` …) is looked for near the end of the block, and the part before it is decoded as an array. Should
the cut fall inside a text or a nested list, that part is no array and does not decode; then the rows are found one by
one by their brackets.
"""

from collections.abc import Callable, Iterator
from typing import Any

from services.ledger.domain.intake.blocks import BLOCK, Decoded, Run
from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.json_scan import after_space, value_end
from services.ledger.domain.intake.row_decoder import MAX_ROW, RowDecoder
from services.ledger.domain.intake.utf8 import without_mark

_MAX_CONTROL = 1 << 16
_LONGEST_BETWEEN = 200
_GUESSES = 3


class JsonRows:
    """Reads a JSON document in chunks cut anywhere; holds at most a block and one row."""

    def __init__(self, decoder: RowDecoder) -> None:
        #: The `control` object as it stands in the file, once met.
        self.control: bytes | None = None
        self.skipped = 0
        self._decoder = decoder
        self._data = b""
        self._at = 0
        self._chunks: list[bytes] = []
        self._held = 0
        self._row = 0
        self._between: bytes | None = None
        self._bare = False
        self._data_met = False
        self._final = False
        self._step: Callable[[], Iterator[Run] | None] = self._begin

    def feed(self, chunk: bytes) -> Iterator[Run]:
        """The rows that are complete with this chunk, once a block has come together. Raises ImportFailed."""
        self._chunks.append(chunk)
        self._held += len(chunk)
        # A row that is not complete is scanned again only when as much has come again: twice in all, not once a chunk.
        if self._held >= max(BLOCK, len(self._data) - self._at):
            yield from self._advance()

    def finish(self) -> Iterator[Run]:
        """The remaining rows. Raises ImportFailed `file_truncated` if the document is not complete."""
        self._final = True
        yield from self._advance()
        if self._step != self._end:
            raise ImportFailed("file_truncated", f"the JSON document stops after {self._row} complete rows")
        if not self._data_met:
            raise ImportFailed("data_missing", 'expected the rows under "data"')

    def _advance(self) -> Iterator[Run]:
        self._data = self._data[self._at :] + b"".join(self._chunks)
        self._at, self._chunks, self._held = 0, [], 0
        while True:
            before = (self._step, self._at)
            yield from self._step() or ()
            if (self._step, self._at) == before:
                break
        if len(self._data) - self._at > MAX_ROW + BLOCK:
            raise ImportFailed(
                "row_too_large", f"after row {self._row}: expected a row of at most {MAX_ROW} bytes"
            )

    # One method a place in the document; each takes what it can and says by `_step` what comes next.

    def _begin(self) -> None:
        if len(self._data) < 3 and not self._final:
            return
        self._data = without_mark(self._data)
        first = self._next_byte()
        if first == ord("["):
            self._bare = True
            self._enter_rows()
        elif first == ord("{"):
            self._at += 1
            self._step = self._member
        elif first is not None:
            raise ImportFailed("json_malformed", 'expected an object with "data", or an array of rows')

    def _member(self) -> None:
        if self._next_byte() is None:
            return
        if self._data[self._at] == ord("}") and not self._data_met and self.control is None:
            raise ImportFailed("data_missing", 'expected the rows under "data"')
        if self._data[self._at] != ord('"'):
            raise ImportFailed("json_malformed", "expected the name of a member")
        name_end = value_end(self._data, self._at)
        colon = after_space(self._data, name_end) if name_end else len(self._data)
        if colon >= len(self._data):
            return
        if self._data[colon] != ord(":"):
            raise ImportFailed("json_malformed", "expected a colon after the name of a member")
        name = self._data[self._at : name_end]
        self._at = colon + 1
        self._step = self._member_called(name)

    def _member_called(self, name: bytes) -> Callable[[], None]:
        if (name == b'"data"' and self._data_met) or (name == b'"control"' and self.control is not None):
            raise ImportFailed("json_duplicate_key", f"the member {name.decode()} stands twice")
        if name == b'"data"':
            return self._array
        if name == b'"control"':
            return self._control
        raise ImportFailed("unknown_field", 'expected no other members than "data" and "control"')

    def _array(self) -> None:
        first = self._next_byte()
        if first == ord("["):
            self._enter_rows()
        elif first is not None:
            raise ImportFailed("json_malformed", 'expected an array under "data"')

    def _control(self) -> None:
        if self._next_byte() is None:
            return
        end = value_end(self._data, self._at)
        if (end or len(self._data)) - self._at > _MAX_CONTROL:
            raise ImportFailed("control_invalid", "expected control totals of a few lines")
        if end is not None:
            self.control = self._data[self._at : end]
            self._at = end
            self._step = self._after_member

    def _after_member(self) -> None:
        following = self._next_byte()
        if following == ord(","):
            self._step = self._member
        elif following == ord("}"):
            self._step = self._end
        elif following is not None:
            raise ImportFailed("json_malformed", "expected a comma or the end of the document")
        else:
            return
        self._at += 1

    def _end(self) -> None:
        if self._next_byte() is not None:
            raise ImportFailed("json_malformed", "expected nothing after the document")

    def _enter_rows(self) -> None:
        self._at += 1
        self._data_met = True
        self._step = self._first_row

    def _first_row(self) -> None:
        first = self._next_byte()
        if first == ord("]"):
            self._leave_rows()
        elif first is not None:
            self._step = self._rows

    def _leave_rows(self) -> None:
        self._at += 1
        self._step = self._end if self._bare else self._after_member

    def _rows(self) -> Iterator[Run]:
        """Where a row must begin."""
        while self._between and len(self._data) - self._at > BLOCK:
            guessed = self._guessed(self._between)
            if guessed is None:
                break
            yield guessed
        yield from self._by_brackets()

    def _guessed(self, between: bytes) -> Run | None:
        limit = self._at + BLOCK
        for _ in range(_GUESSES):
            cut = self._data.rfind(between, self._at, limit)
            if cut < 0:
                return None
            rows = self._decoder.elements(self._data[self._at : cut + 1])
            if rows is not None:
                self._at = cut + len(between) - 1
                return self._decoded(rows)
            limit = cut + 1
        return None

    def _by_brackets(self) -> Iterator[Run]:
        """About a block of rows found one by one; read together if they can be."""
        spans = self._spans(self._at + BLOCK)
        if not spans:
            return
        rows = self._decoder.elements(self._data[spans[0][0] : spans[-1][1]])
        if rows is not None:
            yield self._decoded(rows)
            return
        numbers = range(self._row + 1, self._row + 1 + len(spans))
        self._row += len(spans)
        yield from self._decoder.singly(numbers, [self._data[start:end] for start, end in spans])

    def _spans(self, until: int) -> list[tuple[int, int]]:
        """Beginning and end of the rows that are complete, up to the first that begins beyond `until`."""
        data, spans = self._data, []
        start = after_space(data, self._at)
        while start < min(until, len(data)):
            end = value_end(data, start)
            mark = after_space(data, end) if end else len(data)
            if not end or mark == len(data):
                break
            spans.append((start, end))
            self._at = mark
            if data[mark] == ord("]"):
                self._leave_rows()
                break
            if data[mark] != ord(","):
                raise ImportFailed("json_malformed", f"expected a comma after row {self._row + len(spans)}")
            self._at += 1
            start = after_space(data, self._at)
            self._learn(data[end - 1 : start + 1])
        return spans

    def _learn(self, between: bytes) -> None:
        if self._between is None and len(between) <= _LONGEST_BETWEEN and between[:1] + between[-1:] == b"}{":
            self._between = between

    def _decoded(self, rows: list[Any]) -> Decoded:
        numbers = range(self._row + 1, self._row + 1 + len(rows))
        self._row += len(rows)
        return Decoded(numbers, rows)

    def _next_byte(self) -> int | None:
        self._at = after_space(self._data, self._at)
        return self._data[self._at] if self._at < len(self._data) else None
