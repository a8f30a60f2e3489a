"""Tables for spreadsheets: CSV or XLSX when `Accept` asks for one, with typed cells, and no text that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import xlsxwriter
from starlette.requests import Request
from starlette.responses import Response

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Form = Literal["json", "csv", "xlsx"]
Type = Literal["text", "amount", "number", "date"]
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
    forms: dict[str, Form] = {CSV: "csv", XLSX: "xlsx", "application/json": "json"}
    for part in request.headers.get("accept", "").split(","):
        form = forms.get(part.partition(";")[0].strip().lower())
        if form is not None:
            return form
    return "json"


def table(form: Form, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> Response:
    """The rows as a file to download."""
    body = _csv(columns, rows) if form == "csv" else _xlsx(name, columns, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Vary": "Accept"}
    return Response(body, media_type=CSV if form == "csv" else XLSX, headers=headers)


def _csv(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.heading for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(row[column.member], column.type) for column in columns])
    return buffer.getvalue().encode()


def _csv_cell(value: Any, kind: Type) -> str:
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, date | datetime) else str(value)
    # Only what people write can hold a formula; an amount keeps its minus.
    return f"'{text}" if kind == "text" and text.startswith(_RUNS) else text


def _xlsx(name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet(name[:31])
        bold, day, money = (
            book.add_format({"bold": True}),
            book.add_format({"num_format": "yyyy-mm-dd"}),
            book.add_format({"num_format": "#,##0.00##"}),
        )
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.heading, bold)
        for line, row in enumerate(rows, start=1):
            for place, column in enumerate(columns):
                value = row[column.member]
                if value is None:
                    continue
                if column.type == "date":
                    sheet.write_datetime(line, place, _midnight(value), day)
                elif column.type in ("amount", "number"):
                    sheet.write_number(
                        line, place, Decimal(str(value)), money if column.type == "amount" else None
                    )
                else:
                    sheet.write_string(line, place, str(value))
        sheet.freeze_panes(1, 0)
    return buffer.getvalue()


def _midnight(value: date | str) -> datetime:
    day = date.fromisoformat(value) if isinstance(value, str) else value
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a spreadsheet's dates have no time zone
