"""Tokens of a tenant's own identity provider."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.warnings import InsecureKeyLengthWarning

from libs.kit import clock
from libs.testkit.http_server import HttpServer
from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from services.gateway import issuers

AUDIENCE = "api://encours"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def _jwk(kid: str, key: Any, algorithm: str) -> dict[str, Any]:
    public = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
    return {**public, "kid": kid, "use": "sig"}


@dataclass
class Provider:
    """An identity provider that publishes some keys, unless it is down."""

    url: str = ""
    up: bool = True
    calls: int = 0
    keys: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve discovery and the key set."""
        if scope["type"] != "http":
            return
        self.calls += 1
        documents: dict[str, Any] = {
            "/realms/acme/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
            },
            "/realms/acme/keys": {"keys": self.keys},
        }
        found = documents.get(scope["path"]) if self.up else None
        await send({"type": "http.response.start", "status": 200 if found else 500, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(found).encode()})

    def token(
        self, key: Any = RSA, algorithm: str = "RS256", kid: str = "rsa", seconds: int = 300, **claims: Any
    ) -> str:
        """A token for Ada that lives some seconds more."""
        now = clock.wall()
        told = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ada",
            "iat": now,
            "exp": now + timedelta(seconds=seconds),
        }
        return jwt.encode({**told, **claims}, key, algorithm=algorithm, headers={"kid": kid})


@asynccontextmanager
async def _provider() -> AsyncIterator[Provider]:
    provider = Provider(
        keys=[_jwk("rsa", RSA, "RS256"), _jwk("ec", ELLIPTIC, "ES256"), _jwk("ed", EDWARDS, "EdDSA")]
    )
    server = HttpServer()
    await server.start(provider)
    provider.url = f"http://127.0.0.1:{server.port}/realms/acme"
    try:
        yield provider
    finally:
        await server.close()


async def _takes(tenant: TestTenant, provider: Provider, **members: Any) -> dict[str, Any]:
    oidc = {"issuer": provider.url, "audience": AUDIENCE, **members}
    answer = await tenant.client.patch("/v1/settings", json={"oidc": oidc})
    assert answer.status_code == 200, answer.text
    person = {"name": "Ada", "email": "ada@example.com", "roles": ["collector"], "external_subject": "ada"}
    made = await tenant.client.post("/v1/users", json=person)
    assert made.status_code == 201, made.text
    user: dict[str, Any] = made.json()
    return user


async def _said(tenant: TestTenant, token: str) -> tuple[int, str]:
    answer = await tenant.client_of(token).get("/v1/me")
    return answer.status_code, answer.json().get("detail", "")


async def test_a_person_enters_with_the_token_of_their_own_provider(tenant: TestTenant) -> None:
    async with _provider() as provider:
        user = await _takes(tenant, provider)
        for key, algorithm, kid in (
            (RSA, "RS256", "rsa"),
            (RSA, "PS256", "rsa"),
            (ELLIPTIC, "ES256", "ec"),
            (EDWARDS, "EdDSA", "ed"),
        ):
            me = (await tenant.client_of(provider.token(key, algorithm, kid)).get("/v1/me")).json()
            assert (me["user_id"], me["key_id"], me["roles"]) == (user["id"], None, ["collector"]), algorithm
        assert provider.calls == 2, "discovery and keys, once"
        ada = tenant.client_of(provider.token(aud=["other", AUDIENCE]))
        assert (await ada.get("/v1/customers")).status_code == 200
        assert (await ada.get("/v1/settings")).status_code == 403
        made = await ada.post("/v1/customers", json={"external_id": "C-1", "name": "C"})
        assert made.status_code == 201
        await tenant.settle()
        log = (await tenant.client.get("/v1/audit-log", params={"object_id": made.json()["id"]})).json()[
            "data"
        ]
        assert log[0]["actor"] == f"user:{user['id']}"

        assert (
            await tenant.client.patch(f"/v1/users/{user['id']}", json={"active": False})
        ).status_code == 200
        assert await _said(tenant, provider.token()) == (
            401, "The token holds, but its subject is no active user of the tenant.",
        )  # fmt: skip
        await tenant.client.patch(f"/v1/users/{user['id']}", json={"active": True})
        assert (await _said(tenant, provider.token()))[0] == 200
        assert (await tenant.client.patch("/v1/settings", json={"oidc": None})).status_code == 200
        assert (await _said(tenant, provider.token()))[0] == 401


