"""Client credentials: a key for a short token."""

import base64

import httpx
import pytest

from libs.kit import clock
from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant
from services.gateway import access_tokens
from services.gateway.access_tokens import AccessTokens, TokenRefused

GRANT = {"grant_type": "client_credentials"}


async def _key(tenant: TestTenant, *scopes: str) -> dict[str, str]:
    made: dict[str, str] = (
        await tenant.client.post("/v1/api-keys", json={"name": "ERP", "scopes": list(scopes)})
    ).json()
    return made


async def _token(tenant: TestTenant, key: dict[str, str], **form: str) -> httpx.Response:
    credentials = {"client_id": key["id"], "client_secret": key["key"]}
    return await tenant.client_of(None).post("/v1/auth/token", data={**GRANT, **credentials, **form})


async def test_a_token_does_what_its_key_may_and_ends_with_it(tenant: TestTenant) -> None:
    key = await _key(tenant, "ledger:read", "ledger:write")
    answer = await _token(tenant, key)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["token_type"], told["expires_in"], told["scope"]) == (
        "Bearer",
        900,
        "ledger:read ledger:write",
    )
    assert answer.headers["cache-control"] == "no-store"
    client = tenant.client_of(told["access_token"])
    me = (await client.get("/v1/me")).json()
    assert (me["key_id"], me["scopes"]) == (key["id"], ["ledger:read", "ledger:write"])
    assert (await client.get("/v1/customers")).status_code == 200
    assert (await client.get("/v1/settings")).status_code == 403

    narrow = (await _token(tenant, key, scope="ledger:read admin")).json()
    assert narrow["scope"] == "ledger:read", "never more than the key"
    reader = tenant.client_of(narrow["access_token"])
    assert (await reader.post("/v1/customers", json={"external_id": "C", "name": "C"})).status_code == 403

    basic = base64.b64encode(f"{key['id']}:{key['key']}".encode()).decode()
    by_header = await tenant.client_of(None).post(
        "/v1/auth/token", data=GRANT, headers={"authorization": f"Basic {basic}"}
    )
    assert by_header.status_code == 200

    assert (await tenant.client.delete(f"/v1/api-keys/{key['id']}")).status_code == 204
    ended = await client.get("/v1/me")
    assert (ended.status_code, ended.json()["code"]) == (401, "unauthenticated")
    assert (await _token(tenant, key)).json()["error"] == "invalid_client"


async def test_what_is_wrong_is_said_as_oauth_says_it(tenant: TestTenant) -> None:
    key = await _key(tenant, "ledger:read")
    other = await _key(tenant, "admin")
    both = {"client_id": key["id"], "client_secret": key["key"]}
    anybody = tenant.client_of(None)
    basic = {"authorization": "Basic " + base64.b64encode(b"a:b").decode()}
    for status, error, form, headers in [
        (400, "invalid_request", {}, {}),
        (400, "unsupported_grant_type", {"grant_type": "password", **both}, {}),
        (400, "invalid_scope", {**GRANT, **both, "scope": "risk:read"}, {}),
        (400, "invalid_request", {**GRANT, **both}, basic),
        (401, "invalid_client", {**GRANT, **both, "client_id": other["id"]}, {}),
        (401, "invalid_client", {**GRANT, **both, "client_secret": key["key"][:-1] + "x"}, {}),
        (401, "invalid_client", GRANT, basic),
    ]:
        answer = await anybody.post("/v1/auth/token", data=form, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
        assert ("www-authenticate" in answer.headers) == (status == 401)
    assert (await anybody.post("/v1/auth/token", json=GRANT)).json()["error"] == "invalid_request"


async def test_tokens_of_the_house_and_of_others_are_not_mistaken(
    stack: Stack, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await _key(tenant, "admin")
    token = (await _token(tenant, key)).json()["access_token"]
    head, body, signature = token.split(".")
    forged = [
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.{signature}",
        stack.keys("gateway").sign_service("ledger"),
    ]
    for text in forged:
        assert (await tenant.client_of(text).get("/v1/me")).status_code == 401
    direct = tenant.client_of(token)
    direct.base_url = httpx.URL(stack.url("ledger"))
    assert (await direct.get("/v1/customers")).status_code == 401, "a service believes internal tokens only"

    tokens = AccessTokens(stack.settings().keys_dir)
    tokens.read(token)
    late = clock.wall() - 2 * access_tokens.LIFE
    monkeypatch.setattr(access_tokens.clock, "wall", lambda: late)
    old = tokens.issue(tenant.id, tenant.id, None)
    with pytest.raises(TokenRefused):
        tokens.read(old)
