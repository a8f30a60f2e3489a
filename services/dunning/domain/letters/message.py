"""From facts and a template to a message: subject, text and HTML in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.dunning.domain.letters.facts import LetterFacts
from services.dunning.domain.letters.formats import day, money, short_day
from services.dunning.domain.letters.library import LABELS
from services.dunning.domain.letters.listing import html_listing, text_listing, total
from services.dunning.domain.letters.template_text import TemplateText, fill

__all__ = ["Message", "choose_language", "render"]


_HEAD = '<meta charset="utf-8">'


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `html` is None for a template that has none."""

    language: str
    subject: str
    text: str
    html: str | None


def choose_language(wanted: Sequence[str | None], available: Mapping[str, TemplateText]) -> str:
    """The first language wanted that the template has ("fr-CH" falls back to "fr"), else English, else any
    it has.

    Raises KeyError for a template without any language.
    """
    for tag in (*wanted, "en"):
        for candidate in (tag, (tag or "").split("-")[0]):
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
        body = fill(template, "html", variables | {"listing": html_listing(facts, labels, language)})
        html = f'<!doctype html><html lang="{language}"><head>{_HEAD}</head><body>{body}</body></html>'
    subject = fill(template, "subject", variables | {"listing": ""})
    return Message(language=language, subject=subject, text=text, html=html)


def _variables(facts: LetterFacts, language: str) -> dict[str, object]:
    leader = facts.leader
    return {
        "customer": {"name": facts.customer_name, "number": facts.customer_number},
        "contact": {"name": facts.contact_name},
        "sender": {
            "name": facts.sender.name,
            "email": facts.sender.email,
            "phone": facts.sender.phone,
            "collector": facts.sender.collector,
        },
        "leader": {
            "number": leader.number or leader.reference,
            "due_date": day(leader.due_date, language),
            "days_late": max(0, leader.days_late(facts.today)),
            "amount": money(leader.open_minor, leader.currency, language),
        },
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
