"""What a hostile client cannot do: make a service read another request than the gateway read, or speak in its name."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.api.gateway_wire import (
    INTERNAL,
    KEY,
    Gateway,
    answer,
    answering,
    eventually,
    request,
    running_gateway,
)

GET = request("GET", "/v1/items/7")
SMUGGLED = b"GET /internal/feed HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
async def front() -> AsyncIterator[Gateway]:
    async with running_gateway(answer_s=2, client_stall_s=0.5) as running:
        yield running


@pytest.fixture
async def gateway(front: Gateway) -> Gateway:
    await front.forget()
    return front


def post(*headers: str, body: bytes) -> bytes:
    return request("POST", "/v1/items", *headers) + body


AMBIGUOUS = {
    "length then chunked": post(
        "Content-Length: 6", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "chunked then length": post("Transfer-Encoding: chunked", "Content-Length: 6", body=b"0\r\n\r\nG"),
    "two lengths": post("Content-Length: 4", "Content-Length: 40", body=b"abcd" + SMUGGLED),
    "two equal lengths": post("Content-Length: 4", "Content-Length: 4", body=b"abcd"),
    "list of lengths": post("Content-Length: 4, 4", body=b"abcd"),
    "signed length": post("Content-Length: +4", body=b"abcd"),
    "negative length": post("Content-Length: -1", body=b""),
    "length in hex": post("Content-Length: 0x4", body=b"abcd"),
    "endless length": post("Content-Length: 99999999999999999999999", body=b"abcd"),
    "unknown coding": post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "coding before chunked": post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "chunked twice": post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked then identity": post(
        "Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=b"0\r\n\r\n"
    ),
    "space before colon": post("Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "tab in the name": post("Transfer-Encoding\t: chunked", body=b"0\r\n\r\n"),
    "vertical tab in the value": post("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "folded header": request("GET", "/v1/items/7", "X-A: b\r\n Transfer-Encoding: chunked"),
    "bare line feed": b"POST /v1/items HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
    "bare carriage return": request("GET", "/v1/items/7", "X-A: b\rX-Encours-Tenant: 1"),
    "NUL in a header": request("GET", "/v1/items/7", "X-A: b\x00c"),
    "control character in the target": request("GET", "/v1/items/7\x0b"),
    "line feed in the target": b"GET /v1/items/7\nX-Encours-Tenant: 1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /v1/items/7\r\n\r\n",
    "two authorizations": request("GET", "/v1/items/7", "Authorization: Bearer other"),
    "authorization in a trailer": post(
        "Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    ),
    "length in a trailer": post(
        "Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"
    ),
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
async def test_request_that_can_be_read_two_ways_is_refused(gateway: Gateway, kind: str) -> None:
    async with gateway.client() as client:
        await client.send(AMBIGUOUS[kind])
        got = await client.answer()
        assert got.status == 400
    await asyncio.sleep(0.01)
    assert gateway.ledger.asked == []


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"3 \r\nabc\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"-1\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nabc",
        b"3\r\nabcGET /internal/feed HTTP/1.1\r\n\r\n",
    ],
)
@pytest.mark.parametrize("large", [False, True])
async def test_bad_chunk_ends_the_request_and_the_connection(
    gateway: Gateway, chunks: bytes, large: bool
) -> None:
    async with gateway.client() as client:
        await client.send(post("Transfer-Encoding: chunked", body=b""))
        if large:
            await client.send(b"11170\r\n" + b"x" * 70_000 + b"\r\n")
            await asyncio.sleep(0.02)
        await client.send(chunks)
        rest = await asyncio.wait_for(client.reader.read(), 5)  # until the gateway closes
        assert rest.startswith(b"HTTP/1.1 400") or not rest
    await eventually(lambda: not gateway.upstream.connections)
    assert gateway.ledger.asked == []


async def test_chunk_extension_and_trailer_end_at_the_gateway(gateway: Gateway) -> None:
    body = b'3;name="x"\r\n{ }\r\n0\r\nX-Encours-Tenant: 1\r\nX-Trailer: 2\r\n\r\n'
    got = await gateway.ask(post("Transfer-Encoding: chunked", "Trailer: X-Trailer", body=body))
    (asked,) = gateway.ledger.asked
    assert (got.status, asked.body) == (200, b"{ }")
    assert not asked.all(b"trailer")
    assert not [name for name, _ in asked.headers if name.startswith(b"x-encours")]


async def test_internal_headers_cannot_be_set_from_outside(gateway: Gateway) -> None:
    forged = [
        "X-Encours-Tenant: 1",
        "x-ENCOURS-authorization: Bearer y",
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
        "X-Real-IP: 127.0.0.1",
        "Cookie: a=b",
        "Via: 1.1 x",
    ]
    await gateway.ask(request("GET", "/v1/items/7", *forged, "X-Other: kept"))
    (asked,) = gateway.ledger.asked
    assert {name for name, _ in asked.headers} == {
        b"authorization",
        b"host",
        b"traceparent",
        b"x-other",
        b"x-request-id",
    }
    assert asked.one(b"authorization") == INTERNAL


async def test_connection_header_takes_away_only_what_the_client_sent(gateway: Gateway) -> None:
    named = "Connection: X-Mine, authorization, X-Request-Id, traceparent, host, content-length"
    got = await gateway.ask(request("POST", "/v1/items", named, "X-Mine: 1", "Keep-Alive: 5", body=b"{}"))
    (asked,) = gateway.ledger.asked
    assert got.status == 200
    assert asked.one(b"authorization") == INTERNAL
    assert asked.one(b"content-length") == b"2"
    assert len(asked.all(b"x-request-id")) == len(asked.all(b"traceparent")) == len(asked.all(b"host")) == 1
    assert not asked.all(b"x-mine")
    assert not asked.all(b"keep-alive")


async def test_upgrade_ends_at_the_gateway(gateway: Gateway) -> None:
    headers = (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    )
    async with gateway.client() as client:
        await client.send(request("GET", "/v1/items/7", *headers))
        assert (await client.answer()).status == 200
    (asked,) = gateway.ledger.asked
    assert not asked.all(b"upgrade")
    assert not asked.all(b"http2-settings")
    assert not asked.all(b"connection")


async def test_escaped_line_ends_stay_escaped(gateway: Gateway) -> None:
    target = "/v1/items/7%20HTTP/1.1%0d%0aX-Encours-Tenant:%201?q=%0d%0aX-B:%201"
    await gateway.ask(request("GET", target))
    assert gateway.ledger.asked == []  # the decoded path has more segments than any template
    await gateway.ask(request("GET", "/v1/items/7%0d%0aX-A:%201?q=%0d%0aX-B:%201"))
    (asked,) = gateway.ledger.asked
    assert asked.line == b"GET /v1/items/7%0d%0aX-A:%201?q=%0d%0aX-B:%201 HTTP/1.1"
    assert not asked.all(b"x-a")


async def test_escaped_slash_is_routed_as_the_service_will_read_it(gateway: Gateway) -> None:
    await gateway.ask(request("GET", "/v1/items/7%2Fentries"))
    assert gateway.told == [("/v1/items/{id}/entries", 200)]
    refused = await gateway.ask(request("DELETE", "/v1/items/7%2Fentries"))
    assert refused.status == 405


async def test_host_in_the_target_does_not_choose_the_service(gateway: Gateway) -> None:
    got = await gateway.ask(request("GET", "http://evil.example/v1/items/7?a=b"))
    assert got.status == 200
    assert gateway.ledger.asked[0].line == b"GET /v1/items/7?a=b HTTP/1.1"
    assert gateway.ledger.asked[0].one(b"host") == f"127.0.0.1:{gateway.ledger.port}".encode()


async def test_pipelined_requests_are_answered_in_order_on_their_own_terms(gateway: Gateway) -> None:
    gateway.ledger.behave = answering(gateway.ledger, answer(b"1"), answer(b"2"))
    refused = request("GET", "/v1/items/7", key=None)
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/items", body=b"{}") + refused + GET)
        first, second, third = [await client.answer() for _ in range(3)]
    assert (first.body, second.status, third.body) == (b"1", 401, b"2")


async def test_body_that_looks_like_a_request_stays_a_body(gateway: Gateway) -> None:
    await gateway.ask(request("POST", "/v1/items", body=SMUGGLED))
    (asked,) = gateway.ledger.asked
    assert asked.body == SMUGGLED


async def test_unread_body_of_a_refused_request_is_no_request(gateway: Gateway) -> None:
    body = request("GET", "/v1/items/smuggled") + b" " * 100
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/items", body=body, key=None))
        assert (await client.answer()).status == 401
        await client.send(GET)
        assert (await client.answer()).status == 200
    assert [asked.line for asked in gateway.ledger.asked] == [b"GET /v1/items/7 HTTP/1.1"]


async def test_too_many_headers_are_refused(gateway: Gateway) -> None:
    got = await gateway.ask(request("GET", "/v1/items/7", *(f"X-A{n}: {'a' * 1000}" for n in range(40))))
    assert (got.status, got.json()["code"]) == (431, "headers_too_large")
    assert gateway.ledger.connections == 0


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01", b"\x00" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_what_is_not_http_1_is_refused(gateway: Gateway, garbage: bytes) -> None:
    async with gateway.client() as client:
        await client.send(garbage)
        got = await asyncio.wait_for(client.reader.read(), 5)
        assert got.startswith(b"HTTP/1.1 400") or not got


async def test_answer_never_repeats_the_key(gateway: Gateway) -> None:
    for raw in (request("GET", "/v1/items/7", key=KEY[:-1]), request("PUT", "/v1/items/7"), GET):
        got = await gateway.ask(raw)
        assert KEY[:-1].encode() not in got.body
        assert KEY[:-1] not in str(got.headers)
