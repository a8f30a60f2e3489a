"""Reading another service's feed: apply a batch and move the own cursor in one transaction.

So an effect happens exactly once whatever crashes, and flushing Redis at any moment loses nothing. A subject that fails
five times is parked, visible and replayable, and the rest goes on.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog

from libs.kit import clock, context
from libs.kit.db import Database, Tx
from libs.kit.feed import failures
from libs.kit.http import Peers
from libs.kit.metrics import FEED_SUBJECTS
from libs.kit.problems import Problem
from libs.kit.service import Handler, Incoming, Service
from libs.kit.settings import ServiceName
from libs.kit.tenant_registry import TenantRegistry
from libs.kit.tenants import Tenant

log = structlog.get_logger(__name__)
PAGE_EVENTS = 40
STATE_PAGE = 2_000
RESYNCING = -1


class FeedConsumer:
    """A service's reader of the feeds it consumes."""

    def __init__(self, service: Service, db: Database, peers: Peers, tenants: TenantRegistry) -> None:
        self._service = service
        self._db = db
        self._peers = peers
        self._tenants = tenants
        self._locks: dict[tuple[str, UUID], asyncio.Lock] = {}

    async def drain(self, producer: ServiceName, tenant_id: UUID, within: float | None = None) -> bool:
        """Read a producer's feed of one tenant to its head. False when `within` seconds did not suffice or a subject fails.

        Raises Problem 503 `peer_unavailable` when the producer is down.
        """
        deadline = None if within is None else time.monotonic() + within
        lock = self._locks.setdefault((producer, tenant_id), asyncio.Lock())
        async with lock:
            while True:
                with context.kept():  # handlers run under the trace of what they are told of
                    done = await self._step(producer, tenant_id)
                if done is not None:
                    return done
                if deadline is not None and time.monotonic() > deadline:
                    return False

    async def drain_all(self, tenant_id: UUID, within: float | None = None) -> bool:
        """Read every consumed feed of a tenant to its head."""
        results = [await self.drain(producer, tenant_id, within) for producer in self._service.consumes]
        return all(results)

    async def require_fresh(self, producer: ServiceName, tenant_id: UUID, within: float = 2.0) -> None:
        """Read what was just written elsewhere, or raise 503 `{producer}_behind`: no money decision on yesterday's facts."""
        if not await self.drain(producer, tenant_id, within):
            detail = f"What the {producer} service knows has not arrived here yet; try again in a moment."
            raise Problem(503, f"{producer}_behind", detail, headers={"Retry-After": "2"})

    async def sweep(self) -> None:
        """Compare every producer's heads with the own cursors and drain what moved: for bells that were lost."""
        for producer in self._service.consumes:
            answer = await self._peers.get(producer, "/internal/feed/heads")
            async with self._db.system() as connection:
                rows = await connection.fetch(
                    "SELECT tenant_id, epoch, position FROM feed_cursors WHERE producer = $1", producer
                )
            stands = {str(row["tenant_id"]): (str(row["epoch"]), row["position"]) for row in rows}
            for head in answer["data"]:
                if stands.get(head["tenant_id"]) != (head["epoch"], head["head"]):
                    await self.drain(producer, UUID(head["tenant_id"]))

    async def rebuild(self, producer: ServiceName, tenant_id: UUID) -> None:
        """Forget what came from a producer and read its present state, then its feed."""
        async with self._db.transaction(await self._tenant(tenant_id)) as tx:
            await self._forget(tx, producer)
        await self.drain(producer, tenant_id)

    async def replay(self, tenant_id: UUID) -> int:
        """Apply a tenant's parked subjects again, once what they failed on is mended; the number that went well.

        Handlers apply only what is newer than what they hold, so a state that was overtaken meanwhile does no harm.
        """
        applied = 0
        async with self._db.transaction(await self._tenant(tenant_id)) as tx:
            for producer, event_type, subject in await failures.take_parked(tx):
                handler = self._service.consumes.get(producer, {}).get(event_type)  # type: ignore[call-overload]
                try:
                    async with tx.savepoint():
                        if handler is not None:
                            await handler(tx, [subject])
                        await failures.forget(tx, producer, event_type, subject.id)
                    applied += 1
                except Exception as error:
                    log.warning(
                        "feed_replay_failed", producer=producer, subject=str(subject.id), error=repr(error)
                    )
        return applied

    async def _step(self, producer: ServiceName, tenant_id: UUID) -> bool | None:
        """One page: True at the head, False when a subject fails, None when there is more."""
        tenant = await self._tenant(tenant_id)
        async with self._db.transaction(tenant, readonly=True) as tx:
            epoch, position = await _cursor(tx, producer)
        if position == RESYNCING:
            await self._resync(producer, tenant)
            return None
        handlers = self._service.consumes[producer]
        query = {
            "tenant_id": str(tenant_id),
            "after": position,
            "types": ",".join(handlers),
            "limit": PAGE_EVENTS,
        }
        page = await self._peers.get(producer, "/internal/feed", query)
        if _must_resync(page, epoch, position):
            log.warning(
                "feed_resync", producer=producer, tenant=str(tenant_id), epoch=epoch, position=position
            )
            async with self._db.transaction(tenant) as tx:
                await self._forget(tx, producer)
            return None
        if page["next"] == position:
            return True
        try:
            async with self._db.transaction(tenant) as tx:
                if await _locked_position(tx, producer) != position:
                    return None
                for handler, event_type, subjects in _grouped(page["data"], handlers):
                    await handler(tx, subjects)
                    FEED_SUBJECTS.labels(self._service.name, producer, event_type).inc(len(subjects))
                await _move(tx, producer, page["epoch"], page["next"])
                if page["data"]:
                    await failures.clear(tx, producer)
        except Exception as error:
            log.exception("feed_batch_failed", producer=producer, tenant=str(tenant_id), error=repr(error))
            return await self._one_by_one(producer, tenant, position, page)
        if producer == "gateway":
            self._tenants.forget(tenant_id)
        return True if page["next"] >= page["head"] else None

    async def _one_by_one(
        self, producer: ServiceName, tenant: Tenant, position: int, page: dict[str, Any]
    ) -> bool | None:
        """Find the subject that fails: apply each in its own savepoint, stop before the first one not yet to be parked."""
        async with self._db.transaction(tenant) as tx:
            if await _locked_position(tx, producer) != position:
                return None
            reached = position
            for event in page["data"]:
                handler = self._service.consumes[producer].get(event["type"])
                for subject in _incoming(event) if handler else ():
                    assert handler is not None
                    try:
                        async with tx.savepoint():
                            await handler(tx, [subject])
                    except Exception as error:
                        if not await failures.record(tx, producer, event["type"], subject, error):
                            await _move(tx, producer, page["epoch"], reached)
                            return False
                reached = event["position"]
            await _move(tx, producer, page["epoch"], page["next"])
            await failures.clear(tx, producer)
        return True if page["next"] >= page["head"] else None

    async def _forget(self, tx: Tx, producer: ServiceName) -> None:
        forget = self._service.forgets.get(producer)
        if forget is not None:
            await forget(tx)
        await _locked_position(tx, producer)
        await _move(tx, producer, None, RESYNCING)

    async def _resync(self, producer: ServiceName, tenant: Tenant) -> None:
        """Page the present state of every consumed type; the head read first is where the feed is taken up again."""
        query: dict[str, Any] = {"tenant_id": str(tenant.id), "after": 0, "limit": 1}
        start = await self._peers.get(producer, "/internal/feed", query)
        for event_type, handler in self._service.consumes[producer].items():
            after: str | None = None
            while True:
                query = {
                    "tenant_id": str(tenant.id),
                    "limit": STATE_PAGE,
                    **({"after": after} if after else {}),
                }
                page = await self._peers.get(producer, f"/internal/state/{event_type}", query)
                if page is None:
                    break
                subjects = [
                    Incoming(UUID(s["id"]), s["version"], s["data"], page["occurred_at"], tenant.id)
                    for s in page["data"]
                ]
                if subjects:
                    async with self._db.transaction(tenant) as tx:
                        await handler(tx, subjects)
                after = page["next"]
                if after is None:
                    break
        async with self._db.transaction(tenant) as tx:
            await _locked_position(tx, producer)
            await _move(tx, producer, start["epoch"], start["head"])

    async def _tenant(self, tenant_id: UUID) -> Tenant:
        try:
            return await self._tenants.get(tenant_id)
        except Problem:
            if self._service.name == "gateway":
                raise
            return Tenant(tenant_id)


