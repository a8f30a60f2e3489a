"""Outgoing webhooks through the gateway: one message an (endpoint, event), signed, tried again, given up, fetched back."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from standardwebhooks import Webhook

from libs.kit.openapi.event_schemas import event_schema
from libs.testkit.clients import CheckedClient
from libs.testkit.plugin import MakeTenant
from libs.testkit.receiver import Receiver, receiving
from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant


async def _endpoint(tenant: TestTenant, receiver: Receiver, *types: str, **members: Any) -> dict[str, Any]:
    body = {"url": receiver.url, "types": list(types), **members}
    made = await tenant.client.post("/v1/webhook-endpoints", json=body)
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    return shown


async def _customers(tenant: TestTenant, *names: str) -> list[str]:
    ids = []
    for name in names:
        made = await tenant.client.post("/v1/customers", json={"external_id": name, "name": name})
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    return ids


async def _deliveries(client: CheckedClient, endpoint: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {**query, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await client.get(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries", params=params)
        assert page.status_code == 200, page.text
        found += page.json()["data"]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            return found


async def _until(stack: Stack, endpoint: dict[str, Any], **states: int) -> None:
    """Wait until an endpoint's deliveries stand so."""
    for _ in range(500):
        rows = await stack.sql(
            "gateway",
            "SELECT state, count(*) AS n FROM webhook_deliveries WHERE endpoint_id = $1 GROUP BY state",
            endpoint["id"],
        )
        if {row["state"]: row["n"] for row in rows} == states:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{rows} is not {states}")


async def _due_now(stack: Stack, endpoint: dict[str, Any]) -> None:
    """Let the time to the next attempt pass."""
    await stack.sql(
        "gateway",
        "UPDATE webhook_deliveries SET next_at = now() - interval '1 second' WHERE endpoint_id = $1 AND state = 'waiting'",
        endpoint["id"],
    )
    await stack.sql(
        "gateway", "UPDATE webhook_endpoints SET paused_until = NULL WHERE id = $1", endpoint["id"]
    )


async def test_each_event_is_posted_once_signed_and_as_the_stream_tells_it(
    tenant: TestTenant, stack: Stack
) -> None:
    async with receiving() as some, receiving() as all_of_it:
        token = {"Authorization": "Bearer of-the-receiver"}
        endpoint = await _endpoint(tenant, some, "customer.changed", headers=token, description="ERP")
        everything = await _endpoint(tenant, all_of_it)
        first, second = await _customers(tenant, "C-1", "C-2")
        await tenant.settle()  # two changes read at once would be told as the later state alone
        await tenant.client.patch(f"/v1/customers/{first}", json={"segment": "key"})
        await tenant.settle()
        await _until(stack, endpoint, delivered=3)

        for one in await some.wait_for(3):
            assert Webhook(endpoint["secret"]).verify(one.body, one.headers) == one.event
            jsonschema.validate(one.event, event_schema("customer.changed"))
            assert one.headers["authorization"] == token["Authorization"]
            assert one.headers["webhook-id"] == one.event["id"]
            assert one.headers["content-type"] == "application/json"
        told = (await tenant.client.get("/v1/events", params={"types": "customer.changed"})).json()["data"]
        by_subject = {
            subject: [event for event in told if event["subject"]["id"] == subject]
            for subject in (first, second)
        }
        for subject, events in by_subject.items():
            assert [e for e in some.events("customer.changed") if e["subject"]["id"] == subject] == events
        kinds = {one.event["type"] for one in all_of_it.received}
        assert {"customer.changed", "company.changed"} < kinds and "audit.recorded" not in kinds

        shown = await _deliveries(tenant.client, endpoint)
        assert {(one["status"], one["attempts"], one["response_status"]) for one in shown} == {
            ("delivered", 1, 200)
        }
        assert {one["event_id"] for one in shown} == {event["id"] for event in told}
        in_full = await tenant.client.get(
            f"/v1/webhook-endpoints/{endpoint['id']}/deliveries/{shown[0]['id']}"
        )
        assert [entry["response_excerpt"] for entry in in_full.json()["log"]] == ["ok"]
        assert await _deliveries(tenant.client, endpoint, status="failed") == []
        read = (await tenant.client.get(f"/v1/webhook-endpoints/{endpoint['id']}")).text
        assert "secret" not in read.replace("old_secret_until", "") and "of-the-receiver" not in read
        sealed = await stack.sql(
            "gateway",
            "SELECT to_json(e)::text AS row FROM webhook_endpoints e WHERE tenant_id = $1",
            tenant.id,
        )
        assert not any(
            endpoint["secret"][6:] in row["row"] or "of-the-receiver" in row["row"] for row in sealed
        )
        # The feed taken up anew, as after a crash between reading and writing the cursor, makes no second message.
        await stack.sql("gateway", "UPDATE feed_cursors SET position = 0 WHERE tenant_id = $1", tenant.id)
        await tenant.settle()
        await _until(stack, endpoint, delivered=3)
        assert len(some.received) == 3
        assert (await tenant.client.delete(f"/v1/webhook-endpoints/{everything['id']}")).status_code == 204
        assert (await tenant.client.get(f"/v1/webhook-endpoints/{everything['id']}")).status_code == 404
        listed = (await tenant.client.get("/v1/webhook-endpoints")).json()["data"]
        assert [one["id"] for one in listed] == [endpoint["id"]]


