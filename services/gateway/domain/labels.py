"""Choosing words: the reader's language where there are some, English where there are none."""

from collections.abc import Collection, Mapping

ENGLISH = "en"


def choose_language(header: str, known: Collection[str]) -> str:
    """The best known language of an Accept-Language header (RFC 9110 §12.5.4), English without one.

    A tag takes itself, else its language (`fr-CH` takes `fr`), else the one country's form there is (`zh-Hans` takes `zh-CN`)."""
    wanted = []
    for place, part in enumerate(header.split(",")[:50]):
        name, _, parameters = part.strip().partition(";")
        weight = _weight(parameters)
        if weight > 0:
            wanted.append((-weight, place, name.strip().lower()))
    for _, _, name in sorted(wanted):
        if name == "*":
            break
        spoken = _nearest(name, known)
        if spoken is not None:
            return spoken
    return ENGLISH


def _nearest(tag: str, known: Collection[str]) -> str | None:
    primary = tag.partition("-")[0]
    by_tag = {one.lower(): one for one in sorted(known)}
    if tag in by_tag or primary in by_tag:
        return by_tag.get(tag) or by_tag[primary]
    return next((one for lower, one in by_tag.items() if lower.partition("-")[0] == primary), None)


def translated(
    english: Mapping[str, str], other: Mapping[str, str], language: str
) -> list[tuple[str, str, str]]:
    """(code, label, language of the label) of an enum, in the order of the English ones."""
    return [
        (code, other[code], language) if code in other else (code, label, ENGLISH)
        for code, label in english.items()
    ]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
