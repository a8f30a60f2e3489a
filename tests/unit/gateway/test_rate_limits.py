"""Rate limits, on a clock the tests hold; the common store is a dictionary."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from services.gateway.proxy.limits import Policy, RateLimiter


class Clock:
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Store:
    """What Redis would hold; `down` makes it fail."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.down = False
        self.calls = 0

    async def add(self, shares: Mapping[str, int], expire_s: int) -> list[int]:
        self.calls += 1
        if self.down:
            raise ConnectionError
        for key, share in shares.items():
            self.counts[key] = self.counts.get(key, 0) + share
        return [self.counts[key] for key in shares]


POLICY = Policy("default", 10, 60)


def taken(limiter: RateLimiter, subject: str, times: int, policy: Policy = POLICY) -> int:
    return sum(limiter.take(subject, policy).allowed for _ in range(times))


def test_quota_is_let_through_and_no_more() -> None:
    clock = Clock(1_000_020.0)  # the beginning of a window
    limiter = RateLimiter(now=clock)
    decisions = [limiter.take("key", POLICY) for _ in range(12)]
    assert [decision.allowed for decision in decisions] == [True] * 10 + [False] * 2
    assert [decision.remaining for decision in decisions] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]
    assert decisions[0].reset_s == 60


def test_subjects_and_policies_do_not_share() -> None:
    limiter = RateLimiter(now=Clock())
    assert taken(limiter, "one", 20) == taken(limiter, "other", 20) == 10
    assert taken(limiter, "one", 20, Policy("exports", 3, 60)) == 3


def test_window_slides() -> None:
    clock = Clock(1_000_020.0)
    limiter = RateLimiter(now=clock)
    assert taken(limiter, "key", 10) == 10
    clock.now += 60  # the window before still overlaps whole
    assert taken(limiter, "key", 10) == 0
    clock.now += 30  # half of it does
    assert taken(limiter, "key", 10) == 5
    clock.now += 90  # nothing of either is left
    assert taken(limiter, "key", 20) == 10


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 12)), min_size=1, max_size=30),
    st.integers(1, 20),
    st.integers(1, 60),
)
def test_never_more_than_twice_the_quota_in_a_window_and_after_waiting_there_is_room(
    steps: list[tuple[float, int]], quota: int, window_s: int
) -> None:
    """The counter knows the window before as an average, so a burst can pass early; it can never pass twice."""
    clock, policy = Clock(), Policy("default", quota, window_s)
    limiter = RateLimiter(now=clock)
    passed: list[float] = []
    for pause, wanted in steps:
        clock.now += pause
        for _ in range(wanted):
            decision = limiter.take("key", policy)
            if decision.allowed:
                passed.append(clock.now)
    for start in passed:
        assert sum(start <= moment < start + window_s for moment in passed) <= 2 * quota
    refused = limiter.take("key", policy)
    if not refused.allowed:
        clock.now += refused.retry_s
        assert limiter.take("key", policy).allowed


def test_headers_are_those_of_the_draft() -> None:
    limiter = RateLimiter(now=Clock(1_000_020.0 + 15.5))
    headers = dict(limiter.take("key", POLICY).headers())
    assert headers == {b"ratelimit-policy": b'"default";q=10;w=60', b"ratelimit": b'"default";r=9;t=45'}


async def test_processes_agree_through_the_store() -> None:
    clock, store = Clock(1_000_020.0), Store()
    one, other = RateLimiter(store, clock), RateLimiter(store, clock)
    assert taken(one, "key", 6) == 6
    assert taken(other, "key", 3) == 3
    await one.agree()
    await other.agree()
    await one.agree()  # nothing new to say: the store is not asked
    assert store.calls == 2
    assert taken(other, "key", 5) == 1  # 6 + 3 are known here
    assert taken(one, "key", 5) == 4  # one heard nothing since its own share
    await one.agree()
    assert taken(one, "key", 5) == 0


async def test_lost_store_locks_nobody_out_and_forgets_nothing() -> None:
    clock, store = Clock(1_000_020.0), Store()
    limiter = RateLimiter(store, clock)
    store.down = True
    assert taken(limiter, "key", 4) == 4
    await limiter.agree()
    assert taken(limiter, "key", 10) == 6
    store.down = False
    await limiter.agree()
    assert list(store.counts.values()) == [10]


async def test_emptied_store_does_not_give_the_quota_anew() -> None:
    clock, store = Clock(1_000_020.0), Store()
    limiter = RateLimiter(store, clock)
    taken(limiter, "key", 6)
    await limiter.agree()
    store.counts.clear()
    taken(limiter, "key", 1)
    await limiter.agree()
    assert taken(limiter, "key", 10) == 3


async def test_store_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.proxy.limits.SYNC_S", 0.05)

    class Hanging(Store):
        @override
        async def add(self, shares: Mapping[str, int], expire_s: int) -> list[int]:
            await asyncio.sleep(60)
            return []

    limiter = RateLimiter(Hanging(), Clock(1_000_020.0))
    taken(limiter, "key", 3)
    await asyncio.wait_for(limiter.agree(), 5)
    assert taken(limiter, "key", 10) == 7


async def test_answer_of_a_window_gone_by_is_not_counted_in_the_next() -> None:
    clock = Clock(1_000_020.0)

    class Slow(Store):
        @override
        async def add(self, shares: Mapping[str, int], expire_s: int) -> list[int]:
            clock.now += 121
            limiter.take("key", POLICY)
            return await super().add(shares, expire_s)

    limiter = RateLimiter(Slow(), clock)
    taken(limiter, "key", 10)
    await limiter.agree()
    assert taken(limiter, "key", 20) == 9


async def test_quiet_subjects_are_forgotten() -> None:
    clock = Clock()
    limiter = RateLimiter(None, clock)
    for number in range(1000):
        limiter.take(f"key{number}", POLICY)
    clock.now += 180
    limiter.take("key0", POLICY)
    await limiter.agree()
    assert len(limiter._counts) == 1


@pytest.mark.parametrize(
    ("name", "quota", "window_s"), [("a", 0, 1), ("a", 1, 0), ('a";q=9', 1, 1), ("", 1, 1)]
)
def test_senseless_policy_is_refused(name: str, quota: int, window_s: int) -> None:
    with pytest.raises(ValueError, match="rate limit"):
        Policy(name, quota, window_s)
