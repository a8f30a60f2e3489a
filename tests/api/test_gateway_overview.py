"""The customer card, composed from four services, and what becomes of it when one is away."""

from typing import Any
from uuid import uuid4

from libs.testkit.plugin import MakeTenant
from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant

CUSTOMER = {"external_id": "C-1", "name": "Aciéries du Rhône", "company": {"country": "FR"}}


async def _customer(tenant: TestTenant) -> dict[str, Any]:
    made: dict[str, Any] = (await tenant.client.post("/v1/customers", json=CUSTOMER)).json()
    item = {
        "customer_external_id": "C-1", "kind": "invoice", "external_id": "F-1", "number": "F-1",
        "issue_date": "2026-01-05", "due_date": "2026-02-05", "currency": "EUR", "amount": "1500.00",
    }  # fmt: skip
    assert (await tenant.client.post("/v1/items", json=item)).status_code == 201
    await tenant.settle()
    return made


async def test_the_card_shows_what_each_service_knows(tenant: TestTenant) -> None:
    customer = await _customer(tenant)
    company = customer["company"]["id"]
    await tenant.client.post(f"/v1/companies/{company}/credit-comments", json={"text": "Pays on Fridays."})
    response = await tenant.client.get(f"/v1/customers/{customer['id']}/overview")
    assert response.status_code == 200, response.text
    card = response.json()
    assert card["missing"] == []
    assert card["customer"]["name"] == "Aciéries du Rhône"
    assert [(row["currency"], row["outstanding"]) for row in card["balances"]] == [("EUR", "1500.00")]
    assert card["limit"]["state"] == "none"
    assert [comment["text"] for comment in card["comments"]] == ["Pays on Fridays."]
    agenda = (await tenant.client.get(f"/v1/customers/{customer['id']}/dunning")).json()
    assert card["agenda"] == agenda
    assert card["messages"] == card["requests"] == card["guarantees"] == []


async def test_a_customer_nobody_knows_has_no_card(tenant: TestTenant, make_tenant: MakeTenant) -> None:
    assert (await tenant.client.get(f"/v1/customers/{uuid4()}/overview")).status_code == 404
    elsewhere = await _customer(await make_tenant())
    assert (await tenant.client.get(f"/v1/customers/{elsewhere['id']}/overview")).status_code == 404


async def test_what_the_caller_may_not_see_is_named(tenant: TestTenant) -> None:
    customer = await _customer(tenant)
    key = {"name": "ERP", "scopes": ["ledger:read", "risk:read"]}
    erp = tenant.client_of((await tenant.client.post("/v1/api-keys", json=key)).json()["key"])
    card = (await erp.get(f"/v1/customers/{customer['id']}/overview")).json()
    missing = {part["part"]: part["reason"] for part in card["missing"]}
    assert missing == dict.fromkeys(
        ["limit", "requests", "guarantees", "guarantee_requests", "insistences", "agenda", "messages"],
        "scope_missing",
    )
    assert card["balances"] and card["limit"] is None
    none = {"name": "risk", "scopes": ["risk:read"]}
    risk = tenant.client_of((await tenant.client.post("/v1/api-keys", json=none)).json()["key"])
    assert (await risk.get(f"/v1/customers/{customer['id']}/overview")).status_code == 403


async def test_a_service_that_is_down_costs_its_part_only(stack: Stack, tenant: TestTenant) -> None:
    customer = await _customer(tenant)
    await stack.stop_service("dunning")
    try:
        card = (await tenant.client.get(f"/v1/customers/{customer['id']}/overview")).json()
    finally:
        await stack.start_service("dunning")
    assert {(part["part"], part["service"], part["reason"]) for part in card["missing"]} == {
        ("agenda", "dunning", "peer_unavailable"),
        ("messages", "dunning", "peer_unavailable"),
    }
    assert card["balances"] and card["limit"]


async def test_the_card_shows_what_providers_say_and_what_it_was_before(tenant: TestTenant) -> None:
    client = tenant.client
    body = {**CUSTOMER, "company": {"country": "FR", "registration_number": "732829320"}}
    customer = (await client.post("/v1/customers", json=body)).json()
    company = customer["company"]["id"]
    connection = {"provider": "altares", "credentials": {"login": "desk", "password": "hush"}}
    made = await client.post("/v1/provider-connections", json=connection)
    assert made.status_code == 201, made.text
    provider = made.json()["id"]
    await tenant.settle()

    async def card(reader: Any = client) -> dict[str, Any]:
        answer = await reader.get(f"/v1/customers/{customer['id']}/overview")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        assert shown["missing"] == []
        return shown

    async def say(**facts: Any) -> None:
        told = await client.post(f"/v1/sandbox/provider/{provider}/companies/732829320", json=facts)
        assert told.status_code == 200, told.text
        await tenant.advance(days=1)

    before = await card()
    assert (before["monitoring"], before["provider_fields"]) == ({"state": "none", "can_add": True}, [])
    assert before["portal_url"] is before["sparkline_url"] is None
    await client.post(f"/v1/sandbox/provider/{provider}/companies/732829320", json={"score": "14"})
    watched = {"company_id": company, "provider_connection_id": provider}
    assert (await client.post("/v1/monitorings", json=watched)).status_code == 201
    await tenant.settle()
    await say(score="14")
    await say(score="9")

    shown = await card()
    assert shown["monitoring"] == {"state": "member", "can_add": False}
    (score,) = [one for one in shown["provider_fields"] if one["field"] == "score"]
    assert (score["value"], score["previous"], score["state"], score["provider"]) == (
        "9",
        "14",
        "known",
        "altares",
    )
    assert score["changed_at"] is not None and not score["stale"]
    drawn = await client.get(shown["sparkline_url"])
    assert drawn.status_code == 200 and drawn.text.startswith("<svg")
