"""The page as HTML: one document without scripts, that a keyboard and a screen reader can use. Everything shown is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from markupsafe import Markup

from libs.contracts.formats import day, money, number, short_day
from services.dunning.domain.facts import OpenItem
from services.dunning.domain.letters.library import LABELS
from services.dunning.domain.pages.words import WORDS

__all__ = ["CHOICES", "Page", "closed_page", "page_of", "words_of"]

CHOICES = ("promise", "already_paid", "dispute", "other")
STYLE = Markup(
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{padding:.4rem;border-bottom:1px solid #767676;text-align:left}"
    "td.n,th.n{text-align:right}fieldset{margin:1.5rem 0;border:1px solid #767676}label{display:block;padding:.3rem 0}"
    "input,textarea,button{font:inherit}textarea{width:100%}:focus-visible{outline:3px solid #1f4e79}"
    "[role=status]{border-left:.4rem solid #1b6e3c;padding:.6rem}[role=alert]{border-left:.4rem solid #a4262c;padding:.6rem}"
    "button{padding:.5rem 1.5rem;background:#1f4e79;color:#fff;border:0}"
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a customer sees: its own items and nothing else. `notice` is "thanks" or "missing" after a form was sent."""

    language: str
    sender: str
    customer: str
    account: str
    items: Sequence[OpenItem]
    today: date
    notice: str | None = None


def words_of(language: str) -> dict[str, str]:
    """The page's words; English where there are none."""
    return WORDS.get(language) or WORDS.get(language.partition("-")[0]) or WORDS["en"]


def page_of(page: Page) -> str:
    """The whole document."""
    words = words_of(page.language)
    title = words["title"].format(name=page.sender)
    notice = Markup("")
    if page.notice is not None:
        role = "status" if page.notice == "thanks" else "alert"
        notice = Markup('<p role="{}" tabindex="-1">{}</p>').format(role, words[page.notice])
    body = _form(page, words) if page.items else Markup("<p>{}</p>").format(words["nothing"])
    head = Markup("<h1>{}</h1><p>{} ({}) · {}</p>").format(
        title, page.customer, page.account, words["as_of"].format(day=day(page.today, page.language))
    )
    return _document(page.language, title, notice + head + body)


def closed_page(language: str) -> str:
    """What stands behind a link that leads nowhere any more."""
    words = words_of(language)
    return _document(language, words["expired"], Markup('<p role="alert">{}</p>').format(words["expired"]))


def _document(language: str, title: str, body: Markup) -> str:
    return Markup(
        '<!doctype html><html lang="{}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="robots" content="noindex"><title>{}</title><style>{}</style></head><body><main>{}</main></body></html>'
    ).format(language, title, STYLE, body)


def _form(page: Page, words: dict[str, str]) -> Markup:
    labels = LABELS.get(page.language) or LABELS["en"]
    heads = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="n"') if right else "", labels[name])
        for name, right in (
            ("number", False),
            ("issued", False),
            ("due", False),
            ("days_late", True),
            ("amount", True),
        )
    )
    rows = Markup("").join(_row(item, page) for item in page.items)
    totals: dict[str, int] = {}
    for item in page.items:
        totals[item.currency] = totals.get(item.currency, 0) + item.open_minor
    total = " + ".join(money(minor, currency, page.language) for currency, minor in sorted(totals.items()))
    choices = Markup("").join(
        Markup('<label><input type="radio" name="kind" value="{}" required> {}</label>').format(
            one, words[one]
        )
        for one in CHOICES
    )
    return Markup(
        '<form method="post" enctype="multipart/form-data"><table><caption>{choose}</caption><thead><tr><td></td>{heads}</tr>'
        '</thead><tbody>{rows}</tbody><tfoot><tr><td></td><th scope="row" colspan="4">{total_label}</th>'
        '<td class="n">{total}</td>'
        "</tr></tfoot></table><fieldset><legend>{answer}</legend>{choices}"
        '<label for="date">{date}</label><input id="date" type="date" name="date" min="{today}">'
        '<label for="comment">{comment}</label><textarea id="comment" name="comment" rows="4" maxlength="4000"></textarea>'
        '<label for="files">{files}</label><input id="files" type="file" name="files" multiple></fieldset>'
        '<button type="submit">{send}</button></form>'
    ).format(
        heads=heads, rows=rows, total_label=labels["total"], total=total, choices=choices, today=page.today.isoformat(),
        **{name: words[name] for name in ("choose", "answer", "date", "comment", "files", "send")},
    )  # fmt: skip


def _row(item: OpenItem, page: Page) -> Markup:
    late = item.days_late(page.today)
    shown = item.number or item.reference
    return Markup(
        '<tr><td><input type="checkbox" name="item" value="{id}" id="i{id}"></td>'
        '<th scope="row"><label for="i{id}">{number}</label>'
        '</th><td>{issued}</td><td>{due}</td><td class="n">{late}</td><td class="n">{amount}</td></tr>'
    ).format(
        id=item.id,
        number=shown,
        issued=short_day(item.issue_date, page.language),
        due=short_day(item.due_date, page.language),
        late=number(late, page.language) if late > 0 and item.open_minor > 0 else "",
        amount=money(item.open_minor, item.currency, page.language),
    )


def identifiers(values: Sequence[str]) -> list[UUID]:
    """The ids among a form's values; what is none is left out."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