async def test_a_message_not_taken_is_tried_again_and_given_up_in_the_end(
    tenant: TestTenant, stack: Stack
) -> None:
    async with receiving() as receiver:
        endpoint = await _endpoint(tenant, receiver, "customer.changed")
        receiver.answer = lambda _: 500
        await _customers(tenant, "C-1")
        await tenant.settle()
        await receiver.wait_for(1)
        await _until(stack, endpoint, waiting=1)
        (waiting,) = await _deliveries(tenant.client, endpoint)
        assert (waiting["attempts"], waiting["response_status"]) == (1, 500)
        wait = datetime.fromisoformat(waiting["next_attempt_at"]) - datetime.now(UTC)
        assert 0 < wait.total_seconds() <= 6

        receiver.answer = lambda _: None
        await _due_now(stack, endpoint)
        await receiver.wait_for(2)
        receiver.answer = lambda _: (302, {"location": "http://127.0.0.1:1/"})
        await stack.sql(
            "gateway", "UPDATE webhook_deliveries SET attempts = 9 WHERE endpoint_id = $1", endpoint["id"]
        )
        await _due_now(stack, endpoint)
        await _until(stack, endpoint, failed=1)
        path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries/{waiting['id']}"
        failed = (await tenant.client.get(path)).json()
        assert (failed["status"], failed["next_attempt_at"], failed["attempts"]) == ("failed", None, 10)
        entries = [(entry["response_status"], entry["error"]) for entry in failed["log"]]
        assert entries == [(500, None), (None, "protocol_error"), (302, None)]
        ids = {one.headers["webhook-id"] for one in receiver.received}
        bodies = {one.body for one in receiver.received}
        assert len(ids) == len(bodies) == 1, "the same message each time"
        health = (await tenant.client.get(f"/v1/webhook-endpoints/{endpoint['id']}")).json()
        assert health["failing_since"] is not None and health["enabled"]

        receiver.answer = lambda _: 204
        replay = await tenant.client.post(
            f"/v1/webhook-endpoints/{endpoint['id']}/replay", json={"delivery_id": waiting["id"]}
        )
        assert replay.json() == {"deliveries": 1}
        await _until(stack, endpoint, delivered=1)
        health = (await tenant.client.get(f"/v1/webhook-endpoints/{endpoint['id']}")).json()
        assert health["failing_since"] is None


