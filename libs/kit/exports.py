"""Tables for spreadsheets: CSV or XLSX when `Accept` asks for one, with typed cells, and no text that a spreadsheet would run.

`table` makes one of rows at hand. `whole_list` reads a list to its end in a transaction of its own and holds some hundred rows
at a time, whatever its length.
"""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal, TypeVar

import xlsxwriter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send
from typing_extensions import override

from libs.kit.db import Database, Row
from libs.kit.problems import Problem
from libs.kit.tenants import Tenant

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
T = TypeVar("T")
Form = Literal["json", "csv", "xlsx"]
Type = Literal["text", "amount", "number", "date"]
#: A query: the statement, then its parameters.
Query = tuple[Any, ...]
#: A spreadsheet program opens no more with ease, and CPU is ours: longer lists are for CSV.
MOST_XLSX_ROWS = 100_000
#: Lists read to their end at the same time, a process: each holds a connection as long as its reader takes.
MOST_AT_ONCE = 4
_PIECE = 256 * 1024
#: What makes a spreadsheet take a text for a formula.
_RUNS = ("=", "+", "-", "@", "\t", "\r")


#: `responses` of a route that also answers files.
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            CSV: {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the member of a row it shows, its heading, and what its cells are."""

    member: str
    heading: str
    type: Type = "text"


def wanted_form(request: Request) -> Form:
    """What an Accept header asks for first among JSON, CSV and XLSX; JSON where it asks for nothing in particular."""
    return preferred(request, {CSV: "csv", XLSX: "xlsx", "application/json": "json"}, "json")


def preferred(request: Request, offered: Mapping[str, T], otherwise: T) -> T:
    """What an Accept header names first of the media types on offer."""
    for part in request.headers.get("accept", "").split(","):
        form = offered.get(part.partition(";")[0].strip().lower())
        if form is not None:
            return form
    return otherwise


def table(form: Form, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> Response:
    """The rows as a file to download."""
    body = _csv(columns, rows) if form == "csv" else _xlsx(name, columns, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Vary": "Accept"}
    return Response(body, media_type=CSV if form == "csv" else XLSX, headers=headers)


async def whole_list(
    form: Form,
    name: str,
    columns: Sequence[Column],
    db: Database,
    tenant: Tenant,
    query: Query,
    present: Callable[[Row], Mapping[str, Any]],
) -> Response:
    """All rows of a query as a file to download, in one consistent picture.

    CSV leaves while it is read; XLSX, which needs its end first, is put together on disk. Raises 503 `exports_busy`, 422
    `too_many_rows` for XLSX.
    """
    rows = _read(db, tenant, query)
    make = (
        _csv_pieces(columns, rows, present) if form == "csv" else _xlsx_pieces(name, columns, rows, present)
    )
    pieces = _begun(make, await anext(make))  # what fails at once is answered as such
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Vary": "Accept"}
    return _Pieces(pieces, media_type=CSV if form == "csv" else XLSX, headers=headers)


class _Pieces(StreamingResponse):
    """Lets go of what it reads from, also when the reader has gone."""

    @override
    async def stream_response(self, send: Send) -> None:
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().stream_response(send)


_reading = 0


@asynccontextmanager
async def _room() -> AsyncIterator[None]:
    global _reading
    if _reading >= MOST_AT_ONCE:
        detail = "Other lists are being exported; try again in a moment."
        raise Problem(503, "exports_busy", detail, headers={"Retry-After": "5"})
    _reading += 1
    try:
        yield
    finally:
        _reading -= 1


async def _read(db: Database, tenant: Tenant, query: Query) -> AsyncIterator[list[Row]]:
    async with _room(), db.transaction(tenant, readonly=True, snapshot=True) as tx:
        sql, *args = query
        async for rows in tx.batches(sql, *args):
            yield rows


async def _begun(pieces: AsyncIterator[bytes], first: bytes) -> AsyncIterator[bytes]:
    async with aclosing(pieces):  # type: ignore[type-var]
        yield first
        async for piece in pieces:
            yield piece


async def _csv_pieces(
    columns: Sequence[Column], rows: AsyncIterator[list[Row]], present: Callable[[Row], Mapping[str, Any]]
) -> AsyncIterator[bytes]:
    async with aclosing(rows):  # type: ignore[type-var]
        head = _csv(columns, ())
        async for batch in rows:
            yield head + _csv_lines(columns, map(present, batch))
            head = b""
        if head:
            yield head


async def _xlsx_pieces(
    name: str,
    columns: Sequence[Column],
    rows: AsyncIterator[list[Row]],
    present: Callable[[Row], Mapping[str, Any]],
) -> AsyncIterator[bytes]:
    with tempfile.TemporaryFile() as file:
        sheet = _Sheet(file, name, columns, in_memory=False)
        try:
            async with aclosing(rows):  # type: ignore[type-var]
                async for batch in rows:
                    if sheet.lines + len(batch) > MOST_XLSX_ROWS:
                        detail = f"A spreadsheet holds {MOST_XLSX_ROWS} rows at the most; ask for CSV, or for less."
                        raise Problem(422, "too_many_rows", detail)
                    await asyncio.to_thread(sheet.add, [present(row) for row in batch])
        finally:
            await asyncio.to_thread(sheet.close)  # also lets go of its own temporary file
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _csv(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([column.heading for column in columns])
    return buffer.getvalue().encode() + _csv_lines(columns, rows)


def _csv_lines(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_csv_cell(row[column.member], column.type) for column in columns])
    return buffer.getvalue().encode()


def _csv_cell(value: Any, kind: Type) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value.isoformat() if isinstance(value, date | datetime) else str(value)
    # Only what people write can hold a formula; an amount keeps its minus.
    return f"'{text}" if kind == "text" and text.startswith(_RUNS) else text


def _xlsx(name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    sheet = _Sheet(buffer, name, columns, in_memory=True)
    sheet.add(rows)
    sheet.close()
    return buffer.getvalue()


class _Sheet:
    """A workbook of one sheet, written line by line."""

    def __init__(self, file: IO[bytes], name: str, columns: Sequence[Column], *, in_memory: bool) -> None:
        options = {
            "in_memory": in_memory,
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self._book = xlsxwriter.Workbook(file, options)
        self._sheet = self._book.add_worksheet(name[:31])
        self._columns = columns
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._money = self._book.add_format({"num_format": "#,##0.00##"})
        self.lines = 0
        bold = self._book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            self._sheet.write_string(0, place, column.heading, bold)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """More lines."""
        for row in rows:
            self.lines += 1
            for place, column in enumerate(self._columns):
                value = row[column.member]
                if value is not None:
                    self._write(place, value, column.type)

    def _write(self, place: int, value: Any, kind: Type) -> None:
        if kind == "date":
            self._sheet.write_datetime(self.lines, place, _midnight(value), self._day)
        elif kind in ("amount", "number"):
            number = Decimal(str(value))
            self._sheet.write_number(self.lines, place, number, self._money if kind == "amount" else None)
        elif isinstance(value, bool):
            self._sheet.write_boolean(self.lines, place, value)
        else:
            self._sheet.write_string(self.lines, place, str(value))

    def close(self) -> None:
        """Finish the file."""
        self._book.close()


def _midnight(value: date | str) -> datetime:
    day = date.fromisoformat(value) if isinstance(value, str) else value
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a spreadsheet's dates have no time zone
