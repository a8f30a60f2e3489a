"""Requests and answers through the gateway: what passes, what does not, and what clients are told when a service fails."""

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator

import pytest

from services.gateway.proxy.limits import Policy
from services.gateway.proxy.upstream import PoolLimits, Upstream
from tests.api.gateway_wire import (
    INTERNAL,
    UNKNOWN_KEY,
    Behaviour,
    Gateway,
    Service,
    answer,
    answering,
    eventually,
    request,
    running_gateway,
)

GET = request("GET", "/v1/items/7")


@pytest.fixture(scope="module")
async def front() -> AsyncIterator[Gateway]:
    async with running_gateway(answer_s=0.5, client_stall_s=0.5, wait_s=0.3) as running:
        yield running


@pytest.fixture
async def gateway(front: Gateway) -> Gateway:
    await front.forget()
    return front


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# -- what passes ---------------------------------------------------------------------------------------------------


async def test_request_passes_with_our_identity_in_place_of_the_callers(gateway: Gateway) -> None:
    raw = request("GET", "/v1/items/caf%C3%A9?limit=3&q=a%20b", "Accept-Language: fr", "Idempotency-Key: k1")
    got = await gateway.ask(raw)
    (asked,) = gateway.ledger.asked
    assert got.status == 200
    assert asked.line == b"GET /v1/items/caf%C3%A9?limit=3&q=a%20b HTTP/1.1"
    assert asked.one(b"authorization") == INTERNAL
    assert asked.one(b"accept-language") == b"fr"
    assert asked.one(b"idempotency-key") == b"k1"
    assert asked.one(b"host") == f"127.0.0.1:{gateway.ledger.port}".encode()


async def test_answer_passes_with_its_headers_and_without_those_of_one_connection(gateway: Gateway) -> None:
    headers = (
        b"ETag: v7",
        b"Content-Type: application/json",
        b"Connection: keep-alive",
        b"Server: x",
        b"Date: y",
    )
    gateway.ledger.behave = answering(gateway.ledger, answer(b'{"a":1}', "201 Created", headers))
    got = await gateway.ask(request("POST", "/v1/items", body=b"{}"))
    assert (got.status, got.json(), got.headers["etag"]) == (201, {"a": 1}, "v7")
    assert got.headers["server"] == "uvicorn"
    assert "connection" not in got.headers


async def test_request_id_is_kept_when_sane_and_given_when_not(gateway: Gateway) -> None:
    kept = await gateway.ask(request("GET", "/v1/items/7", "X-Request-Id: erp-2024.7:1"))
    given = await gateway.ask(request("GET", "/v1/items/7", "X-Request-Id: <script>"))
    too_long = await gateway.ask(request("GET", "/v1/items/7", "X-Request-Id: " + "a" * 129))
    assert kept.headers["x-request-id"] == "erp-2024.7:1"
    for got, asked in zip((kept, given, too_long), gateway.ledger.asked, strict=True):
        assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", got.headers["x-request-id"])
        assert asked.one(b"x-request-id").decode() == got.headers["x-request-id"]
    assert given.headers["x-request-id"] != too_long.headers["x-request-id"]


async def test_trace_is_carried_on_or_begun(gateway: Gateway) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    await gateway.ask(request("GET", "/v1/items/7", f"traceparent: {trace}"))
    await gateway.ask(request("GET", "/v1/items/7", "traceparent: nonsense"))
    assert gateway.ledger.asked[0].one(b"traceparent").decode() == trace
    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-01", gateway.ledger.asked[1].one(b"traceparent"))


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 5_000_000])
async def test_body_with_a_length_arrives_byte_for_byte(gateway: Gateway, size: int) -> None:
    body = hashlib.shake_128(b"seed").digest(size)
    got = await gateway.ask(request("POST", "/v1/imports", body=body))
    assert got.status == 200
    assert gateway.ledger.asked[0].body == body
    assert gateway.ledger.asked[0].one(b"content-length") == str(size).encode()


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
async def test_chunked_body_arrives_byte_for_byte(gateway: Gateway, size: int) -> None:
    body = hashlib.shake_128(b"seed").digest(size)
    pieces = [body[i : i + 9_999] for i in range(0, size, 9_999)]
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/imports", "Transfer-Encoding: chunked"), chunked(*pieces))
        assert (await client.answer()).status == 200
        await client.send(GET)  # the connection goes on
        assert (await client.answer()).status == 200
    assert gateway.ledger.asked[0].body == body


