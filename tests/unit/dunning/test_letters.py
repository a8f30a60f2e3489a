"""Messages: what they say, in whose language, about nobody else, and what a template may not do."""

import re
from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from libs.contracts.formats import day as long_day
from libs.contracts.formats import money, short_day
from services.dunning.domain.facts import ForeignItemError, OpenItem
from services.dunning.domain.letters import (
    VARIABLES,
    LetterFacts,
    Sender,
    TemplateInvalidError,
    TemplateText,
    choose_language,
    render,
    template_faults,
)
from services.dunning.domain.letters.library import LABELS, TEMPLATES
from services.dunning.domain.letters.listing import MOST_LINES
from tests.unit.dunning.books import CUSTOMER, D0, day, item


def letter(*items: OpenItem, name: str = "Bruvenne SAS", contact: str = "Camille Roussel") -> LetterFacts:
    net: dict[str, int] = {}
    for one in items:
        net[one.currency] = net.get(one.currency, 0) + one.open_minor
    return LetterFacts(
        customer_id=CUSTOMER,
        customer_name=name,
        customer_number="LY00042",
        contact_name=contact,
        sender=Sender("Encours Lyon", email="credit@example.com"),
        items=items,
        leader=items[0],
        net=net,
        today=day(9),
    )


def plain(text: str) -> str:
    """Non-breaking spaces as ordinary ones, so that expectations can be read."""
    return re.sub(r"[\u00a0\u202f]", " ", text)


def test_a_first_reminder_in_english() -> None:
    facts = letter(item("F-1", 123_456), item("CN-7", -3_456, due=2))
    message = render(TEMPLATES["first_reminder"]["en"], facts, "en")
    assert message.subject == "Encours Lyon: €1,200.00 overdue, invoice F-1"
    assert "invoice F-1 was due on 2 March 2026" in " ".join(message.text.split())
    assert "- F-1 · issued 31/01/2026 · due 02/03/2026 · days late: 9 · €1,234.56" in message.text
    assert "- CN-7 · issued 02/02/2026 · due 04/03/2026 · -€34.56" in message.text
    assert "Total due: €1,200.00" in message.text
    assert message.html is not None
    assert '<html lang="en">' in message.html
    assert "<strong>€1,200.00</strong>" in message.html


def test_the_same_reminder_in_french() -> None:
    message = render(TEMPLATES["first_reminder"]["fr"], letter(item("F-1", 123_456)), "fr")
    assert plain(message.subject) == "Encours Lyon : 1 234,56 € à régler, facture F-1"
    assert "arrivée à échéance le 2 mars 2026" in " ".join(message.text.split())
    assert "- F-1 · émise le 31/01/2026 · échue le 02/03/2026 · jours de retard: 9 · 1 234,56 €" in plain(
        message.text
    )


def test_two_currencies_are_two_totals() -> None:
    message = render(
        TEMPLATES["second_reminder"]["en"], letter(item(minor=100), item(minor=200, currency="CHF")), "en"
    )
    assert "now 9 days late" in " ".join(message.text.split())
    assert "CHF2.00 + €1.00" in plain(message.text).replace("CHF ", "CHF")


@pytest.mark.parametrize("code", sorted(TEMPLATES))
@pytest.mark.parametrize("language", sorted(LABELS))
def test_every_template_of_the_library_is_accepted_and_filled(code: str, language: str) -> None:
    template = TEMPLATES[code][language]
    assert template_faults(template) == []
    message = render(template, letter(item("F-1", 123_456)), language)
    assert "F-1" in message.text
    assert "{" not in message.text + message.subject + (message.html or "").replace("{{", "{")
    assert LABELS[language].keys() == LABELS["en"].keys()


def test_every_documented_variable_can_be_used_and_no_other() -> None:
    names = [name for name in VARIABLES if name not in {"items", "listing"}]
    source = " ".join(f"{{{{ {name} }}}}" for name in names)
    message = render(
        TemplateText("s", source + "{% for row in items %}{{ row.number }}{% endfor %}"), letter(item()), "en"
    )
    assert "LY00042" in message.text
    for unknown in ("{{ tenant }}", "{{ customer.iban }}", "{% if secrets %}x{% endif %}"):
        assert [fault.code for fault in template_faults(TemplateText("s", unknown))] == [
            "template_unknown_variable"
        ]


@pytest.mark.parametrize(
    ("minor", "currency", "language", "expected"),
    [
        (123_456_789, "EUR", "fr", "1 234 567,89 €"),
        (123_456_789, "EUR", "en", "€1,234,567.89"),
        (-500, "EUR", "fr", "-5,00 €"),
        (500, "JPY", "fr", "500 JPY"),
        (1_234_567, "TND", "en", "TND1,234.567"),
        (1_234, "HUF", "en", "HUF12.34"),
        (1_234_567, "IQD", "en", "IQD1,234.567"),
        (5, "EUR", "en", "€0.05"),
        (10**17, "EUR", "en", "€1,000,000,000,000,000.00"),
    ],
)
def test_money_has_the_currencys_own_decimals(
    minor: int, currency: str, language: str, expected: str
) -> None:
    assert (
        plain(money(minor, currency, language))
        .replace("TND ", "TND")
        .replace("HUF ", "HUF")
        .replace("IQD ", "IQD")
        == expected
    )


