"""The job queue: arq, used as an alarm clock and never as a memory.

Work is a row in PostgreSQL; a job only says "look now". Whatever Redis loses, a sweep finds. arq facts kept to: ids are
prefixed by the consumer (they are global in Redis), no results are kept (a kept result blocks the next job of that id),
JSON instead of pickle, a refusal of a duplicate id means "already scheduled".
"""

import asyncio
import time
from typing import Any

import msgspec
import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

from libs.kit import context
from libs.kit.settings import ServiceName

log = structlog.get_logger(__name__)
_PAUSE_SECONDS = 1.0


def encode(content: dict[str, Any]) -> bytes:
    """arq's job as JSON."""
    return msgspec.json.encode(content, enc_hook=str)


def decode(raw: bytes) -> dict[str, Any]:
    """The job back."""
    content: dict[str, Any] = msgspec.json.decode(raw)
    return content


def queue_name(service: ServiceName) -> str:
    """One queue a service."""
    return f"encours:queue:{service}"


def redis_settings(url: str, *, retries: int = 0) -> RedisSettings:
    """Short timeouts: nobody waits for a nudge."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = retries
    settings.conn_timeout = 1
    settings.conn_retry_delay = 1
    settings.retry_on_timeout = True
    return settings


class JobQueue:
    """Puts jobs into a service's queue; silent for a second after Redis failed, so that a request never waits for it."""

    def __init__(self, url: str, service: ServiceName) -> None:
        self._url = url
        self._service = service
        self._pool: ArqRedis | None = None
        self._opening = asyncio.Lock()
        self._silent_until = 0.0

    async def enqueue(
        self,
        job: str,
        *ids: str,
        service: ServiceName | None = None,
        job_id: str | None = None,
        defer: float = 0,
    ) -> bool:
        """Nudge: run `job` with ids in a service's worker, `defer` seconds from now. False when Redis is not there."""
        target = service or self._service
        trace = {"request_id": context.request_id(), "traceparent": context.traceparent()}
        options: dict[str, Any] = {"_queue_name": queue_name(target)}
        if job_id is not None:
            options["_job_id"] = f"{target}:{job_id}"
        if defer:
            options["_defer_by"] = defer
        try:
            pool = await self.redis()
            await pool.enqueue_job(job, trace, *ids, **options)
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = time.monotonic() + _PAUSE_SECONDS
            log.warning("nudge_lost", job=job, error=repr(error))
            return False
        return True

    async def redis(self) -> ArqRedis:
        """The connection. Raises RedisError or OSError when the server is not there."""
        if time.monotonic() < self._silent_until:
            raise ConnectionError("Redis failed a moment ago")
        async with self._opening:  # two who came first would open two, and nobody would close one of them
            if self._pool is None:
                try:
                    self._pool = await create_pool(
                        redis_settings(self._url), job_serializer=encode, job_deserializer=decode
                    )
                except (RedisError, OSError, TimeoutError):
                    self._silent_until = time.monotonic() + _PAUSE_SECONDS
                    raise
        return self._pool

    async def ping(self) -> None:
        """Raise unless Redis answers."""
        pool = await self.redis()
        await pool.ping()

    async def close(self) -> None:
        """Close the connection."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None
