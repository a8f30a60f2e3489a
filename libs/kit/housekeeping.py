"""What is kept for a time only is deleted when its time is over: events after 30 days, stored answers after 7.

A consumer that slept longer than events live reads the state anew, so no cursor has to be asked.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from libs.kit import clock, idempotency
from libs.kit.tenants import Tenant

if TYPE_CHECKING:
    from libs.kit.runtime import Runtime

EVENTS_LIVE = timedelta(days=30)
EVERY_SECONDS = 3600.0

_WITH_EXPIRED = """
    SELECT tenant_id FROM events WHERE recorded_at < $1 AND position IS NOT NULL
    UNION SELECT tenant_id FROM idempotency_keys WHERE created_at < $2
"""
_FORGET_EVENTS = "DELETE FROM events WHERE tenant_id = $1 AND recorded_at < $2 AND position IS NOT NULL"


async def sweep(runtime: "Runtime") -> None:
    """Delete what has expired, tenant by tenant, each in a transaction of its own."""
    now = clock.wall()
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_WITH_EXPIRED, now - EVENTS_LIVE, now - idempotency.KEPT)
    for row in rows:
        async with runtime.db.transaction(Tenant(row["tenant_id"])) as tx:
            await tx.execute(_FORGET_EVENTS, tx.tenant_id, now - EVENTS_LIVE)
            await idempotency.forget_expired(tx)
