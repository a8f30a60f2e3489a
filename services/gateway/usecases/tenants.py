"""Tenants: created with their business unit `main` and a first key; their settings and (sandbox) clocks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Database, Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.problems import not_found
from libs.kit.tenants import Tenant
from services.gateway.proxy import credentials
from services.gateway.storage import access


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant just made; the key's text is not kept anywhere."""

    tenant_id: UUID
    key_id: UUID
    api_key: str
    business_unit_id: UUID


async def create_tenant(
    db: Database, name: str, time_zone: str, currency: str, frozen_at: datetime | None = None
) -> NewTenant:
    """Create a tenant, its unit `main` and an admin key, in the new tenant's own transaction.

    frozen_at makes it a sandbox tenant whose business clock stands at that instant.
    """
    tenant = Tenant(new_id(), time_zone, currency, frozen_at)
    key = credentials.generate(tenant.id, new_id())
    unit_id = new_id()
    async with db.transaction(tenant) as tx:
        await access.insert_tenant(tx, name, time_zone, currency, frozen_at)
        unit = await access.insert_unit(tx, unit_id, "main", name, main=True)
        await access.insert_key(
            tx, key.key_id, "first key", credentials.digest(key.text), ["admin"], None, None
        )
        row = await access.tenant(tx)
        assert row is not None and unit is not None, "both were written a moment ago"
        emit_tenant(tx, row)
        emit_unit(tx, unit)
        tx.audit(
            "tenant.created", "tenant", tenant.id, after={"name": name, "sandbox": frozen_at is not None}
        )
    return NewTenant(tenant.id, key.key_id, key.text, unit_id)


async def change_status(db: Database, tenant_id: UUID, status: str) -> None:
    """Suspend a tenant, open it again, or mark it deleted: from then on its keys are refused. Raises 404."""
    async with db.transaction(Tenant(tenant_id)) as tx:
        if await access.tenant(tx, lock=True) is None:
            raise not_found("tenant", tenant_id)
        row = await access.update_tenant(tx, status=status)
        emit_tenant(tx, row)
        tx.audit("tenant.status_changed", "tenant", tenant_id, after={"status": status})


async def create_key(
    db: Database, tenant_id: UUID, name: str, scopes: list[str], user_id: UUID | None = None
) -> str:
    """A key in the operator's name; its text, which is not kept. Raises 404 for an unknown tenant or user."""
    async with db.transaction(Tenant(tenant_id)) as tx:
        if await access.tenant(tx) is None:
            raise not_found("tenant", tenant_id)
        if user_id is not None and await access.user(tx, user_id) is None:
            raise not_found("user", user_id)
        key = credentials.generate(tenant_id, new_id())
        await access.insert_key(tx, key.key_id, name, credentials.digest(key.text), scopes, user_id, None)
        tx.audit("api_key.created", "api_key", key.key_id, after={"name": name, "scopes": scopes})
    return key.text


async def change_settings(tx: Tx, changes: dict[str, Any], columns: dict[str, Any]) -> Row:
    """Merge settings and set tenant columns (time_zone, currency)."""
    row = await access.tenant(tx, lock=True)
    if row is None:
        raise not_found("tenant", tx.tenant_id)
    settings = {**msgspec.json.decode(row["settings"]), **changes}
    text = msgspec.json.encode(settings, enc_hook=str).decode()
    changed = await access.update_tenant(tx, settings=text, **columns)
    emit_tenant(tx, changed)
    shown = {name: value for name, value in {**changes, **columns}.items() if not name.endswith("_sealed")}
    tx.audit("settings.changed", "tenant", tx.tenant_id, after=shown)
    return changed


async def set_clock(db: Database, tenant: Tenant, instant: datetime) -> None:
    """Move a sandbox tenant's clock forward."""
    async with db.transaction(tenant) as tx:
        row = await access.tenant(tx, lock=True)
        if (
            row is None
            or not row["sandbox"]
            or (row["frozen_at"] is not None and row["frozen_at"] >= instant)
        ):
            return
        emit_tenant(tx, await access.update_tenant(tx, frozen_at=instant))


def emit_tenant(tx: Tx, row: Row) -> None:
    """Tell the services."""
    tx.emit("tenant.changed", [Subject(tx.tenant_id, row["version"], access.tenant_state(row))])


def emit_unit(tx: Tx, row: Row) -> None:
    """Tell the services."""
    state = {"code": row["code"], "name": row["name"], "main": row["main"]}
    tx.emit("business_unit.changed", [Subject(row["id"], row["version"], state)])


def emit_user(tx: Tx, row: Row) -> None:
    """Tell the services."""
    state = {name: row[name] for name in ("name", "email", "roles", "perimeter", "active")}
    tx.emit("user.changed", [Subject(row["id"], row["version"], state)])
