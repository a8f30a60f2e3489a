"""An ERP that is told of what happens, loses its receiver for a while, and fetches back what it missed."""

import asyncio
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook

from libs.testkit.receiver import receiving
from libs.testkit.tenant import TestTenant


async def _invoice(tenant: TestTenant, number: str) -> dict[str, Any]:
    body = {
        "customer_external_id": "C-1", "kind": "invoice", "external_id": number, "number": number,
        "issue_date": "2026-01-05", "due_date": "2026-02-05", "currency": "EUR", "amount": "1200.00",
    }  # fmt: skip
    made = await tenant.client.post("/v1/items", json=body)
    assert made.status_code == 201, made.text
    item: dict[str, Any] = made.json()
    return item


@pytest.mark.feature("F109", "F110")
async def test_an_erp_is_told_and_fetches_back_what_it_missed(tenant: TestTenant) -> None:
    client = tenant.client
    document = (await client.get("/openapi.json")).json()
    promised = document["webhooks"]["item.changed"]["post"]
    schema = promised["requestBody"]["content"]["application/json"]["schema"]
    headers_promised = {parameter["name"] for parameter in promised["parameters"]}

    async with receiving() as erp:
        made = await client.post("/v1/webhook-endpoints", json={"url": erp.url, "types": ["item.changed"]})
        assert made.status_code == 201, made.text
        endpoint, secret = f"/v1/webhook-endpoints/{made.json()['id']}", made.json()["secret"]
        assert (await client.post(f"{endpoint}/ping")).status_code == 200
        assert (await erp.wait_for(1))[0].event["type"] == "webhook_endpoint.pinged"

        await client.post("/v1/customers", json={"external_id": "C-1", "name": "Verrerie du Val"})
        first = await _invoice(tenant, "F-1")
        (_, told) = await erp.wait_for(2)
        Draft202012Validator(schema).validate(told.event)
        assert headers_promised <= told.headers.keys()
        assert Webhook(secret).verify(told.body, told.headers)["data"]["amount"] == "1200.00"
        assert told.event["subject"]["id"] == first["id"]

        # The receiver's disk is full for a weekend; the house gives up, and says so.
        erp.answer = lambda _: 410
        second = await _invoice(tenant, "F-2")
        await tenant.settle()
        for _ in range(200):
            shown = (await client.get(endpoint)).json()
            if not shown["enabled"]:
                break
            await asyncio.sleep(0.05)
        assert shown["disabled_reason"] == "gone"
        third = await _invoice(tenant, "F-3")
        await tenant.settle()

        # On Monday it is well again, and asks for what came after the last event it kept.
        erp.answer = lambda _: 200
        erp.received.clear()
        assert (await client.patch(endpoint, json={"enabled": True})).status_code == 200
        replay = await client.post(f"{endpoint}/replay", json={"after_event_id": told.event["id"]})
        assert replay.json() == {"deliveries": 2}
        missed = await erp.wait_for(2)
        assert [one.event["subject"]["id"] for one in missed] == [second["id"], third["id"]]

        # Webhooks and the stream tell the same, event by event.
        stream = (await client.get("/v1/events", params={"types": "item.changed"})).json()["data"]
        assert [told.event, *(one.event for one in missed)] == stream
        await tenant.settle()
        statuses = {one["status"] for one in (await client.get(f"{endpoint}/deliveries")).json()["data"]}
        assert statuses == {"delivered"}
