"""What the public port shows to nobody, or not to everybody."""

from ipaddress import ip_network

import httpx
import pytest

from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant
from services.gateway.proxy.limits import Policy, RateLimiter


@pytest.mark.parametrize(
    "path",
    ["/internal/feed/heads", "/internal/tenants/{tenant}", "/internal/nothing", "/%69nternal/feed/heads"],
)
async def test_internal_paths_are_not_there_for_the_public(
    stack: Stack, tenant: TestTenant, path: str
) -> None:
    url = stack.url("gateway") + path.format(tenant=tenant.id)
    service = stack.keys("ledger").sign_service("gateway")
    wrongly_addressed = stack.keys("ledger").sign_service("risk")
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        for token in (None, tenant.api_key, "nonsense", wrongly_addressed):
            headers = {"authorization": f"Bearer {token}"} if token else {}
            answer = await client.get(url, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), token
            assert answer.headers["x-request-id"]
        if "nothing" not in path:
            answer = await client.get(url, headers={"authorization": f"Bearer {service}"})
            assert answer.status_code == 200


async def test_metrics_are_for_the_networks_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = stack.apps["gateway"]
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=stack.url("gateway")) as client:
        shown = await client.get("/metrics")
        assert shown.status_code == 200 and "encours_requests_total" in shown.text
        monkeypatch.setattr(gateway, "_metrics_networks", [ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
        hidden = await client.get("/metrics")
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
        assert (await client.get("/health/ready")).status_code == 200


async def test_guessing_client_secrets_ends_soon(
    stack: Stack, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = stack.apps["gateway"].state.login_failures
    monkeypatch.setattr(failures, "_limiter", RateLimiter())
    monkeypatch.setattr(failures, "_policy", Policy("log-in", 3, 60))
    made = (await tenant.client.post("/v1/api-keys", json={"name": "k", "scopes": ["ledger:read"]})).json()
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["key"]}
    nobody = tenant.client_of(None)
    assert (await nobody.post("/v1/auth/token", data=form)).status_code == 200
    wrong = {**form, "client_secret": made["key"][:-4] + "0000"}
    statuses = [(await nobody.post("/v1/auth/token", data=wrong)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    refused = await nobody.post("/v1/auth/token", data=form)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_failures")


async def test_more_headers_than_anybody_needs_are_refused(tenant: TestTenant) -> None:
    client = tenant.client
    client.allow(431)
    for headers in ({f"x-{number}": "1" for number in range(120)}, {"x-long": "a" * 40_000}):
        for path in ("/v1/me", "/v1/customers"):
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")
