"""Sandbox tenants: made once, however often the request is sent."""

import asyncio

from libs.testkit.stack import BOOTSTRAP_KEY
from libs.testkit.tenant import TestTenant


async def test_a_repeated_request_makes_one_tenant_and_shows_its_key_once(tenant: TestTenant) -> None:
    for caller in (tenant.client, tenant.client_of(BOOTSTRAP_KEY)):
        caller.allow(201, "/v1/sandbox/tenants")  # a replay leaves the key out, which the schema requires
        headers = {"idempotency-key": f"try-{tenant.id}"}
        body = {"name": "Trying things out"}
        first = await caller.post("/v1/sandbox/tenants", json=body, headers=headers)
        assert first.status_code == 201 and first.json()["api_key"].startswith("enc_")
        again = await caller.post("/v1/sandbox/tenants", json=body, headers=headers)
        assert (again.status_code, again.json()) == (201, {"tenant_id": first.json()["tenant_id"]})
        assert again.headers["idempotency-replayed"] == "true"
        other = await caller.post("/v1/sandbox/tenants", json={"name": "Another"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    fresh = {"idempotency-key": f"race-{tenant.id}"}
    answers = await asyncio.gather(
        *[tenant.client.post("/v1/sandbox/tenants", json={"name": "R"}, headers=fresh) for _ in range(3)]
    )
    made = {answer.json()["tenant_id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1, [answer.status_code for answer in answers]
