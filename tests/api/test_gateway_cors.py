"""Web pages that call the API: those whose origin the tenant has listed, and no other."""

from typing import Any

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant

PAGE = "https://app.example.com"
ELSEWHERE = "https://app.example.com.evil.example"
ALLOWED = "access-control-allow-origin"


async def _list(tenant: TestTenant, *origins: str) -> None:
    answer = await tenant.client.patch("/v1/settings", json={"cors_origins": list(origins)})
    assert answer.status_code == 200, answer.text


def _preflight(tenant: TestTenant, origin: str, path: str = "/v1/customers") -> Any:
    headers = {
        "Origin": origin, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }  # fmt: skip
    client = tenant.client_of(None)
    client.allow(204)
    client.allow(404)
    return client.options(path, headers=headers)


async def test_a_listed_page_may_call_and_read(tenant: TestTenant, make_tenant: MakeTenant) -> None:
    await _list(tenant, PAGE, "http://localhost:3000")
    for origin in (PAGE, "http://localhost:3000"):
        asked = await _preflight(tenant, origin)
        assert (asked.status_code, asked.headers[ALLOWED]) == (204, origin)
        assert "POST" in asked.headers["access-control-allow-methods"]
        allowed = asked.headers["access-control-allow-headers"].lower()
        assert all(
            name in allowed for name in ("authorization", "content-type", "idempotency-key", "if-match")
        )
        assert "access-control-allow-credentials" not in asked.headers
        assert "origin" in asked.headers["vary"].lower()

    headers = {"Origin": PAGE}
    for path in ("/v1/me", "/v1/customers"):  # the gateway's own, and one behind it
        read = await tenant.client.get(path, headers=headers)
        assert (read.status_code, read.headers[ALLOWED]) == (200, PAGE)
        assert (
            "origin" in read.headers["vary"].lower()
            and "ETag" in read.headers["access-control-expose-headers"]
        )
    refused = await tenant.client.post("/v1/customers", json={"colour": "red"}, headers=headers)
    assert (refused.status_code, refused.headers[ALLOWED]) == (422, PAGE), (
        "a page can read why it was refused"
    )
    unknown = await tenant.client_of(None).get("/v1/me", headers=headers)
    assert (unknown.status_code, unknown.headers[ALLOWED]) == (401, PAGE)
    assert ALLOWED not in (await tenant.client.get("/v1/me")).headers, "not a page"

    # Another tenant has not listed it: its key works, and the page reads nothing.
    other = await make_tenant()
    foreign = await other.client.get("/v1/me", headers=headers)
    assert foreign.status_code == 200 and ALLOWED not in foreign.headers
    await _list(tenant)
    gone = await tenant.client.get("/v1/me", headers=headers)
    assert ALLOWED not in gone.headers and ALLOWED not in (await _preflight(tenant, PAGE)).headers


async def test_no_origin_is_reflected_that_is_not_listed(tenant: TestTenant) -> None:
    await _list(tenant, PAGE)
    for origin in (
        ELSEWHERE,
        "null",
        "*",
        "http://app.example.com",
        f"{PAGE}:8443",
        "https://APP.example.com",
        "",
    ):
        asked = await _preflight(tenant, origin)
        assert ALLOWED not in asked.headers, origin
        read = await tenant.client.get("/v1/me", headers={"Origin": origin})
        assert read.status_code == 200 and ALLOWED not in read.headers, origin
    missing = await _preflight(tenant, PAGE, "/v1/nothing-here")
    assert missing.status_code == 404
    for bad in (
        "*",
        "null",
        "https://app.example.com/",
        "https://App.example.com",
        "app.example.com",
        "file://x",
        "https://*.example.com",
    ):
        answer = await tenant.client.patch("/v1/settings", json={"cors_origins": [bad]})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/cors_origins/0"), bad
