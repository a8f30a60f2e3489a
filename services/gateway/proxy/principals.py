"""Who is behind a request, remembered for a few seconds so that the hot path asks no database."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from libs.kit.problems import Problem
from services.gateway.proxy.credentials import ApiKey, CredentialsRefused, Jwt, parse_bearer
from services.gateway.proxy.limits import Policy
from services.gateway.proxy.login_failures import LoginFailures

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    `authorization` is the header value services get, an internal token; `subject` is whom `policy` counts.
    """

    authorization: bytes
    subject: str
    policy: Policy
    tenant_id: UUID | None = None


class Principals:
    """Authenticates requests; asks `resolve` once per credential and `life_s` seconds, however many come.

    A key that is revoked goes on for `life_s` seconds at the most; `forget` ends it here at once. `resolve`
    raises Problem 401 for credentials that do not hold; refusals are not remembered.
    """

    def __init__(
        self,
        resolve: Callable[[ApiKey | Jwt], Awaitable[Principal]],
        life_s: float = 10.0,
        failures: LoginFailures | None = None,
    ) -> None:
        self._resolve = resolve
        self._failures = failures
        self._life_s = life_s
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self._asking: dict[bytes, asyncio.Task[Principal]] = {}

    async def authenticate(self, scope: Any) -> Principal:
        """The principal of a request. Raises Problem 401, or 429 for an address with too many failures."""
        for name, value in scope["headers"]:
            if name == b"authorization":
                # Under its hash: neither a memory dump nor the time of a look-up tells anything of a key.
                token = hashlib.sha256(value).digest()
                known = self._known.get(token)
                if known is not None and known[0] > monotonic():
                    return known[1]
                return await self._try(scope.get("client"), token, value)
        raise unauthenticated("This call needs credentials.")

    def forget(self) -> None:
        """Ask again about everybody."""
        self._known.clear()

    async def _try(self, client: Any, token: bytes, header: bytes) -> Principal:
        if self._failures is None:
            return await self._ask(token, header)
        self._failures.require_patience(client)
        try:
            return await self._ask(token, header)
        except Problem as refusal:
            if refusal.status == 401:
                self._failures.count(client)
            raise

    async def _ask(self, token: bytes, header: bytes) -> Principal:
        asking = self._asking.get(token)
        if asking is None:
            try:
                credentials = parse_bearer(header)
            except CredentialsRefused as refused:
                raise unauthenticated(f"The credentials cannot be read: {refused}.") from None
            asking = asyncio.create_task(self._resolve_once(token, credentials))
            asking.add_done_callback(_look)
            self._asking[token] = asking
        # Shielded: one caller that leaves must not take the answer from the others.
        return await asyncio.shield(asking)

    async def _resolve_once(self, token: bytes, credentials: ApiKey | Jwt) -> Principal:
        try:
            principal = await self._resolve(credentials)
        finally:
            self._asking.pop(token, None)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[token] = (monotonic() + self._life_s, principal)
        return principal


def _look(asked: asyncio.Task[Principal]) -> None:
    """Look at a refusal even if everybody who waited for it has left, or asyncio reports it as forgotten."""
    if not asked.cancelled():
        asked.exception()


def unauthenticated(detail: str) -> Problem:
    """401 with the challenge RFC 6750 asks for."""
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})
