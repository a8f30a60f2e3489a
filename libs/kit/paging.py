"""Keyset paging: page 10,000 costs what page 1 costs, and a row inserted meanwhile is neither skipped nor shown twice."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from fastapi import Query
from pydantic import BaseModel, Field

from libs.kit.problems import invalid

T = TypeVar("T")
MAX_LIMIT = 200
_READERS: dict[str, Callable[[str], Any]] = {
    "uuid": UUID,
    "date": date.fromisoformat,
    "timestamptz": datetime.fromisoformat,
    "bigint": int,
    "integer": int,
    "numeric": Decimal,
}

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="how many objects a page holds at the most")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next_cursor` of the page before")]


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    data: list[T]
    next_cursor: str | None = Field(description="pass as `cursor` to read on", examples=[None])


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that lists may be sorted by. `sql` must never be null (coalesce it); `cast` is its PostgreSQL type."""

    sql: str
    cast: str
    descending: bool = False

    def reversed(self) -> "SortKey":
        """The same column, the other way round."""
        return SortKey(self.sql, self.cast, not self.descending)


@dataclass
class Statement:
    """A SELECT being put together: conditions are fixed text, values are always bound."""

    params: list[Any] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)

    def bind(self, value: Any) -> str:
        """The placeholder of a value."""
        self.params.append(value)
        return f"${len(self.params)}"

    def where(self, condition: str, *values: Any) -> None:
        """Add a condition; each `{}` in it becomes the placeholder of the next value."""
        self.conditions.append(condition.format(*(self.bind(value) for value in values)))

    def clause(self) -> str:
        """`WHERE …`, or nothing."""
        return (
            "WHERE " + " AND ".join(f"({condition})" for condition in self.conditions)
            if self.conditions
            else ""
        )


def parse_sort(sort: str | None, allowed: dict[str, SortKey], default: str) -> list[SortKey]:
    """The sort keys of `sort=-due_date,number`. Raises 422 naming what may be sorted by."""
    keys = []
    for name in (sort or default).split(","):
        plain = name.removeprefix("-")
        if plain not in allowed:
            raise invalid(
                "?sort",
                "sort_unknown",
                f"expected some of {', '.join(sorted(allowed))}, each with - for descending",
            )
        keys.append(allowed[plain].reversed() if name.startswith("-") else allowed[plain])
    return keys


def keyset(statement: Statement, keys: Sequence[SortKey], cursor: str | None) -> str:
    """Add the condition "after the cursor" to the statement and return its ORDER BY. The last key must be unique."""
    if cursor is not None:
        values = _decode(cursor, keys)
        alternatives = []
        for position, current in enumerate(keys):
            same = [
                f"{k.sql} = {statement.bind(v)}::text::{k.cast}"
                for k, v in zip(keys[:position], values, strict=False)
            ]
            sign = "<" if current.descending else ">"
            beyond = f"{current.sql} {sign} {statement.bind(values[position])}::text::{current.cast}"
            alternatives.append("(" + " AND ".join([*same, beyond]) + ")")
        statement.conditions.append(" OR ".join(alternatives))
        # A plain bound on the leading column: the planner turns it into an index condition, which an OR it does not.
        sign = "<=" if keys[0].descending else ">="
        statement.conditions.append(f"{keys[0].sql} {sign} {statement.bind(values[0])}::text::{keys[0].cast}")
    return "ORDER BY " + ", ".join(f"{k.sql} {'DESC' if k.descending else 'ASC'}" for k in keys)


def cursor_columns(keys: Sequence[SortKey]) -> str:
    """Select list entry `_cursor`: the sort values of a row as a text array, read back by `page`."""
    return "ARRAY[" + ", ".join(f"({k.sql})::text" for k in keys) + "] AS _cursor"


def page(rows: list[Any], limit: int, present: Any) -> dict[str, Any]:
    """A page from rows selected with `LIMIT limit + 1` and `cursor_columns`; `present` makes the public object of a row."""
    more = len(rows) > limit
    shown = rows[:limit]
    return {
        "data": [present(row) for row in shown],
        "next_cursor": encode(shown[-1]["_cursor"]) if more else None,
    }


def encode(values: Sequence[str]) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(values))).decode().rstrip("=")


def _decode(cursor: str, keys: Sequence[SortKey]) -> list[str]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = msgspec.json.decode(raw, type=list[str])
    except (binascii.Error, ValueError):
        values = []
    if len(values) != len(keys) or not all(map(_fits, values, keys)):
        raise invalid(
            "?cursor", "cursor_invalid", "expected the next_cursor of a page of this same list and sort"
        )
    return values


def _fits(value: str, key: SortKey) -> bool:
    """Whether PostgreSQL could cast it. Left to itself it refuses a bad value only on the days it looks at it."""
    if "\x00" in value:
        return False
    try:
        _READERS.get(key.cast, str)(value)
    except (ValueError, ArithmeticError):
        return value in ("infinity", "-infinity")
    return True
