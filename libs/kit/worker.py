"""Workers: run jobs when nudged, sweep for work that lost its nudge, work through tenants' days.

Several services' workers may share one process (`python -m services.worker ledger risk …`); in production each has its own.
"""

import asyncio
import contextlib
import importlib
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from arq import Retry
from arq.worker import Worker, func
from opentelemetry.trace import SpanKind

from libs.kit import clock, context, days, housekeeping, jobs, logs, telemetry
from libs.kit.feed.doorbell import DRAIN
from libs.kit.metrics import JOB_SECONDS, JOBS
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime, open_runtime
from libs.kit.service import Job, Service
from libs.kit.settings import Settings, load_settings

log = structlog.get_logger(__name__)
MAX_TRIES = 5
JOB_TIMEOUT = 60
_POLL_SECONDS = 0.02
_FINISH_WITHIN = 10


async def run_workers(services: Iterable[Service], settings: Settings, stop: asyncio.Event) -> None:
    """Work for these services until `stop` is set. Raises when a worker breaks (Redis dropped): start it again."""
    async with contextlib.AsyncExitStack() as stack:
        tasks: list[asyncio.Task[None]] = []
        for service in services:
            runtime = await stack.enter_async_context(open_runtime(service, settings))
            tasks.extend(_tasks_of(runtime))
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, waiting):
            task.cancel()
        await asyncio.gather(*tasks, waiting, return_exceptions=True)
        for task in done - {waiting}:
            task.result()


def _tasks_of(runtime: Runtime) -> list[asyncio.Task[None]]:
    settings = runtime.settings
    loops: list[Awaitable[None]] = [
        _serve_queue(runtime),
        _repeat(runtime, "feed", runtime.feed.sweep, settings.sweep_seconds),
        _repeat(runtime, "days", lambda: days.sweep(runtime), settings.day_sweep_seconds),
        _repeat(runtime, "housekeeping", lambda: housekeeping.sweep(runtime), housekeeping.EVERY_SECONDS),
    ]
    loops += [
        _repeat(runtime, sweep.__name__, partial(sweep, runtime), settings.sweep_seconds)
        for sweep in runtime.service.sweeps
    ]
    return [asyncio.ensure_future(loop) for loop in loops]


async def run_due_jobs(runtime: Runtime) -> int:
    """Run the jobs that are due in a service's queue now, and return how many; for tests, which want no job by chance."""
    redis = await runtime.jobs.redis()
    now = clock.wall().timestamp() * 1000
    due: int = await redis.zcount(jobs.queue_name(runtime.service.name), "-inf", now)
    if due:
        await _serve_queue(runtime, at_most=due)
    return due


async def _serve_queue(runtime: Runtime, *, at_most: int | None = None) -> None:
    service = runtime.service
    every = {DRAIN: _drain_feed, **service.jobs}
    worker = Worker(
        functions=[
            func(
                _wrapped(runtime, name, job),  # type: ignore[arg-type]  # arq wants a protocol with __qualname__
                name=name,
                keep_result=0,
                timeout=service.job_timeouts.get(name, JOB_TIMEOUT),
            )
            for name, job in every.items()
        ],
        queue_name=jobs.queue_name(service.name),
        redis_settings=jobs.redis_settings(runtime.settings.redis_url.get_secret_value(), retries=30),
        job_serializer=jobs.encode,
        job_deserializer=jobs.decode,
        burst=at_most is not None,
        max_burst_jobs=-1 if at_most is None else at_most,
        handle_signals=False,
        poll_delay=_POLL_SECONDS,
        max_tries=MAX_TRIES,
        job_timeout=JOB_TIMEOUT,
        keep_result=0,
        health_check_interval=30,
        health_check_key=f"encours:health:{service.name}",
        max_jobs=20,
    )
    try:
        await worker.async_run()
    finally:
        # arq would cancel what is under way; what does not end in time is run again elsewhere
        if worker.tasks:
            await asyncio.wait(worker.tasks.values(), timeout=_FINISH_WITHIN)
        await worker.close()


def _wrapped(runtime: Runtime, name: str, job: Job) -> Callable[..., Awaitable[None]]:
    """arq does not retry a plain exception: say so for it. What stays undone is a row, and a sweep will find it."""
    service = runtime.service.name

    async def run(ctx: dict[str, Any], trace: dict[str, str], *ids: str) -> None:
        context.begin(trace.get("request_id"), trace.get("traceparent"))
        started = time.perf_counter()
        outcome = "done"
        try:
            with telemetry.span(f"job {name}", SpanKind.CONSUMER):
                await job(runtime, *ids)
        except Exception as error:
            attempt = int(ctx.get("job_try", 1))
            outcome = "retried" if attempt < MAX_TRIES else "failed"
            expected = isinstance(error, Problem) and error.status == 503
            log.log(
                30 if expected else 40,
                "job_failed",
                job=name,
                ids=ids,
                attempt=attempt,
                exc_info=not expected,
            )
            if attempt < MAX_TRIES:
                raise Retry(defer=min(2**attempt, 30)) from error
        finally:
            JOBS.labels(service, name, outcome).inc()
            JOB_SECONDS.labels(service, name).observe(time.perf_counter() - started)

    return run


async def _drain_feed(runtime: Runtime, producer: str, tenant_id: str) -> None:
    if producer not in runtime.service.consumes:
        return  # a bell of a release that consumes more, or less, than this one
    await runtime.doorbell.answer(producer, tenant_id)
    await runtime.feed.drain(producer, UUID(tenant_id), within=JOB_TIMEOUT - 10)  # type: ignore[arg-type]


async def _repeat(runtime: Runtime, name: str, action: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        context.begin()
        try:
            await action()
        except Exception as error:
            log.warning("sweep_failed", service=runtime.service.name, sweep=name, error=repr(error))
        await asyncio.sleep(seconds)


def main(names: list[str]) -> int:
    """Run the workers of the named services in this process until a signal."""

    async def run() -> None:
        settings = load_settings()
        logs.configure("+".join(names), settings.log_level, settings.log_format)
        telemetry.configure("worker", settings.otel_endpoint)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        services = [importlib.import_module(f"services.{name}.service").SERVICE for name in names]
        await run_workers(services, settings, stop)

    asyncio.run(run())
    return 0
