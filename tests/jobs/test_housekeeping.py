"""What is kept for a time goes when its time is over, and nothing else does."""

from libs.kit import housekeeping
from libs.testkit.toys import THING


async def test_events_go_after_thirty_days_and_stored_answers_after_seven(toy_client, toys) -> None:
    client, other = await toy_client(), await toy_client()
    for one in (client, other):
        for number in range(3):
            await one.post("/v1/things", json={"name": "bolt"}, headers={"Idempotency-Key": f"push {number}"})
        await toys.call("ledger", "GET", f"/internal/feed?tenant_id={one.tenant_id}")  # gives positions
    await client.post("/v1/things", json={"name": "not yet told"})
    age = (
        "UPDATE events SET recorded_at = now() - CASE position WHEN 1 THEN interval '31 days' WHEN 2 THEN interval '29 days'"
        " WHEN 3 THEN interval '0' ELSE interval '31 days' END WHERE tenant_id = $1"
    )
    await toys.sql("ledger", age, client.tenant_id)
    keys = "UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE tenant_id = $1 AND key = 'push 0'"
    await toys.sql("ledger", keys, client.tenant_id)

    await housekeeping.sweep(toys.runtime("ledger"))

    left = "SELECT position FROM events WHERE tenant_id = $1 AND type = $2 ORDER BY position"
    assert [row["position"] for row in await toys.sql("ledger", left, client.tenant_id, THING)] == [
        2,
        3,
        None,
    ]
    assert [row["position"] for row in await toys.sql("ledger", left, other.tenant_id, THING)] == [1, 2, 3]
    answers = "SELECT key FROM idempotency_keys WHERE tenant_id = $1 ORDER BY key"
    assert [row["key"] for row in await toys.sql("ledger", answers, client.tenant_id)] == ["push 1", "push 2"]
    assert len(await toys.sql("ledger", answers, other.tenant_id)) == 3
    feed = (await toys.call("ledger", "GET", f"/internal/feed?tenant_id={client.tenant_id}")).json()
    assert (feed["oldest"], feed["head"]) == (2, 4)
