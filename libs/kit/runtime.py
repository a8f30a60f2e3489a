"""What a running process holds: its database, its keys, its queue, its peers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from libs.kit import migrations
from libs.kit.auth import Keys
from libs.kit.db import Database, Tx
from libs.kit.feed.consumer import FeedConsumer
from libs.kit.feed.doorbell import Doorbell
from libs.kit.http import Peers
from libs.kit.jobs import JobQueue
from libs.kit.service import Service
from libs.kit.settings import Settings, database_url
from libs.kit.tenant_registry import TenantRegistry
from libs.kit.tenants import Tenant

log = structlog.get_logger(__name__)


@dataclass
class Runtime:
    """The resources of one process of one service."""

    service: Service
    settings: Settings
    db: Database
    keys: Keys
    jobs: JobQueue
    peers: Peers
    tenants: TenantRegistry
    feed: FeedConsumer
    doorbell: Doorbell

    async def ring(self, tx: Tx) -> None:
        """Tell the consumers that a transaction left events for them."""
        if tx.events.written:
            await self.doorbell.ring(tx.tenant_id)

    async def tenant(self, tenant_id: UUID) -> Tenant:
        """The tenant as this service knows it, asking the gateway once when it does not. Raises 404."""
        return await self.tenants.get(tenant_id)


@asynccontextmanager
async def open_runtime(service: Service, settings: Settings) -> AsyncIterator[Runtime]:
    """Connect everything; refuse to start on a stale schema; close in the reverse order."""
    url = database_url(settings, service.name)
    await migrations.require_current(service.name, url)
    db = Database(url, name=f"encours-{service.name}", size=settings.database_pool)
    keys = Keys(settings.keys_dir, service.name)
    jobs = JobQueue(settings.redis_url.get_secret_value(), service.name)
    peers = Peers(settings, keys)
    tenants = TenantRegistry(db, peers)
    feed = FeedConsumer(service, db, peers, tenants)
    doorbell = Doorbell(service, jobs)
    db.enqueue = jobs.enqueue
    await db.open()
    try:
        yield Runtime(service, settings, db, keys, jobs, peers, tenants, feed, doorbell)
    finally:
        await peers.close()
        await jobs.close()
        await db.close()
