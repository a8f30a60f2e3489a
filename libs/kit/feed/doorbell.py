"""The doorbell: after a commit with events, wake the consumers, at most once every few seconds a consumer and tenant.

A lost bell costs seconds, never an event: the consumers' sweep asks for the heads anyway.
"""

from uuid import UUID

import structlog
from redis.exceptions import RedisError

from libs.kit.jobs import JobQueue
from libs.kit.service import Service

log = structlog.get_logger(__name__)
DRAIN = "drain_feed"
_HOLD_SECONDS = 5


def bell(consumer: str, producer: str, tenant_id: UUID | str) -> str:
    """The flag that says a bell was rung and nobody has come yet."""
    return f"bell:{consumer}:{producer}:{tenant_id}"


class Doorbell:
    """A producer's bell."""

    def __init__(self, service: Service, jobs: JobQueue) -> None:
        self._service = service
        self._jobs = jobs

    async def ring(self, tenant_id: UUID) -> None:
        """Wake every consumer that is not already on its way."""
        try:
            redis = await self._jobs.redis()
            for consumer in self._service.consumers:
                flag = bell(consumer, self._service.name, tenant_id)
                if await redis.set(flag, 1, nx=True, ex=_HOLD_SECONDS):
                    await self._jobs.enqueue(DRAIN, self._service.name, str(tenant_id), service=consumer)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bell_not_rung", error=repr(error))

    async def answer(self, producer: str, tenant_id: str) -> None:
        """A consumer takes the flag down before its first read, so that what comes after rings again."""
        try:
            redis = await self._jobs.redis()
            await redis.delete(bell(self._service.name, producer, tenant_id))
        except (RedisError, OSError, TimeoutError):
            return
