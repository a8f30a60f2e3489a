"""How a stand-in misbehaves when told to."""

import gzip
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Mode = Literal[
    "normal", "slow", "timeout", "silent", "error", "rate_limited", "unauthorized", "forbidden", "garbage", "truncated",
    "huge", "huge_compressed", "soap_fault", "entity_bomb", "redirect",
]  # fmt: skip
MODES: tuple[Mode, ...] = get_args(Mode)
HUGE = 50 * 1024 * 1024
_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]><lolz>&c;&x;</lolz>'
)
_FAULT = (
    b'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<soapenv:Body><soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>The service is out of order"
    b"</faultstring><detail/></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of a stand-in."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """An answer that goes wrong on purpose: sent piece by piece, perhaps never finished."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


def spoil(mode: Mode, told: Told, *, status: int | None, retry_after: int) -> Told | Spoilt:
    """What becomes of a good answer in a mode. `slow`, `timeout` and `silent` are the door's business."""
    match mode:
        case "error":
            return Told(status or 503, b"Service Unavailable", "text/plain")
        case "rate_limited":
            return Told(429, b'{"error":"too many requests"}', headers={"retry-after": str(retry_after)})
        case "unauthorized":
            return Told(401, b'{"error":"unauthorized"}')
        case "forbidden":
            return Told(403, b'{"message":"forbidden"}')
        case "garbage":
            return Told(200, b"\x00<<<{{{ not what you asked for \xff\xfe", told.media_type)
        case "truncated":
            return Told(
                told.status, told.body[: max(1, len(told.body) * 2 // 3)], told.media_type, told.headers
            )
        case "huge":
            return Spoilt(200, told.media_type, {}, _large())
        case "huge_compressed":
            body = gzip.compress(bytes(HUGE), 9)
            return Told(200, body, told.media_type, {"content-encoding": "gzip"})
        case "soap_fault":
            return Told(500, _FAULT, "text/xml")
        case "entity_bomb":
            return Told(200, _BOMB, "text/xml")
        case "redirect":
            return Told(302, b"", "text/plain", {"location": "https://elsewhere.example/steal"})
    return told


async def _large() -> AsyncIterator[bytes]:
    piece = b" " * (1 << 20)
    for _ in range(HUGE // len(piece)):
        yield piece
