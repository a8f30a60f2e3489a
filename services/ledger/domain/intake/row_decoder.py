"""Reads rows of JSON: a whole block at once while all is well, one row at a time to find what is not."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import astuple

from libs.kit import strict_json
from services.ledger.domain.intake.blocks import Decoded, Refused, Run
from services.ledger.domain.intake.diagnosis import faults_of
from services.ledger.domain.intake.errors import Fault, RowRefused, refuse
from services.ledger.domain.intake.field_types import field_types
from services.ledger.domain.intake.row_kinds import RowKind

#: No row is longer, in bytes.
MAX_ROW = 1 << 20
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NUL = b"\\u0000"
_KEY_END = re.compile(rb'"[ \t\r\n]*+:')


class RowDecoder:
    """Decodes rows of one kind.

    Two equal keys in an object are a fault, but msgspec takes the last one and says nothing. So keys are counted: each
    has a colon, hence a block with as many colons as its rows have different keys holds no key twice. Colons inside
    texts make the count too high; then the ends of keys are counted instead, and failing that rows are read singly.
    """

    def __init__(self, kind: RowKind) -> None:
        self._kind = kind
        self._row = msgspec.json.Decoder(kind.model)
        self._rows = msgspec.json.Decoder(list[kind.model])  # type: ignore[name-defined]
        types = field_types(kind.model)
        self._width = len(types)
        self._nested = [name for name in types if _may_hold_keys(msgspec.inspect.type_info(types[name]))]

    def elements(self, block: bytes) -> list[Any] | None:
        """The rows of a comma-separated block, or None if something in it needs a closer look."""
        return self._whole(self._rows.decode, b"[%b]" % block)

    def lines(self, block: bytes) -> list[Any] | None:
        """The rows of a block of whole lines, or None if something in it needs a closer look."""
        rows = self._whole(self._row.decode_lines, block)
        if rows is None or len(rows) != block.count(b"\n") + (not block.endswith(b"\n")):
            return None
        return rows

    def singly(self, numbers: Sequence[int], raws: Sequence[bytes]) -> Iterator[Run]:
        """The rows of a block that needs a closer look, in order: a bad one by itself, good ones that follow one another
        together."""
        good, rows = [], []
        for number, raw in zip(numbers, raws, strict=True):
            try:
                rows.append(self.one(raw))
                good.append(number)
            except RowRefused as refusal:
                if rows:
                    yield Decoded(good, rows)
                    good, rows = [], []
                yield Refused(number, refusal)
        if rows:
            yield Decoded(good, rows)

    def one(self, raw: bytes) -> Any:
        """A single row. Raises RowRefused with every fault of its fields."""
        if len(raw) > MAX_ROW:
            raise refuse("", "row_too_large", f"expected a row of at most {MAX_ROW} bytes")
        try:
            row = self._row.decode(raw)
        except _UNREADABLE:
            raise self.diagnosis(raw) from None
        if _NUL in raw or raw.count(b":") != self._keys([row]):
            _strict(raw)
        return row

    def diagnosis(self, raw: bytes, found: Sequence[Fault] = ()) -> RowRefused:
        """Why a row is refused: the faults of its fields, else those `found` by the rules of its kind."""
        try:
            values = _strict(raw)
        except RowRefused as refusal:
            return refusal
        faults = (
            faults_of(self._kind.model, raw)
            or found
            or [Fault("", "row_invalid", "expected a row as documented")]
        )
        if not isinstance(values, dict):
            return RowRefused(faults)
        return RowRefused(faults, self._kind.stated(values), key_of(values))

    @staticmethod
    def encoded(row: Any) -> bytes:
        """A decoded row as JSON again."""
        return msgspec.json.encode(row)

    def _whole(self, decode: Callable[[bytes], list[Any]], block: bytes) -> list[Any] | None:
        if _NUL in block:
            return None
        try:
            rows = decode(block)
        except _UNREADABLE:
            return None
        keys = self._keys(rows)
        return rows if block.count(b":") == keys or len(_KEY_END.findall(block)) == keys else None

    def _keys(self, rows: Sequence[Any]) -> int:
        """How many different keys the rows' objects have, nested ones included."""
        keys = len(rows) * self._width - sum([astuple(row).count(UNSET) for row in rows])
        for name in self._nested:
            keys += sum([_keys_in(value) for row in rows if (value := getattr(row, name))])
        return keys


def key_of(values: dict[str, Any]) -> str | None:
    """The external_id of a row that is refused, if it has one."""
    key = values.get("external_id")
    return key if isinstance(key, str) and key and "\0" not in key else None


def _strict(raw: bytes) -> Any:
    try:
        return strict_json.loads(raw)
    except strict_json.JsonRefused as refusal:
        raise refuse("", refusal.code, refusal.detail) from None


def _may_hold_keys(info: msgspec.inspect.Type) -> bool:
    if isinstance(info, msgspec.inspect.UnionType):
        return any(_may_hold_keys(part) for part in info.types)
    if isinstance(info, msgspec.inspect.Metadata):
        return _may_hold_keys(info.type)
    return isinstance(info, msgspec.inspect.DictType | msgspec.inspect.ListType | msgspec.inspect.StructType)


def _keys_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value)
    if isinstance(value, list):
        return sum([_keys_in(member) for member in value])
    if isinstance(value, Struct):
        members = [member for member in astuple(value) if member is not UNSET]
        return len(members) + sum([_keys_in(member) for member in members])
    return 0
