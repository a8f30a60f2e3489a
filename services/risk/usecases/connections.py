"""Connections to providers: made, changed, tried, deleted."""

import time
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import FieldError, Problem, invalid, not_found
from libs.kit.responses import json_bytes
from libs.kit.runtime import Runtime
from libs.kit.sealing import Seal
from libs.kit.tenants import Tenant
from services.risk.domain.breaker import Breaker
from services.risk.providers.errors import AuthRefused, ProviderError
from services.risk.storage import connections as rows_of
from services.risk.usecases import canonical
from services.risk.usecases.connecting import PURPOSE, adapter_of, connection_of, speaking, told

#: What a read shows of a change; credentials never.
_AUDITED = ("name", "provider", "product", "adapter", "base_url", "state", "budget", "sync_at", "priority")


async def find(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row:
    """A connection. Raises 404."""
    row = await rows_of.one(tx, identifier, lock=lock)
    if row is None:
        raise not_found("provider connection", identifier)
    return row


async def create(runtime: Runtime, tx: Tx, given: Mapping[str, Any]) -> Row:
    """Write a connection down. Raises 422 for an unknown adapter or settings it cannot use, 409 for a name that is taken.

    Nothing is asked of the provider: `/test` does.
    """
    adapter = adapter_of(given["adapter"])
    products = [product.key for product in adapter.products]
    product = given.get("product") or products[0]
    if product not in products:
        raise invalid("/product", "product_unknown", f"expected one of {', '.join(products)}")
    members = {
        "name": adapter.title, "contract_holder": None, "base_url": None, "sync_at": "06:00", "full_refresh_days": 30,
        "priority": 10, "rate_calls": None, "rate_seconds": None, "budget": None, "stale_after_days": 7,
        **{name: value for name, value in given.items() if name != "credentials"},
        "product": product, "options": given.get("options") or {}, "mapping_version": adapter.mapping_version,
        **_sealed(runtime, tx, given.get("credentials") or {}),
    }  # fmt: skip
    members["id"] = new_id()
    _refuse_flaws(runtime, tx.tenant, {**members, "options": json_bytes(members["options"]).decode()})
    if members.get("refresh") is None:
        # Whoever pays by the call reads what moved; whoever does not reads everything.
        members["refresh"] = "events" if adapter.capabilities(members["options"]).fetch_billed else "all"
    try:
        async with tx.savepoint():
            row = await rows_of.insert(tx, members)
    except asyncpg.UniqueViolationError:
        raise Problem(409, "name_taken", "Another connection has this name.") from None
    tx.audit("provider_connection_created", "provider_connection", row["id"], after=_shown(row))
    return row


async def change(runtime: Runtime, tx: Tx, row: Row, given: Mapping[str, Any]) -> Row:
    """Change settings. New credentials replace all old ones, and take back a refusal by the provider. Raises 409, 422."""
    members = {name: value for name, value in given.items() if name != "credentials"}
    if given.get("credentials") is not None:
        members |= _sealed(runtime, tx, given["credentials"])
        if row["state"] == "refused":
            members |= {"state": "active", "error": None}
    try:
        async with tx.savepoint():
            changed = await rows_of.update(tx, row["id"], members)
    except asyncpg.UniqueViolationError:
        raise Problem(409, "name_taken", "Another connection has this name.") from None
    _refuse_flaws(runtime, tx.tenant, changed)
    if changed["priority"] != row["priority"] or changed["stale_after_days"] != row["stale_after_days"]:
        await canonical.choose_all_anew(tx)
    before, after = _shown(row), _shown(changed)
    moved = {name for name in after if after[name] != before[name]}
    if "credentials_sealed" in members:
        moved.add("credentials")
    tx.audit(
        "provider_connection_changed", "provider_connection", row["id"],
        {name: before.get(name) for name in moved}, {name: after.get(name) for name in moved},
    )  # fmt: skip
    return changed


async def remove(tx: Tx, row: Row) -> None:
    """Delete a connection nothing hangs on. Raises 409 `in_use`: pause it instead."""
    if await rows_of.in_use(tx, row["id"]):
        detail = "Companies were monitored through this connection, their history hangs on it; set its state to paused."
        raise Problem(409, "in_use", detail)
    await rows_of.delete(tx, row["id"])
    tx.audit("provider_connection_deleted", "provider_connection", row["id"], before=_shown(row))


async def try_out(runtime: Runtime, tenant: Tenant, row: Row) -> dict[str, Any]:
    """Ask the provider something harmless and free: whether credentials, address and format are right.

    What it finds stands on the connection: a refusal stops its syncs, an answer takes a refusal back.
    """
    started = time.perf_counter()
    error: ProviderError | None = None
    try:
        async with speaking(runtime, tenant, row) as (provider, _):
            await provider.test()
    except ProviderError as failure:
        error = failure
    took = round((time.perf_counter() - started) * 1000)

    async def note(tx: Tx) -> None:
        members: dict[str, Any] = {}
        if error is None:
            members = {"error": None, "failures": 0, "breaks": 0, "closed_until": None}
            if row["state"] == "refused":
                members["state"] = "active"
        elif isinstance(error, AuthRefused):
            members = {"error": told(error), "state": "refused"}
        if members:
            await rows_of.note(tx, row["id"], members)

    await runtime.db.run(tenant, note)
    return {"ok": error is None, "error": None if error is None else told(error), "milliseconds": took}


def breaker_of(row: Row) -> Breaker:
    """The circuit breaker as it stands."""
    return Breaker(row["failures"], row["breaks"], row["closed_until"])


async def set_policy(tx: Tx, rules: Mapping[str, str]) -> dict[str, str]:
    """Replace the conflict policy and choose every company's values anew."""
    before = await rows_of.rules(tx)
    await rows_of.set_rules(tx, rules)
    await canonical.choose_all_anew(tx)
    tx.audit("provider_policy_changed", "provider_policy", tx.tenant_id, before, dict(rules))
    return dict(rules)


async def spent(tx: Tx, day: date) -> dict[UUID, int]:
    """Billed calls of the day's month, a connection."""
    return await rows_of.billed(tx, day)


def _sealed(runtime: Runtime, tx: Tx, credentials: Mapping[str, str]) -> dict[str, Any]:
    if not credentials:
        return {"credentials_sealed": None, "credentials_set_at": None}
    text = msgspec.json.encode(dict(credentials)).decode()
    sealed = Seal(runtime.settings.master_key).seal(tx.tenant_id, PURPOSE, text)
    return {"credentials_sealed": sealed, "credentials_set_at": tx.now}


def _refuse_flaws(runtime: Runtime, tenant: Tenant, row: Mapping[str, Any]) -> None:
    flaws = adapter_of(row["adapter"]).flaws(connection_of(runtime, tenant, row))
    if flaws:
        errors = [FieldError(flaw.pointer, flaw.code, flaw.detail) for flaw in flaws]
        raise Problem(422, "invalid", "The connection cannot be used with these settings.", errors=errors)


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _AUDITED}
