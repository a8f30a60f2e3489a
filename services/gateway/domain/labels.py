"""Choosing words: the reader's language where there are some, English where there are none."""

from collections.abc import Collection, Mapping

ENGLISH = "en"


def choose_language(header: str, known: Collection[str]) -> str:
    """The best known language of an Accept-Language header (RFC 9110 §12.5.4; `fr-CH` takes `fr`), English without one."""
    wanted = []
    for place, part in enumerate(header.split(",")[:50]):
        name, _, parameters = part.strip().partition(";")
        weight = _weight(parameters)
        if weight > 0:
            wanted.append((-weight, place, name.strip().partition("-")[0].lower()))
    for _, _, name in sorted(wanted):
        if name in known:
            return name
        if name == "*":
            break
    return ENGLISH


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