async def test_tokens_that_do_not_hold_are_refused(tenant: TestTenant) -> None:
    async with _provider() as provider:
        await _takes(tenant, provider, algorithms=["RS256", "ES256"])
        provider.keys.append(_jwk("short", SHORT, "RS256"))
        with pytest.warns(InsecureKeyLengthWarning):
            short = provider.token(SHORT, "RS256", "short")
        public = base64.urlsafe_b64decode(provider.keys[0]["n"] + "==")
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in (
                {"alg": "HS256", "kid": "rsa"},
                {"iss": provider.url, "aud": AUDIENCE, "sub": "ada", "exp": 9999999999},
            )
        )
        mac = hmac.new(public, head + b"." + body, hashlib.sha256).digest()
        confused = b".".join((head, body, base64.urlsafe_b64encode(mac).rstrip(b"="))).decode()
        good = provider.token()
        refused = {
            "algorithm is not": [confused, provider.token(EDWARDS, "EdDSA", "ed")],
            "key is for another": [provider.token(RSA, "RS256", "ec")],
            "key is too short": [short],
            "key is not one": [provider.token(kid="unknown")],
            "signature or its claims": [
                good[:-8] + "AAAAAAAA", provider.token(ELLIPTIC, "ES256", "ec")[:-4] + "AAAA",
                jwt.encode({"iss": provider.url, "aud": AUDIENCE, "sub": "ada"}, RSA, "RS256", headers={"kid": "rsa"}),
                provider.token(sub=7),
            ],
            "has expired": [provider.token(seconds=-61)],
            "not hold yet": [provider.token(nbf=clock.wall() + timedelta(seconds=120))],
            "no active user": [provider.token(sub="eve")],
            "No tenant takes": [provider.token(aud="api://another"), provider.token(iss="https://example.com")],
        }  # fmt: skip
        for reason, tokens in refused.items():
            for token in tokens:
                status, detail = await _said(tenant, token)
                assert status == 401 and reason in detail, (reason, status, detail)
                assert token not in detail
        assert (await _said(tenant, provider.token(seconds=-30)))[0] == 200, "its clock may be a minute off"
        assert (await _said(tenant, good))[0] == 200


async def test_keys_may_change_and_their_issuer_may_be_down(
    tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _provider() as provider:
        await _takes(tenant, provider)
        provider.up = False
        answer = await tenant.client_of(provider.token()).get("/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
        assert answer.headers["retry-after"]
        monkeypatch.setattr(issuers, "ASK_AGAIN_S", 0.0)
        provider.up = True
        async with asyncio.timeout(10):
            while (await _said(tenant, provider.token()))[0] == 503:
                pass
        newer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        assert (await _said(tenant, provider.token(newer, kid="newer")))[0] == 401
        provider.keys = [_jwk("newer", newer, "RS256")]
        assert (await _said(tenant, provider.token(newer, kid="newer")))[0] == 200
        assert (await _said(tenant, provider.token(jti="again")))[0] == 401, "the old key is gone"
        provider.up = False
        monkeypatch.setattr(issuers, "FRESH_S", 0.0)
        assert (await _said(tenant, provider.token(newer, kid="newer", jti="2")))[0] == 200, "remembered"
        monkeypatch.setattr(issuers, "STALE_S", 0.0)
        assert (await _said(tenant, provider.token(newer, kid="newer", jti="3")))[0] == 503


async def test_an_issuer_and_audience_lead_to_one_tenant(tenant: TestTenant, make_tenant: MakeTenant) -> None:
    async with _provider() as provider:
        await _takes(tenant, provider)
        other = await make_tenant()
        mine = {"issuer": provider.url, "audience": AUDIENCE}
        taken = await other.client.patch("/v1/settings", json={"oidc": mine})
        assert (taken.status_code, taken.json()["code"]) == (409, "oidc_taken")
        assert (await other.client.get("/v1/settings")).json()["oidc"] is None
        own = await other.client.patch("/v1/settings", json={"oidc": {**mine, "audience": "api://other"}})
        assert own.status_code == 200 and own.json()["oidc"]["algorithms"] == [
            "RS256",
            "PS256",
            "ES256",
            "EdDSA",
        ]
        unit = (await other.client.get("/v1/business-units")).json()["data"][0]["id"]
        person = {
            "name": "A",
            "email": "a@example.com",
            "roles": ["reader"],
            "external_subject": "ada",
            "perimeter": [unit],
        }
        await other.client.post("/v1/users", json=person)
        me = (await other.client_of(provider.token(aud="api://other")).get("/v1/me")).json()
        assert (me["tenant_id"], me["perimeter"]) == (str(other.id), [unit])
        bad: tuple[dict[str, Any], ...] = (
            {"issuer": "https://10.0.0.1"}, {"issuer": "ftp://x"}, {"algorithms": ["HS256"]}, {"algorithms": []},
            {"clock_skew_seconds": 3600}, {"client_secret": "x"},
        )  # fmt: skip
        for members in bad:
            answer = await tenant.client.patch("/v1/settings", json={"oidc": {**mine, **members}})
            assert answer.status_code == 422, members
