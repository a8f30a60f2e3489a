"""The desk of a connection: one worker at a time speaks with a provider, and does all there is to do with it.

Portfolio changes first, then syncs in their order. Everything to do is a row; a job is a nudge, a sweep finds what lost it.
A worker that is killed leaves a lease that runs out; whoever comes next takes up the rows where they stand.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.risk.domain.breaker import Breaker
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import AuthRefused
from services.risk.providers.port import Connection, Provider
from services.risk.storage import connections, monitorings, syncs
from services.risk.usecases import portfolio, profiles, sync_run, syncing
from services.risk.usecases.calls import Down, Line
from services.risk.usecases.connecting import adapter_of, speaking, told

JOB = "serve_provider_connection"
JOB_SECONDS = 300
_LEASE = timedelta(seconds=180)
_SLICE_SECONDS = 100.0


async def serve_job(runtime: Runtime, tenant_id: str, connection_id: str) -> None:
    """Job: serve a connection for a while, and nudge again when more is to be done."""
    tenant = await runtime.tenant(UUID(tenant_id))
    if await serve(runtime, tenant, UUID(connection_id)):
        await runtime.jobs.enqueue(JOB, tenant_id, connection_id)


async def nudge(runtime: Runtime, tenant_id: UUID, connection_id: UUID) -> None:
    """Say that there is work; may be lost, a sweep finds it."""
    await runtime.jobs.enqueue(JOB, str(tenant_id), str(connection_id))


async def sweep(runtime: Runtime) -> None:
    """Nudge every connection where something is due and nobody is at it."""
    async with runtime.db.system() as system:
        due = await connections.with_work(system, clock.wall())
    for tenant_id, connection_id in due:
        await nudge(runtime, tenant_id, connection_id)


async def serve(runtime: Runtime, tenant: Tenant, connection_id: UUID) -> bool:
    """Do what is due, for at most a slice of time; True when more is due now."""
    row = await runtime.db.run(tenant, lambda tx: _sit_down(tx, connection_id))
    if row is None:
        return False
    capabilities = adapter_of(row["adapter"]).capabilities(connection_options(row))
    desk = Desk(runtime, tenant, row, capabilities)
    try:
        async with speaking(runtime, tenant, row) as (provider, connection):
            return await desk.work(provider, connection)
    finally:
        await asyncio.shield(runtime.db.run(tenant, desk.stand_up))


async def _sit_down(tx: Tx, connection_id: UUID) -> Row | None:
    now = clock.wall()
    row = await connections.claim(tx, connection_id, now + _LEASE, now)
    if row is not None:
        # Whoever was asking is gone, or there would have been no free seat.
        capabilities = adapter_of(row["adapter"]).capabilities(connection_options(row))
        await syncs.orphans(tx, connection_id, ask_again=not capabilities.fetch_billed)
    return row


def connection_options(row: Row) -> Mapping[str, Any]:
    """The adapter's options of a connection's row."""
    options: Mapping[str, Any] = sync_run.decoded(row["options"])
    return options


class Desk:
    """One sitting."""

    def __init__(self, runtime: Runtime, tenant: Tenant, row: Row, capabilities: Capabilities) -> None:
        self.runtime = runtime
        self.tenant = tenant
        self.row = row
        self.capabilities = capabilities
        self.line = Line(row, capabilities)
        self._started = time.monotonic()

    @property
    def time_is_up(self) -> bool:
        """Whether others should have their turn; the lease is longer."""
        return time.monotonic() - self._started > _SLICE_SECONDS

    async def work(self, provider: Provider, connection: Connection) -> bool:
        """Work through what is due; True when time is up before the end. While the circuit is open only what asks nobody is
        done, and what must not wait is ended."""
        while not self.time_is_up:
            try:
                if self.line.open and await self._steer_portfolio(provider):
                    continue
                step = await self._next_run()
                if step is None:
                    return False
                await syncing.advance(self, provider, connection, step)
            except Down as down:
                await self.runtime.db.run(self.tenant, lambda tx, e=down: self._give_way(tx, e))  # type: ignore[misc]
                return False
        return True

    async def commit(self, work: Any) -> Any:
        """Run a transaction in the tenant's name, and ring for what it tells."""

        async def ringing(tx: Tx) -> Any:
            tx.after_commit(lambda: self.runtime.ring(tx))
            return await work(tx)

        return await self.runtime.db.run(self.tenant, ringing)

    async def _next_run(self) -> Row | None:
        async def read(tx: Tx) -> Row | None:
            await connections.note(tx, self.row["id"], {"leased_until": clock.wall() + _LEASE})
            return await syncs.next_of(tx, self.row["id"], clock.wall())

        found: Row | None = await self.runtime.db.run(self.tenant, read)
        if found is not None and found["reason"] != "remap" and not self.line.open:
            raise self.line.down()
        return found

    async def _steer_portfolio(self, provider: Provider) -> bool:
        """A batch of memberships to change; False when there are none."""
        due = await self.runtime.db.run(
            self.tenant, lambda tx: monitorings.due(tx, self.row["id"], clock.wall(), portfolio.BATCH)
        )
        if not due:
            return False
        members = None
        if any(one["state"] == "unknown" for one in due) and self.capabilities.portfolio.list:
            members = [member async for member in provider.members()]
        outcomes, billed = [], 0
        try:
            for one in due:
                outcome, charged = await portfolio.change_one(
                    provider, self.line, self.capabilities, one, members
                )
                outcomes.append(outcome)
                billed += charged
                if charged or outcome["state"] == "unknown":
                    await self._settle(outcomes, billed)  # paid for: not to be forgotten
                    outcomes, billed = [], 0
        finally:
            await self._settle(outcomes, billed)
        return True

    async def _settle(self, outcomes: list[dict[str, Any]], billed: int) -> None:
        if not outcomes:
            return

        async def write(tx: Tx) -> None:
            rows = await portfolio.settle(tx, self.row, outcomes)
            if billed:
                await connections.count_billed(tx, self.row["id"], tx.today, billed)
            joined = [row["company_id"] for row in rows if row["state"] == "member"]
            if joined:
                await sync_run.read_first(tx, self.row["id"], joined)
            await profiles.join_anew(tx, [row["company_id"] for row in rows])

        await self.commit(write)

    async def _give_way(self, tx: Tx, down: Down) -> None:
        """The provider is down or refuses us: say so on the connection, and end what should not wait."""
        members: dict[str, Any] = {"error": told(down.error)}
        if isinstance(down.error, AuthRefused):
            members["state"] = "refused"
        await connections.note(tx, self.row["id"], members)
        run = await syncs.next_of(tx, self.row["id"], clock.wall())
        while run is not None and run["reason"] != "remap" and not sync_run.may_wait(tx, run, down):
            await sync_run.end(tx, run, self.row, error=down.error)
            run = await syncs.next_of(tx, self.row["id"], clock.wall())
        tx.after_commit(lambda: self.runtime.ring(tx))

    async def stand_up(self, tx: Tx) -> None:
        """Free the seat, and leave the breaker as it stands."""
        breaker: Breaker = self.line.breaker
        await connections.note(
            tx,
            self.row["id"],
            {
                "leased_until": None,
                "failures": breaker.failures,
                "breaks": breaker.breaks,
                "closed_until": breaker.closed_until,
            },
        )
