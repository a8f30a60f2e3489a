"""The customer file, kept through the public API as a front end and an ERP would."""

import pytest

from libs.testkit.tenant import TestTenant


@pytest.mark.feature("L1", "F1", "L14", "F24", "L15", "F22", "L16", "F21", "F23")
async def test_a_customer_file_and_the_group_behind_it(tenant: TestTenant) -> None:
    client = tenant.client
    main = (await client.get("/v1/business-units")).json()["data"][0]["id"]
    lille = (await client.post("/v1/business-units", json={"code": "lille", "name": "Lille"})).json()["id"]
    user = {
        "name": "Claire Morel",
        "email": "claire@example.com",
        "roles": ["salesperson"],
        "perimeter": [lille],
    }
    seller = (await client.post("/v1/users", json=user)).json()["id"]

    file = {
        "external_id": "C-10442",
        "name": "Aciéries du Rhône",
        "company": {"country": "FR", "registration_number": "732 829 320"},
        "segment": "key accounts",
        "contacts": [{"name": "Accounts payable", "email": "ap@acieries.example", "role": "dunning"}],
        "actors": [{"user_id": seller, "role": "salesperson"}],
        "custom_fields": {"region": "South-East"},
    }
    at_main = await client.post("/v1/customers", json=file)
    assert at_main.status_code == 201, at_main.text
    at_lille = await client.post("/v1/customers", json={**file, "business_unit_id": lille})
    assert at_lille.status_code == 201, at_lille.text
    company = at_main.json()["company"]
    assert at_lille.json()["company"] == company, "two accounts, one legal entity"
    assert company["registration_number"] == "732829320"

    owner = {"external_id": "C-1", "name": "Rhône Holding", "company": {"lei": "969500WU8KVE8U3TL824"}}
    parent = (await client.post("/v1/customers", json=owner)).json()["company"]["id"]
    placed = await client.put(f"/v1/companies/{company['id']}/parent", json={"parent_id": parent})
    assert placed.json()["group_id"] == parent

    async def found(**query: str) -> list[tuple[str, str]]:
        page = (await client.get("/v1/customers", params={"sort": "external_id,created_at", **query})).json()
        return [(each["external_id"], each["business_unit_id"]) for each in page["data"]]

    both = [("C-10442", main), ("C-10442", lille)]
    assert await found(group_id=parent) == [("C-1", main), *both]
    assert await found(segment="key accounts") == both
    assert await found(custom_field="region:South-East", business_unit_id=lille) == both[1:]
    assert await found(q="732829") == both

    shown = (await client.get(f"/v1/customers/{at_main.json()['id']}")).json()
    assert shown["contacts"][0]["role"] == "dunning"
    assert shown["actors"] == [{"user_id": seller, "role": "salesperson"}]

    key = {"name": "Claire", "scopes": ["ledger:read"], "user_id": seller}
    limited = tenant.client_of((await client.post("/v1/api-keys", json=key)).json()["key"])
    seen = (await limited.get("/v1/customers")).json()["data"]
    assert [each["business_unit_id"] for each in seen] == [lille]
    assert (await limited.get(f"/v1/customers/{at_main.json()['id']}")).status_code == 404
