"""Letters and statements as PDF: the same facts as the message, set by typst."""

from functools import cache
from pathlib import Path
from typing import Any

from libs.contracts.formats import day
from libs.contracts.tenant_settings import Brand
from libs.kit.mail_message import Attachment
from libs.kit.pdf import PDF, font_families, pdf
from libs.kit.problems import Problem
from services.dunning.domain.letters import LetterFacts, Message, TemplateText, letter_paragraphs
from services.dunning.domain.letters.documents import fonts_for, table, writing_without_font
from services.dunning.domain.letters.library import LABELS

_HERE = Path(__file__).parent


async def letter(template: TemplateText, facts: LetterFacts, message: Message, brand: Brand) -> Attachment:
    """A message as a letter: sender, address, date, subject, paragraphs, the list of items. Raises 422 `font_missing`."""
    language = message.language
    data = _common(facts, language, brand) | {
        "subject": message.subject,
        "paragraphs": letter_paragraphs(template, facts, language),
        "address": [facts.customer_name, facts.contact_name, *facts.address]
        if facts.contact_name != facts.customer_name
        else [facts.customer_name, *facts.address],
    }
    return await _set("letter", data, f"letter-{facts.customer_number}", facts)


async def statement(facts: LetterFacts, language: str, brand: Brand) -> Attachment:
    """The items a message speaks of, as an account statement. Raises 422 `font_missing`."""
    return await _set(
        "statement", _common(facts, language, brand), f"statement-{facts.customer_number}", facts
    )


def _common(facts: LetterFacts, language: str, brand: Brand) -> dict[str, Any]:
    labels = LABELS.get(language) or LABELS["en"]
    return {
        "language": language.partition("-")[0],
        "region": language.partition("-")[2].lower() or None,
        "fonts": fonts_for(language),
        "color": brand.color,
        "sender": {
            "name": brand.name or facts.sender.name,
            "email": facts.sender.email,
            "phone": facts.sender.phone,
        },
        "customer": {"name": facts.customer_name, "number": facts.customer_number},
        "date": day(facts.today, language),
        "labels": labels,
        **table(facts, labels, language),
    }


async def _set(name: str, data: dict[str, Any], filename: str, facts: LetterFacts) -> Attachment:
    writing = writing_without_font(data, font_families())
    if writing is not None:
        raise Problem(
            422,
            "font_missing",
            f"This document holds {writing} characters and the installation has no font for them: install one (Debian:"
            " fonts-noto-cjk) and name its folder in ENCOURS_FONTS_DIR.",
            writing=writing,
        )
    safe = "".join(char if char.isalnum() or char in "-_" else "_" for char in filename)
    return Attachment(f"{safe}-{facts.today.isoformat()}.pdf", PDF, await pdf(_template(name), data))


@cache
def _template(name: str) -> str:
    return (_HERE / f"{name}.typ").read_text(encoding="utf-8")
