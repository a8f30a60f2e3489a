"""A limit that was approved on the strength of an insurer's cover stands and falls with it."""

from datetime import date

from libs.contracts.ids import new_id
from libs.testkit.plugin import MakeClient
from tests.api.credit_steps import ask, limit, policy
from tests.api.credit_steps import level as level_of
from tests.api.test_policy_year import desk
from tests.stories.credit_desk import make, rows


async def test_a_cover_that_falls_leaves_the_limit_not_validated_until_it_is_back(
    service_client: MakeClient,
) -> None:
    client, _, company, _ = await desk(service_client, "2026-03-02")
    await policy(client, levels=[level_of("manager", "1000.00", new_id())], default_validity_days=None)
    asked = (await ask(client, company, "100000.00")).json()
    assert (asked["state"], asked["unsecured_amount"]) == ("approved", "0.00")
    (cover,) = await rows(client, f"/v1/companies/{company}/guarantees")
    decisions = f"/v1/guarantees/{cover['id']}/decisions"

    # Less cover, and still enough for the limit.
    await client.live_until(date(2026, 3, 3))
    await make(client, decisions, status="reduced", granted_amount="100000.00")
    assert (await limit(client, company))["state"] == "approved"

    await client.live_until(date(2026, 3, 4))
    await make(client, decisions, status="reduced", granted_amount="99999.99")
    fallen = await limit(client, company)
    assert (fallen["state"], fallen["amount"]) == ("not_validated", "100000.00")
    (action,) = await rows(client, "/v1/risk-agenda")
    assert (action["kind"], action["company"]["id"]) == ("revalidate_limit", str(company))

    await client.live_until(date(2026, 3, 5))
    await make(client, decisions, status="reissued", granted_amount="120000.00")
    assert (await limit(client, company))["state"] == "approved"

    # A withdrawal announced for later: the limit falls on that day, not before.
    await client.live_until(date(2026, 3, 6))
    await make(client, decisions, status="withdrawal_announced", withdrawal_date="2026-03-09")
    states = []
    for day in (8, 9):
        await client.live_until(date(2026, 3, day))
        states.append((await limit(client, company))["state"])
    assert states == ["approved", "not_validated"]
