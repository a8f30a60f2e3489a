"""Turns the cells of CSV rows into rows as our JSON has them, by the mapping of their source."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

from services.ledger.domain.intake.cells import Reading, Readings
from services.ledger.domain.intake.checks import escape
from services.ledger.domain.intake.dialects import Dialect, DialectInvalid
from services.ledger.domain.intake.errors import Fault, ImportFailed, RowRefused, refuse
from services.ledger.domain.intake.field_types import field_types
from services.ledger.domain.intake.flat_fields import COMPLETIONS, FLAT_FIELDS
from services.ledger.domain.intake.mappings import ANY, Column, Mapping
from services.ledger.domain.intake.row_kinds import RowKind

Values = dict[str, Any]
Cells = list[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """What is done with one cell of every row: mended, read, and given to the field at `path`."""

    index: int
    path: tuple[str, ...]
    mend: Callable[[str], Any] | None
    reading: Reading | None


class Projection:
    """A mapping made ready for one header.

    Works column by column, like the rules of the rows: `rows` refuses a block as a whole, and the rows of a block that
    was refused are given to it one by one.
    """

    def __init__(self, kind: RowKind, dialect: Dialect, mapping: Mapping, header: Sequence[str]) -> None:
        self.width = len(header)
        self._kind = kind
        self._mapping = mapping
        self._null_words = frozenset(dialect.null_words) | {""}
        self._complete = COMPLETIONS.get(kind.name)
        self._constants = {_path(target): value for target, value in mapping.constants.items()}
        readings = Readings(dialect)
        types = field_types(kind.model)
        self._cells = [
            Cell(index, _path(target), _mending(column), readings.of(target, types.get(target)))
            for index, column in _columns(kind, mapping, header)
            for target in column.targets
        ]
        self._only = [(_index(header, name), frozenset(texts)) for name, texts in mapping.only.items()]

    def wanted(self, cells: Cells) -> bool:
        """Whether the mapping's `only` keeps this row; one too short to tell is kept, and refused by `rows`."""
        return all(index >= len(cells) or cells[index].strip() in texts for index, texts in self._only)

    def rows(self, records: Sequence[Cells]) -> list[Values]:
        """The rows as our JSON would have them; what a row does not say is None. Raises RowRefused if any of them must
        be refused; of a single row it names every fault."""
        columns: list[Sequence[str]] = list(zip(*self._even(records), strict=True))
        faults: list[Fault] = []
        found: dict[tuple[str, ...], Sequence[Any]] = {
            path: (value,) * len(records) for path, value in self._constants.items()
        }
        for cell in self._cells:
            values, fault = self._read(cell, columns[cell.index])
            if fault is not None:
                faults.append(Fault(_pointer(cell.path), *fault))
            constant = self._constants.get(cell.path)
            found[cell.path] = values if constant is None else [constant if v is None else v for v in values]
        rows = _as_rows(found, len(records))
        if self._complete is not None:
            for row in rows:
                faults += self._complete(row, self._mapping)
        if faults:
            if len(rows) > 1:
                raise RowRefused(faults)
            raise RowRefused(faults, self._kind.stated(rows[0]), rows[0].get("external_id"))
        return rows

    def _even(self, records: Sequence[Cells]) -> Sequence[Cells]:
        """The records with as many cells as the header; empty ones at the end of a line do not count."""
        if all(len(cells) == self.width for cells in records):
            return records
        for cells in records:
            if len(cells) < self.width or any(cells[self.width :]):
                raise refuse("", "cells_count", f"expected {self.width} cells, found {len(cells)}")
        return [cells[: self.width] for cells in records]

    def _read(self, cell: Cell, column: Sequence[str]) -> tuple[Sequence[Any], tuple[str, str] | None]:
        """The values of a column, and the code and words of the fault if a cell has one."""
        nulls = self._null_words
        texts: list[Any] = list(map(str.strip, column))
        if not nulls.isdisjoint(texts):
            texts = [None if text in nulls else text for text in texts]
        if cell.mend is not None:
            texts = [None if text is None else cell.mend(text) for text in texts]
            if UNKNOWN in texts:
                return [None] * len(texts), ("value_unknown", "expected one of the texts the mapping names")
        if cell.reading is None:
            return texts, None
        values = cell.reading.column(texts)
        if any(value is None and text is not None for value, text in zip(values, texts, strict=True)):
            return values, (cell.reading.code, cell.reading.detail)
        return values, None


