"""HTTP clients of tests: a fresh tenant each, and every answer checked against the OpenAPI document."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import httpx
from typing_extensions import override

from libs.contracts.ids import new_id
from libs.kit.auth import Caller
from libs.kit.feed.events import Subject
from libs.kit.settings import ServiceName
from libs.kit.tenants import Tenant
from libs.testkit.contract import Contract
from libs.testkit.stack import Stack

ALL_SCOPES = frozenset(
    "ledger:read ledger:write risk:read risk:write credit:read credit:request credit:approve credit:admin"
    " guarantees:read guarantees:request guarantees:admin dunning:read dunning:write dunning:send admin".split()
)
_TIMEOUT = httpx.Timeout(300)


class CheckedClient(httpx.AsyncClient):
    """An HTTP client that holds every answer against a contract."""

    def __init__(self, base_url: str, token: str | None, contract: Contract, **options: Any) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        # verify=False: plain HTTP, and reading the machine's certificates takes a tenth of a second a client
        options = {"timeout": _TIMEOUT, "trust_env": False, "verify": False, **options}
        super().__init__(base_url=base_url, headers=headers, **options)
        self.contract = contract
        self._unchecked: set[tuple[int, str | None]] = set()

    def allow(self, status: int, path: str | None = None) -> None:
        """Do not check answers of a status (on a path): for tests that provoke what no document should promise."""
        self._unchecked.add((status, path))

    @override
    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send, read the whole answer, check it."""
        response = await super().send(request, **options)
        await response.aread()
        if self._unchecked.isdisjoint(
            {(response.status_code, None), (response.status_code, request.url.path)}
        ):
            self.contract.check(response)
        return response


class ServiceClient(CheckedClient):
    """A caller of one service that is tested alone, with a token as the gateway would sign it."""

    def __init__(self, stack: Stack, service: ServiceName, caller: Caller, contract: Contract) -> None:
        super().__init__(stack.url(service), stack.keys("gateway").sign_user(caller), contract)
        self.stack = stack
        self.service = service
        self.caller = caller
        self._others: list[ServiceClient] = []

    @override
    async def aclose(self) -> None:
        """Close this client and those of everybody it acted as."""
        for other in self._others:
            await other.aclose()
        await super().aclose()

    @property
    def tenant_id(self) -> UUID:
        """The caller's tenant."""
        return self.caller.tenant.id

    @property
    def main_business_unit_id(self) -> UUID:
        """The business unit every tenant begins with."""
        assert self.caller.main_business_unit_id is not None
        return self.caller.main_business_unit_id

    def acting(
        self,
        *scopes: str,
        user_id: UUID | None = None,
        perimeter: Iterable[UUID] | None = None,
        roles: Iterable[str] = (),
    ) -> "ServiceClient":
        """Somebody else of the same tenant: with these scopes (none named: the same), as this user, in this perimeter."""
        caller = replace(
            self.caller,
            scopes=frozenset(scopes) if scopes else self.caller.scopes,
            user_id=user_id,
            subject=f"user:{user_id}" if user_id else "key:other",
            roles=frozenset(roles),
            perimeter=None if perimeter is None else tuple(perimeter),
        )
        self._others.append(ServiceClient(self.stack, self.service, caller, self.contract))
        return self._others[-1]

    def publish(self, producer: ServiceName, event_type: str, *subjects: Subject) -> None:
        """Let a stood-in peer tell a fact about the tenant; `settle` brings it here."""
        self.stack.standins[producer].publish(self.tenant_id, event_type, *subjects)

    def add_business_unit(self, code: str) -> UUID:
        """A further business unit, as the gateway would announce it; `settle` brings it here."""
        identifier = new_id()
        self.publish("gateway", "business_unit.changed", _business_unit(identifier, code, main=False))
        return identifier

    async def settle(self) -> None:
        """Read all feeds to their heads and do all queued jobs of the service."""
        await self.stack.settle(self.tenant_id)

    async def live_until(self, day: date) -> None:
        """Let a sandbox tenant's days pass up to and including `day`, the work of each done in order; it is noon then."""
        today = self.caller.tenant.today()
        while today < day:
            today += timedelta(days=1)
            now = datetime.combine(today, time(12), UTC)
            body = {"tenant_id": str(self.tenant_id), "now": now.isoformat(), "day": today.isoformat()}
            await self.stack.call(self.service, "POST", "/internal/days", body)
            self.caller = replace(self.caller, tenant=replace(self.caller.tenant, frozen_at=now))
        self.headers["authorization"] = f"Bearer {self.stack.keys('gateway').sign_user(self.caller)}"


async def fresh_client(
    stack: Stack,
    service: ServiceName,
    contract: Contract,
    *scopes: str,
    now: str | None = None,
    time_zone: str = "Europe/Paris",
    currency: str = "EUR",
    user_id: UUID | None = None,
    perimeter: Iterable[UUID] | None = None,
    settings: dict[str, Any] | None = None,
) -> ServiceClient:
    """A client of a service in a tenant of its own, announced by the gateway's stand-in with its business unit `main`.

    No scopes named: all. `now` (an RFC 3339 instant, or a date: noon UTC) makes it a sandbox tenant whose clock stands there.
    """
    frozen = _instant(now) if now else None
    tenant = Tenant(new_id(), time_zone, currency, frozen)
    main = new_id()
    gateway = stack.standins["gateway"]
    gateway.publish(tenant.id, "tenant.changed", _tenant(tenant, settings or {}))
    gateway.publish(tenant.id, "business_unit.changed", _business_unit(main, "main", main=True))
    caller = Caller(
        tenant=tenant,
        scopes=frozenset(scopes) or ALL_SCOPES,
        subject=f"user:{user_id}" if user_id else "key:test",
        key_id=new_id(),
        user_id=user_id,
        perimeter=None if perimeter is None else tuple(perimeter),
        main_business_unit_id=main,
    )
    await stack.drain(tenant.id)
    return ServiceClient(stack, service, caller, contract)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if len(text) == len("2026-01-31"):
        moment = datetime.combine(moment.date(), time(12))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _tenant(tenant: Tenant, settings: dict[str, Any]) -> Subject:
    state = {
        "name": "Test tenant",
        "status": "active",
        "time_zone": tenant.time_zone,
        "currency": tenant.currency,
        "sandbox": tenant.frozen_at is not None,
        "frozen_at": tenant.frozen_at,
        "settings": settings,
    }
    return Subject(tenant.id, 1, state)


def _business_unit(identifier: UUID, code: str, *, main: bool) -> Subject:
    return Subject(identifier, 1, {"code": code, "name": code.title(), "main": main})
