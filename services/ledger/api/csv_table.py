"""A table as CSV for spreadsheets: one header line, commas, CRLF, UTF-8; a text that a spreadsheet would run is disarmed."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Response

CSV = "text/csv"
#: What makes a spreadsheet take a text for a formula.
_RUNS = ("=", "+", "-", "@", "\t", "\r")


def wants_csv(accept: str) -> bool:
    """Whether an Accept header asks for CSV rather than JSON."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return CSV in named and "application/json" not in named[: named.index(CSV)]


def csv_reply(
    name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], texts: Iterable[str]
) -> Response:
    """The rows as a file to download. `texts` are the columns that people write into: only those can hold a formula, and
    an amount keeps its minus."""
    armed = frozenset(texts)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_disarmed(row[column]) if column in armed else row[column] for column in columns])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Vary": "Accept"}
    return Response(buffer.getvalue(), media_type=CSV, headers=headers)


def _disarmed(text: str | None) -> str:
    if text is None:
        return ""
    return f"'{text}" if text.startswith(_RUNS) else text
