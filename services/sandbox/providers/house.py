"""What a wire format works with: the companies of one stand-in, its portfolio and its events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from urllib.parse import parse_qsl

from lxml import etree

from services.sandbox.domain.companies import Company, Happening
from services.sandbox.providers.behaviour import Told

WRONG = "wrong"
"""A password, token or key of that text is refused by every stand-in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it came: `path` below the stand-in's base URL, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """A form-encoded body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))


class House(Protocol):
    """One stand-in of one connection."""

    @property
    def today(self) -> date: ...
    async def company(self, number: str) -> Company | None:
        """A company; None if the stand-in was told not to know it."""

    async def told_companies(self) -> list[Company]:
        """Those that the stand-in was told of."""

    async def add(self, number: str) -> bool:
        """Put under watch; False if it was already."""

    async def remove(self, number: str) -> bool:
        """Take from the watch; False if it was not there."""

    async def members(self) -> list[str]:
        """Everything under watch, by number."""

    async def happenings(self, *, unread: bool, since: date | None = None) -> list[Happening]:
        """What changed in companies under watch, oldest first."""

    async def mark_read(self, number: int) -> bool:
        """Acknowledge; False if there is no such event."""


class Wire(Protocol):
    """A provider's wire format."""

    async def __call__(self, asked: Asked, house: House) -> Told: ...


def text(value: Any) -> str:
    """A value for XML, escaped; empty for None."""
    if value is None:
        return ""
    return str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def xml_of(body: bytes) -> etree._Element | None:
    """A call's XML; None if it is none."""
    try:
        return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None
