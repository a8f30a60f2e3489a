"""What a printed document shows of a customer's items, and whether there are letters to print it with."""

from collections.abc import Collection, Mapping
from typing import Any

from libs.contracts.formats import money, number, short_day
from services.dunning.domain.letters.facts import LetterFacts
from services.dunning.domain.letters.listing import total

__all__ = ["fonts_for", "table", "writing_without_font"]

_LATIN = ("Libertinus Serif",)
#: Fonts that hold a writing, the best known first; Chinese and Japanese draw some characters differently.
_CHINESE = ("Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei")
_JAPANESE = ("Noto Serif CJK JP", "Noto Sans CJK JP", "Source Han Sans", "IPAexGothic")
_EASTERN = {"zh": (*_CHINESE, *_JAPANESE), "ja": (*_JAPANESE, *_CHINESE)}


def fonts_for(language: str) -> list[str]:
    """The fonts of a document in a language, in the order in which they are looked at for each character."""
    return [*_LATIN, *_EASTERN.get(language.partition("-")[0], _EASTERN["zh"])]


def writing_without_font(data: object, families: Collection[str]) -> str | None:
    """ "Japanese" or "Chinese" when a document's facts hold such characters and no font for them is there."""
    kana, han = _kinds(data)
    if not (kana or han) or any(name in families for name in (*_CHINESE, *_JAPANESE)):
        return None
    return "Japanese" if kana else "Chinese"


def table(facts: LetterFacts, labels: Mapping[str, str], language: str) -> dict[str, Any]:
    """The items as rows of texts, with heads and the total."""
    return {
        "heads": [labels[name] for name in ("number", "issued", "due", "days_late", "amount")],
        "rows": [
            [
                item.number or item.reference,
                short_day(item.issue_date, language),
                short_day(item.due_date, language),
                number(late, language)
                if (late := item.days_late(facts.today)) > 0 and item.open_minor > 0
                else "",
                money(item.open_minor, item.currency, language),
            ]
            for item in facts.items
        ],
        "total": [labels["total"], total(facts, language)],
    }


def _kinds(data: object) -> tuple[bool, bool]:
    """Whether some text in nested data holds kana, and whether some holds Chinese characters."""
    if isinstance(data, str):
        kana = any("\u3040" <= char <= "\u30ff" for char in data)
        return kana, any("\u3400" <= char <= "\u9fff" or "\u3000" <= char <= "\u303f" for char in data)
    inner = (
        list(data.values()) if isinstance(data, Mapping) else data if isinstance(data, (list, tuple)) else []
    )
    found = [_kinds(one) for one in inner]
    return any(kana for kana, _ in found), any(han for _, han in found)
