"""Which company a customer belongs to, and what becomes of the one it leaves."""

from collections.abc import Awaitable, Callable

import pytest

from libs.testkit.clients import ServiceClient
from tests.api.ledger_steps import create_customer as create
from tests.api.ledger_steps import new_siren
from tests.api.ledger_steps import told as events

MakeClient = Callable[..., Awaitable[ServiceClient]]


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", "ledger:read", "ledger:write", now="2026-03-31")


class TestCompanyOfACustomer:
    async def test_accounts_with_one_number_share_a_company(self, ledger: ServiceClient) -> None:
        siren = new_siren()
        first = await create(ledger, "C-1", company={"country": "FR", "registration_number": siren})
        second = await create(
            ledger, "C-2", company={"country": "FR", "registration_number": siren + "00017"}
        )
        assert second["company"] == first["company"]

    async def test_a_company_learns_what_a_later_account_tells(self, ledger: ServiceClient) -> None:
        siren = new_siren()
        await create(ledger, "C-1", company={"country": "FR", "registration_number": siren})
        lei = "969500WU8KVE8U3TL824"
        taught = await create(
            ledger, "C-2", company={"country": "FR", "registration_number": siren, "lei": lei}
        )
        assert taught["company"]["lei"] == lei
        found = await create(ledger, "C-3", company={"lei": lei})
        assert found["company"]["id"] == taught["company"]["id"]

    async def test_a_name_never_joins_companies(self, ledger: ServiceClient) -> None:
        first = await create(ledger, "C-1", name="Dupont")
        second = await create(ledger, "C-2", name="Dupont")
        assert first["company"]["id"] != second["company"]["id"]

    async def test_identifiers_of_two_companies_are_a_conflict(self, ledger: ServiceClient) -> None:
        one, two = new_siren(), new_siren()
        lei = "969500WU8KVE8U3TL824"
        await create(ledger, "C-1", company={"country": "FR", "registration_number": one, "lei": lei})
        await create(ledger, "C-2", company={"country": "FR", "registration_number": two})
        body = {
            "external_id": "C-3",
            "name": "C",
            "company": {"country": "FR", "registration_number": two, "lei": lei},
        }
        refused = await ledger.post("/v1/customers", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "company_identity_conflict")
        assert len((await ledger.get("/v1/companies")).json()["data"]) == 2

    async def test_a_private_company_becomes_known_by_its_number(self, ledger: ServiceClient) -> None:
        customer = await create(ledger)
        company = {"country": "FR", "registration_number": new_siren()}
        after = (await ledger.patch(f"/v1/customers/{customer['id']}", json={"company": company})).json()
        assert after["company"]["id"] == customer["company"]["id"]
        assert after["company"]["private"] is False

    async def test_a_private_company_ends_where_its_customer_goes(self, ledger: ServiceClient) -> None:
        company = {"country": "FR", "registration_number": new_siren()}
        known = await create(ledger, "C-1", company=company)
        customer = await create(ledger, "C-2")
        after = (await ledger.patch(f"/v1/customers/{customer['id']}", json={"company": company})).json()
        assert after["company"] == known["company"]
        ended = (await ledger.get(f"/v1/companies/{customer['company']['id']}")).json()
        assert ended["merged_into_id"] == known["company"]["id"]
        merged = await events(ledger, "company.merged")
        assert [(m["id"], m["data"]["into_id"]) for m in merged] == [(ended["id"], known["company"]["id"])]

    async def test_a_private_company_follows_its_customers_name(self, ledger: ServiceClient) -> None:
        customer = await create(ledger, name="Dupond")
        path = f"/v1/customers/{customer['id']}"
        assert (await ledger.patch(path, json={"name": "Dupont"})).json()["company"]["name"] == "Dupont"
        named = (await ledger.patch(path, json={"company": {"name": "Dupont SARL"}})).json()
        assert (named["name"], named["company"]["name"]) == ("Dupont", "Dupont SARL")
        kept = (await ledger.patch(path, json={"name": "Dupont Lyon"})).json()
        assert kept["company"]["name"] == "Dupont SARL"
