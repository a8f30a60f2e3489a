"""A part of the house, or all of it, running in this process: real HTTP, real PostgreSQL, a real queue, one event loop."""

import asyncio
import contextlib
import importlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI
from redis.asyncio import Redis
from sqlalchemy import MetaData

from libs.kit import clock, jobs, worker
from libs.kit.app import build_app
from libs.kit.auth import Keys
from libs.kit.runtime import Runtime, open_runtime
from libs.kit.service import Service
from libs.kit.settings import SERVICES, ServiceName, Settings, load_settings
from libs.stack.keys import new_master_key
from libs.stack.ports import free_port
from libs.testkit.databases import Databases
from libs.testkit.http_server import HttpServer
from libs.testkit.standin import StandIn

BOOTSTRAP_KEY = "bootstrap-key-of-the-tests"
_SETTLED_WITHIN = 60.0
_MARKS = """
    SELECT 'head', '', head FROM feed_heads WHERE tenant_id = $1
    UNION ALL SELECT 'cursor', producer, position FROM feed_cursors WHERE tenant_id = $1 ORDER BY 1, 2
"""


class Stack:
    """Services that run, and stand-ins for those that do not.

    A member is a service's name (the product's own composition root is started) or a `Service` made for a test, which
    borrows the name and the database schema of one of ours.
    """

    def __init__(
        self,
        name: str,
        members: list[ServiceName | Service],
        *,
        databases: Databases,
        redis_url: str,
        keys_dir: Path,
        tables: Mapping[ServiceName, MetaData] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.members = {member if isinstance(member, str) else member.name: member for member in members}
        self.redis_url = redis_url
        self.smtp_port = free_port()
        self.apps: dict[ServiceName, FastAPI] = {}
        self.standins = {peer: StandIn(peer) for peer in SERVICES if peer not in self.members}
        self._databases = databases
        self._tables = tables or {}
        self._keys_dir = keys_dir
        self._servers: dict[ServiceName, HttpServer] = {peer: HttpServer() for peer in SERVICES}
        self._pools: dict[ServiceName, asyncpg.Pool] = {}
        self._http = httpx.AsyncClient(trust_env=False, verify=False, timeout=90)
        self._redis = Redis.from_url(redis_url)
        self._worker_runtimes: dict[ServiceName, Runtime] = {}
        self._closing = contextlib.AsyncExitStack()
        self._working: asyncio.Task[None] | None = None
        self._stop_working = asyncio.Event()
        self.environment = self._environment() | dict(settings or {})
        #: called once, at the end of `close`
        self.when_closed: list[Callable[[], None]] = []

    # -- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Clone the databases, then start the stand-ins and every member."""
        await self._redis.flushdb()
        for service in self.members:
            if self._has_database(service):
                await self._databases.clone(service, f"{self.name}_{service}")
                if service in self._tables:
                    await self._databases.add_tables(f"{self.name}_{service}", self._tables[service])
        for peer, standin in self.standins.items():
            await self._servers[peer].start(standin.app)
        for service in self.members:
            await self.start_service(service)

    async def start_service(self, service: ServiceName) -> None:
        """Start one member (again); it has the same address as before."""
        with self._told():
            member = self.members[service]
            app = _product(service) if isinstance(member, str) else build_app(member, load_settings())
            await self._servers[service].start(app)
        self.apps[service] = app

    async def stop_service(self, service: ServiceName) -> None:
        """Stop one member as SIGTERM would; its peers find nobody there."""
        await self._servers[service].stop()
        self.apps.pop(service, None)

    async def start_workers(self) -> None:
        """Let all members' workers run until the stack is closed; one that breaks is started again, as its supervisor does."""
        if self._working is None:
            self._stop_working.clear()
            self._working = asyncio.create_task(self._work())

    async def stop_workers(self) -> None:
        """Stop the workers; jobs under way are finished."""
        if self._working is not None:
            self._stop_working.set()
            await self._working
            self._working = None

    async def close(self) -> None:
        """Stop everything, in the order of a shutdown, and drop the databases."""
        await self.stop_workers()
        await self._closing.aclose()
        await self._http.aclose()
        await asyncio.gather(*(server.close() for server in self._servers.values()))
        await self._redis.aclose()
        for pool in self._pools.values():
            await pool.close()
        for service in self.members:
            await self._databases.drop(f"{self.name}_{service}")
        while self.when_closed:
            self.when_closed.pop()()

    # -- what tests reach for ----------------------------------------------------------------------------------------

    def url(self, service: ServiceName) -> str:
        """Where a service, or its stand-in, answers."""
        return self._servers[service].url

    def keys(self, issuer: ServiceName) -> Keys:
        """The keys a service signs with."""
        return Keys(self._keys_dir, issuer)

    def settings(self) -> Settings:
        """The settings every process of the stack is told."""
        with self._told():
            return load_settings()

    def runtime(self, service: ServiceName) -> Runtime:
        """What a running member holds, for tests of mechanisms."""
        runtime: Runtime = self.apps[service].state.runtime
        return runtime

    def database_url(self, service: ServiceName) -> str:
        """A service's database, as the superuser sees it."""
        return self._databases.url(f"{self.name}_{service}")

    async def sql(self, service: ServiceName, statement: str, *args: Any) -> list[asyncpg.Record]:
        """Run a statement in a service's database as the superuser, over all tenants."""
        pool = self._pools.get(service)
        if pool is None:
            pool = await asyncpg.create_pool(self.database_url(service), min_size=0, max_size=2)
            self._pools[service] = pool
        rows: list[asyncpg.Record] = await pool.fetch(statement, *args)
        return rows

    async def call(self, service: ServiceName, method: str, path: str, body: Any = None) -> httpx.Response:
        """Call an internal path as another service would."""
        issuer = next(name for name in SERVICES if name != service)
        token = self.keys(issuer).sign_service(service)
        headers = {"authorization": f"Bearer {token}"}
        response = await self._http.request(method, self.url(service) + path, json=body, headers=headers)
        assert response.status_code < 400, f"{method} {path}: {response.status_code} {response.text}"
        return response

    async def drain(self, tenant_id: UUID) -> bool:
        """Let every member read its feeds to their heads, once; whether all could."""
        return all([await self._drain(service, tenant_id) for service in self.members])

    async def settle(self, tenant_id: UUID, within: float = _SETTLED_WITHIN) -> None:
        """Return once nobody has anything left to do for a tenant: feeds read to their heads, queues empty, nothing moved.

        Raises AssertionError naming what is stuck.
        """
        deadline = time.monotonic() + within
        before: Any = None
        while True:
            await self._empty_queues()
            settled = await self.drain(tenant_id)
            marks = [await self._marks(service, tenant_id) for service in self.members]
            if settled and marks == before and not await self._queued():
                return
            if time.monotonic() > deadline:
                raise AssertionError(await self._stuck(tenant_id, marks))
            before = marks

    # -- inside ------------------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        told = {f"ENCOURS_{name.upper()}_URL": server.url for name, server in self._servers.items()}
        return told | {
            "ENCOURS_DATABASE_URL": self._databases.url(self.name),
            "ENCOURS_REDIS_URL": self.redis_url,
            "ENCOURS_KEYS_DIR": str(self._keys_dir),
            "ENCOURS_MASTER_KEY": new_master_key(),
            "ENCOURS_BOOTSTRAP_KEY": BOOTSTRAP_KEY,
            "ENCOURS_SANDBOX": "1",
            "ENCOURS_OUTBOUND_LOOPBACK": "1",
            "ENCOURS_SMTP_URL": f"smtp://127.0.0.1:{self.smtp_port}",
            "ENCOURS_LOG_LEVEL": "warning",
            "ENCOURS_LOGIN_FAILURES": "100000",
            "ENCOURS_SWEEP_SECONDS": "1",
        }

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Processes read their environment when they start: several stacks take turns."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("ENCOURS_")}
        ours = {name for name in os.environ if name.endswith("_DATABASE_URL")} | kept.keys()
        removed = {name: os.environ.pop(name) for name in ours}
        os.environ.update(self.environment)
        try:
            yield
        finally:
            for name in self.environment:
                os.environ.pop(name, None)
            os.environ.update(removed)

    @staticmethod
    def _has_database(service: ServiceName) -> bool:
        return Path("services", service, "migrations", "versions").is_dir()

    def _service(self, name: ServiceName) -> Service:
        member = self.members[name]
        if isinstance(member, Service):
            return member
        declared: Service = importlib.import_module(f"services.{name}.service").SERVICE
        return declared

    async def _work(self) -> None:
        settings = self.settings()
        services = [self._service(name) for name in self.members]
        while not self._stop_working.is_set():
            with contextlib.suppress(Exception):
                await worker.run_workers(services, settings, self._stop_working)
            await asyncio.sleep(0.1)

    async def _empty_queues(self) -> None:
        """Do the queued jobs here when no worker runs; else give the workers the time to."""
        if self._working is not None:
            while await self._queued():  # noqa: ASYNC110 - Redis is asked, nobody tells
                await asyncio.sleep(0.02)
            return
        for service in self.members:
            runtime = await self.worker_runtime(service)
            while await worker.run_due_jobs(runtime):
                pass

    async def worker_runtime(self, service: ServiceName) -> Runtime:
        """A worker has resources of its own, as the other process it is in production."""
        if service not in self._worker_runtimes:
            opening = open_runtime(self._service(service), self.settings())
            self._worker_runtimes[service] = await self._closing.enter_async_context(opening)
        return self._worker_runtimes[service]

    async def _queued(self, service: ServiceName | None = None) -> int:
        """Jobs that are due now or running; retries that wait their turn do not count."""
        redis = Redis.from_url(self.redis_url)
        try:
            due = 0
            for name in self.members if service is None else [service]:
                due += await redis.zcount(jobs.queue_name(name), "-inf", clock.wall().timestamp() * 1000 + 50)
            running = [key async for key in redis.scan_iter("arq:in-progress:*", count=1000)]
            return due + len([key for key in running if b":cron:" not in key])
        finally:
            await redis.aclose()

    async def _drain(self, service: ServiceName, tenant_id: UUID) -> bool:
        response = await self.call(service, "POST", "/internal/feed/drain", {"tenant_id": str(tenant_id)})
        return bool(response.json()["settled"])

    async def _marks(self, service: ServiceName, tenant_id: UUID) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in await self.sql(service, _MARKS, tenant_id)]

    async def _stuck(self, tenant_id: UUID, marks: Any) -> str:
        lines = [f"tenant {tenant_id} does not settle; queued jobs: {await self._queued()}"]
        for service, standing in zip(self.members, marks, strict=True):
            lines.append(f"{service}: {standing}")
            failures = await self.sql(
                service,
                "SELECT producer, event_type, attempts, error FROM feed_failures WHERE tenant_id = $1 LIMIT 5",
                tenant_id,
            )
            lines.extend(f"  {dict(failure)}" for failure in failures)
        return "\n".join(lines)


def _product(service: ServiceName) -> FastAPI:
    app: FastAPI = importlib.import_module(f"services.{service}.app").create_app()
    return app
