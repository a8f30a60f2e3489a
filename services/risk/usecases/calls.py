"""Calls to one provider: paced as it allows, tried again when that may help, stopped while it is down."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import stamina

from libs.kit import clock
from libs.kit.db import Row
from services.risk.domain.breaker import Breaker
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import (
    AuthRefused,
    EntitlementMissing,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)

T = TypeVar("T")
ATTEMPTS = 3
#: Longer than this nobody waits in a call: the breaker takes over.
_LONGEST_WAIT = timedelta(seconds=60)
_MOST_AT_ONCE = 16


class Down(Exception):
    """No more calls for now: the circuit is open, or the provider refuses us altogether."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(error.detail)
        self.error = error


class Line:
    """The line to a provider while one worker holds its connection. Several calls may be under way; they share the pace."""

    def __init__(self, row: Row, capabilities: Capabilities) -> None:
        calls = row["rate_calls"] or capabilities.rate.calls
        seconds = row["rate_seconds"] or capabilities.rate.seconds
        self._gap = seconds / calls
        self._next = 0.0
        self.at_once = max(1, min(_MOST_AT_ONCE, round(calls / seconds)))
        self.breaker = Breaker(row["failures"], row["breaks"], row["closed_until"])
        self.refused: ProviderError | None = None
        self.last_error: ProviderError | None = None

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call, up to three times. Raises ProviderError, or Down when calling makes no sense at the moment."""
        if not self.open:
            raise self.down()
        try:
            async for attempt in stamina.retry_context(
                on=_again, attempts=ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=5, wait_jitter=0.2
            ):
                with attempt:
                    await self._turn()
                    result = await call()
        except (AuthRefused, EntitlementMissing) as error:
            self.refused = error
            raise Down(error) from None
        except ProviderError as error:
            if error.retry and not isinstance(error, RateLimited):
                self.last_error = error
                self.breaker = self.breaker.failed(clock.wall())
            elif not error.retry:
                self.breaker = self.breaker.answered()
            raise
        self.breaker = self.breaker.answered()
        return result

    @property
    def open(self) -> bool:
        """Whether a call may be made."""
        return self.refused is None and self.breaker.lets_through(clock.wall())

    def down(self) -> Down:
        """Why no call is made at the moment."""
        waiting = ProviderUnavailable("It did not answer lately; calls are made again after a pause.")
        return Down(self.refused or self.last_error or waiting)

    async def _turn(self) -> None:
        """Wait for this call's place in the provider's rate."""
        now = time.monotonic()
        place = max(self._next, now)
        self._next = place + self._gap
        if place > now:
            await asyncio.sleep(place - now)


def _again(error: Exception) -> bool | timedelta:
    """Whether to try again, and after how long where the provider says so."""
    if isinstance(error, RateLimited) and error.after is not None:
        return error.after if error.after <= _LONGEST_WAIT else False
    return isinstance(error, ProviderError) and error.retry