def _answers() -> dict[str, tuple[bytes, int, bytes, bool]]:
    large = hashlib.shake_128(b"seed").digest(2_000_000)
    head = b"HTTP/1.1 200 OK\r\n"
    pieces = [large[i : i + 50_001] for i in range(0, len(large), 50_001)]
    coded = head + b"Transfer-Encoding: chunked\r\n\r\n"
    return {
        "length": (answer(large), 200, large, True),
        "chunked": (coded + chunked(*pieces), 200, large, True),
        "chunked with trailers": (coded + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", 200, b"abc", True),
        "until close": (head + b"\r\n" + large, 200, large, False),
        "old version": (b"HTTP/1.0 200 OK\r\n\r\n" + b"abc", 200, b"abc", False),
        "empty": (answer(b""), 200, b"", True),
        "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        "not modified": (
            b'HTTP/1.1 304 Not Modified\r\nContent-Length: 30\r\nETag: "v1"\r\n\r\n',
            304,
            b"",
            True,
        ),
        "early hints": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"late"), 200, b"late", True),
        "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"done"), 200, b"done", True),
    }


@pytest.mark.parametrize("kind", _answers())
async def test_every_framing_of_an_answer_is_understood(gateway: Gateway, kind: str) -> None:
    raw, status, body, keeps_alive = _answers()[kind]

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await gateway.ledger.read(reader)
            writer.write(raw)
            await writer.drain()
            if not keeps_alive:
                return

    gateway.ledger.behave = behave
    for _ in range(2):
        got = await gateway.ask(GET)
        assert (got.status, got.body, got.whole) == (status, body, True)
        assert "x-sum" not in got.headers
        assert "link" not in got.headers
    assert gateway.ledger.connections == (1 if keeps_alive else 2)


async def test_answer_arriving_byte_by_byte_is_understood(gateway: Gateway) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n" + chunked(
        b"hello", b" ", b"world"
    )

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        for byte in raw:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    gateway.ledger.behave = behave
    got = await gateway.ask(GET)
    assert (got.body, got.headers["x-a"], got.whole) == (b"hello world", "b", True)


@pytest.mark.parametrize("size", [20, 3_000_000])
async def test_head_is_answered_from_get_without_the_body(gateway: Gateway, size: int) -> None:
    gateway.ledger.behave = answering(gateway.ledger, answer(b"x" * size))
    async with gateway.client() as client:
        for _ in range(2):
            await client.send(request("HEAD", "/v1/items/7"))
            got = await client.answer(head=True)
            assert (got.status, got.headers["content-length"]) == (200, str(size))
        await client.send(GET)
        assert len((await client.answer()).body) == size
    assert all(asked.line.startswith(b"GET ") for asked in gateway.ledger.asked)


async def test_slow_answer_is_passed_on_as_it_comes(gateway: Gateway) -> None:
    first_read = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await asyncio.wait_for(first_read.wait(), 5)
        writer.write(b"4\r\nlast\r\n0\r\n\r\n")
        await writer.drain()

    gateway.ledger.behave = behave
    async with gateway.client() as client:
        await client.send(GET)
        assert await client.reader.readuntil(b"first\r\n")
        first_read.set()
        assert (await client.reader.readuntil(b"0\r\n\r\n")).startswith(b"4\r\nlast")


