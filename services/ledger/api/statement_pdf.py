"""A statement to print, in the customer's language: one table a currency, with running balance and totals."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from libs.contracts.formats import day as long_day
from libs.contracts.formats import money, short_day
from libs.contracts.tenant_settings import Brand
from libs.kit import strict_json
from libs.kit.db import Row
from libs.kit.pdf import pdf
from libs.kit.problems import Problem
from services.ledger.domain.item_state import days_late
from services.ledger.domain.statement_labels import labels
from services.ledger.usecases.statements import AccountStatement

#: Some forty pages: nobody reads more, and whoever computes with it takes a spreadsheet.
MOST_LINES = 2_000
#: Marks for screen readers double the work and the size of long tables.
_TAGGED_LINES = 500
_TEMPLATE = Path(__file__).with_name("statement.typ").read_text("utf-8")


async def statement_pdf(found: AccountStatement, as_of: date, brand: Brand) -> bytes:
    """The PDF; the same facts give the same bytes. Raises 422 `too_many_lines`."""
    if len(found.lines) > MOST_LINES:
        detail = f"A printed statement holds {MOST_LINES} lines at the most; ask for CSV or XLSX."
        raise Problem(422, "too_many_lines", detail)
    return await pdf(_TEMPLATE, _facts(found, as_of, brand), tagged=len(found.lines) <= _TAGGED_LINES)


def _facts(found: AccountStatement, as_of: date, brand: Brand) -> dict[str, Any]:
    language, words = labels(found.account["language"])
    totals = {row["currency"]: row for row in found.totals}
    return {
        "lang": language.partition("-")[0],
        "words": words,
        "as_of": long_day(as_of, language),
        "brand": {"name": brand.name, "color": brand.color},
        "customer": {
            "name": found.account["name"],
            "external_id": found.account["external_id"],
            "address": list(_address(strict_json.loads(found.account["address"].encode()))),
        },
        "accounts": [
            {
                "currency": currency,
                "lines": [_cells(row, as_of, language, words) for row in rows],
                **_sums(totals.get(currency), currency, language),
            }
            for currency, rows in groupby(found.lines, lambda row: row["currency"])
        ],
    }


def _address(given: dict[str, str]) -> Iterable[str]:
    """Street; postal code and city; what else is known, as lines."""
    if given.get("street"):
        yield given["street"]
    place = " ".join(given[name] for name in ("postal_code", "city") if given.get(name))
    if place:
        yield place
    yield from (given[name] for name in ("region", "country") if given.get(name))


def _cells(row: Row, as_of: date, language: str, words: Any) -> list[str]:
    currency, remaining = row["currency"], int(row["remaining"])
    late = days_late(
        row["due_date"], as_of, sign=row["direction"], closed_on=None if remaining else row["closed_on"]
    )
    return [
        words[row["kind"]],
        row["number"] or row["external_id"] or "",
        row["reference"] or "",
        short_day(row["issue_date"], language),
        short_day(row["due_date"], language),
        str(late) if late else "",
        money(row["direction"] * row["amount"], currency, language),
        money(remaining, currency, language),
        money(int(row["running"]), currency, language),
    ]


def _sums(total: Row | None, currency: str, language: str) -> dict[str, Any]:
    """Of a currency in which nothing is open there is no row."""
    outstanding, overdue, credit = (
        (0, 0, 0) if total is None else (total["outstanding"], total["overdue"], total["credits"])
    )
    parts = {"not_due": outstanding - overdue - credit, "overdue": overdue, "credits": credit}
    return {
        "totals": [[word, money(amount, currency, language)] for word, amount in parts.items()],
        "outstanding": money(outstanding, currency, language),
    }
