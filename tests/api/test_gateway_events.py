"""The public stream and the audit log, through the gateway."""

import asyncio
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from libs.contracts.ids import new_id
from libs.kit.openapi.event_schemas import event_schema
from libs.kit.service import Incoming
from libs.kit.tenants import Tenant
from libs.testkit.clients import CheckedClient
from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant
from services.gateway.storage import public_events

CUSTOMER = {"external_id": "C-1", "name": "Aciéries du Rhône", "company": {"country": "FR"}}


async def _all(
    client: CheckedClient, after: str | None = None, **query: Any
) -> tuple[list[dict[str, Any]], str]:
    found: list[dict[str, Any]] = []
    while True:
        params = {**query, "limit": 3} | ({"after": after} if after else {})
        response = await client.get("/v1/events", params=params)
        assert response.status_code == 200, response.text
        page = response.json()
        found += page["data"]
        after = page["next_cursor"]
        if not page["has_more"]:
            return found, after


async def _item(tenant: TestTenant, number: str = "F-1") -> dict[str, Any]:
    body = {
        "customer_external_id": "C-1", "kind": "invoice", "external_id": number, "number": number,
        "issue_date": "2026-01-05", "due_date": "2026-02-05", "currency": "JPY", "amount": "1500",
    }  # fmt: skip
    response = await tenant.client.post("/v1/items", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def test_what_happens_in_any_service_is_told_once_and_in_order(tenant: TestTenant) -> None:
    customer = (await tenant.client.post("/v1/customers", json=CUSTOMER)).json()
    item = await _item(tenant)
    await tenant.settle()

    events, cursor = await _all(tenant.client)
    assert len({event["id"] for event in events}) == len(events)
    told = {(event["type"], event["subject"]["id"]) for event in events}
    assert {
        ("tenant.changed", str(tenant.id)),
        ("customer.changed", customer["id"]),
        ("item.changed", item["id"]),
        ("balance.changed", customer["id"]),
    } <= told
    for event in events:
        jsonschema.validate(event, event_schema(event["type"]))
    invoice = next(event for event in events if event["subject"] == {"type": "item", "id": item["id"]})
    assert (invoice["data"]["amount"], invoice["data"]["currency"]) == ("1500", "JPY")

    assert await _all(tenant.client, cursor) == ([], cursor), "nothing new"
    await tenant.client.post("/v1/business-units", json={"code": "lille", "name": "Lille"})
    await tenant.settle()
    later, _ = await _all(tenant.client, cursor)
    assert [event["type"] for event in later] == ["business_unit.changed"]
    only, _ = await _all(tenant.client, types="item.changed,customer.changed")
    assert {event["type"] for event in only} == {"item.changed", "customer.changed"}


async def test_a_reader_sees_the_types_of_its_scopes(tenant: TestTenant) -> None:
    await tenant.client.post("/v1/customers", json=CUSTOMER)
    await tenant.settle()

    async def key(*scopes: str, user_id: str | None = None) -> CheckedClient:
        body = {"name": "reader", "scopes": list(scopes), "user_id": user_id}
        return tenant.client_of((await tenant.client.post("/v1/api-keys", json=body)).json()["key"])

    ledger = await key("ledger:read")
    events, _ = await _all(ledger)
    assert events and all(
        event["type"].split(".")[0] in {"customer", "company", "balance"} for event in events
    )
    refused = await ledger.get("/v1/events", params={"types": "user.changed"})
    assert (refused.status_code, refused.json()["required_scope"]) == (403, "admin")
    assert (await (await key("guarantees:admin")).get("/v1/events")).status_code == 403
    assert (await ledger.get("/v1/audit-log")).status_code == 403

    unit = (await tenant.client.get("/v1/business-units")).json()["data"][0]["id"]
    person = {"name": "P", "email": "p@example.com", "roles": ["admin"], "perimeter": [unit]}
    user = (await tenant.client.post("/v1/users", json=person)).json()["id"]
    limited = await key("admin", user_id=user)
    for path in ("/v1/events", "/v1/audit-log"):
        response = await limited.get(path)
        assert (response.status_code, response.json()["code"]) == (403, "perimeter_limited")


@pytest.mark.parametrize("after", ["nonsense", "ZTE6OTk5OTk5", "ZTE6LTE"])
async def test_cursors_of_another_making_are_refused(tenant: TestTenant, after: str) -> None:
    response = await tenant.client.get("/v1/events", params={"after": after})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "cursor_invalid")


