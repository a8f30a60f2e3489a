"""The limits of several gateway processes on one real store, and what is left of them when it goes."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from libs.testkit.servers import Addresses
from services.gateway.proxy.limits import Policy, RateLimiter, RedisTally

POLICY = Policy("across", 10, 3600)


@pytest.fixture
async def redis(servers: Addresses) -> AsyncIterator[Redis]:
    async with Redis.from_url(servers.redis_url) as client:
        yield client
        await client.delete(*await client.keys("rate:across:*"))


def taken(limiter: RateLimiter, times: int) -> int:
    return sum(limiter.take("key", POLICY).allowed for _ in range(times))


async def test_store_adds_and_forgets(redis: Redis) -> None:
    tally = RedisTally(redis)
    assert await tally.add({"rate:across:one": 2, "rate:across:other": 5}, 30) == [2, 5]
    assert await tally.add({"rate:across:one": 1}, 30) == [3]
    assert 0 < await redis.ttl("rate:across:one") <= 30


async def test_limit_holds_across_processes(redis: Redis) -> None:
    def now() -> float:
        return 3600.0 * 500_000

    one, other = RateLimiter(RedisTally(redis), now), RateLimiter(RedisTally(redis), now)
    assert taken(one, 9) == 9
    await one.agree()
    assert taken(other, 1) == 1
    await other.agree()
    assert taken(other, 5) == 0


async def test_unreachable_store_leaves_each_process_its_own_count() -> None:
    async with Redis.from_url("redis://127.0.0.1:9") as nobody:
        limiter = RateLimiter(RedisTally(nobody))
        assert taken(limiter, 4) == 4
        await limiter.agree()
        assert taken(limiter, 10) == 6
