"""The list of items inside a letter: a table in HTML, aligned lines in plain text.

It is made here and not in each template, so that fifteen languages share one table and a template cannot
forget to escape a cell.
"""

from collections.abc import Mapping

from markupsafe import Markup

from libs.contracts.formats import money, number, short_day
from services.dunning.domain.facts import OpenItem
from services.dunning.domain.letters.facts import LetterFacts

__all__ = ["html_listing", "text_listing", "total"]

#: An e-mail is not a ledger: beyond so many lines the rest is counted and the statement tells it.
MOST_LINES = 100

_CELL = "padding:4px 10px;border-bottom:1px solid #ddd"


def total(facts: LetterFacts, language: str) -> str:
    """What is asked for, one amount a currency: "1 234,56 € + 80,00 CHF"."""
    return " + ".join(money(minor, currency, language) for currency, minor in sorted(facts.net.items()))


def text_listing(facts: LetterFacts, labels: Mapping[str, str], language: str) -> str:
    """One line an item: number, dates, lateness, open amount; then the total."""
    lines = [
        f"- {item.number or item.reference} · {labels['issued']} {short_day(item.issue_date, language)}"
        f" · {labels['due']} {short_day(item.due_date, language)}{_late_text(item, facts, labels, language)}"
        f" · {money(item.open_minor, item.currency, language)}"
        for item in facts.items[:MOST_LINES]
    ]
    if len(facts.items) > MOST_LINES:
        lines.append(f"- {_more(facts, labels, language)}")
    lines.append(f"{labels['total']}: {total(facts, language)}")
    return "\n".join(lines)


def html_listing(facts: LetterFacts, labels: Mapping[str, str], language: str) -> Markup:
    """A table with one row an item and a last row with the total. Every cell is escaped."""
    heads = ("number", "issued", "due", "days_late", "amount")
    head = Markup("").join(
        Markup('<th scope="col" style="{};text-align:{}">{}</th>').format(_CELL, _side(name), labels[name])
        for name in heads
    )
    rows = Markup("").join(_row(item, facts, language) for item in facts.items[:MOST_LINES])
    if len(facts.items) > MOST_LINES:
        rows += Markup('<tr><td colspan="5" style="{}">{}</td></tr>').format(
            _CELL, _more(facts, labels, language)
        )
    foot = Markup(
        '<tr><th scope="row" colspan="4" style="{0};text-align:left">{1}</th>'
        '<td style="{0};text-align:right"><strong>{2}</strong></td></tr>'
    ).format(_CELL, labels["total"], total(facts, language))
    return Markup(
        '<table style="border-collapse:collapse">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody><tfoot>{}</tfoot></table>"
    ).format(head, rows, foot)


def _row(item: OpenItem, facts: LetterFacts, language: str) -> Markup:
    late = _late(item, facts)
    cells = (
        ("left", item.number or item.reference),
        ("left", short_day(item.issue_date, language)),
        ("left", short_day(item.due_date, language)),
        ("right", number(late, language) if late else ""),
        ("right", money(item.open_minor, item.currency, language)),
    )
    inner = Markup("").join(
        Markup('<td style="{};text-align:{}">{}</td>').format(_CELL, *cell) for cell in cells
    )
    return Markup("<tr>{}</tr>").format(inner)


def _late(item: OpenItem, facts: LetterFacts) -> int:
    """Days late; a credit is never late."""
    return max(0, item.days_late(facts.today)) if item.open_minor > 0 else 0


def _late_text(item: OpenItem, facts: LetterFacts, labels: Mapping[str, str], language: str) -> str:
    late = _late(item, facts)
    return f" · {labels['days_late']}: {number(late, language)}" if late else ""


def _more(facts: LetterFacts, labels: Mapping[str, str], language: str) -> str:
    return labels["more"].format(count=number(len(facts.items) - MOST_LINES, language))


def _side(name: str) -> str:
    return "right" if name in {"days_late", "amount"} else "left"