def test_dates_cannot_be_misread() -> None:
    assert long_day(D0, "fr") == "2 mars 2026"
    assert short_day(D0, "de") == "02.03.2026"
    assert short_day(D0, "sv") == "2026-03-02"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("fr",), "fr"),
        (("fr-CH",), "fr"),
        (("fi", "fr"), "fr"),
        (("fi",), "en"),
        (("zh-TW",), "zh-CN"),
        (("pt-AO",), "pt"),
        ((None,), "en"),
        ((), "en"),
    ],
)
def test_a_missing_language_falls_back(wanted: tuple[str | None, ...], expected: str) -> None:
    assert choose_language(wanted, TEMPLATES["first_reminder"]) == expected


def test_a_letter_with_another_customers_item_cannot_be_made() -> None:
    stranger = item("X", customer=UUID(int=101))
    with pytest.raises(ForeignItemError):
        letter(item(), stranger)
    with pytest.raises(ForeignItemError):
        letter(stranger)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


@given(st.text(max_size=40), st.text(max_size=40))
def test_names_are_data_and_never_markup_or_headers(name: str, number: str) -> None:
    facts = letter(
        item(f"<img src=x>{number}"), name=f"<script>{name}\r\nBcc: x@example.com", contact=f'"><b>{name}'
    )
    message = render(TEMPLATES["first_reminder"]["en"], facts, "en")
    assert message.html is not None
    tags = _Tags()
    tags.feed(message.html)
    assert tags.tags <= {
        "html",
        "head",
        "meta",
        "body",
        "p",
        "strong",
        "br",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
    }
    assert not re.search(r"[\r\n\x00]", message.subject)
    assert len(message.subject) <= 250


def test_a_subject_is_one_line_whatever_a_name_holds() -> None:
    template = TemplateText("Reminder {{ customer.name }}", "x")
    message = render(template, letter(item(), name="A\r\nBcc: thief@example.com\u2028B\x00C"), "en")
    assert message.subject == "Reminder A Bcc: thief@example.com B C"


def test_a_long_list_is_cut_and_says_so_but_the_total_is_whole() -> None:
    facts = letter(*(item(f"F{position}", 100) for position in range(MOST_LINES + 7)))
    message = render(TEMPLATES["first_reminder"]["en"], facts, "en")
    assert message.text.count("\n- F") == MOST_LINES
    assert "and 7 more items" in message.text
    assert "Total due: €107.00" in message.text


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{ ''.__class__ }}", "template_forbidden"),
        ("{{ customer.__class__.__mro__ }}", "template_forbidden"),
        ("{{ customer.__class__ }}", "template_unknown_variable"),
        ("{% for row in items %}{{ row.__init__ }}{% endfor %}", "template_unknown_variable"),
        ("{{ range(10**9) }}", "template_forbidden"),
        ("{{ 'a' * 1000000000 }}", "template_forbidden"),
        ("{{ 2 ** 99999999 }}", "template_forbidden"),
        ("{% for a in items %}{% for b in items %}x{% endfor %}{% endfor %}", "template_forbidden"),
        ("{% for a in items recursive %}x{% endfor %}", "template_forbidden"),
        ("{% include 'secrets' %}", "template_forbidden"),
        ("{% macro m() %}{% endmacro %}", "template_forbidden"),
        ("{% set x = 1 %}", "template_forbidden"),
        ("{{ items[0] }}", "template_forbidden"),
        ("{{ total | attr('x') }}", "template_unknown_filter"),
        ("{{ total | center(100000000) }}", "template_unknown_filter"),
        ("{{ total | safe }}", "template_unknown_filter"),
        ("{{ total is callable }}", "template_forbidden"),
        ("{{ total", "template_syntax"),
        ("{% if total %}", "template_syntax"),
        ("(" * 5_000, None),
        ("{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}", "template_syntax"),
        ("{% if total %}" * 200 + "{% endif %}" * 200, "template_forbidden"),
        ("{% if x %}" * 2_000 + "{% endif %}" * 2_000, "template_syntax"),
        ("{{ total.amount }}", "template_unknown_variable"),
        ("x" * 50_001, "template_too_long"),
    ],
)
@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_what_a_template_may_not_do(source: str, code: str | None, part: str) -> None:
    parts = {"subject": "s", "text": "t", "html": "h"} | {part: source}
    template = TemplateText(**parts)
    if code is None:
        assert template_faults(template) == []
        return
    with pytest.raises(TemplateInvalidError) as refused:
        render(template, letter(item()), "en")
    assert refused.value.fault.code == code
    assert refused.value.fault.part == part
    assert code in {fault.code for fault in template_faults(template)}
