"""`Idempotency-Key`: the answer is stored with the effect, or not at all."""

import asyncio
from uuid import uuid4

from libs.testkit.clients import ServiceClient


async def count(client: ServiceClient) -> int:
    rows = await client.stack.sql(
        "ledger", "SELECT count(*) FROM things WHERE tenant_id = $1", client.tenant_id
    )
    return int(rows[0]["count"])


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": f"push {uuid4()}"}


async def test_fifty_equal_posts_at_once_have_one_effect(toy_client) -> None:
    client, headers = await toy_client(), keyed()
    body = {"name": "bolt", "pause": 0.05}
    answers = await asyncio.gather(
        *(client.post("/v1/things", json=body, headers=headers) for _ in range(50))
    )
    assert await count(client) == 1
    made = [answer for answer in answers if answer.status_code == 201]
    assert made and len({answer.content for answer in made}) == 1
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert {(a.status_code, a.json()["code"], a.headers["retry-after"]) for a in waiting} <= {
        (409, "idempotency_in_progress", "1")
    }
    assert len([a for a in made if "idempotency-replayed" not in a.headers]) == 1


async def test_a_replay_is_the_same_answer_and_says_so(toy_client) -> None:
    client, headers = await toy_client(), keyed()
    first = await client.post("/v1/things", json={"name": "bolt"}, headers=headers)
    again = await client.post("/v1/things", json={"name": "bolt"}, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert "idempotency-replayed" not in first.headers


async def test_a_key_names_one_request_only(toy_client) -> None:
    client, headers = await toy_client(), keyed()
    await client.post("/v1/things", json={"name": "bolt"}, headers=headers)
    for other in (
        client.post("/v1/things", json={"name": "nut"}, headers=headers),
        client.post(
            "/v1/things",
            content=b'{"name":  "bolt"}',
            headers={**headers, "content-type": "application/json"},
        ),
        client.post("/v1/secrets", headers=headers),
    ):
        response = await other
        assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
    assert await count(client) == 1


async def test_a_refused_request_may_be_sent_again(toy_client) -> None:
    client, headers = await toy_client(), keyed()
    client.allow(500)
    for failure, status in (("refuse", 409), ("crash", 500), ("promise", 500)):
        response = await client.post("/v1/things", json={"name": "bolt", "fail": failure}, headers=headers)
        assert response.status_code == status
        assert "idempotency-replayed" not in response.headers
    assert (await client.post("/v1/things", json={}, headers=headers)).status_code == 422
    assert (await client.post("/v1/things", json={"name": "bolt"}, headers=headers)).status_code == 201
    assert await count(client) == 1


async def test_keys_of_two_tenants_do_not_meet(toy_client) -> None:
    clients, headers = [await toy_client(), await toy_client()], keyed()
    body = {"name": "bolt", "pause": 0.3}
    answers = await asyncio.gather(*(one.post("/v1/things", json=body, headers=headers) for one in clients))
    assert [answer.status_code for answer in answers] == [201, 201]
    for client in clients:
        again = await client.post("/v1/things", json=body, headers=headers)
        assert again.headers["idempotency-replayed"] == "true"
        assert await count(client) == 1


async def test_a_secret_is_shown_once(toy_client) -> None:
    client, headers = await toy_client(), keyed()
    client.allow(201, "/v1/secrets")
    first = (await client.post("/v1/secrets", headers=headers)).json()
    again = (await client.post("/v1/secrets", headers=headers)).json()
    assert first["secret"] == "s3cret"
    assert again == {"id": first["id"]}
    stored = await client.stack.sql(
        "ledger", "SELECT body FROM idempotency_keys WHERE tenant_id = $1", client.tenant_id
    )
    assert b"s3cret" not in stored[0]["body"]


async def test_a_key_is_forgotten_after_a_week(toy_client) -> None:
    client, headers = await toy_client(), keyed()
    await client.post("/v1/things", json={"name": "bolt"}, headers=headers)
    for age, things in (("6 days", 1), ("8 days", 2)):
        await client.stack.sql(
            "ledger",
            f"UPDATE idempotency_keys SET created_at = now() - interval '{age}' WHERE tenant_id = $1",
            client.tenant_id,
        )
        assert (await client.post("/v1/things", json={"name": "bolt"}, headers=headers)).status_code == 201
        assert await count(client) == things


async def test_keys_that_are_none(toy_client) -> None:
    client = await toy_client()
    for key in ("", "x" * 256, "tab\there", "Ünlaut".encode("latin-1")):
        response = await client.post("/v1/things", json={"name": "bolt"}, headers={"Idempotency-Key": key})
        assert (response.status_code, response.json()["errors"][0]["code"]) == (
            422,
            "idempotency_key_invalid",
        ), key
    assert await count(client) == 0
