"""The key sets of foreign identity providers: discovered, read, kept for a while, read again when a key is not there.

A provider that is down costs nothing as long as its keys are remembered; after that it is said who is down.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from libs.kit.outbound import Outbound, OutboundError
from libs.kit.problems import Problem
from libs.kit.settings import Settings
from libs.kit.strict_json import JsonRefused
from services.gateway.domain.foreign_token import signing_keys

log = structlog.get_logger(__name__)
FRESH_S = 600.0
#: How long keys are believed while their issuer cannot be asked.
STALE_S = 24 * 3600.0
#: A token with an unknown key makes us ask again, but not for each such token.
ASK_AGAIN_S = 30.0
_REMEMBERED = 1000
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(slots=True)
class _Known:
    keys: dict[str, Any]
    read_at: float


class Issuers:
    """Key sets by issuer. Asks only https at public addresses, as all calls to the outside."""

    def __init__(self, settings: Settings) -> None:
        self._outbound = Outbound(settings, allowed_hosts=None, total_seconds=5, max_bytes=1 << 18)
        self._known: dict[str, _Known] = {}
        self._asked_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._outbound.close()

    async def keys(self, issuer: str, *, anew: bool = False) -> dict[str, Any]:
        """An issuer's signing keys by `kid`; `anew` when one was missing. Raises Problem 503 `issuer_unavailable`."""
        async with self._locks.setdefault(issuer, asyncio.Lock()):
            known, now = self._known.get(issuer), monotonic()
            asked = now - self._asked_at.get(issuer, float("-inf"))
            if known is not None and (asked < ASK_AGAIN_S or (not anew and now - known.read_at < FRESH_S)):
                return known.keys
            if known is None and asked < 1:  # it has just failed: one who waited need not try again
                raise _unavailable()
            if len(self._asked_at) >= _REMEMBERED:
                self._asked_at.clear()
                self._known.clear()
            self._asked_at[issuer] = now
            try:
                keys = await self._read(issuer)
            except (OutboundError, JsonRefused, ValueError) as error:
                log.warning("issuer_unavailable", error=str(error))
                if known is not None and now - known.read_at < STALE_S:
                    return known.keys
                raise _unavailable() from None
            self._known[issuer] = _Known(keys, now)
            return keys

    async def _read(self, issuer: str) -> dict[str, Any]:
        document = await self._get(issuer.rstrip("/") + _DISCOVERY)
        if not isinstance(document, dict) or document.get("issuer") != issuer:
            raise ValueError("the discovery document is another issuer's")
        if not isinstance(document.get("jwks_uri"), str):
            raise ValueError("the discovery document names no key set")
        return signing_keys(await self._get(document["jwks_uri"]))

    async def _get(self, url: str) -> Any:
        answer = await self._outbound.send("GET", url, headers={"accept": "application/json"})
        if answer.status != 200:
            raise ValueError(f"it answered {answer.status}")
        return answer.json()


def _unavailable() -> Problem:
    return Problem(
        503,
        "issuer_unavailable",
        "The identity provider that signed this token cannot be asked for its keys.",
        headers={"Retry-After": "5"},
        service="identity_provider",
    )
