"""Reading what came: strict JSON and XML without a DTD, and paths into both that never fail on a missing step."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from libs.kit.strict_json import JsonRefused, loads
from services.risk.providers.errors import GarbageAnswer

_DEEPEST = 60
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("janvier",), ("fevrier", "février"), ("mars",), ("avril",), ("mai",), ("juin",),
            ("juillet",), ("aout", "août"), ("septembre",), ("octobre",), ("novembre",), ("decembre", "décembre"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_FRENCH_DATE = re.compile(r"(\d{1,2})(?:er)?\s+([a-zéûA-ZÉÛ]+)\s+(\d{4})\Z")
_SHAPES = {
    "iso": re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?:[T ].*)?\Z"),
    "us": re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})\Z"),
    "fr": re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})\Z"),
    "compact": re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})\Z"),
}
DATE_SHAPES = (*_SHAPES, "fr_words")
_NUMBER = re.compile(r"[+-]?\d{1,24}(\.\d{1,12})?([eE][+-]?\d{1,3})?\Z")


def json_of(body: bytes) -> Any:
    """A JSON document, fractions as Decimal. Raises GarbageAnswer."""
    try:
        return loads(body)
    except JsonRefused as refused:
        raise GarbageAnswer(f"not the JSON that was promised: {refused.code}") from None


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON document that is an object. Raises GarbageAnswer."""
    found = json_of(body)
    if not isinstance(found, dict):
        raise GarbageAnswer("not the JSON that was promised: expected an object")
    return found


def xml_of(body: bytes) -> etree._Element:
    """An XML document without any DTD: no entities, nothing from outside. Raises GarbageAnswer."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise GarbageAnswer("not the XML that was promised") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise GarbageAnswer("an XML document with a DTD is not read")
    return root


def at(document: Any, *steps: str | int) -> Any:
    """What stands at the end of a path, None if a step is missing."""
    for step in steps:
        if isinstance(document, dict) and isinstance(step, str):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int):
            document = document[step] if -len(document) <= step < len(document) else None
        else:
            return None
    return document


def listed(document: Any) -> list[Any]:
    """A list, whether it came as a list, as its single member, or not at all."""
    if document is None:
        return []
    return document if isinstance(document, list) else [document]


def tree_of(element: etree._Element, depth: int = 0) -> Any:
    """An XML element as plain values: children by local name, repeated ones as lists, `xsi:nil` as None, text stripped.

    A list of one member comes as the member: read lists through `listed`.
    """
    if depth > _DEEPEST:
        raise GarbageAnswer("the XML is nested too deeply")
    nil = element.get("{http://www.w3.org/2001/XMLSchema-instance}nil")
    if nil in ("true", "1"):
        return None
    children = list(element)
    if not children:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in children:
        name, value = local(child), tree_of(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return str(etree.QName(element).localname)


def each(element: etree._Element, *path: str) -> Iterator[etree._Element]:
    """Descendants along a path of local names, whatever their namespaces."""
    if not path:
        yield element
        return
    for child in element:
        if local(child) == path[0]:
            yield from each(child, *path[1:])


def first(element: etree._Element, *path: str) -> etree._Element | None:
    """The first descendant along a path of local names."""
    return next(each(element, *path), None)


def words(element: etree._Element | None, *path: str) -> str | None:
    """The text at a path, stripped; None when it is missing or empty."""
    if element is None:
        return None
    found = first(element, *path)
    return None if found is None else text(found.text)


def text(value: Any) -> str | None:
    """A value as text, stripped; None when it says nothing."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value).strip() or None


def number(value: Any) -> Decimal | None:
    """A number however it was written: JSON number, "6.9974169E8", "1 234,50", "12,5". None for anything else.

    A comma is a decimal comma when it is the only separator; with both, the last one is the decimal sign.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    raw = re.sub(r"[\s\u00a0\u202f]", "", str(value))
    if "," in raw:
        if "." in raw:
            raw = (
                raw.replace(",", "")
                if raw.rfind(".") > raw.rfind(",")
                else raw.replace(".", "").replace(",", ".")
            )
        elif raw.count(",") == 1:
            raw = raw.replace(",", ".")
        else:
            raw = raw.replace(",", "")
    if not _NUMBER.match(raw):
        return None
    try:
        found = Decimal(raw)
    except InvalidOperation:
        return None
    return found if abs(found.adjusted()) <= 24 else None


def integer(value: Any) -> int | None:
    """A whole number however it was written; None for a fraction or anything else."""
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def dated(value: Any, shape: str = "iso") -> date | None:
    """A date in the declared shape; None when it is empty, of another shape, or does not exist.

    Shapes: iso, us (month first), fr (day first), compact (20240917, also as an integer), fr_words ("10 décembre 2009").
    A shape is declared for each field and never guessed: 10/02/2025 is two dates.
    """
    raw = text(value)
    if raw is None:
        return None
    raw = re.sub(r"[\s\u00a0\u202f]+", " ", raw)
    if shape == "fr_words":
        match = _FRENCH_DATE.match(raw)
        month = _MONTHS.get(match[2].lower()) if match else None
        return _date(match[3], month, match[1]) if match and month else None
    match = _SHAPES[shape].match(raw)
    return _date(match["y"], match["m"], match["d"]) if match else None


def _date(year: Any, month: Any, day: Any) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
