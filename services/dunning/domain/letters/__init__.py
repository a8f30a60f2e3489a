"""Writing messages: templates, their variables, money and dates as each language writes them."""

from services.dunning.domain.letters.facts import LetterFacts, Sender
from services.dunning.domain.letters.message import Message, choose_language, render
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
    "TemplateFault",
    "TemplateInvalidError",
    "TemplateText",
    "choose_language",
    "render",
    "template_faults",
]
