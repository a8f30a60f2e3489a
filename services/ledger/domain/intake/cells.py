"""Reads the cells of a CSV file as its dialect says: figures to plain decimals, dates to YYYY-MM-DD."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.ledger.domain.intake.dialects import Dialect, DialectInvalid
from services.ledger.domain.intake.field_types import Day, Money, alternatives

#: A cell's text to a plain value; None means "not readable".
Read = Callable[[str], Any]

_SPACES = "[ \u00a0\u202f\u2009]"
_MONTHS = {
    name: number
    for number, names in enumerate(
        "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august"
        "|sep sept september|oct october|nov november|dec december".split("|"),
        1,
    )
    for name in names.split()
}
_TOKENS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short_year>[0-9]{2})",
    "MMM": r"(?P<month_name>[A-Za-z]{3,9})\.?",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
    "HH": r"[0-9]{2}",
    "H": r"[0-9]{1,2}",
    "mm": r"[0-9]{2}",
    "ss": r"[0-9]{2}",
}
_TOKEN = re.compile("YYYY|YY|MMM|MM|M|DD|D|HH|H|mm|ss|.", re.DOTALL)
#: Two-digit years from here on are of the last century, as POSIX has it (69); a receivable of 1969 is no use to anyone.
_CENTURY_TURNS = 70
_REMEMBERED = 20_000


def figures(dialect: Dialect) -> Read:
    """Reads a figure as a plain decimal: "6 580,10" → "6580.10", "(12.5)" and SAP's "12.5-" → "-12.5"."""
    decimal = re.escape(dialect.decimal)
    grouping = _SPACES if dialect.grouping == " " else re.escape(dialect.grouping)
    whole = "[0-9]+" if not dialect.grouping else f"[0-9]+|[0-9]{{1,3}}(?:{grouping}[0-9]{{3}})+"
    form = re.compile(rf"([+-]?)({whole})(?:{decimal}([0-9]+))?")
    between = re.compile(grouping) if dialect.grouping else None
    symbols = sorted(dialect.symbols, key=len, reverse=True)

    def read(text: str) -> str | None:
        for symbol in symbols:
            text = text.replace(symbol, "", 1)
        text, negated = _sign_around(text.strip())
        found = form.fullmatch(text)
        if found is None or (negated and found[1]):
            return None
        sign, digits, fraction = found.groups()
        plain = between.sub("", digits) if between else digits
        return ("-" if negated or sign == "-" else "") + plain + (f".{fraction}" if fraction else "")

    return read


def _sign_around(text: str) -> tuple[str, bool]:
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip(), True
    if text.endswith("-"):
        return text[:-1].strip(), True
    return text, False


def dates(dialect: Dialect) -> Read:
    """Reads a date in one of the dialect's formats, the first that fits. Raises DialectInvalid for a format without a
    day, a month and a year."""
    forms = [_date_form(text, position) for position, text in enumerate(dialect.date_formats)]
    known: dict[str, str | None] = {}

    def read(text: str) -> str | None:
        if text not in known:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[text] = _first_date(forms, text)
        return known[text]

    return read


def _date_form(text: str, position: int) -> re.Pattern[str]:
    parts = _TOKEN.findall(text)
    try:
        form = re.compile("".join(_TOKENS.get(part) or re.escape(part) for part in parts))
    except re.error:  # the same part twice
        raise DialectInvalid(f"/date_formats/{position}", "expected each part of a date once") from None
    named = form.groupindex.keys()
    if not ("day" in named and named & {"year", "short_year"} and named & {"month", "month_name"}):
        raise DialectInvalid(
            f"/date_formats/{position}", "expected a day, a month and a year, such as DD/MM/YYYY"
        )
    return form


def _first_date(forms: list[re.Pattern[str]], text: str) -> str | None:
    for form in forms:
        found = form.fullmatch(text)
        if found is None:
            continue
        parts = found.groupdict()
        month = (
            int(parts["month"])
            if parts.get("month")
            else _MONTHS.get((parts.get("month_name") or "").casefold(), 0)
        )
        try:
            return date(_year(parts), month, int(parts["day"])).isoformat()
        except ValueError:
            continue
    return None


def _year(parts: dict[str, str | None]) -> int:
    if parts.get("year"):
        return int(parts["year"] or 0)
    short = int(parts["short_year"] or 0)
    return short + (1900 if short >= _CENTURY_TURNS else 2000)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the texts of a column become values (None where there is no text, or it cannot be read), and what is said
    when one cannot."""

    column: Callable[[Sequence[str | None]], Sequence[Any]]
    code: str
    detail: str


class Readings:
    """How the cells of each field are read, by the field's type."""

    def __init__(self, dialect: Dialect) -> None:
        shown = " or ".join(dialect.date_formats)
        self._date = Reading(
            _each(dates(dialect)), "date_invalid", f"expected a date that exists, written {shown}"
        )
        shown = f"1{dialect.grouping}234{dialect.decimal}56"
        self._figure = Reading(
            _figure_column(dialect), "amount_invalid", f"expected a figure such as {shown}"
        )
        self._yes_or_no = Reading(_each(yes_or_no), "boolean_invalid", "expected yes or no")

    def of(self, target: str, hint: Any) -> Reading | None:
        """The reading of a target with this type; None for texts, which stay as they are."""
        if target == "settled_amount":
            return self._figure
        if hint is None:
            return None
        return {Money: self._figure, Day: self._date, bool: self._yes_or_no}.get(alternatives(hint)[0])


def _each(read: Read) -> Callable[[Sequence[str | None]], Sequence[Any]]:
    return lambda texts: [None if text is None else read(text) for text in texts]


def _figure_column(dialect: Dialect) -> Callable[[Sequence[str | None]], Sequence[Any]]:
    """Figures without anything around or between them, which most files have, are read a column at a time."""
    each = _each(figures(dialect))
    plain = re.compile(rf"-?[0-9]+(?:{re.escape(dialect.decimal)}[0-9]+)?")
    column = re.compile(rf"{plain.pattern}(?:\n{plain.pattern})*+")

    def read(texts: Sequence[str | None]) -> Sequence[Any]:
        if None not in texts:
            lines = "\n".join(texts)  # type: ignore[arg-type]
            if column.fullmatch(lines):
                return lines.replace(dialect.decimal, ".").split("\n")
        return each(texts)

    return read


def yes_or_no(text: str) -> bool | None:
    """Reads true/false, yes/no, y/n, 1/0."""
    return {
        "true": True,
        "yes": True,
        "y": True,
        "1": True,
        "false": False,
        "no": False,
        "n": False,
        "0": False,
    }.get(text.casefold())
