"""The templates a new tenant starts with, one module a language, in the fifteen languages of the product.

A module says GREETING, CLOSING and PAGE once, and for each code a subject and the paragraphs between them; the HTML part is
made of the same paragraphs, so that the two parts of a message never say different things.
"""

import re
from dataclasses import dataclass
from types import ModuleType

from services.dunning.domain.letters.library import (
    de,
    en,
    es,
    fr,
    hr,
    it,
    ja,
    nl,
    pl,
    pt,
    pt_br,
    ro,
    sv,
    tr,
    zh_cn,
)
from services.dunning.domain.letters.template_text import TemplateText

__all__ = ["LABELS", "LIBRARY", "TEMPLATES", "Entry"]

_LANGUAGES: dict[str, ModuleType] = {
    "de": de, "en": en, "es": es, "fr": fr, "hr": hr, "it": it, "ja": ja, "nl": nl, "pl": pl, "pt": pt, "pt-BR": pt_br,
    "ro": ro, "sv": sv, "tr": tr, "zh-CN": zh_cn,
}  # fmt: skip
_LINK = '<a href="{{ page_url }}">{{ page_url }}</a>'
_CONDITION = re.compile(r"\?([a-z_.]+) (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A template of the library: `source` is the code of its words, which two channels may share."""

    code: str
    name: str
    channel: str
    attach_statement: bool
    texts: dict[str, TemplateText]


#: (code, name, channel, statement attached, code of its words)
_ENTRIES = (
    ("before_due", "Before the due date", "email", False, "before_due"),
    ("first_reminder", "First reminder", "email", True, "first_reminder"),
    ("second_reminder", "Second reminder", "email", True, "second_reminder"),
    ("third_reminder", "Third reminder", "email", True, "third_reminder"),
    ("formal_notice", "Formal notice", "email", True, "formal_notice"),
    ("reminder_letter", "Reminder by letter", "letter", False, "second_reminder"),
    ("formal_notice_letter", "Formal notice by letter", "letter", False, "formal_notice"),
    ("statement", "Statement of account", "email", True, "statement"),
    ("promise_confirmation", "Promise to pay confirmed", "email", False, "promise_confirmation"),
    ("promise_broken", "Promise not kept", "email", True, "promise_broken"),
    ("dispute_acknowledgement", "Dispute acknowledged", "email", False, "dispute_acknowledgement"),
    ("status_notice", "Notice to a colleague", "email", True, "status_notice"),
    ("text_message", "Reminder by text message", "sms", False, "text_message"),
    ("call", "Call script", "call", False, "call"),
    ("follow_up", "Follow-up task", "task", False, "call"),
)


def _text(module: ModuleType, code: str, channel: str) -> TemplateText:
    subject, body = module.TEMPLATES[code]
    if channel in ("call", "task", "sms"):
        return TemplateText(subject, body.strip() + "\n")
    page = [] if channel == "letter" or code == "status_notice" else [f"?page_url {module.PAGE}"]
    blocks = [module.GREETING, *body.strip().split("\n\n"), *page, module.CLOSING]
    text = "".join(_as_text(block) for block in blocks)
    return TemplateText(subject, text, None if channel == "letter" else "".join(map(_as_html, blocks)))


def _as_text(block: str) -> str:
    """A paragraph of the text part; `?name …` stands only where the variable has something to say."""
    condition = _CONDITION.fullmatch(block)
    if condition is None:
        return f"{block}\n\n"
    return f"{{% if {condition[1]} %}}\n{condition[2]}\n\n{{% endif %}}\n"


def _as_html(block: str) -> str:
    condition = _CONDITION.fullmatch(block)
    if condition is not None:
        return f"{{% if {condition[1]} %}}\n{_as_html(condition[2])}{{% endif %}}\n"
    if block == "{{ listing }}":
        return f"{block}\n"
    lines = block.replace("{{ page_url }}", _LINK).replace("\n", "<br>\n")
    return f"<p>{lines}</p>\n"


#: Words of the list of items, by language.
LABELS: dict[str, dict[str, str]] = {tag: module.LABELS for tag, module in _LANGUAGES.items()}

LIBRARY = tuple(
    Entry(code, name, channel, statement, {
        tag: _text(module, source, channel) for tag, module in _LANGUAGES.items()
    })
    for code, name, channel, statement, source in _ENTRIES
)  # fmt: skip

#: Template code → language → text.
TEMPLATES: dict[str, dict[str, TemplateText]] = {entry.code: entry.texts for entry in LIBRARY}
