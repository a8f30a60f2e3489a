"""A tenant of the whole house as a front end or an ERP sees it: one URL, one key, every answer checked."""

import time
from datetime import date
from typing import Any
from uuid import UUID

import httpx

from libs.testkit.clients import CheckedClient
from libs.testkit.contract import Contract
from libs.testkit.stack import Stack

_ADVANCED_WITHIN = 120.0


class TestTenant:
    """A sandbox tenant, its admin key, and clients that speak for it through the gateway."""

    __test__ = False

    def __init__(self, stack: Stack, contract: Contract, tenant_id: UUID, api_key: str) -> None:
        self.stack = stack
        self.id = tenant_id
        self.api_key = api_key
        self._contract = contract
        self._clients: list[CheckedClient] = []
        #: the client of the tenant's admin key
        self.client = self.client_of(api_key)

    @classmethod
    async def create(
        cls, stack: Stack, contract: Contract, bootstrap_key: str, *, name: str = "Test tenant", **wishes: Any
    ) -> "TestTenant":
        """Ask the gateway for a sandbox tenant. `wishes`: now, time_zone, currency."""
        async with CheckedClient(stack.url("gateway"), bootstrap_key, contract) as operator:
            response = await operator.post("/v1/sandbox/tenants", json={"name": name, **wishes})
        assert response.status_code == 201, response.text
        made = response.json()
        return cls(stack, contract, UUID(made["tenant_id"]), made["api_key"])

    def client_of(self, api_key: str | None) -> CheckedClient:
        """A client with another key, or without any."""
        client = CheckedClient(self.stack.url("gateway"), api_key, self._contract)
        self._clients.append(client)
        return client

    async def settle(self) -> None:
        """Wait until every service knows what the others know, and no job is left."""
        await self.stack.settle(self.id)

    async def advance(self, *, days: int | None = None, to: date | str | None = None) -> dict[str, Any]:
        """Let days pass for the tenant; the operation, once every service has settled the last of them."""
        body = {"days": days} if days is not None else {"to": str(to)}
        response = await self.client.post("/v1/sandbox/clock/advance", json=body)
        assert response.status_code == 202, response.text
        return await self.finished(response)

    async def finished(self, accepted: httpx.Response) -> dict[str, Any]:
        """Follow a 202 to its end; the operation. Raises AssertionError unless it succeeded."""
        deadline = time.monotonic() + _ADVANCED_WITHIN
        while True:
            response = await self.client.get(accepted.headers["operation-location"], params={"wait": 10})
            assert response.status_code == 200, response.text
            operation: dict[str, Any] = response.json()
            if operation["status"] not in ("queued", "running"):
                assert operation["status"] == "succeeded", operation
                return operation
            assert time.monotonic() < deadline, f"an operation without an end: {operation}"

    async def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            await client.aclose()