@pytest.mark.parametrize("reason", ["gone", "failing"])
async def test_an_endpoint_that_wants_nothing_is_switched_off_and_it_is_said(
    tenant: TestTenant, stack: Stack, reason: str
) -> None:
    async with receiving() as receiver, receiving() as other:
        endpoint = await _endpoint(tenant, receiver, "customer.changed")
        await _endpoint(tenant, other, "webhook_endpoint.changed")
        receiver.answer = lambda _: 410 if reason == "gone" else 500
        if reason == "failing":
            await stack.sql(
                "gateway",
                "UPDATE webhook_endpoints SET failing_since = now() - interval '6 days', failures = 1 WHERE id = $1",
                endpoint["id"],
            )
        await _customers(tenant, "C-1")
        await tenant.settle()
        await _until(stack, endpoint, failed=1)
        await tenant.settle()
        shown = (await tenant.client.get(f"/v1/webhook-endpoints/{endpoint['id']}")).json()
        assert (shown["enabled"], shown["disabled_reason"]) == (False, reason)
        for _ in range(200):
            off = [e for e in other.events("webhook_endpoint.changed") if not e["data"]["enabled"]]
            if off:
                break
            await asyncio.sleep(0.02)
        assert (off[0]["subject"]["id"], off[0]["data"]["disabled_reason"]) == (endpoint["id"], reason)
        log = await tenant.client.get("/v1/audit-log", params={"action": "webhook_endpoint.disabled"})
        assert [(one["actor"], one["after"]["disabled_reason"]) for one in log.json()["data"]] == [
            ("system", reason)
        ]

        await _customers(tenant, "C-2")
        await tenant.settle()
        assert len(await _deliveries(tenant.client, endpoint)) == 1, "nothing more is made for it"
        path = f"/v1/webhook-endpoints/{endpoint['id']}"
        refused = await tenant.client.post(f"{path}/replay", json={"since": "2020-01-01T00:00:00Z"})
        assert (refused.status_code, refused.json()["code"]) == (409, "invalid_state")
        receiver.answer = lambda _: 200
        on = await tenant.client.patch(path, json={"enabled": True}, headers={"If-Match": '"v2"'})
        assert (on.status_code, on.json()["disabled_reason"], on.json()["failing_since"]) == (200, None, None)
        again = await tenant.client.post(f"{path}/replay", json={"since": "2020-01-01T00:00:00Z"})
        assert again.json() == {"deliveries": 2}
        await _until(stack, endpoint, delivered=2)
        told = (await tenant.client.get("/v1/events", params={"types": "customer.changed"})).json()["data"]
        after = await tenant.client.post(f"{path}/replay", json={"after_event_id": told[0]["id"]})
        assert after.json() == {"deliveries": 1}
        await _until(stack, endpoint, delivered=2)
        assert receiver.events("customer.changed")[-1] == told[1]


async def test_a_secret_is_changed_without_losing_a_message(tenant: TestTenant, stack: Stack) -> None:
    async with receiving() as receiver:
        endpoint = await _endpoint(tenant, receiver, "customer.changed", enabled=False)
        path = f"/v1/webhook-endpoints/{endpoint['id']}"

        async def ping(*secrets: str) -> None:
            receiver.received.clear()
            sent = await tenant.client.post(f"{path}/ping")
            assert sent.status_code == 200, sent.text
            (got,) = await receiver.wait_for(1)
            jsonschema.validate(got.event, event_schema("webhook_endpoint.pinged"))
            assert len(got.headers["webhook-signature"].split()) == len(secrets)
            for secret in secrets:
                assert Webhook(secret).verify(got.body, got.headers)["type"] == "webhook_endpoint.pinged"

        await ping(endpoint["secret"])
        headers = {"Idempotency-Key": "rotate-1"}
        rotated = await tenant.client.post(f"{path}/rotate-secret", json={}, headers=headers)
        assert rotated.status_code == 200, rotated.text
        new = rotated.json()["secret"]
        await ping(new, endpoint["secret"])
        replayed = await tenant.client.post(f"{path}/rotate-secret", json={}, headers=headers)
        assert replayed.headers["idempotency-replayed"] == "true" and "secret" not in replayed.json()
        newer = await tenant.client.post(f"{path}/rotate-secret", json={"old_secret_valid_hours": 0})
        await ping(newer.json()["secret"])
        receiver.answer = lambda _: 500
        await tenant.client.post(f"{path}/ping")
        await _until(stack, endpoint, delivered=3, failed=1)


