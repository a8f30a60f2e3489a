"""Turns the cells of a CSV row into a row as our JSON has it, by the mapping of its source."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args, get_origin

from msgspec import Raw

from services.ledger.domain.intake.cells import dates, figures, yes_or_no
from services.ledger.domain.intake.checks import escape
from services.ledger.domain.intake.dialects import Dialect, DialectInvalid
from services.ledger.domain.intake.errors import Fault, ImportFailed, RowRefused, refuse
from services.ledger.domain.intake.field_types import alternatives, field_types
from services.ledger.domain.intake.flat_fields import COMPLETIONS, FLAT_FIELDS
from services.ledger.domain.intake.mappings import ANY, Column, Mapping
from services.ledger.domain.intake.row_kinds import RowKind

Read = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the text of a cell becomes a value, and what is said when it does not."""

    read: Read
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What is done with one cell of every row: mended, read, and put where `path` leads."""

    index: int
    path: tuple[str, ...]
    mend: Read | None
    reading: Reading | None


class Projection:
    """A mapping made ready for one header. `row` is called once a row."""

    def __init__(self, kind: RowKind, dialect: Dialect, mapping: Mapping, header: Sequence[str]) -> None:
        self._kind = kind
        self.width = len(header)
        self._null_words = frozenset(dialect.null_words) | {""}
        self._complete = COMPLETIONS.get(kind.name)
        self._mapping = mapping
        self._constants: dict[str, Any] = {}
        for target, value in mapping.constants.items():
            _put(self._constants, _path(target), value)
        self._nested = any(isinstance(value, dict | list) for value in self._constants.values())
        readings = _Readings(kind, dialect)
        self._cells = [
            Cell(index, _path(target), _mending(column), readings.of(target))
            for index, column in _columns(kind, mapping, header)
            for target in column.targets
        ]
        self._only = [(_index(header, name), frozenset(texts)) for name, texts in mapping.only.items()]

    def wanted(self, cells: Sequence[str]) -> bool:
        """Whether the mapping's `only` keeps this row; one too short to tell is kept, and refused by `row`."""
        return all(index >= len(cells) or cells[index].strip() in texts for index, texts in self._only)

    def row(self, cells: Sequence[str]) -> dict[str, Any]:
        """The row as our JSON would have it. Raises RowRefused with every fault found."""
        if len(cells) != self.width and (len(cells) < self.width or any(cells[self.width :])):
            raise refuse("", "cells_count", f"expected {self.width} cells, found {len(cells)}")
        values = deepcopy(self._constants) if self._nested else self._constants.copy()
        faults: list[Fault] = []
        nulls = self._null_words
        for cell in self._cells:
            text = cells[cell.index].strip()
            if text in nulls:
                continue
            value: Any = text
            if cell.mend is not None:
                value = cell.mend(text)
                if value is None:
                    continue
                if value is _UNKNOWN:
                    faults.append(
                        Fault(
                            _pointer(cell.path),
                            "value_unknown",
                            "expected one of the texts the mapping names",
                        )
                    )
                    continue
            if cell.reading is not None:
                value = cell.reading.read(value)
                if value is None:
                    faults.append(Fault(_pointer(cell.path), cell.reading.code, cell.reading.detail))
                    continue
            if len(cell.path) == 1:
                values[cell.path[0]] = value
            else:
                _put(values, cell.path, value)
        if self._complete is not None:
            faults += self._complete(values, self._mapping)
        if faults:
            raise RowRefused(faults, self._kind.stated(values))
        return values


class _Readings:
    """How the cells of each field are read, by the field's type."""

    def __init__(self, kind: RowKind, dialect: Dialect) -> None:
        self._types = field_types(kind.model)
        shown = " or ".join(dialect.date_formats)
        self._date = Reading(dates(dialect), "date_invalid", f"expected a date that exists, written {shown}")
        shown = f"1{dialect.grouping}234{dialect.decimal}56"
        self._figure = Reading(figures(dialect), "amount_invalid", f"expected a figure such as {shown}")
        self._yes_or_no = Reading(yes_or_no, "boolean_invalid", "expected yes or no")

    def of(self, target: str) -> Reading | None:
        if target == "settled_amount":
            return self._figure
        hint = self._types.get(target)
        core = alternatives(hint)[0] if hint is not None else str
        return {Raw: self._figure, date: self._date, bool: self._yes_or_no}.get(_bare(core))


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


def _mending(column: Column) -> Read | None:
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
        return words.get(ANY) if ANY in words else _UNKNOWN

    return mend


def _without_decimal_zero(text: str) -> str:
    whole, point, fraction = text.partition(".")
    return whole if point and whole.isdigit() and fraction.strip("0") == "" else text


def _path(target: str) -> tuple[str, ...]:
    head, _, rest = target.partition(".")
    if head == "contact":
        return "contacts", rest
    return (head, rest) if rest else (head,)


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if len(path) == 1:
        values[path[0]] = value
    elif path[0] == "contacts":
        values.setdefault("contacts", [{}])[0][path[1]] = value
    else:
        values.setdefault(path[0], {})[path[1]] = value


def _pointer(path: tuple[str, ...]) -> str:
    steps = ("contacts", "0", path[1]) if path[0] == "contacts" and len(path) == 2 else path
    return "".join("/" + escape(step) for step in steps)


def _bare(hint: Any) -> Any:
    return (
        get_args(hint)[0]
        if get_origin(hint) is not None and get_args(hint) and not isinstance(hint, type)
        else hint
    )


_UNKNOWN: Any = object()
