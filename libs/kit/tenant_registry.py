"""Which tenants a service knows: a copy of the gateway's, kept from its feed."""

import time
from uuid import UUID

import msgspec

from libs.kit.db import Database, Row, Tx
from libs.kit.http import Peers
from libs.kit.problems import not_found
from libs.kit.service import Incoming
from libs.kit.tenants import Tenant

_REMEMBERED_SECONDS = 1.0
COLUMNS = "tenant_id, name, status, time_zone, currency, sandbox, frozen_at, version"

_UPSERT = """
    INSERT INTO tenants (tenant_id, name, status, time_zone, currency, sandbox, frozen_at, settings, version)
    SELECT $1, s.name, s.status, s.time_zone, s.currency, s.sandbox, s.frozen_at, s.settings, $3
      FROM jsonb_to_record($2::jsonb) AS s(name text, status text, time_zone text, currency text, sandbox boolean,
                                           frozen_at timestamptz, settings jsonb)
    ON CONFLICT (tenant_id) DO UPDATE SET
        name = excluded.name, status = excluded.status, time_zone = excluded.time_zone, currency = excluded.currency,
        sandbox = excluded.sandbox, frozen_at = excluded.frozen_at, settings = excluded.settings,
        version = excluded.version
     WHERE tenants.version < excluded.version
"""


class TenantRegistry:
    """Reads tenants, remembering each (but for sandbox tenants) for a second."""

    def __init__(self, db: Database, peers: Peers) -> None:
        self._db = db
        self._peers = peers
        self._remembered: dict[UUID, tuple[float, Tenant]] = {}

    async def get(self, tenant_id: UUID) -> Tenant:
        """A tenant. Asks the gateway once for one it does not know; raises 404 when there is none."""
        known = self._remembered.get(tenant_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        tenant = await self._read(tenant_id) or await self._ask(tenant_id)
        if tenant is None:
            raise not_found("tenant", tenant_id)
        if tenant.frozen_at is None:  # a sandbox clock moves under our feet: read it every time
            self._remembered[tenant_id] = (time.monotonic() + _REMEMBERED_SECONDS, tenant)
        return tenant

    def forget(self, tenant_id: UUID) -> None:
        """Read anew at the next call: its clock was moved."""
        self._remembered.pop(tenant_id, None)

    async def active(self) -> list[Tenant]:
        """Every tenant that is not suspended, for sweeps and daily steps."""
        async with self._db.system() as connection:
            rows = await connection.fetch(
                f"SELECT {COLUMNS} FROM tenants WHERE status = 'active' ORDER BY tenant_id"
            )
        return [_tenant(row) for row in rows]

    async def _read(self, tenant_id: UUID) -> Tenant | None:
        async with self._db.transaction(Tenant(tenant_id), readonly=True) as tx:
            row = await tx.fetchrow(f"SELECT {COLUMNS} FROM tenants WHERE tenant_id = $1", tenant_id)
        return _tenant(row) if row else None

    async def _ask(self, tenant_id: UUID) -> Tenant | None:
        answer = await self._peers.get("gateway", f"/internal/tenants/{tenant_id}")
        if answer is None:
            return None
        async with self._db.transaction(Tenant(tenant_id)) as tx:
            incoming = Incoming(tenant_id, answer["version"], answer["data"], "", tenant_id)
            await keep_tenants(tx, [incoming])
        return await self._read(tenant_id)


async def keep_tenants(tx: Tx, subjects: list[Incoming]) -> None:
    """Handler of `tenant.changed`: keep the newest state."""
    for subject in subjects:
        await tx.execute(_UPSERT, subject.id, msgspec.json.encode(subject.data).decode(), subject.version)


def _tenant(row: Row) -> Tenant:
    return Tenant(
        row["tenant_id"], row["time_zone"], row["currency"], row["frozen_at"] if row["sandbox"] else None
    )
