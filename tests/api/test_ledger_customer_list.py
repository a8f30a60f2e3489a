"""The list of customers: filters, sorts, pages."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from libs.testkit.clients import ServiceClient
from tests.api.ledger_steps import create_customer as create
from tests.api.ledger_steps import new_siren

MakeClient = Callable[..., Awaitable[ServiceClient]]


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", "ledger:read", "ledger:write", now="2026-03-31")


class TestList:
    @pytest.fixture
    async def book(self, ledger: ServiceClient) -> dict[str, dict[str, Any]]:
        siren = new_siren()
        collector = str(uuid4())
        return {
            "a": await create(ledger, "A-1", name="Alpha 100%", segment="small", collector_user_id=collector),
            "b": await create(
                ledger, "B-1", name="Beta", buyer_kind="public",
                company={"country": "FR", "registration_number": siren}, custom_fields={"region": "North", "n": 1},
            ),
            "c": await create(ledger, "C_1", name="Gamma", segment="small", custom_fields={"region": "South"}),
        }  # fmt: skip

    async def found(self, ledger: ServiceClient, **query: Any) -> list[str]:
        response = await ledger.get("/v1/customers", params=query)
        assert response.status_code == 200, response.text
        return [customer["external_id"] for customer in response.json()["data"]]

    async def test_filters(self, ledger: ServiceClient, book: dict[str, dict[str, Any]]) -> None:
        siren = book["b"]["company"]["registration_number"]
        assert await self.found(ledger, q="alph") == ["A-1"]
        assert await self.found(ledger, q="a 100%") == ["A-1"]
        assert await self.found(ledger, q="%") == ["A-1"]
        assert await self.found(ledger, q="b-1") == ["B-1"]
        assert await self.found(ledger, q="_") == ["C_1"]
        assert await self.found(ledger, q=f"{siren[:3]} {siren[3:6]}") == ["B-1"]
        assert await self.found(ledger, q="--") == []
        assert await self.found(ledger, segment="small") == ["A-1", "C_1"]
        assert await self.found(ledger, buyer_kind="public") == ["B-1"]
        assert await self.found(ledger, buyer_kind=["public", "private"]) == ["A-1", "B-1", "C_1"]
        assert await self.found(ledger, company_id=book["b"]["company"]["id"]) == ["B-1"]
        assert await self.found(ledger, group_id=book["b"]["company"]["group_id"]) == ["B-1"]
        assert await self.found(ledger, collector_user_id=book["a"]["collector_user_id"]) == ["A-1"]
        assert await self.found(ledger, external_id=["A-1", "C_1"]) == ["A-1", "C_1"]
        assert await self.found(ledger, business_unit_id=str(ledger.main_business_unit_id), q="Beta") == [
            "B-1"
        ]

    async def test_search_finds_words_and_follows_changes(self, ledger: ServiceClient) -> None:
        siren = new_siren()
        company = {"country": "FR", "registration_number": siren, "name": "Holding Lumière"}
        made = await create(ledger, "R-10442", name="Aciéries du Rhône", company=company)
        await create(ledger, "R-10443", name="Acier & Fils")
        for q in (
            "aciéri",
            "ACIERIES rhon",
            "rhône",
            "r-10442",
            "10442",
            "du",
            siren[:4],
            f"{siren[:3]} {siren[3:6]}",
        ):
            assert await self.found(ledger, q=q) == ["R-10442"], q
        assert await self.found(ledger, q="acier") == ["R-10443", "R-10442"]
        assert await self.found(ledger, q="ries") == ["R-10442"]  # begins no word: looked for inside
        assert await self.found(ledger, q="acier gmbh") == []
        companies = (await ledger.get("/v1/companies", params={"q": "lumiere"})).json()["data"]
        assert [one["name"] for one in companies] == ["Holding Lumière"]
        companies = (await ledger.get("/v1/companies", params={"q": "rhone"})).json()["data"]
        assert [one["name"] for one in companies] == ["Holding Lumière"]  # by its customer

        renamed = {"name": "Forges de l'Isère", "external_id": "R-2"}
        assert (await ledger.patch(f"/v1/customers/{made['id']}", json=renamed)).status_code == 200
        assert await self.found(ledger, q="isere") == await self.found(ledger, q="r-2") == ["R-2"]
        assert await self.found(ledger, q="rhone") == await self.found(ledger, q="10442") == []
        assert (await ledger.delete(f"/v1/customers/{made['id']}")).status_code == 204
        left = await ledger.stack.sql(
            "ledger",
            "SELECT word FROM search_words WHERE tenant_id = $1 AND kind = 'customer' ORDER BY word",
            ledger.tenant_id,
        )
        assert [row["word"] for row in left] == ["10443", "acier", "fils", "r", "r10443"]

    async def test_custom_fields_narrow(self, ledger: ServiceClient, book: dict[str, Any]) -> None:
        assert await self.found(ledger, custom_field="region:North") == ["B-1"]
        assert await self.found(ledger, custom_field=["region:North", "n:1"]) == ["B-1"]
        assert await self.found(ledger, custom_field=["region:North", "n:2"]) == []
        refused = await ledger.get("/v1/customers", params={"custom_field": "region"})
        assert refused.json()["errors"][0]["pointer"] == "?custom_field"

    async def test_updated_since(self, service_client: MakeClient) -> None:
        ledger = await service_client("ledger")  # a clock that runs
        await create(ledger, "A-1")
        second = await create(ledger, "A-2")
        since = second["updated_at"]
        assert await self.found(ledger, updated_since=since) == ["A-2"]
        assert (await ledger.get("/v1/customers?updated_since=2026-03-31T00:00:00")).status_code == 422

    async def test_pages_hold_every_customer_once_in_both_directions(
        self, ledger: ServiceClient, book: dict[str, Any]
    ) -> None:
        for number in range(7):
            await create(ledger, f"D-{number}", name="Delta")
        for sort in ("name", "-name", "external_id", "-created_at", "updated_at", "id", "-name,external_id"):
            whole = await self.found(ledger, sort=sort, limit=200)
            seen: list[str] = []
            cursor: str | None = ""
            while cursor is not None:
                query = {"sort": sort, "limit": 3} | ({"cursor": cursor} if cursor else {})
                page = (await ledger.get("/v1/customers", params=query)).json()
                seen += [customer["external_id"] for customer in page["data"]]
                cursor = page["next_cursor"]
            assert seen == whole and len(set(seen)) == 10, sort
        names = await self.found(ledger, sort="-name,external_id")
        assert names == ["C_1", *(f"D-{number}" for number in range(7)), "B-1", "A-1"]

    @pytest.mark.parametrize("query", ["sort=colour", "limit=0", "limit=201", "cursor=x", "colour=red"])
    async def test_unknown_queries_are_refused(self, ledger: ServiceClient, query: str) -> None:
        assert (await ledger.get(f"/v1/customers?{query}")).status_code == 422
