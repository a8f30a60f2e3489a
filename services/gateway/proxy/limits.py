"""Rate limits: decided in memory, agreed between processes in the background.

A request costs a dictionary look-up, never a round trip. Each process counts what it let through per fixed
window and, every second, adds its share to the common count and reads the sum back. The limit applies to a
sliding window: the count of the present window plus the part of the one before that still overlaps. Without
the common store each process goes on with its own count: limits become lenient, and nobody is locked out by a
lost cache.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import structlog

from libs.kit import clock

log = structlog.get_logger(__name__)

SYNC_S = 1.0


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests in any `window_s` seconds.

    `name` stands in headers: lower-case letters and dashes.
    """

    name: str
    quota: int
    window_s: int
    header: bytes = field(init=False)

    def __post_init__(self) -> None:
        if self.quota < 1 or self.window_s < 1 or not self.name.replace("-", "").isalpha():
            raise ValueError("a rate limit has a name, and a quota and a window of at least 1")
        object.__setattr__(self, "header", f'"{self.name}";q={self.quota};w={self.window_s}'.encode())


class Decision(NamedTuple):
    """`remaining` requests until `reset_s` seconds from now; `retry_s` is 0 for one that was let through."""

    policy: Policy
    remaining: int
    reset_s: int
    retry_s: int

    @property
    def allowed(self) -> bool:
        return self.retry_s == 0

    def headers(self) -> list[tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers-10 writes them."""
        state = b'"%b";r=%d;t=%d' % (self.policy.name.encode(), self.remaining, self.reset_s)
        return [(b"ratelimit-policy", self.policy.header), (b"ratelimit", state)]


class Tally(Protocol):
    """The count all processes share."""

    async def add(self, shares: Mapping[str, int], expire_s: int) -> list[int]:
        """Add to several counts, forget them after `expire_s` seconds, return the sums in the same order."""
        ...


@dataclass(slots=True)
class _Count:
    policy: Policy
    window: int
    before: int = 0
    #: The present window: as all processes agreed, ours under way to the others, ours since.
    agreed: int = 0
    sending: int = 0
    unsent: int = 0

    @property
    def now(self) -> int:
        return self.agreed + self.sending + self.unsent

    def roll(self, window: int) -> None:
        self.before = self.now if window == self.window + 1 else 0
        self.window = window
        self.agreed = self.sending = self.unsent = 0


class RateLimiter:
    """Counts requests per subject (a key, a tenant, an address).

    `now` gives seconds since the epoch, wall time.
    """

    def __init__(self, tally: Tally | None = None, now: Callable[[], float] | None = None) -> None:
        self._tally = tally
        self._now = now or (lambda: clock.wall().timestamp())
        self._counts: dict[tuple[str, str], _Count] = {}
        self._in_step = True

    def take(self, subject: str, policy: Policy) -> Decision:
        """Count one request of a subject, unless it is over the limit."""
        return self._decide(subject, policy, 1)

    def look(self, subject: str, policy: Policy) -> Decision:
        """What one more request of a subject would be told; nothing is counted."""
        return self._decide(subject, policy, 0)

    def _decide(self, subject: str, policy: Policy, share: int) -> Decision:
        now = self._now()
        window, elapsed = divmod(now, policy.window_s)
        key = (subject, policy.name)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(policy, int(window))
        elif count.window != window:
            count.roll(int(window))
        overlap = count.before * (1 - elapsed / policy.window_s)
        used = overlap + count.now
        reset_s = math.ceil(policy.window_s - elapsed)
        if used + 1 > policy.quota:
            return Decision(policy, 0, reset_s, _retry_s(count, policy, elapsed))
        count.unsent += share
        return Decision(policy, int(policy.quota - used - 1), reset_s, 0)

    async def keep_in_step(self) -> None:
        """Agree with the other processes every second, for ever."""
        while True:
            await asyncio.sleep(SYNC_S)
            await self.agree()

    async def agree(self) -> None:
        """Add this process's share to the common counts and read those; forget subjects that went quiet."""
        now = self._now()
        for key, count in list(self._counts.items()):
            if int(now // count.policy.window_s) > count.window + 1:
                del self._counts[key]
        changed = [(key, count, count.window) for key, count in self._counts.items() if count.unsent]
        if self._tally is None or not changed:
            return
        shares: dict[str, int] = {}
        for (subject, name), count, window in changed:
            count.sending, count.unsent = count.unsent, 0
            shares[f"rate:{name}:{subject}:{window}"] = count.sending
        expire_s = 2 * max(count.policy.window_s for _, count, _ in changed)
        try:
            async with asyncio.timeout(SYNC_S):
                sums: list[int] | None = await self._tally.add(shares, expire_s)
        except Exception as error:
            sums = None
            if self._in_step:
                log.warning("rate_limits_apart", error=type(error).__name__)
        self._in_step = sums is not None
        for place, (_, count, window) in enumerate(changed):
            if count.window != window:
                continue
            if sums is None:
                count.unsent += count.sending
            else:
                # A store that was emptied knows less than we do; what we have seen stays counted.
                count.agreed = max(sums[place], count.agreed + count.sending)
            count.sending = 0


def _retry_s(count: _Count, policy: Policy, elapsed: float) -> int:
    """Seconds until one more request fits, if nobody else asks meanwhile."""
    room = policy.quota - 1
    if count.now <= room:
        wait = policy.window_s * (1 - (room - count.now) / count.before) - elapsed
    else:
        wait = policy.window_s - elapsed + policy.window_s * (1 - room / count.now)
    return max(1, math.ceil(wait))


class RedisTally:
    """The common count in Redis: one pipeline a second and process, whatever the traffic."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis

    async def add(self, shares: Mapping[str, int], expire_s: int) -> list[int]:
        """See Tally. Raises what the client raises."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, share in shares.items():
                pipeline.incrby(key, share)
                pipeline.expire(key, expire_s)
            answers = await pipeline.execute()
        return [int(answer) for answer in answers[::2]]
