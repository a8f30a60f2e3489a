"""From facts and a template to a message: subject, text and HTML in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import nh3
from markupsafe import Markup, escape

from libs.contracts.formats import day, money, short_day
from services.dunning.domain.letters.facts import LetterFacts
from services.dunning.domain.letters.library import LABELS
from services.dunning.domain.letters.listing import html_listing, text_listing, total
from services.dunning.domain.letters.template_text import TemplateText, fill, one_line

__all__ = ["Message", "choose_language", "letter_paragraphs", "render", "written_by_hand"]


_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "color", "font-family", "font-size", "font-weight",
    "margin", "max-width", "padding", "text-align", "text-decoration", "width",
}  # fmt: skip
_HEAD = '<meta charset="utf-8">'


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `html` is None for a template that has none."""

    language: str
    subject: str
    text: str
    html: str | None


def choose_language(wanted: Sequence[str | None], available: Mapping[str, TemplateText]) -> str:
    """The first language wanted that the template has ("fr-CH" falls back to "fr", "zh" to "zh-CN"), else English,
    else any it has.

    Raises KeyError for a template without any language.
    """
    for tag in (*wanted, "en"):
        primary = (tag or "").split("-")[0]
        for candidate in (tag, primary, *sorted(one for one in available if one.split("-")[0] == primary)):
            if candidate and candidate in available:
                return candidate
    if not available:
        raise KeyError("a template has at least one language")
    return min(available)


def render(template: TemplateText, facts: LetterFacts, language: str) -> Message:
    """Write a message. Raises TemplateInvalidError for a template that cannot be filled, ForeignItemError
    never: LetterFacts refuses another customer's items when it is made."""
    labels = LABELS.get(language) or LABELS["en"]
    variables = _variables(facts, language)
    text = fill(template, "text", variables | {"listing": text_listing(facts, labels, language)})
    html = None
    if template.html is not None:
        html = _page(
            fill(template, "html", variables | {"listing": html_listing(facts, labels, language)}), language
        )
    subject = fill(template, "subject", variables | {"listing": ""})
    return Message(language=language, subject=subject, text=text, html=html)


def written_by_hand(subject: str, body: str, language: str) -> Message:
    """A message a person typed: the HTML part shows the text as it stands, markup and all."""
    paragraphs = Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in block.splitlines()))
        for block in body.strip().split("\n\n")
        if block.strip()
    )
    return Message(language, one_line(subject), body.strip() + "\n", _page(paragraphs, language))


def letter_paragraphs(template: TemplateText, facts: LetterFacts, language: str) -> list[str | None]:
    """A template's text as paragraphs for a printed letter; None where the list of items stands. Raises
    TemplateInvalidError."""
    mark = "\uf8ff"  # private use: no text holds it
    text = fill(template, "text", _variables(facts, language) | {"listing": mark})
    paragraphs: list[str | None] = []
    for block in text.strip().split("\n\n"):
        before, found, after = block.partition(mark)
        paragraphs += [before.strip()] if before.strip() else []
        paragraphs += [None] if found else []
        paragraphs += [after.strip()] if after.strip() else []
    return paragraphs


def _page(body: str, language: str) -> str:
    """A whole HTML document around a body from which everything that could act is taken."""
    clean = nh3.clean(
        body,
        attributes={"*": {"style"}, "a": {"href"}, "td": {"colspan"}, "th": {"colspan", "scope"}},
        url_schemes={"http", "https", "mailto", "tel"},
        filter_style_properties=_STYLES,
        link_rel=None,
    )
    return f'<!doctype html><html lang="{language}"><head>{_HEAD}</head><body>{clean}</body></html>'


def _variables(facts: LetterFacts, language: str) -> dict[str, object]:
    leader, said = facts.leader, facts.situation
    promised = said.promise_minor is not None and said.promise_currency
    return {
        "customer": {
            "name": facts.customer_name,
            "number": facts.customer_number,
            "address": "\n".join(facts.address),
        },
        "contact": {"name": facts.contact_name},
        "sender": {
            "name": facts.sender.name,
            "email": facts.sender.email,
            "phone": facts.sender.phone,
            "collector": facts.sender.collector,
        },
        "leader": {
            "number": (leader.number or leader.reference) if leader else "",
            "due_date": day(leader.due_date, language) if leader else "",
            "days_late": max(0, leader.days_late(facts.today)) if leader else 0,
            "amount": money(leader.open_minor, leader.currency, language) if leader else "",
        },
        "status": said.status,
        "comment": said.comment,
        "promise": {
            "date": day(said.promise_on, language) if said.promise_on else "",
            "amount": money(said.promise_minor or 0, said.promise_currency, language) if promised else "",
        },
        "dispute": said.dispute,
        "page_url": said.page_url,
        "total": total(facts, language),
        "today": day(facts.today, language),
        "items_count": len(facts.items),
        "items": [
            {
                "number": item.number or item.reference,
                "issue_date": short_day(item.issue_date, language),
                "due_date": short_day(item.due_date, language),
                "days_late": max(0, item.days_late(facts.today)),
                "amount": money(item.open_minor, item.currency, language),
                "reference": item.reference,
            }
            for item in facts.items
        ],
    }