async def test_slow_drip_longer_than_the_time_limit_is_no_timeout(gateway: Gateway) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.1)
            writer.write(b"1\r\nx\r\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    gateway.ledger.behave = behave
    got = await gateway.ask(GET)
    assert (got.body, got.whole) == (b"x" * 8, True)


async def test_client_that_expects_100_gets_it_and_its_answer(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/items", "Expect: 100-continue", "Content-Length: 2"))
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"{}")
        assert (await client.answer()).status == 200
    assert gateway.ledger.asked[0].all(b"expect") == []


# -- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (request("GET", "/v1/items/7", key=None), 401, "unauthenticated"),
        (request("GET", "/v1/items/7", key=UNKNOWN_KEY), 401, "unauthenticated"),
        (request("GET", "/v1/items/7", "Authorization: Basic eDp5", key=None), 401, "unauthenticated"),
        (request("GET", "/v1/nothing"), 404, "not_found"),
        (request("GET", "/v1/items/"), 404, "not_found"),
        (request("GET", "/v1//items"), 404, "not_found"),
        (request("GET", "/internal/feed"), 404, "not_found"),
        (request("GET", "/v1/items/7/../../../internal/feed"), 404, "not_found"),
        (request("PUT", "/v1/items/7"), 405, "method_not_allowed"),
        (request("POST", "/v1/items", "Content-Length: 300001"), 413, "body_too_large"),
    ],
)
async def test_refusal_is_a_problem_and_nothing_reaches_the_service(
    gateway: Gateway, raw: bytes, status: int, code: str
) -> None:
    got = await gateway.ask(raw)
    problem = got.json()
    assert (got.status, problem["status"], problem["code"]) == (status, status, code)
    assert got.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{code}"
    assert problem["request_id"] == got.headers["x-request-id"]
    assert gateway.ledger.connections == 0
    assert ("www-authenticate" in got.headers) == (status == 401)
    assert gateway.told[-1][1] == status


async def test_unknown_method_names_those_that_exist(gateway: Gateway) -> None:
    got = await gateway.ask(request("PUT", "/v1/items/7"))
    options = await gateway.ask(request("OPTIONS", "/v1/items/7", key=None))
    assert got.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    assert (options.status, options.headers["allow"]) == (204, got.headers["allow"])


