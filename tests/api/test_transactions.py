"""One request is one transaction, and it is committed before the answer leaves."""

import asyncio

import pytest

from libs.testkit.clients import ServiceClient


async def things_and_events(client: ServiceClient) -> tuple[int, int]:
    rows = await client.stack.sql(
        "ledger",
        "SELECT (SELECT count(*) FROM things WHERE tenant_id = $1) AS things,"
        " (SELECT count(*) FROM events WHERE tenant_id = $1) AS events",
        client.tenant_id,
    )
    return rows[0]["things"], rows[0]["events"]


@pytest.mark.parametrize(("failure", "status"), [("refuse", 409), ("crash", 500), ("promise", 500)])
async def test_a_failing_handler_leaves_nothing(toy_client, failure: str, status: int) -> None:
    client = await toy_client()
    client.allow(500)
    response = await client.post("/v1/things", json={"name": "bolt", "fail": failure})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text and "promises" not in response.text
    assert await things_and_events(client) == (0, 0)


async def test_the_answer_comes_after_the_commit(toy_client) -> None:
    """`promise` fails when the transaction commits: whoever answers first has said 201 by then."""
    client = await toy_client()
    client.allow(500)
    answers = [await client.post("/v1/things", json={"name": "bolt", "fail": "promise"}) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {500}
    for number in range(30):
        response = await client.post("/v1/things", json={"name": str(number)})
        assert response.status_code == 201
        found = await client.stack.sql(
            "ledger", "SELECT name FROM things WHERE id = $1", response.json()["id"]
        )
        assert [row["name"] for row in found] == [str(number)]


async def test_effect_and_event_stand_together(toy_client) -> None:
    client = await toy_client()
    for number in range(6):
        await client.post("/v1/things", json={"name": "bolt", "fail": "refuse" if number % 2 else None})
    assert await things_and_events(client) == (3, 3)


async def test_a_client_that_goes_away_leaves_all_or_nothing(toy_client) -> None:
    client = await toy_client()
    requests = [
        asyncio.create_task(client.post("/v1/things", json={"name": "bolt", "pause": 0.3})) for _ in range(5)
    ]
    await asyncio.sleep(0.15)
    for request in requests:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    await asyncio.sleep(0.5)
    things, events = await things_and_events(client)
    assert things == events
    assert (await client.post("/v1/things", json={"name": "bolt"})).status_code == 201


async def test_a_deadlock_is_tried_again(toy_client) -> None:
    client = await toy_client()
    one, two = [
        (await client.post("/v1/things", json={"name": name})).json()["id"] for name in ("one", "two")
    ]
    answers = await asyncio.gather(
        client.post(f"/v1/things/{one}/swap/{two}"), client.post(f"/v1/things/{two}/swap/{one}")
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    rows = await client.stack.sql(
        "ledger", "SELECT version FROM things WHERE tenant_id = $1", client.tenant_id
    )
    assert [row["version"] for row in rows] == [3, 3]


async def test_a_reading_request_cannot_write(toy_client, toys) -> None:
    client = await toy_client()
    runtime = toys.runtime("ledger")
    with pytest.raises(Exception, match="read-only transaction"):
        async with runtime.db.transaction(client.caller.tenant, readonly=True) as tx:
            await tx.execute("DELETE FROM things WHERE tenant_id = $1", tx.tenant_id)


async def test_pages_stay_whole_while_rows_come_and_go(toy_client) -> None:
    client = await toy_client()
    for name in "bdfhjln":
        await client.post("/v1/things", json={"name": name})
    seen, cursor = [], None
    while True:
        page = (
            await client.get("/v1/things", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [thing["name"] for thing in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await client.post(
            "/v1/things", json={"name": "a"}
        )  # before what was read: shown nowhere, shifts nothing
    assert seen == list("bdfhjln")
    backwards = (await client.get("/v1/things", params={"sort": "-name", "limit": 3})).json()
    assert [thing["name"] for thing in backwards["data"]] == ["n", "l", "j"]


async def test_of_two_changes_on_one_version_one_is_refused(toy_client) -> None:
    client = await toy_client()
    thing = (await client.post("/v1/things", json={"name": "bolt"})).json()
    headers = {"If-Match": '"v1"'}
    answers = await asyncio.gather(
        *(client.patch(f"/v1/things/{thing['id']}", json={"name": n}, headers=headers) for n in ("x", "y"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    refused = next(answer for answer in answers if answer.status_code == 412)
    assert refused.json()["code"] == "precondition_failed"
    assert refused.json()["current_etag"] == '"v2"'
