"""Sending what was written: claimed first, handed over, then written down; what may have left is never sent again."""

from typing import Final
from uuid import UUID

import msgspec
import structlog

from libs.kit import mail
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.usecases.notices import house_settings

log = structlog.get_logger(__name__)
JOB: Final = "send_mails"
_BATCH = 50
_OPEN = "SELECT DISTINCT tenant_id FROM mails WHERE state IN ('queued', 'sending')"


async def send_due(runtime: Runtime, tenant_id: str) -> None:
    """The job: send everything whose time has come for a tenant."""
    tenant = await runtime.tenant(UUID(tenant_id))
    async with runtime.db.transaction(tenant) as tx:
        for identifier in await mail.lost(tx):
            await mail.settle(tx, identifier, "unknown", "the process that sent it died")
    tried: set[UUID] = set()
    while True:
        async with runtime.db.transaction(tenant, readonly=True) as tx:
            due = [one for one in await mail.next_due(tx, _BATCH) if one not in tried]
        if not due:
            return
        for identifier in due:
            tried.add(identifier)
            await _send_one(runtime, tenant, identifier)


async def nudge(runtime: Runtime, tenant_id: UUID) -> None:
    """Have what was written sent now rather than at the next sweep."""
    await runtime.jobs.enqueue(JOB, str(tenant_id))


async def sweep(runtime: Runtime) -> None:
    """Nudge tenants that have mail waiting."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_OPEN)
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), job_id=f"{JOB}:{row['tenant_id']}")


async def _send_one(runtime: Runtime, tenant: Tenant, identifier: UUID) -> None:
    async with runtime.db.transaction(tenant) as tx:
        queued = await mail.lock_queued(tx, identifier)
        if queued is None:
            return
        claimed = await mail.claim(
            tx, identifier, queued["subject"], queued["text"], queued["html"], queued["language"]
        )
        settings = await house_settings(tx)
    transport = mail.transport_of(runtime.settings, tenant.id, settings)
    outcome, error = await mail.send(transport, claimed, msgspec.json.decode(claimed["recipients"]))
    async with runtime.db.transaction(tenant) as tx:
        await mail.settle(tx, identifier, outcome, error)
    if error:
        log.warning("mail_not_sent", mail=str(identifier), outcome=outcome, error=error)
