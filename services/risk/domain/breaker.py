"""The circuit breaker of a connection: a provider that is down is left alone, longer each time. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Calls in a row (each tried three times) that found nobody.
THRESHOLD = 3
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failures` in a row, `breaks` in a row; `closed_until`: no call before (wall clock), None while calls may be made."""

    failures: int = 0
    breaks: int = 0
    closed_until: datetime | None = None

    def lets_through(self, now: datetime) -> bool:
        """Whether a call may be made; after the pause one is, and decides."""
        return self.closed_until is None or now >= self.closed_until

    def answered(self) -> "Breaker":
        """Somebody is there."""
        return self if self == Breaker() else Breaker()

    def failed(self, now: datetime) -> "Breaker":
        """Nobody is there. The third time in a row, or the first after a pause, opens the circuit."""
        failures = self.failures + 1
        if failures < THRESHOLD and self.closed_until is None:
            return Breaker(failures, self.breaks, None)
        pause = min(FIRST_PAUSE * 2**self.breaks, LONGEST_PAUSE)
        return Breaker(failures, min(self.breaks + 1, 10), now + pause)

    @property
    def state(self) -> str:
        """`open` (no calls), `half_open` is what an open one becomes when its pause is over; here `closed` or `open`."""
        return "closed" if self.closed_until is None else "open"
