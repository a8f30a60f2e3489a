"""BODACC's shapes: objects inside strings, registers written two ways, dates in words, references in three."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.risk.domain.legal.notices import Effect, LegalNotice, NoticeType, Ruling
from services.risk.domain.legal.wording import mend, plain_words, rule
from services.risk.providers.errors import GarbageAnswer
from services.risk.providers.reading import at, dated, json_of, text

SOURCE = "bodacc"
#: Families read: proceedings, what precedes them, and the end of a company.
FAMILIES = ("collective", "conciliation", "retablissement_professionnel", "radiation")
_TYPES = {
    "annonce": NoticeType.INITIAL,
    "creation": NoticeType.INITIAL,
    "rectificatif": NoticeType.CORRECTION,
    "annulation": NoticeType.ANNULMENT,
}
_GAZETTE = re.compile(r"\b([A-C])\b")


def embedded(value: Any) -> dict[str, Any]:
    """An object that came as an object or as JSON inside a string; empty when there is none."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value.strip():
        try:
            found = json_of(value.encode())
        except GarbageAnswer:
            return {}
        return found if isinstance(found, dict) else {}
    return {}


def registers(record: Mapping[str, Any]) -> frozenset[str]:
    """Every SIREN a record names: a list in v2.1, a comma-separated string in v1, with and without blanks."""
    raw = record.get("registre")
    parts = raw if isinstance(raw, list) else str(raw or "").split(",")
    digits = (re.sub(r"\D", "", str(one)) for one in parts)
    return frozenset(one for one in digits if len(one) == 9)


def notice_of(record: Mapping[str, Any]) -> LegalNotice:
    """A record as a notice. Raises GarbageAnswer when it has no id or no date of publication."""
    source_id, published_on = text(record.get("id")), dated(record.get("dateparution"))
    if source_id is None or published_on is None:
        raise GarbageAnswer("a notice without an id or without a date")
    judgment = embedded(record.get("jugement"))
    family = text(record.get("familleavis")) or ""
    kind = notice_type(text(record.get("typeavis")) or text(record.get("typeavis_lib")) or "annonce")
    comment = text(judgment.get("complementJugement")) or text(
        at(embedded(record.get("radiationaurcs")), "commentaire")
    )
    nature = text(judgment.get("nature")) or (family if family.startswith("radiation") else None)
    ruling = rule(family, text(judgment.get("famille")), nature, comment)
    if kind is None:  # a type nobody has seen: it is neither taken as a judgment nor as the undoing of one
        kind, ruling = NoticeType.INITIAL, Ruling(Effect.NEUTRAL, review=True)
    return LegalNotice(
        source=SOURCE,
        source_id=source_id,
        published_on=published_on,
        judged_on=judgment_date(judgment.get("date")),
        type=kind,
        family=family,
        nature=mend(nature) if nature else None,
        ruling=ruling,
        court=text(record.get("tribunal")),
        text=mend(comment) if comment else None,
        replaces=previous_id(embedded(record.get("parutionavisprecedent"))),
        url=text(record.get("url_complete")),
    )


def notice_type(raw: str) -> NoticeType | None:
    """annonce, rectificatif, annulation — or their labels; None for a type nobody has seen."""
    words = plain_words(raw)
    if words in _TYPES:
        return _TYPES[words]
    for mark, kind in (
        ("rectif", NoticeType.CORRECTION),
        ("annul", NoticeType.ANNULMENT),
        ("initial", NoticeType.INITIAL),
    ):
        if mark in words:
            return kind
    return None


def judgment_date(raw: Any) -> date | None:
    """ "2024-05-02", or "10 décembre 2009" as the older issues write it."""
    return dated(raw) or dated(raw, "fr_words") or dated(raw, "fr")


def previous_id(previous: Mapping[str, Any]) -> str | None:
    """The id of the notice that a correction or an annulment names: gazette letter, issue, number ("A202500172390")."""
    issue, number = text(previous.get("numeroParution")), text(previous.get("numeroAnnonce"))
    letter = _GAZETTE.search(text(previous.get("nomPublication")) or "")
    if issue is None or number is None or not number.isdigit():
        return None
    return f"{letter[1] if letter else 'A'}{issue}{int(number)}"