def _must_resync(page: dict[str, Any], epoch: UUID | None, position: int) -> bool:
    """Another epoch (a restore), a cursor above the head, or events already pruned."""
    if position == 0:
        return bool(page["oldest"] > 1 and page["head"] > 0)
    return bool(str(epoch) != page["epoch"] or position > page["head"] or position + 1 < page["oldest"])


def _incoming(event: dict[str, Any]) -> list[Incoming]:
    context.begin(None, event.get("traceparent"))
    event_id = UUID(event["id"])
    return [
        Incoming(UUID(subject["id"]), subject["version"], subject["data"], event["occurred_at"], event_id)
        for subject in event["subjects"]
    ]


def _grouped(
    events: Iterable[dict[str, Any]], handlers: Any
) -> Iterable[tuple[Handler, str, list[Incoming]]]:
    """Neighbouring events of one type become one call; of a subject that stands in it twice, the newer state is kept."""
    kind: str | None = None
    gathered: dict[UUID, Incoming] = {}
    for event in events:
        if event["type"] not in handlers:
            continue
        if event["type"] != kind and gathered:
            assert kind is not None
            yield handlers[kind], kind, list(gathered.values())
            gathered = {}
        kind = event["type"]
        for subject in _incoming(event):
            held = gathered.get(subject.id)
            if held is None or held.version < subject.version:
                gathered[subject.id] = subject
    if gathered and kind is not None:
        yield handlers[kind], kind, list(gathered.values())


async def _cursor(tx: Tx, producer: str) -> tuple[UUID | None, int]:
    row = await tx.fetchrow(
        "SELECT epoch, position FROM feed_cursors WHERE tenant_id = $1 AND producer = $2",
        tx.tenant_id,
        producer,
    )
    return (row["epoch"], row["position"]) if row else (None, 0)


async def _locked_position(tx: Tx, producer: str) -> int:
    await tx.execute(
        "INSERT INTO feed_cursors (tenant_id, producer, epoch, position, moved_at) VALUES ($1, $2, NULL, 0, $3)"
        " ON CONFLICT DO NOTHING",
        tx.tenant_id, producer, clock.wall(),
    )  # fmt: skip
    position: int = await tx.fetchval(
        "SELECT position FROM feed_cursors WHERE tenant_id = $1 AND producer = $2 FOR UPDATE",
        tx.tenant_id,
        producer,
    )
    return position


async def _move(tx: Tx, producer: str, epoch: str | None, position: int) -> None:
    await tx.execute(
        "UPDATE feed_cursors SET epoch = $3, position = $4, moved_at = $5 WHERE tenant_id = $1 AND producer = $2",
        tx.tenant_id, producer, UUID(epoch) if epoch else None, position, clock.wall(),
    )  # fmt: skip
