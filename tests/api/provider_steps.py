"""Steps that tests of providers share: an adapter connected to its stand-in over real HTTP, through the guarded client."""

from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import Any

from libs.contracts.ids import new_id
from libs.kit.outbound import Outbound
from libs.testkit.clients import ServiceClient
from services.risk.providers.port import Adapter, CompanyRef, Connection, Provider, RawAnswer, Snapshot
from services.risk.providers.registry import ADAPTERS, stand_in_url

SIREN = "732829320"
CREDENTIALS = {
    "altares": {"login": "desk-login", "password": "hush-hush-altares"},
    "scores_decisions": {"token": "hush-hush-token"},
    "infolegale": {"token": "hush/hush+token=="},
    "ellisphere": {"contract_id": "C-77", "user_id": "U-77", "password": "hush-hush-<&>"},
    "creditsafe": {"username": "desk", "password": "hush-hush-creditsafe"},
    "dnb": {"key": "dnb-key", "secret": "hush-hush-dnb"},
    "bodacc": {},
    "sirene": {"api_key": "hush-hush-sirene"},
    "companies_house": {"api_key": "hush-hush-house"},
    "declarative": {"secret": "hush-hush-generic"},
}


class Desk:
    """A connection of one adapter to its stand-in, and the handles to steer the latter."""

    def __init__(
        self, client: ServiceClient, adapter: Adapter, connection: Connection, provider: Provider
    ) -> None:
        self.client = client
        self.adapter = adapter
        self.connection = connection
        self.provider = provider

    async def steer(self, number: str = SIREN, **facts: Any) -> None:
        """Tell the stand-in what to know of a company."""
        response = await self.client.post(
            f"/v1/sandbox/provider/{self.connection.id}/companies/{number}", json=facts
        )
        assert response.status_code == 200, response.text

    async def behave(self, mode: str, **how: Any) -> None:
        """Let the stand-in misbehave."""
        body = {"mode": mode, **how}
        response = await self.client.post(f"/v1/sandbox/provider/{self.connection.id}/behaviour", json=body)
        assert response.status_code == 204, response.text

    async def calls(self) -> list[dict[str, Any]]:
        """What reached the stand-in."""
        response = await self.client.get(f"/v1/sandbox/provider/{self.connection.id}/calls?limit=200")
        return list(response.json()["data"])

    async def read(self, number: str = SIREN, country: str = "FR", **more: Any) -> Snapshot:
        """Fetch and map."""
        return self.adapter.map(await self.fetch(number, country, **more), self.connection)

    async def fetch(self, number: str = SIREN, country: str = "FR", **more: Any) -> tuple[RawAnswer, ...]:
        """Fetch only."""
        return await self.provider.fetch(CompanyRef(number, country, **more))


@asynccontextmanager
async def desk(
    client: ServiceClient,
    key: str,
    *,
    options: Mapping[str, Any] | None = None,
    credentials: Mapping[str, str] | None = None,
    base_url: str | None = None,
) -> Any:
    """Connect an adapter to its stand-in."""
    adapter = ADAPTERS[key]
    connection_id = new_id()
    settings = client.stack.settings()
    connection = Connection(
        id=connection_id,
        product=adapter.products[0].key,
        base_url=base_url or stand_in_url(settings.sandbox_url, client.tenant_id, connection_id, key),
        credentials=CREDENTIALS[key] if credentials is None else credentials,
        options=options or {},
        stand_in=True,
    )
    assert adapter.flaws(connection) == []
    async with Outbound(settings, allowed_hosts=adapter.hosts(connection), total_seconds=20) as outbound:
        yield Desk(client, adapter, connection, adapter.connect(connection, outbound))