def _as_rows(found: AnyMapping[tuple[str, ...], Sequence[Any]], count: int) -> list[Values]:
    """Columns by path as rows, the columns of a nested part put together first."""
    whole: dict[str, Sequence[Any]] = {path[0]: column for path, column in found.items() if len(path) == 1}
    for head in dict.fromkeys(path[0] for path in found if len(path) > 1):
        names = [path[1] for path in found if path[0] == head and len(path) > 1]
        parts = [_part(names, values) for values in zip(*(found[head, name] for name in names), strict=True)]
        whole[head] = [[part] if part else None for part in parts] if head == "contacts" else parts
    if not whole:
        return [{} for _ in range(count)]
    names = list(whole)
    return [dict(zip(names, values, strict=True)) for values in zip(*whole.values(), strict=True)]


def _part(names: Sequence[str], values: Sequence[Any]) -> Values | None:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None} or None


def check_mapping(kind: RowKind, mapping: Mapping) -> None:
    """Raise DialectInvalid unless every target is a field of this kind, and filled by one column only."""
    fields = field_types(kind.model).keys() | FLAT_FIELDS[kind.name]
    filled: set[str] = set()
    for name, column in mapping.columns.items():
        for target in _as_column(column).targets:
            if not _is_field(target, fields):
                raise DialectInvalid(f"/columns/{escape(name)}", f"expected a field of {kind.name}")
            if target in filled:
                raise DialectInvalid(f"/columns/{escape(name)}", f"expected one column for {target}")
            filled.add(target)
    for target in mapping.constants:
        if not _is_field(target, fields):
            raise DialectInvalid(f"/constants/{escape(target)}", f"expected a field of {kind.name}")


def _is_field(target: str, fields: set[str]) -> bool:
    return target in fields or ("." in target and f"{target.split('.', 1)[0]}.*" in fields)


def _columns(kind: RowKind, mapping: Mapping, header: Sequence[str]) -> list[tuple[int, Column]]:
    """The mapped columns with their places. Raises ImportFailed for a column missing, unknown or named twice."""
    columns = mapping.columns or {name: name for name in header if name not in mapping.ignore}
    try:
        check_mapping(kind, Mapping(columns=columns, constants=mapping.constants))
    except DialectInvalid as error:
        code = (
            "mapping_invalid"
            if mapping.columns or not error.pointer.startswith("/columns")
            else "column_unknown"
        )
        raise ImportFailed(code, f"{error.pointer}: {error.detail}") from None
    known = {*columns, *mapping.ignore, *mapping.only}
    unknown = [name for name in header if name not in known] if ANY not in mapping.ignore else []
    if unknown:
        listed = ", ".join(name[:40] for name in unknown[:10])
        raise ImportFailed(
            "column_unknown", f"expected every column to be mapped or ignored, but not: {listed}"
        )
    return [(_index(header, name), _as_column(column)) for name, column in columns.items()]


def _index(header: Sequence[str], name: str) -> int:
    if header.count(name) != 1:
        code, number = ("column_repeated", "one column") if name in header else ("column_missing", "a column")
        raise ImportFailed(code, f"expected {number} named {name[:40]}")
    return header.index(name)


def _as_column(column: str | Column) -> Column:
    return Column(to=column) if isinstance(column, str) else column


def _mending(column: Column) -> Callable[[str], Any] | None:
    """What is done to a text before it is read; None for nothing."""
    if not (column.values or column.strip_decimal_zero or column.strip_leading_zeros):
        return None
    words = column.values

    def mend(text: str) -> Any:
        if column.strip_decimal_zero:
            text = _without_decimal_zero(text)
        if column.strip_leading_zeros:
            text = text.lstrip("0") or "0"
        if words is None or text in words:
            return words[text] if words else text
        return words.get(ANY) if ANY in words else UNKNOWN

    return mend


def _without_decimal_zero(text: str) -> str:
    whole, point, fraction = text.partition(".")
    return whole if point and whole.isdigit() and fraction.strip("0") == "" else text


def _path(target: str) -> tuple[str, ...]:
    head, _, rest = target.partition(".")
    if head == "contact":
        return "contacts", rest
    return (head, rest) if rest else (head,)


def _pointer(path: tuple[str, ...]) -> str:
    steps = ("contacts", "0", path[1]) if path[0] == "contacts" and len(path) == 2 else path
    return "".join("/" + escape(step) for step in steps)


#: A text that the mapping's `values` do not name.
UNKNOWN: Any = object()
