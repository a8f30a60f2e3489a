"""The rules every kind of row shares, applied to a column of many rows at once.

A rule that does not hold raises RowRefused without saying for which row: the caller then tries the rows one by one, as
columns of one row. So there is a single set of rules, and the case where all is well runs in a few C loops.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import gt
from typing import Any
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import astuple

from services.ledger.domain.intake.amounts import check_between, decimals_of, minor_units
from services.ledger.domain.intake.checks import FIRST_DAY, LAST_DAY, custom_fields_text, version_of
from services.ledger.domain.intake.errors import refuse

Column = Sequence[Any]
_NULL = Raw(b"null")
#: Figures of exactly so many decimals, one a line: what nearly every column of amounts looks like.
_EVEN = {
    decimals: re.compile(rb"%b(?:\n%b)*+" % (figure, figure))
    for decimals in (0, 2, 3, 4)
    for figure in [rb'"?\d{1,14}' + (rb"\.\d{%d}" % decimals if decimals else b"") + rb'"?']
}


@dataclass(frozen=True, slots=True)
class RowDefaults:
    """What the import says for every row that does not say it itself."""

    business_unit_id: UUID | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """Rows as tuples for COPY; fingerprints of their keys and contents, to tell repeats; signed sums by currency in
    minor units."""

    records: list[tuple[Any, ...]]
    keys: list[int]
    contents: list[int]
    sums: Mapping[str, int]


def fields_of(rows: Sequence[Struct]) -> dict[str, Column]:
    """The fields of rows, each as a column; a field a row leaves out is UNSET there."""
    return dict(zip(rows[0].__struct_fields__, zip(*map(astuple, rows), strict=True), strict=True))


def assemble(columns: Sequence[Column], sums: Mapping[str, int], *also: Column) -> Records:
    """Records of columns that begin with row, business_unit_id and external_id. `also` tells contents apart besides."""
    return Records(
        records=list(zip(*columns, strict=True)),
        keys=list(map(hash, zip(columns[1], columns[2], strict=True))),
        contents=list(map(hash, zip(*columns[3:], *also, strict=True))),
        sums=sums,
    )


def filled(column: Column, default: Any = None) -> Column:
    """The column with the default where a row leaves the field out, says null, or nothing ("")."""
    if column.count(UNSET) == len(column):
        return (default,) * len(column)
    return [value or default for value in column]


def days(column: Column, pointer: str) -> Column:
    """A column of optional days, each within 1900..2199: beyond lies a typing error or a program's "never"."""
    column = filled(column)
    present: Sequence[date] = [day for day in column if day] if None in column else column
    if present and not (min(present) >= FIRST_DAY and max(present) <= LAST_DAY):
        raise refuse(pointer, "date_out_of_range", f"expected a date from {FIRST_DAY} to {LAST_DAY}")
    return column


def decimals_of_all(currencies: Column) -> int | None:
    """The decimals of the currencies, None if they differ. Raises RowRefused `currency_unknown`."""
    different = {decimals_of(currency) for currency in set(currencies)}
    return different.pop() if len(different) == 1 else None


def amounts(column: Column, currencies: Column, decimals: int | None, pointer: str) -> list[int]:
    """A column of amounts in minor units. Raises RowRefused; never rounds."""
    if decimals is not None:
        lines = b"\n".join(map(bytes, column))
        if _EVEN[decimals].fullmatch(lines):
            return list(map(int, lines.translate(None, b'".').split(b"\n")))
    return [
        minor_units(raw, decimals_of(currency), currency, pointer)
        for raw, currency in zip(column, currencies, strict=True)
    ]


def optional_amounts(
    column: Column, currencies: Column, decimals: int | None, pointer: str
) -> list[int | None]:
    """A column of amounts in minor units, None where a row says none."""
    absent = column.count(UNSET)
    if absent == len(column):
        return [None] * len(column)
    if not absent and _NULL not in column:
        return [*amounts(column, currencies, decimals, pointer)]
    return [
        None if _is_absent(raw) else minor_units(raw, decimals_of(currency), currency, pointer)
        for raw, currency in zip(column, currencies, strict=True)
    ]


def _is_absent(raw: Raw | UnsetType) -> bool:
    return raw is UNSET or raw == _NULL


def check_parts(parts: Sequence[int | None], wholes: Sequence[int], currencies: Column, pointer: str) -> None:
    """Each part is between nothing and all of its whole."""
    present = [part for part in parts if part is not None]
    if not present or (
        len(present) == len(parts) and min(present) >= 0 and not any(map(gt, present, wholes))
    ):
        return
    for part, whole, currency in zip(parts, wholes, currencies, strict=True):
        if part is not None:
            check_between(part, 0, whole, currency, pointer, "amount_out_of_range")


def check_customers(ids: Column, keys: Column, *, required: bool = True) -> None:
    """A row names its customer once: by our id or by the caller's key."""
    for customer_id, key in zip(ids, keys, strict=True):
        if customer_id and key:
            raise refuse(
                "/customer_id", "customer_ambiguous", "expected customer_id or customer_external_id, not both"
            )
        if required and not customer_id and not key:
            raise refuse("/customer_external_id", "required", "expected customer_external_id or customer_id")


def versions(column: Column) -> Column:
    """A column of source versions as numbers that grow."""
    return each(column, version_of)


def custom_fields(column: Column) -> Column:
    """A column of the caller's own fields as JSON text."""
    return each(column, custom_fields_text)


def each(column: Column, read: Callable[[Any], Any]) -> Column:
    """The column with `read` applied wherever a row says something."""
    if column.count(UNSET) == len(column):
        return (None,) * len(column)
    return [None if value is UNSET or value is None else read(value) for value in column]


def sums_of(currencies: Column, signed: Sequence[int]) -> dict[str, int]:
    """Sum by currency, minor units."""
    if len(set(currencies)) == 1:
        return {currencies[0]: sum(signed)}
    sums: dict[str, int] = {}
    for currency, amount in zip(currencies, signed, strict=True):
        sums[currency] = sums.get(currency, 0) + amount
    return sums
