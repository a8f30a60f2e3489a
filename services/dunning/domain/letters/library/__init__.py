"""The templates a new tenant starts with, one module a language.

A language is added by writing its module with the same LABELS and TEMPLATES and naming it here; a language
that is missing falls back to English.
"""

from services.dunning.domain.letters.library import en, fr
from services.dunning.domain.letters.template_text import TemplateText

__all__ = ["LABELS", "TEMPLATES"]

_LANGUAGES = {"en": en, "fr": fr}

#: Words of the list of items, by language.
LABELS: dict[str, dict[str, str]] = {tag: module.LABELS for tag, module in _LANGUAGES.items()}

#: Template code → language → text.
TEMPLATES: dict[str, dict[str, TemplateText]] = {
    code: {tag: module.TEMPLATES[code] for tag, module in _LANGUAGES.items()} for code in en.TEMPLATES
}