async def test_what_cannot_be_called_is_refused_when_it_is_entered(tenant: TestTenant) -> None:
    refused = {
        "ftp://example.com/": "url_invalid",
        "example.com": "url_invalid",
        "https://user:word@example.com/": "url_holds_credentials",
        "https://169.254.169.254/latest": "address_not_allowed",
        "https://[::ffff:10.0.0.1]/": "address_not_allowed",
        "http://10.0.0.1/": "address_not_allowed",
    }
    for url, code in refused.items():
        answer = await tenant.client.post("/v1/webhook-endpoints", json={"url": url})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code), url
    bad = (
        {"types": ["item.vanished"]},
        {"headers": {"Host": "x"}},
        {"headers": {"X": "a\r\nb"}},
        {"colour": "red"},
    )
    for members in bad:
        answer = await tenant.client.post(
            "/v1/webhook-endpoints", json={"url": "https://example.com/", **members}
        )
        assert answer.status_code == 422, members
    silent = {"url": "https://example.com/?t=secret", "enabled": False}  # nothing is to be sent there
    made = (await tenant.client.post("/v1/webhook-endpoints", json=silent)).json()
    path = f"/v1/webhook-endpoints/{made['id']}"
    for body in (
        {},
        {"since": "2026-01-01T00:00:00Z", "delivery_id": made["id"]},
        {"since": "2026-01-01T00:00:00"},
    ):
        assert (await tenant.client.post(f"{path}/replay", json=body)).status_code == 422
    # One that is switched off is not sent anything again.
    assert (await tenant.client.post(f"{path}/replay", json={"delivery_id": made["id"]})).status_code == 409
    assert (await tenant.client.patch(path, json={"url": None})).status_code == 422
    stale = await tenant.client.patch(path, json={"description": "x"}, headers={"If-Match": '"v9"'})
    assert stale.status_code == 412
    await tenant.settle()
    log = await tenant.client.get("/v1/audit-log", params={"object_id": made["id"]})
    assert "t=secret" not in log.text and log.json()["data"][0]["after"]["url"] == "https://example.com/"
    for number in range(19):
        other = {**silent, "url": f"https://example.com/{number}"}
        await tenant.client.post("/v1/webhook-endpoints", json=other)
    full = await tenant.client.post("/v1/webhook-endpoints", json={"url": "https://example.com/more"})
    assert (full.status_code, full.json()["code"]) == (409, "too_many_endpoints")


async def test_endpoints_belong_to_their_tenant_and_to_those_who_see_all_of_it(
    tenant: TestTenant, make_tenant: MakeTenant
) -> None:
    async with receiving() as receiver:
        endpoint = await _endpoint(tenant, receiver)
        path = f"/v1/webhook-endpoints/{endpoint['id']}"
        stranger = await make_tenant()
        await _customers(stranger, "C-9")
        await stranger.settle()
        calls = (("GET", path), ("DELETE", path), ("POST", f"{path}/ping"), ("GET", f"{path}/deliveries"))
        for method, where in calls:
            assert (await stranger.client.request(method, where)).status_code == 404
        unit = (await tenant.client.get("/v1/business-units")).json()["data"][0]["id"]
        person = {"name": "P", "email": "p@example.com", "roles": ["admin"], "perimeter": [unit]}
        user = (await tenant.client.post("/v1/users", json=person)).json()["id"]
        for scopes, user_id, code in (
            (["admin"], user, "perimeter_limited"),
            (["ledger:write"], None, "scope_missing"),
        ):
            body = {"name": "k", "scopes": scopes, "user_id": user_id}
            other = tenant.client_of((await tenant.client.post("/v1/api-keys", json=body)).json()["key"])
            for method, where in (*calls, ("GET", "/v1/webhook-endpoints")):
                answer = await other.request(method, where)
                assert (answer.status_code, answer.json()["code"]) == (403, code)
        await tenant.settle()
        assert "C-9" not in str([one.event for one in receiver.received])
