"""A log-in that lasts a while: one at a time, renewed before it ends, and never tried twice with refused credentials."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from services.risk.providers.errors import AuthRefused
from services.risk.providers.port import Answer

_BEFORE = 60.0


class Session:
    """The token of one connection. `login` returns it with the seconds it lasts, and raises AuthRefused when the credentials
    are wrong: then nobody asks again, because providers lock accounts that try."""

    def __init__(self, login: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._login = login
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._until = 0.0
        self._refused: AuthRefused | None = None

    async def send(self, call: Callable[[str], Awaitable[Answer]]) -> Answer:
        """Make a call with the token. A 401 means that it has run out: one new log-in, one more try."""
        token = await self._present()
        answer = await call(token)
        if answer.status != 401:
            return answer
        if self._token == token:
            self._token = None
        return await call(await self._present())

    async def _present(self) -> str:
        async with self._lock:
            if self._refused is not None:
                raise AuthRefused(self._refused.detail, code=self._refused.code)
            if self._token is None or time.monotonic() >= self._until:
                try:
                    self._token, seconds = await self._login()
                except AuthRefused as refused:
                    self._refused = refused
                    raise
                self._until = time.monotonic() + max(seconds - _BEFORE, seconds / 2)
            return self._token
