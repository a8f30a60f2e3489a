"""From a connection's row to somebody who speaks for it: credentials opened, hosts guarded, errors as problems."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from libs.kit.db import Row
from libs.kit.outbound import Outbound
from libs.kit.problems import Problem, invalid
from libs.kit.runtime import Runtime
from libs.kit.sealing import Seal
from libs.kit.tenants import Tenant
from services.risk.providers.errors import ProviderError, RateLimited
from services.risk.providers.port import Adapter, Connection, Provider
from services.risk.providers.registry import ADAPTERS, stand_in_url

#: What credentials are sealed for: a text copied into another field does not open.
PURPOSE = "provider_connection"
#: The largest answer of a provider we read.
MAX_ANSWER = 20 << 20


def adapter_of(key: str) -> Adapter:
    """The adapter of that key. Raises 422 naming those there are."""
    adapter = ADAPTERS.get(key)
    if adapter is None:
        raise invalid("/adapter", "adapter_unknown", f"expected one of {', '.join(sorted(ADAPTERS))}")
    return adapter


def connection_of(runtime: Runtime, tenant: Tenant, row: Mapping[str, Any]) -> Connection:
    """The connection as adapters take it, its credentials opened."""
    sealed = row["credentials_sealed"]
    text = None if sealed is None else Seal(runtime.settings.master_key).open(tenant.id, PURPOSE, sealed)
    return Connection(
        id=row["id"],
        product=row["product"],
        base_url=_address(runtime, tenant, row),
        credentials=msgspec.json.decode(text) if text else {},
        options=msgspec.json.decode(row["options"]),
        stand_in=is_stand_in(runtime, tenant, row),
    )


def is_stand_in(runtime: Runtime, tenant: Tenant, row: Mapping[str, Any]) -> bool:
    """A sandbox tenant's connection that names no address of its own is answered by the sandbox."""
    return runtime.settings.sandbox and tenant.frozen_at is not None and row["base_url"] is None


def _address(runtime: Runtime, tenant: Tenant, row: Mapping[str, Any]) -> str | None:
    """Where the connection calls: its own address, the sandbox, or (None) the provider's."""
    if is_stand_in(runtime, tenant, row):
        return stand_in_url(runtime.settings.url_of("sandbox"), tenant.id, row["id"], row["adapter"])
    address: str | None = row["base_url"]
    return address


@asynccontextmanager
async def speaking(runtime: Runtime, tenant: Tenant, row: Row) -> AsyncIterator[tuple[Provider, Connection]]:
    """A provider to talk to, for as long as the block lasts."""
    adapter = adapter_of(row["adapter"])
    connection = connection_of(runtime, tenant, row)
    hosts = adapter.hosts(connection)
    async with Outbound(
        runtime.settings, allowed_hosts=hosts, max_bytes=MAX_ANSWER, keep_alive=True
    ) as outbound:
        yield adapter.connect(connection, outbound), connection


def problem_of(error: ProviderError) -> Problem:
    """What a caller who waits for a provider is told: 503 when asking again may help, 422 when it will not."""
    code = f"provider_{error.kind}"
    if not error.retry:
        return Problem(422, code, error.detail, provider_code=error.code)
    after = error.after.total_seconds() if isinstance(error, RateLimited) and error.after else 30
    return Problem(
        503, code, error.detail, headers={"Retry-After": str(int(after))}, provider_code=error.code
    )


def told(error: ProviderError) -> dict[str, str | None]:
    """An error as it is kept: nothing secret is in it."""
    return {"code": error.kind, "detail": error.detail, "provider_code": error.code}
