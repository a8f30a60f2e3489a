"""Whatever is sent, the answer is a 4xx problem that says why, and nothing was done."""

import gzip

import httpx
import pytest

from libs.kit.strict_json import MAX_DEPTH

JSON = {"content-type": "application/json"}


def deep(levels: int) -> bytes:
    return b'{"name": ' + b"[" * levels + b"]" * levels + b"}"


BODIES = [
    pytest.param(b'{"name": "x", "pause": NaN}', 422, "json_number", id="NaN"),
    pytest.param(b'{"name": "x", "pause": Infinity}', 422, "json_number", id="Infinity"),
    pytest.param(b'{"name": "x", "pause": -Infinity}', 422, "json_number", id="-Infinity"),
    pytest.param(b'{"name": "x", "pause": 1e400}', 422, "json_number", id="1e400"),
    pytest.param(b'{"name": "x", "pause": 1e-400}', 422, "json_number", id="1e-400"),
    pytest.param(
        b'{"name": "x", "pause": 1e999999999999999999999}', 422, "json_number", id="exponent beyond Decimal"
    ),
    pytest.param(b'{"name": "x", "pause": ' + b"9" * 5000 + b"}", 422, "json_number", id="5000 digits"),
    pytest.param(b'{"name": "x", "name": "y"}', 422, "json_duplicate_key", id="a key twice"),
    pytest.param(
        b'{"name": "x", "n\\u0061me": "y"}', 422, "json_duplicate_key", id="a key twice, once escaped"
    ),
    pytest.param(deep(MAX_DEPTH + 1), 422, "json_too_deep", id="nested deeply"),
    pytest.param(deep(200_000), 422, "json_too_deep", id="nested beyond the stack"),
    pytest.param(b'{"name": "' + b"x" * (1 << 20) + b'"}', 413, "body_too_large", id="over a mebibyte"),
    pytest.param(b'{"name": "\xff\xfe"}', 422, "json_encoding", id="not UTF-8"),
    pytest.param(b'{"name": "\xed\xa0\x80"}', 422, "json_encoding", id="a surrogate as bytes"),
    pytest.param('{"name": "x"}'.encode("utf-16"), 422, "json_encoding", id="UTF-16"),
    pytest.param(b'\xef\xbb\xbf{"name": "x"}', 422, "json_malformed", id="a byte order mark"),
    pytest.param(b'{"name": "a\\u0000b"}', 422, "json_text", id="NUL"),
    pytest.param(b'{"na\\u0000me": "x"}', 422, "json_text", id="NUL in a key"),
    pytest.param(b'{"name": "\\ud800"}', 422, "json_text", id="half a surrogate pair"),
    pytest.param(b'{"name": "a\nb"}', 422, "json_malformed", id="a raw line break in a text"),
    pytest.param(b'{"name": "x"', 422, "json_malformed", id="cut off"),
    pytest.param(b'{"name": "x"} {}', 422, "json_malformed", id="two documents"),
    pytest.param(b"{'name': 'x'}", 422, "json_malformed", id="single quotes"),
    pytest.param(b"", 422, "invalid", id="nothing"),
    pytest.param(b"null", 422, "invalid", id="null"),
    pytest.param(b"[]", 422, "invalid", id="a list"),
    pytest.param(b'"x"', 422, "invalid", id="a text"),
    pytest.param(b'{"name": 1}', 422, "invalid", id="a number for a text"),
    pytest.param(b'{"name": "x", "nmae": "y"}', 422, "invalid", id="an unknown member"),
    pytest.param(b'{"name": "x", "__proto__": {}}', 422, "invalid", id="a member of another language"),
    pytest.param(gzip.compress(b'{"name": "x"}'), 422, "json_encoding", id="compressed without saying so"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
async def test_bodies(toy_client, body: bytes, status: int, code: str) -> None:
    client = await toy_client()
    response = await client.post("/v1/things", content=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert (await client.get("/v1/things")).json()["data"] == []


async def test_a_large_body_is_refused_while_it_comes(toy_client) -> None:
    """Chunked, its length unannounced: the reader stops counting at the limit instead of holding it all."""
    client = await toy_client()
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(64):
            sent += 1 << 20
            yield b"x" * (1 << 20)

    try:
        response = await client.post("/v1/things", content=endless(), headers=JSON)
        assert response.status_code == 413
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        pass  # refused and hung up while we were still sending
    assert sent < 64 << 20


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
async def test_another_media_type(toy_client, media: str) -> None:
    client = await toy_client()
    response = await client.post("/v1/things", content=b'{"name": "x"}', headers={"content-type": media})
    assert response.status_code == 422


async def test_duplicate_keys_in_another_kind_of_json(toy_client) -> None:
    client = await toy_client()
    headers = {"content-type": "application/vnd.api+json; charset=utf-8"}
    response = await client.post("/v1/things", content=b'{"name": "x", "name": "y"}', headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "json_duplicate_key")


QUERIES = [
    ("q=%00", 422),
    ("q=a%00b", 422),
    ("%00=1", 422),
    ("q=%ff%fe", 422),
    ("q=%ed%a0%80", 422),
    ("unknown=1", 422),
    ("limit=0", 422),
    ("limit=201", 422),
    ("limit=-1", 422),
    ("limit=1e3", 422),
    ("limit=9999999999999999999999999", 422),
    ("limit=", 422),
    ("limit=1&limit=2", 422),
    ("sort=password", 422),
    ("sort=name;drop table things", 422),
    ("cursor=x", 422),
    ("cursor=WyJhIl0", 422),
    ("cursor=WyJhIiwibm90IGEgdXVpZCJd", 422),
    ("cursor=WyJhXHUwMDAwIiwiYiJd", 422),
    ("cursor=" + "W" * 2001, 422),
    ("cursor=%F0%9F%92%A3", 422),
    ("q=' or 1=1 --", 200),
    ("q=%25", 200),
]


@pytest.mark.parametrize(("query", "status"), QUERIES)
async def test_queries(toy_client, query: str, status: int) -> None:
    client = await toy_client()
    for _ in range(8):  # after some repeats PostgreSQL plans otherwise, and looks at a bad value no longer
        response = await client.get(f"/v1/things?{query}")
    assert response.status_code == status, response.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/things/%00",
        "/v1/things/x%00",
        "/v1/things/not-a-uuid",
        "/v1/things/%ff",
        "/v1/things/..%2f..",
        "/v1/things/'",
    ],
)
async def test_paths(toy_client, path: str) -> None:
    client = await toy_client()
    response = await client.patch(path, json={"name": "x"})
    assert response.status_code in (404, 422), response.text


async def test_unknown_paths_and_methods_are_problems_too(toy_client) -> None:
    client = await toy_client()
    for method, path, status, code in (
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/%00", 404, "not_found"),
        ("DELETE", "/v1/things", 405, "method_not_allowed"),
    ):
        response = await client.request(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["content-type"] == "application/problem+json"


async def test_credentials_that_are_none(toy_client) -> None:
    client = await toy_client()
    good = client.headers["authorization"]
    for bad in (
        "",
        "Bearer",
        "Bearer x",
        "Basic eA==",
        good[:-4],
        good + "x",
        good.lower(),
        "Bearer \xff",
    ):
        response = await client.get("/v1/things", headers={"authorization": bad.encode("latin-1")})
        assert response.status_code == 401, bad
        assert response.json()["code"] in ("unauthenticated", "invalid_token")
