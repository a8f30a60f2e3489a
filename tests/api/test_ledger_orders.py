"""Orders over HTTP: recorded, changed, listed, and the order book that follows them."""

import asyncio
from typing import Any

import pytest

from libs.contracts.events import CATALOGUE
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.ledger_books import TODAY, balance, customer, events, item, last_events, require_sound, states


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


async def order(
    client: ServiceClient, customer_id: str, external_id: str, amount: str, **given: Any
) -> dict[str, Any]:
    body = {
        "external_id": external_id,
        "customer_id": customer_id,
        "currency": "EUR",
        "amount": amount,
        **given,
    }
    response = await client.post("/v1/orders", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def test_the_order_book_follows_the_orders(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    first = await order(ledger, account["id"], "SO-1", "1000.00", expected_on="2026-05-01", reference="PO 1")
    await order(ledger, account["id"], "SO-2", "500.00", invoiced_amount="120.00")
    await order(ledger, account["id"], "SO-3", "70.00", currency="CHF")
    await order(ledger, account["id"], "SO-4", "9.00", status="closed")
    assert await balance(ledger, account["id"]) == {
        "outstanding": 0, "credits": 0, "overdue": 0, "order_book": 138000, "items_count": 0,
    }  # fmt: skip
    assert (await balance(ledger, account["id"], "CHF") or {})["order_book"] == 7000
    path = f"/v1/orders/{first['id']}"
    seen = await ledger.get(path)
    assert seen.json() == first
    changed = await ledger.patch(
        path, json={"invoiced_amount": "400.00"}, headers={"If-Match": seen.headers["etag"]}
    )
    assert changed.json()["invoiced_amount"] == "400.00"
    assert (await balance(ledger, account["id"]) or {})["order_book"] == 98000
    stale = await ledger.patch(path, json={"status": "closed"}, headers={"If-Match": seen.headers["etag"]})
    assert stale.status_code == 412
    count = len(await events(ledger, "order.changed"))
    same = await ledger.patch(path, json={"invoiced_amount": "400.00"})
    assert same.headers["etag"] == changed.headers["etag"]
    assert len(await events(ledger, "order.changed")) == count
    assert (await ledger.patch(path, json={"status": "cancelled"})).json()["status"] == "cancelled"
    assert (await balance(ledger, account["id"]) or {})["order_book"] == 38000
    state = (await last_events(ledger, "order.changed"))[first["id"]]
    CATALOGUE["order.changed"].model_validate(state)
    assert state["status"] == "cancelled"
    assert await states(ledger, "order.changed") == await last_events(ledger, "order.changed")
    await item(ledger, account["id"])
    await require_sound(ledger)


async def test_a_known_key_answers_again_or_refuses_other_content(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    body = {
        "external_id": "SO-1",
        "customer_id": account["id"],
        "currency": "EUR",
        "amount": "10.00",
        "custom_fields": {"a": 1},
    }
    answers = await asyncio.gather(*[ledger.post("/v1/orders", json=body) for _ in range(20)])
    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    for other in ({"amount": "11.00"}, {"status": "closed"}, {"custom_fields": {"a": 2}}):
        refused = await ledger.post("/v1/orders", json={**body, **other})
        assert (refused.status_code, refused.json()["code"]) == (409, "external_id_exists")
        assert refused.json()["existing_id"] == answers[0].json()["id"]
    assert (await balance(ledger, account["id"]) or {})["order_book"] == 1000
    # An item may bear the same key: orders have a namespace of their own.
    await item(ledger, account["id"], external_id="SO-1")


async def test_orders_are_listed(ledger: ServiceClient) -> None:
    lyon = ledger.add_business_unit("lyon")
    await ledger.settle()
    one, there = await customer(ledger), await customer(ledger, business_unit_id=str(lyon))
    await order(ledger, one["id"], "SO-1", "30.00", expected_on="2026-05-01")
    await order(ledger, one["id"], "SO-2", "20.00", expected_on="2026-04-01", status="closed")
    last = await order(ledger, there["id"], "SO-3", "10.00", currency="CHF")

    async def keys(client: ServiceClient = ledger, **params: object) -> list[str]:
        response = await client.get("/v1/orders", params=params)
        assert response.status_code == 200, response.text
        return [each["external_id"] for each in response.json()["data"]]

    assert await keys() == ["SO-2", "SO-1", "SO-3"]  # those without a day come last
    assert await keys(sort="amount") == ["SO-3", "SO-2", "SO-1"]
    assert await keys(status="open", sort="external_id") == ["SO-1", "SO-3"]
    assert await keys(customer_id=one["id"], sort="-external_id") == ["SO-2", "SO-1"]
    assert await keys(business_unit_id=str(lyon)) == ["SO-3"]
    assert await keys(currency="CHF") == ["SO-3"]
    assert await keys(expected_from="2026-04-15") == ["SO-1"]
    assert await keys(external_id=["SO-1", "SO-3"]) == ["SO-1", "SO-3"]
    first = (await ledger.get("/v1/orders", params={"limit": 1})).json()
    second = (await ledger.get("/v1/orders", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [o["external_id"] for o in second["data"]] == ["SO-1", "SO-3"]
    assert second["next_cursor"] is None
    async with ledger.acting(perimeter=[ledger.main_business_unit_id]) as narrow:
        assert await keys(narrow) == ["SO-2", "SO-1"]
        assert (await narrow.get(f"/v1/orders/{last['id']}")).status_code == 404
        assert (await narrow.patch(f"/v1/orders/{last['id']}", json={"status": "closed"})).status_code == 404


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"amount": "-1"}, "/amount", "amount_not_positive"),
        ({"invoiced_amount": "10.01"}, "/invoiced_amount", "amount_out_of_range"),
        ({"amount": "1.001"}, "/amount", "amount_too_precise"),
        ({"status": "lost"}, "/status", "literal_error"),
        (
            {"customer_id": None, "customer_external_id": "nobody"},
            "/customer_external_id",
            "customer_unknown",
        ),
    ],
)
async def test_refusals_name_the_member(
    ledger: ServiceClient, given: dict[str, Any], pointer: str, code: str
) -> None:
    account = await customer(ledger)
    body = {
        "external_id": "SO-1",
        "customer_id": account["id"],
        "currency": "EUR",
        "amount": "10.00",
        **given,
    }
    refused = await ledger.post("/v1/orders", json=body)
    assert refused.status_code == 422
    assert [(e["pointer"], e["code"]) for e in refused.json()["errors"]] == [(pointer, code)]