async def test_rate_limit_refuses_and_says_when_to_come_back() -> None:
    async with running_gateway(Policy("default", 2, 3600)) as gateway:
        first, second, third = [await gateway.ask(GET) for _ in range(3)]
        assert first.headers["ratelimit-policy"] == '"default";q=2;w=3600'
        assert re.fullmatch(r'"default";r=1;t=\d+', first.headers["ratelimit"])
        assert re.fullmatch(r'"default";r=0;t=\d+', second.headers["ratelimit"])
        assert (third.status, third.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(third.headers["retry-after"]) <= 7200
        assert "ratelimit" in third.headers
        assert len(gateway.ledger.asked) == 2


async def test_chunked_body_over_the_limit_is_cut_off_at_both_ends(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/items", "Transfer-Encoding: chunked"))
        with pytest.raises(ConnectionError):
            for _ in range(100_000):
                await client.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
                if client.reader._buffer:  # type: ignore[attr-defined]
                    break
            got = await client.answer()
            assert (got.status, got.json()["code"]) == (413, "body_too_large")
            assert got.headers["connection"] == "close"
            while True:
                await client.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
    async with asyncio.timeout(5):
        await gateway.ledger.closed.wait()
    assert gateway.ledger.asked == []


async def test_body_far_over_the_limit_by_its_length_is_refused_before_it_comes(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(
            request("POST", "/v1/imports", f"Content-Length: {1 << 40}", "Expect: 100-continue")
        )
        got = await client.answer()
        assert (got.status, got.json()["limit"]) == (413, 64 << 20)
        await client.send(b"x" * 200_000)  # what was under way does no harm
    assert gateway.ledger.connections == 0


async def test_client_that_sends_all_before_it_reads_still_gets_its_refusal(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/items", "Content-Length: 8000000"))
        for _ in range(80):  # as most libraries do; a reset in the middle is all they would see
            await client.send(b"x" * 100_000)
            await asyncio.sleep(0.001)
        got = await client.answer()
        assert (got.status, got.json()["code"]) == (413, "body_too_large")


async def test_public_route_needs_no_key_and_passes_the_callers_own_header_aside() -> None:
    service = Service()
    service.behave = answering(service, answer())
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    async with running_gateway() as gateway:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        gateway.upstreams["credit"] = Upstream("credit", url)
        got = await gateway.ask(
            request("POST", "/v1/insurer-webhooks/1", "Authorization: Basic eDp5", key=None)
        )
        assert got.status == 200
        assert service.asked[0].all(b"authorization") == []
        assert service.asked[0].one(b"x-encours-authorization") == b"Basic eDp5"
    server.close()
    await server.wait_closed()


async def test_own_operation_sees_what_a_service_would_see(gateway: Gateway) -> None:
    got = await gateway.ask(request("GET", "/v1/me", "X-Encours-Tenant: 1", "X-Request-Id: mine"))
    headers = gateway.own_asked[0]["headers"]
    assert (got.status, got.json(), got.headers["x-request-id"]) == (200, {"own": True}, "mine")
    assert [value for name, value in headers if name == b"authorization"] == [INTERNAL]
    assert not [name for name, _ in headers if name.startswith(b"x-encours")]
    refused = await gateway.ask(request("GET", "/v1/me", key=None))
    assert refused.status == 401
    assert len(gateway.own_asked) == 1


async def test_own_operation_answers_head_as_get(gateway: Gateway) -> None:
    got = await gateway.ask(request("HEAD", "/v1/me"), head=True)
    assert (got.status, got.headers["content-length"]) == (200, "12")
    assert gateway.own_asked[0]["method"] == "GET"


async def test_own_operations_bodies_are_counted(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(
            request("POST", "/v1/files", "Transfer-Encoding: chunked"), chunked(*[b"x" * 100] * 11)
        )
        assert (await client.answer()).status == 413
    async with gateway.client() as client:
        await client.send(
            request("POST", "/v1/files", "Transfer-Encoding: chunked"), chunked(*[b"x" * 100] * 10)
        )
        assert (await client.answer()).status == 200


async def test_public_own_operation_keeps_its_authorization(gateway: Gateway) -> None:
    await gateway.ask(request("POST", "/v1/auth/token", "Authorization: Basic eDp5", key=None, body=b"grant"))
    headers = gateway.own_asked[0]["headers"]
    assert [value for name, value in headers if name == b"authorization"] == [b"Basic eDp5"]


# -- services that fail --------------------------------------------------------------------------------------------


async def test_service_that_is_down_is_named(gateway: Gateway) -> None:
    got = await gateway.ask(request("POST", "/v1/insurer-webhooks/1", body=b"{}", key=None))
    assert (got.status, got.json()["code"]) == (503, "service_unavailable")
    assert "credit" in got.json()["detail"]
    assert got.headers["retry-after"] == "1"


async def test_service_that_accepts_no_connection_is_given_up_by_all_who_wait_for_it() -> None:
    deaf, first, second = socket.socket(), socket.socket(), socket.socket()
    async with running_gateway() as gateway:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)  # a full backlog: the kernel leaves further connections unanswered
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        limits = PoolLimits(connections=1, connect_s=0.2, wait_s=60)
        gateway.upstreams["credit"] = Upstream("credit", f"http://127.0.0.1:{deaf.getsockname()[1]}", limits)
        raw = request("POST", "/v1/insurer-webhooks/1", key=None)
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*(gateway.ask(raw) for _ in range(3)))
        assert {(got.status, got.json()["code"]) for got in answers} == {(503, "service_unavailable")}
    for opened in (deaf, first, second):
        opened.close()


async def test_service_that_hangs_up_at_once_is_answered_for() -> None:
    async with running_gateway(answer_s=60) as gateway:

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        gateway.ledger.behave = behave
        statuses = {(await gateway.ask(GET)).status for _ in range(20)}
        assert statuses <= {502, 503}
        assert gateway.upstream.connections == 0


async def test_service_that_never_answers_is_a_timeout(gateway: Gateway) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        await reader.readexactly(1)

    gateway.ledger.behave = behave
    got = await asyncio.wait_for(gateway.ask(GET), 5)
    assert (got.status, got.json()["code"]) == (504, "upstream_timeout")
    async with asyncio.timeout(5):
        await gateway.ledger.closed.wait()


async def test_service_that_stops_reading_a_large_body_is_a_timeout(gateway: Gateway) -> None:
    hold = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hold.wait()

    gateway.ledger.behave = behave
    async with gateway.client() as client:
        sending = asyncio.create_task(client.send(request("POST", "/v1/imports", body=b"x" * (32 << 20))))
        got = await client.answer()
        assert (got.status, got.json()["code"]) == (504, "upstream_timeout")
        sending.cancel()
    hold.set()


def closing_after(service: Service, *answers: bytes) -> Behaviour:
    """Give these answers, then read one request more and close without a word."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for given in answers:
            await service.read(reader)
            writer.write(given)
        await service.read(reader)

    return behave


async def test_get_on_a_connection_closed_meanwhile_is_sent_once_more(gateway: Gateway) -> None:
    gateway.ledger.behave = closing_after(gateway.ledger, answer(b"1"))
    assert (await gateway.ask(GET)).body == b"1"
    assert (await gateway.ask(GET)).body == b"1"  # second request: lost, then repeated on a new connection
    assert (len(gateway.ledger.asked), gateway.ledger.connections) == (3, 2)


async def test_get_is_repeated_once_only(gateway: Gateway) -> None:
    gateway.ledger.behave = closing_after(gateway.ledger, answer(b"1"))
    await gateway.ask(GET)
    gateway.ledger.behave = closing_after(gateway.ledger)
    got = await gateway.ask(GET)
    assert (got.status, got.json()["code"]) == (502, "upstream_lost")
    assert len(gateway.ledger.asked) == 3


async def test_get_on_a_new_connection_is_not_repeated(gateway: Gateway) -> None:
    gateway.ledger.behave = closing_after(gateway.ledger)
    got = await gateway.ask(GET)
    assert (got.status, got.json()["code"]) == (502, "upstream_lost")
    assert len(gateway.ledger.asked) == 1


@pytest.mark.parametrize(
    "raw",
    [
        request("POST", "/v1/items", body=b"{}"),
        request("POST", "/v1/items"),
        request("PATCH", "/v1/items/7", body=b"{}"),
        request("DELETE", "/v1/items/7", body=b"{}"),
    ],
)
async def test_request_that_may_have_had_an_effect_is_never_repeated(gateway: Gateway, raw: bytes) -> None:
    gateway.ledger.behave = closing_after(gateway.ledger, answer(b"1"))
    await gateway.ask(GET)
    got = await gateway.ask(raw)
    assert (got.status, got.json()["code"]) == (502, "upstream_lost")
    assert "ledger" in got.json()["detail"]
    assert len(gateway.ledger.asked) == 2


async def test_connection_closed_while_idle_is_not_used(gateway: Gateway) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        writer.write(answer())

    gateway.ledger.behave = behave
    await gateway.ask(GET)
    await eventually(lambda: not gateway.upstream.connections)
    assert (await gateway.ask(request("POST", "/v1/items", body=b"{}"))).status == 200


BROKEN = {
    "closes in a small body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "upstream_lost"),
    "closes in the head": (b"HTTP/1.1 200 OK\r\nContent-Le", "upstream_lost"),
    "not HTTP": (b"220 mail.example ESMTP\r\n", "upstream_invalid"),
    "switches protocols": (
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "upstream_invalid",
    ),
    "endless header": (b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000, "upstream_invalid"),
    "many headers": (b"HTTP/1.1 200 OK\r\n" + b"X-A: aaaaaaaaaaaaaaaa\r\n" * 8_000, "upstream_invalid"),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "upstream_invalid",
    ),
    "length and chunked": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "upstream_invalid",
    ),
    "coding unknown": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab", "upstream_invalid"),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_broken_answer_is_a_bad_gateway(gateway: Gateway, kind: str) -> None:
    raw, code = BROKEN[kind]

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        writer.write(raw)
        await writer.drain()

    gateway.ledger.behave = behave
    got = await gateway.ask(request("POST", "/v1/items", body=b"{}"))
    assert (got.status, got.json()["code"]) == (502, code)
    assert len(gateway.ledger.asked) == 1


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 1000000", b"Transfer-Encoding: chunked"],
)
async def test_answer_that_breaks_off_reaches_the_client_broken_off(gateway: Gateway, head: bytes) -> None:
    body = b"x" * 100_000 if b"Length" in head else b"186a0\r\n" + b"x" * 100_000 + b"\r\n"

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)
        await writer.drain()

    gateway.ledger.behave = behave
    got = await gateway.ask(GET)
    assert (got.status, got.whole) == (200, False)


async def test_garbage_after_an_answer_never_becomes_the_next_answer(gateway: Gateway) -> None:
    forged = answer(b"forged", "200 OK")
    gateway.ledger.behave = answering(gateway.ledger, answer(b"true") + forged)
    for _ in range(3):
        assert (await gateway.ask(GET)).body == b"true"
    assert gateway.ledger.connections == 3


async def test_unasked_bytes_on_an_idle_connection_end_it(gateway: Gateway) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gateway.ledger.read(reader)
        writer.write(answer(b"true"))
        await asyncio.sleep(0.05)
        writer.write(answer(b"forged"))
        await gateway.ledger.read(reader)

    gateway.ledger.behave = behave
    assert (await gateway.ask(GET)).body == b"true"
    async with asyncio.timeout(1):  # at once, not when it has been idle for long
        await eventually(lambda: not gateway.upstream.connections)
    assert (await gateway.ask(GET)).body == b"true"
    assert gateway.ledger.connections == 2


async def test_early_answer_to_an_unfinished_body_is_passed_on(gateway: Gateway) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b'{"code":"snapshot_in_progress"}', "409 Conflict"))
        await writer.drain()
        await reader.read()

    gateway.ledger.behave = behave
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/imports", "Content-Length: 9000000"), b"x" * 100_000)
        got = await client.answer()
        assert (got.status, got.headers["connection"]) == (409, "close")
        await client.send(b"x" * 100_000)
    assert gateway.upstream.idle == 0


# -- clients that fail ---------------------------------------------------------------------------------------------


async def test_client_that_leaves_while_waiting_releases_the_service() -> None:
    async with running_gateway(answer_s=60) as gateway:
        started = asyncio.Event()

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await gateway.ledger.read(reader)
            started.set()
            await reader.readexactly(1)

        gateway.ledger.behave = behave
        async with gateway.client() as client:
            await client.send(GET)
            await started.wait()
        async with asyncio.timeout(2):
            await gateway.ledger.closed.wait()
        assert gateway.told == [("/v1/items/{id}", 499)]


async def test_client_that_leaves_while_reading_releases_the_service() -> None:
    async with running_gateway(answer_s=60, client_stall_s=60) as gateway:

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await gateway.ledger.read(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
                await writer.drain()

        gateway.ledger.behave = behave
        async with gateway.client() as client:
            await client.send(GET)
            await client.reader.readexactly(1_000_000)
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(0.3)
        async with asyncio.timeout(2):
            await gateway.ledger.closed.wait()


async def test_client_that_leaves_in_its_body_is_no_complete_request(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/imports", "Content-Length: 5000000"), b"x" * 1_000_000)
        await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        await gateway.ledger.closed.wait()
    assert gateway.ledger.asked == []


async def test_client_that_leaves_in_a_small_body_takes_no_connection(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/items", "Content-Length: 5000"), b"x" * 1_000)
        await asyncio.sleep(0.05)
    await eventually(lambda: gateway.told)
    assert gateway.ledger.connections == 0


@pytest.mark.parametrize("size", [5_000, 5_000_000])
async def test_client_that_stops_sending_is_told(gateway: Gateway, size: int) -> None:
    async with gateway.client() as client:
        await client.send(request("POST", "/v1/imports", f"Content-Length: {size}"), b"x" * (size // 5))
        got = await client.answer()
        assert (got.status, got.json()["code"]) == (408, "request_timeout")
    assert gateway.ledger.asked == []


async def test_client_that_does_not_read_is_not_buffered_for(gateway: Gateway) -> None:
    written = 0

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await gateway.ledger.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n")
        for _ in range(4_000):
            writer.write(b"x" * 100_000)
            await writer.drain()
            written += 100_000

    gateway.ledger.behave = behave
    async with gateway.client() as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(GET)
        async with asyncio.timeout(10):
            await gateway.ledger.closed.wait()  # given up after client_stall_s
    assert 0 < written < 40_000_000


async def test_client_that_pauses_gets_everything_in_the_end(gateway: Gateway) -> None:
    body = hashlib.shake_128(b"seed").digest(20_000_000)
    gateway.ledger.behave = answering(gateway.ledger, answer(body))
    async with gateway.client() as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(GET)
        await asyncio.sleep(0.2)
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert (await client.answer()).body == body


async def test_service_that_does_not_read_is_not_buffered_for() -> None:
    async with running_gateway(answer_s=60) as gateway:
        hold = asyncio.Event()

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hold.wait()

        gateway.ledger.behave = behave
        sent = 0
        async with gateway.client() as client:
            await client.send(request("POST", "/v1/imports", "Content-Length: 60000000"))
            with pytest.raises(TimeoutError):
                while True:
                    async with asyncio.timeout(0.5):
                        await client.send(b"x" * 100_000)
                    sent += 100_000
            hold.set()
        assert 0 < sent < 40_000_000


# -- the pool ------------------------------------------------------------------------------------------------------


async def test_connections_are_kept_and_used_again(gateway: Gateway) -> None:
    for _ in range(20):
        await gateway.ask(GET)
    assert (gateway.ledger.connections, gateway.upstream.idle) == (1, 1)


@pytest.mark.parametrize(
    "last_words", [answer(headers=[b"Connection: close"]), answer().replace(b"HTTP/1.1", b"HTTP/1.0")]
)
async def test_connection_the_service_wants_closed_is_not_used_again(
    gateway: Gateway, last_words: bytes
) -> None:
    gateway.ledger.behave = answering(gateway.ledger, last_words)  # and does not close it
    for _ in range(2):
        assert (await gateway.ask(GET)).status == 200
    assert gateway.ledger.connections == 2


async def test_connections_are_bounded_and_waiting_is_fair() -> None:
    async with running_gateway(connections=2, wait_s=5) as gateway:
        hold = asyncio.Event()

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await gateway.ledger.read(reader)
                await hold.wait()
                writer.write(answer())

        gateway.ledger.behave = behave
        asking = []
        for number in range(20):
            asking.append(asyncio.create_task(gateway.ask(request("GET", f"/v1/items/{number:02}"))))
            await eventually(lambda: len(gateway.ledger.asked) + gateway.upstream.waiting == len(asking))
        hold.set()
        assert [(await got).status for got in asking] == [200] * 20
        assert gateway.ledger.open_at_most == 2
        order = [asked.line for asked in gateway.ledger.asked]
        assert order == sorted(order)


async def test_waiting_longer_than_a_request_may_is_refused() -> None:
    async with running_gateway(connections=1, wait_s=0.1, answer_s=60) as gateway:
        hold = asyncio.Event()

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await gateway.ledger.read(reader)
                await hold.wait()
                writer.write(answer())

        gateway.ledger.behave = behave
        held = asyncio.create_task(gateway.ask(GET))
        await asyncio.sleep(0.05)
        refused = await gateway.ask(GET)
        assert (refused.status, refused.json()["code"]) == (503, "service_unavailable")
        hold.set()
        assert (await held).status == 200
        assert (await gateway.ask(GET)).status == 200


async def test_place_of_a_lost_connection_goes_to_who_waits() -> None:
    async with running_gateway(connections=1, wait_s=5) as gateway:

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await gateway.ledger.read(reader)
            await asyncio.sleep(0.02)
            writer.write(answer(headers=[b"Connection: close"]))

        gateway.ledger.behave = behave
        statuses = await asyncio.gather(*(gateway.ask(GET) for _ in range(8)))
        assert [got.status for got in statuses] == [200] * 8
        assert (gateway.ledger.connections, gateway.ledger.open_at_most) == (8, 1)


async def test_idle_connections_are_given_back() -> None:
    async with running_gateway(idle_s=0.2) as gateway:
        await gateway.ask(GET)
        assert gateway.upstream.idle == 1
        async with asyncio.timeout(5):
            await gateway.ledger.closed.wait()
        assert (gateway.upstream.connections, gateway.upstream.idle) == (0, 0)
