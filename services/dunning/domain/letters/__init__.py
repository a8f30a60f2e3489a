"""Writing messages: templates, their variables, money and dates as each language writes them."""

from services.dunning.domain.letters.facts import LetterFacts, Sender, Situation
from services.dunning.domain.letters.message import (
    Message,
    choose_language,
    letter_paragraphs,
    render,
    written_by_hand,
)
from services.dunning.domain.letters.template_text import (
    VARIABLES,
    TemplateFault,
    TemplateInvalidError,
    TemplateText,
    template_faults,
)

__all__ = [
    "VARIABLES",
    "LetterFacts",
    "Message",
    "Sender",
    "Situation",
    "TemplateFault",
    "TemplateInvalidError",
    "TemplateText",
    "choose_language",
    "letter_paragraphs",
    "render",
    "template_faults",
    "written_by_hand",
]
