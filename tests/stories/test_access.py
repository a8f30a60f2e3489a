"""Who may do what, seen by an administrator, the people of the tenant and the programs that speak for it."""

from typing import Any

import jsonschema
import pytest

from libs.kit.openapi.event_schemas import event_schema
from libs.testkit.clients import CheckedClient
from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant


async def _as_user(tenant: TestTenant, roles: list[str], perimeter: list[str] | None = None) -> CheckedClient:
    name = "-".join(roles)
    person = {"name": name, "email": f"{name}@example.com", "roles": roles, "perimeter": perimeter}
    made = await tenant.client.post("/v1/users", json=person)
    assert made.status_code == 201, made.text
    key = {"name": name, "scopes": ["admin"], "user_id": made.json()["id"]}
    return tenant.client_of((await tenant.client.post("/v1/api-keys", json=key)).json()["key"])


async def _invoice(tenant: TestTenant, unit: str, code: str, amount: str) -> dict[str, Any]:
    customer = {"external_id": code, "name": code, "business_unit_id": unit}
    assert (await tenant.client.post("/v1/customers", json=customer)).status_code == 201
    item = {
        "customer_external_id": code, "business_unit_id": unit, "kind": "invoice", "external_id": f"F-{code}",
        "number": f"F-{code}", "issue_date": "2026-01-05", "due_date": "2026-02-05", "currency": "EUR",
        "amount": amount,
    }  # fmt: skip
    made = await tenant.client.post("/v1/items", json=item)
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    return shown


@pytest.mark.feature("G19", "F111")
async def test_each_role_may_do_its_own_work_and_no_other(tenant: TestTenant) -> None:
    customer = {"external_id": "C-1", "name": "Fonderie des Alpes"}
    calls: dict[str, tuple[str, str, Any]] = {
        "read items": ("GET", "/v1/items", None),
        "read risk": ("GET", "/v1/reports/risk", None),
        "read limits": ("GET", "/v1/credit-limits", None),
        "read actions": ("GET", "/v1/actions", None),
        "write customers": ("POST", "/v1/customers", customer),
        "administer": ("GET", "/v1/settings", None),
        "make keys": ("GET", "/v1/api-keys", None),
    }
    reads = {"read items", "read risk", "read limits", "read actions"}
    may = {
        "reader": reads,
        "resolver": {"read items", "read actions"},
        "salesperson": reads,
        "approver": reads,
        "collector": reads | {"write customers"},
        "credit_manager": reads | {"write customers"},
        "admin": set(calls),
    }
    for role, allowed in may.items():
        client = await _as_user(tenant, [role])
        for what, (method, path, body) in calls.items():
            answer = await client.request(method, path, json=body)
            if what in allowed:
                assert answer.status_code in (200, 201), (role, what, answer.text)
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), (role, what)
    nobody = tenant.client_of(None)
    for what, (method, path, body) in calls.items():
        assert (await nobody.request(method, path, json=body)).status_code == 401, what


@pytest.mark.feature("F112", "G21")
async def test_a_perimeter_hides_the_other_units_and_the_head_office_sees_the_sum(
    tenant: TestTenant, make_tenant: MakeTenant
) -> None:
    main = (await tenant.client.get("/v1/business-units")).json()["data"][0]["id"]
    lille = (await tenant.client.post("/v1/business-units", json={"code": "lille", "name": "Lille"})).json()[
        "id"
    ]
    at_main = await _invoice(tenant, main, "C-MAIN", "100.00")
    at_lille = await _invoice(tenant, lille, "C-LILLE", "50.00")
    await tenant.settle()

    north = await _as_user(tenant, ["credit_manager"], [lille])
    assert [row["id"] for row in (await north.get("/v1/items")).json()["data"]] == [at_lille["id"]]
    assert (await north.get(f"/v1/items/{at_main['id']}")).status_code == 404
    assert [unit["id"] for unit in (await north.get("/v1/business-units")).json()["data"]] == [lille]

    async def ageing(client: CheckedClient) -> dict[str, str]:
        rows = (await client.get("/v1/reports/ageing", params={"by": "total"})).json()["data"]
        return {row["currency"]: row["outstanding"] for row in rows}

    assert await ageing(north) == {"EUR": "50.00"}
    assert await ageing(tenant.client) == {"EUR": "150.00"}, "the whole house, over its own companies"

    neighbour = await make_tenant()
    assert (await neighbour.client.get("/v1/items")).json()["data"] == []
    assert (await neighbour.client.get(f"/v1/items/{at_lille['id']}")).status_code == 404


@pytest.mark.feature("G2", "G17", "F111")
async def test_an_administrator_sets_the_house_up_and_every_step_is_on_record(tenant: TestTenant) -> None:
    client = tenant.client
    read = await client.get("/v1/settings")
    wanted = {"ageing_buckets": [15, 45], "calendar_country": "BE", "payer_thresholds": {"good": "7"}}
    stale = await client.patch("/v1/settings", json=wanted, headers={"if-match": '"0"'})
    assert stale.status_code == 412
    changed = await client.patch("/v1/settings", json=wanted, headers={"if-match": read.headers["etag"]})
    assert changed.json()["ageing_buckets"] == [15, 45]
    words = await client.get("/v1/reference/payer_class", headers={"accept-language": "fr-BE, en;q=0.5"})
    assert words.headers["content-language"] == "fr"
    assert {"code": "good", "label": "Bon payeur", "language": "fr"} in words.json()["values"]
    english = await client.get("/v1/reference/payer_class", headers={"accept-language": "fi"})
    assert english.headers["content-language"] == "en"
    japanese = await client.get("/v1/reference/problem", params={"language": "ja"})
    assert japanese.headers["content-language"] == "ja"
    assert {"code": "not_found", "label": "見つかりません", "language": "ja"} in japanese.json()["values"]
    assert (await client.get("/v1/reference/nonsense")).status_code == 404
    await tenant.settle()

    entries = (await client.get("/v1/audit-log", params={"object_type": "tenant"})).json()["data"]
    assert [entry["action"] for entry in entries] == ["settings.changed", "tenant.created"]
    assert entries[0]["after"]["ageing_buckets"] == [15, 45]
    me = (await client.get("/v1/me")).json()
    assert entries[0]["key_id"] == me["key_id"]


@pytest.mark.feature("F109", "F111")
async def test_a_program_finds_its_way_with_one_document_and_a_token(tenant: TestTenant) -> None:
    anybody = tenant.client_of(None)
    document = (await anybody.get("/openapi.json")).json()
    paths = document["paths"]
    served = {
        "/v1/items",
        "/v1/reports/risk",
        "/v1/credit-limits",
        "/v1/actions",
        "/v1/events",
        "/v1/auth/token",
    }
    assert served <= paths.keys(), "all services in one document"
    assert "item.changed" in document["webhooks"]
    assert (await anybody.get("/docs")).status_code == 200

    scopes = {"name": "ERP", "scopes": ["ledger:read"]}
    key = (await tenant.client.post("/v1/api-keys", json=scopes)).json()
    form = {"grant_type": "client_credentials", "client_id": key["id"], "client_secret": key["key"]}
    token = (await anybody.post("/v1/auth/token", data=form)).json()["access_token"]
    erp = tenant.client_of(token)
    await tenant.client.post("/v1/customers", json={"external_id": "C-1", "name": "Fonderie des Alpes"})
    await tenant.settle()
    events = (await erp.get("/v1/events", params={"types": "customer.changed"})).json()["data"]
    assert [event["data"]["external_id"] for event in events] == ["C-1"]
    jsonschema.validate(events[0], event_schema("customer.changed"))