async def test_types_nobody_knows_are_refused_and_the_known_ones_are_listed(tenant: TestTenant) -> None:
    refused = await tenant.client.get("/v1/events", params={"types": "customer.changed,customer.vanished"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "event_type_unknown")
    types = (await tenant.client.get("/v1/event-types")).json()["data"]
    assert {"type", "description", "required_scope"} == set(types[0])
    assert {"item.changed", "limit.changed"} <= {one["type"] for one in types}


async def test_writers_at_the_same_time_leave_no_gap_and_nothing_twice(
    stack: Stack, tenant: TestTenant
) -> None:
    await tenant.settle()
    runtime = stack.runtime("gateway")
    before = (await stack.sql("gateway", "SELECT head FROM public_heads WHERE tenant_id = $1", tenant.id))[0][
        "head"
    ]
    facts = [Incoming(new_id(), 1, {"n": n}, "2026-01-05T08:00:00Z", new_id()) for n in range(60)]

    async def append(part: list[Incoming]) -> None:
        async with runtime.db.transaction(Tenant(tenant.id)) as tx:
            await public_events.append(tx, "rate.changed", part)

    # Each fact is told by two writers, as when a feed is taken up anew while it is read.
    await asyncio.gather(*[append(facts[n : n + 20]) for n in (0, 10, 20, 30, 40, 0, 20, 40)])
    rows = await stack.sql(
        "gateway",
        "SELECT position FROM public_events WHERE tenant_id = $1 AND position > $2 ORDER BY position",
        tenant.id, before,
    )  # fmt: skip
    assert [row["position"] for row in rows] == list(range(before + 1, before + 61))


async def test_a_cursor_older_than_what_is_kept_says_so(stack: Stack, tenant: TestTenant) -> None:
    await tenant.client.post("/v1/customers", json=CUSTOMER)
    await tenant.settle()
    first = (await tenant.client.get("/v1/events", params={"limit": 1})).json()["next_cursor"]
    await stack.sql("gateway", "DELETE FROM public_events WHERE tenant_id = $1 AND position <= 2", tenant.id)
    response = await tenant.client.get("/v1/events", params={"after": first})
    assert (response.status_code, response.json()["code"]) == (422, "cursor_expired")
    assert (await tenant.client.get("/v1/events")).status_code == 200


async def test_every_change_is_in_the_audit_log(tenant: TestTenant) -> None:
    customer = (await tenant.client.post("/v1/customers", json=CUSTOMER)).json()
    request_id = "audit-trail-0001"
    changed = await tenant.client.patch(
        f"/v1/customers/{customer['id']}", json={"segment": "key"}, headers={"X-Request-Id": request_id}
    )
    assert changed.status_code == 200, changed.text
    await tenant.settle()

    async def read(**query: str) -> list[dict[str, Any]]:
        response = await tenant.client.get("/v1/audit-log", params=query)
        assert response.status_code == 200, response.text
        data: list[dict[str, Any]] = response.json()["data"]
        return data

    entries = await read(object_type="customer", object_id=customer["id"])
    newest = entries[0]
    me = (await tenant.client.get("/v1/me")).json()
    assert newest["after"] == {"segment": "key"} and newest["before"] == {"segment": None}
    assert (newest["service"], newest["key_id"], newest["request_id"]) == (
        "ledger",
        me["key_id"],
        changed.headers["x-request-id"],
    )
    assert [entry["service"] for entry in await read(action="tenant.created")] == ["gateway"]
    assert await read(user_id=str(UUID(int=1))) == []
    assert await read(until=newest["recorded_at"], object_id=customer["id"]) == entries[1:]
    assert (await read(since=newest["recorded_at"], key_id=me["key_id"], service="ledger"))[-1] == newest
