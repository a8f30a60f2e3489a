"""The guarded client against a server of this machine that behaves badly; other names are answered by a stub."""

import asyncio
import gzip
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from libs.kit.outbound import NotSent, Outbound, OutboundError, Refused, Uncertain, client_certificate
from libs.kit.settings import Settings

SECRET = "tok-7f3a"
Talk = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def settings(*, loopback: bool = True) -> Settings:
    """Settings that matter here."""
    return Settings(
        database_url=SecretStr("postgresql://x@127.0.0.1/x"), redis_url=SecretStr("redis://127.0.0.1/0"),
        keys_dir=Path("/"), outbound_loopback=loopback,
    )  # fmt: skip


class Wild:
    """A server that says what it is told to."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.url = ""

    @asynccontextmanager
    async def speaking(self, talk: Talk) -> AsyncIterator[str]:
        """Serve on a free port; its base URL."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                await talk(head, reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass  # httpx-secure knocks once before the connection that counts
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self.url


def saying(content: bytes, *headers: str, status: str = "200 OK") -> Talk:
    """An answer with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]

    async def talk(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await writer.drain()

    return talk


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and their addresses; a name that is not here does not exist. No packet leaves for any."""
    names: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        if text in names:
            return [
                found for address in names[text] for found in real(address, port, type=socket.SOCK_STREAM)
            ]
        try:
            socket.inet_aton(text)  # how the C library reads 2130706433, 0x7f.1 and their kind
        except OSError:
            raise socket.gaierror(socket.EAI_NONAME, "unknown") from None
        return real(text, port, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names


@pytest.fixture
async def no_connection(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to open a connection, none of which succeeds."""
    attempts: list[Any] = []

    async def refuse(*args: Any, **named: Any) -> Any:
        attempts.append((args, named))
        raise OSError("nobody is to be called")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    return attempts


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 localhost 127.1 2130706433 0x7f000001 0177.0.0.1 0x7f.1 0.0.0.0 0 [::1] [::] [::ffff:127.0.0.1] "
    "[::ffff:7f00:1] 169.254.169.254 2852039166 10.0.0.8 [fe80::1] [fd00::1] [64:ff9b::7f00:1] "
    "inside.example mixed.example metadata.example mapped.example".split(),
)
async def test_the_inside_is_not_called_whatever_it_is_called(
    host: str, resolver: dict[str, list[str]], no_connection: list[Any]
) -> None:
    resolver |= {
        "localhost": ["127.0.0.1"],
        "inside.example": ["192.168.7.7"],
        "mixed.example": ["93.184.216.34", "127.0.0.1"],
        "metadata.example": ["169.254.169.254"],
        "mapped.example": ["::ffff:10.0.0.1"],
    }
    async with Outbound(settings(loopback=False), allowed_hosts=None) as outbound:
        with pytest.raises(Refused, match=r"address_not_allowed|url_invalid"):
            await outbound.send("POST", f"https://{host}/hook")
    assert no_connection == []


async def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = socket.getaddrinfo, 0

    def turn(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        nonlocal asked
        if host != b"rebind.example" and host != "rebind.example":
            return real(host, port, *args, **named)
        asked += 1
        return real("93.184.216.34" if asked == 1 else "127.0.0.1", port, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", turn)
    wild = Wild()
    async with (
        wild.speaking(saying(b"inside")) as url,
        Outbound(settings(loopback=False), allowed_hosts=None) as outbound,
    ):
        with pytest.raises(Refused, match="address_not_allowed"):
            await outbound.send("GET", url.replace("http://127.0.0.1", "https://rebind.example"))
    assert asked > 1 and wild.heads == []


async def test_an_answer_is_an_answer_whatever_its_status() -> None:
    wild = Wild()
    async with (
        wild.speaking(saying(b'{"amount": 0.10}', "X-Kind: odd", status="503 Busy")) as url,
        Outbound(settings(), allowed_hosts=["127.0.0.1"]) as outbound,
    ):
        answer = await outbound.send(
            "PUT", f"{url}/a?x=1", headers={"X-Tone": "calm"}, content=b"[]", basic=("me", "secret")
        )
        with pytest.raises(Refused, match="host_not_allowed"):
            await outbound.send("GET", "https://example.com/")
    assert (answer.status, answer.headers["x-kind"], str(answer.json()["amount"])) == (503, "odd", "0.10")
    head = wild.heads[0].lower()
    assert head.startswith(b"put /a?x=1 http/1.1") and b"authorization: basic bwu6c2vjcmv0" in head
    assert b"x-tone: calm" in head and b"accept-encoding: gzip" in head and b"connection: close" in head


async def test_what_did_not_leave_and_what_may_have_worked_are_told_apart() -> None:
    async def hang(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async def hang_up(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def babble(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"I am not a web server\r\n\r\n")

    async def break_off(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    async def drip(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _letter in range(50):
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.05)

    unwilling = {hang: "timed_out", hang_up: "protocol_error", babble: "protocol_error",
                 break_off: "protocol_error", drip: "timed_out"}  # fmt: skip
    async with Outbound(settings(), allowed_hosts=None, total_seconds=0.5) as outbound:
        for talk, reason in unwilling.items():
            async with Wild().speaking(talk) as url:
                with pytest.raises(Uncertain) as uncertain:
                    await outbound.send("POST", url, content=b"{}")
                assert (uncertain.value.reason, uncertain.value.host) == (reason, "127.0.0.1"), talk.__name__
        with pytest.raises(NotSent, match="not_connected"):  # the port of the last server, now closed
            await outbound.send("POST", url, content=b"{}")
        async with Wild().speaking(hang) as url:
            with pytest.raises(NotSent, match=r"tls_failed|timed_out|not_connected"):
                await outbound.send("POST", url.replace("http:", "https:"), content=b"{}")
            with pytest.raises(NotSent, match="request_invalid"):
                await outbound.send("POST", url, headers={"x-a": "1\r\nx-b: 2"})


async def test_a_name_nobody_knows_is_not_sent(resolver: dict[str, list[str]]) -> None:
    async with Outbound(settings(), allowed_hosts=None) as outbound:
        with pytest.raises(NotSent, match="name_not_resolved"):
            await outbound.send("GET", "https://nowhere.example/")


async def test_bodies_are_bounded_on_the_wire_and_inflated() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 60_000
    zipped = ("Content-Encoding: gzip",)
    cases: list[tuple[Talk, str | bytes]] = [
        (saying(b"x" * 70_000), "answer_too_large"),
        (saying(bomb, *zipped), "answer_too_large"),
        (saying(b"not gzip", *zipped), "answer_not_inflatable"),
        (saying(gzip.compress(b"whole")[:-4], *zipped), "answer_not_inflatable"),
        (saying(b"x", "Content-Encoding: br"), "answer_encoding_unknown"),
        (saying(gzip.compress(b"y" * 60_000), *zipped), b"y" * 60_000),
        (saying(b"z" * 65_536), b"z" * 65_536),
    ]
    async with Outbound(settings(), allowed_hosts=None, max_bytes=65_536) as outbound:
        for talk, expected in cases:
            async with Wild().speaking(talk) as url:
                if isinstance(expected, bytes):
                    assert (await outbound.send("GET", url)).body == expected
                    continue
                with pytest.raises(Uncertain, match=expected):
                    await outbound.send("GET", url)
        async with Wild().speaking(saying(bomb, *zipped)) as url:
            cut = await outbound.send("GET", url, max_bytes=10, truncate=True)
    assert (cut.body, cut.truncated) == (b"0" * 10, True)


async def test_a_redirect_is_followed_only_when_asked_and_looked_at_again() -> None:
    wild = Wild()
    inside = saying(b"", "Location: https://127.0.0.1:1/x", status="302 Found")
    async with (
        Wild().speaking(saying(b"there")) as goal,
        Outbound(settings(), allowed_hosts=None) as outbound,
    ):
        onward = saying(b"", f"Location: {goal}/next", status="307 Go")
        async with wild.speaking(onward) as url:
            assert (await outbound.send("GET", url, headers={"X-Key": SECRET})).status == 307
        other = Wild()
        async with (
            other.speaking(saying(b"there")) as goal,
            wild.speaking(saying(b"", f"Location: {goal}/next", status="307 Go")) as url,
        ):
            answer = await outbound.send(
                "GET", url, headers={"X-Key": SECRET, "Accept": "text/x"}, redirects=1
            )
        assert answer.body == b"there" and SECRET.encode() not in other.heads[0]
        assert b"text/x" in other.heads[0]
        for talk in (inside, saying(b"", "Location: http://10.0.0.1/", status="302 Found")):
            async with wild.speaking(talk) as url:
                with pytest.raises((Refused, NotSent)):
                    await outbound.send("GET", url, redirects=3)
        for refused in ({"method": "POST"}, {"method": "GET", "basic": ("a", "b")}):
            with pytest.raises(ValueError, match="without credentials"):
                await outbound.send(url="https://example.com/", redirects=1, **refused)


async def test_secrets_stay_out_of_errors_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    async def hang_up(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    caplog.set_level(logging.INFO)
    told = []
    async with Outbound(settings(), allowed_hosts=None, total_seconds=2) as outbound:
        for talk in (hang_up, saying(b"fine")):
            async with Wild().speaking(talk) as url:
                try:
                    told.append(
                        repr(await outbound.send("POST", f"{url}/{SECRET}", headers={"x-key": SECRET}))
                    )
                except OutboundError as error:
                    told += [str(error), repr(error), repr(error.__dict__)]
                    assert error.__cause__ is None and error.__suppress_context__
    assert len(told) == 4 and SECRET not in caplog.text + "".join(told)


def test_a_certificate_and_a_key_that_do_not_fit_are_said_so() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        client_certificate("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", "no key")
