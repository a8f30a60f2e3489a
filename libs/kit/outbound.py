"""Calls to the outside world: webhooks, providers, insurers, foreign log-ins. One guarded client for all of them.

Where a call may go is decided on the resolved addresses, and the connection goes to the very address that was looked at:
a name that answers differently a moment later gains nothing. What came of a call is one of four things, because whoever
asked an insurer for cover must know whether asking again could ask twice:

- `Answer`: there was an answer, whatever its status;
- `Refused`: our own policy forbids the call, nothing left the house;
- `NotSent`: no connection, or it broke before a byte of the request was written: asking again is harmless;
- `Uncertain`: it was sent, wholly or partly, and no usable answer came: it may have worked.

No error, log line or repr of this module holds a path, a query, a header or a body: tokens travel in all of them.
"""

import asyncio
import functools
import logging
import ssl
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Self

import h11
import httpcore
import httpx
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection
from typing_extensions import override

from libs.kit.outbound_body import BodyRefused, Collected, collect
from libs.kit.outbound_policy import Destination, HostPolicy, PolicyRefused
from libs.kit.settings import Settings
from libs.kit.strict_json import loads

_DNS_SECONDS = 30.0
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
#: Sent on to another place by a redirect; everything else may be a credential, whatever it is called.
_HARMLESS = frozenset(("accept", "accept-language", "user-agent"))
# They tell whole URLs, and a URL may be a secret.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class OutboundError(Exception):
    """A call without an answer; `reason` is a stable code, `host` where it was meant to go."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


class Refused(OutboundError):
    """Our policy forbids this destination. Nothing was sent, and trying again will not help."""


class NotSent(OutboundError):
    """Nothing of the request was written: trying again is harmless."""


class Uncertain(OutboundError):
    """The request was sent, wholly or partly, and no usable answer came. It may have worked."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What the other side said. Header names are in lower case; `truncated` if the body was longer than asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool = False

    def json(self) -> Any:
        """The body as strict JSON, numbers exact. Raises JsonRefused."""
        return loads(self.body)

    @property
    def text(self) -> str:
        """The body as text in the declared encoding, else UTF-8; what does not decode is replaced."""
        _, _, charset = self.headers.get("content-type", "").partition("charset=")
        try:
            return self.body.decode(charset.split(";")[0].strip("\" '") or "utf-8", "replace")
        except (LookupError, ValueError):
            return self.body.decode("utf-8", "replace")

    @override
    def __repr__(self) -> str:
        return f"<Answer {self.status}, {len(self.body)} bytes>"


class Outbound:
    """One client for one kind of destination. Use it as an async context manager, or close it.

    allowed_hosts: the only host names called (exact, without port); None is any host with public addresses alone.
    connect_seconds bounds resolving, connecting and TLS; total_seconds the whole call; max_bytes the answer's body, on
    the wire as well as inflated. certificate: a context from `client_certificate` for mutual TLS. keep_alive keeps
    connections for a few seconds: a call that meets one being closed is then Uncertain, so leave it off where a repeat
    could do harm.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        allowed_hosts: Collection[str] | None,
        connect_seconds: float = 5,
        total_seconds: float = 20,
        max_bytes: int = 1 << 20,
        certificate: ssl.SSLContext | None = None,
        keep_alive: bool = False,
    ) -> None:
        self._policy = _policy(settings, allowed_hosts)
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._max_bytes = max_bytes
        self._certificate = certificate
        self._keep_alive = keep_alive
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        basic: tuple[str, str] | None = None,
        total_seconds: float | None = None,
        max_bytes: int | None = None,
        truncate: bool = False,
        redirects: int = 0,
    ) -> Answer:
        """Send one request, once. Raises Refused, NotSent or Uncertain.

        truncate keeps the first max_bytes of a longer body instead of raising. redirects: how many may be followed, for a
        GET without Basic credentials or client certificate only; another host gets none of the caller's headers. Without
        it a redirect is an answer like any other.
        """
        if redirects and (method != "GET" or basic or self._certificate):
            raise ValueError("redirects are followed for a GET without credentials only")
        limit = self._max_bytes if max_bytes is None else max_bytes
        given = dict(headers or {})
        trail = _Trail()
        try:
            async with asyncio.timeout(self._total_seconds if total_seconds is None else total_seconds):
                while True:
                    there = self._policy.destination(url)
                    trail.host = there.host
                    request = self._request(method, url, given, params, content)
                    await self._admit(there)
                    answer = await self._exchange(request, basic, trail, limit, truncate)
                    if not redirects or answer.status not in _REDIRECTS or "location" not in answer.headers:
                        return answer
                    url, params = str(request.url.join(answer.headers["location"])), None
                    if self._policy.destination(url) != there:
                        given = {name: value for name, value in given.items() if name.lower() in _HARMLESS}
                    redirects -= 1
        except PolicyRefused as refused:
            raise Refused(refused.host, refused.reason) from None
        except SSRFProtectionError:
            raise Refused(trail.host, "address_not_allowed") from None
        except httpx.InvalidURL:
            raise Refused(trail.host, "url_invalid") from None
        except BodyRefused as refused:
            raise Uncertain(trail.host, refused.reason) from None
        except TimeoutError:
            raise trail.broken("timed_out") from None
        except httpx.HTTPError as error:
            raise trail.broken(_reason(error)) from None

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        content: bytes | None,
    ) -> httpx.Request:
        # gzip is the one encoding whose inflation we bound ourselves; asking for others would leave it to a library.
        fixed = {"user-agent": "Encours/1", "accept-encoding": "gzip", **headers}
        if not self._keep_alive:
            fixed["connection"] = "close"
        client = self._opened()
        return client.build_request(method, url, headers=fixed, params=params, content=content)

    async def _admit(self, there: Destination) -> None:
        """Look at every address of a name before anything touches one of them. Raises PolicyRefused."""
        if there.literal is not None:
            self._policy.check(there, [there.literal])
            return
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                found = await loop.getaddrinfo(there.host, there.port, type=1)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            raise NotSent(there.host, "name_not_resolved") from None
        self._policy.check(there, [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found])

    async def _exchange(
        self,
        request: httpx.Request,
        basic: tuple[str, str] | None,
        trail: "_Trail",
        limit: int,
        truncate: bool,
    ) -> Answer:
        trail.sent = False
        request.extensions["trace"] = trail.note
        auth = httpx.BasicAuth(*basic) if basic else None
        response = await self._opened().send(request, auth=auth, stream=True)
        try:
            encoding = response.headers.get("content-encoding", "identity").strip().lower()
            body: Collected = await collect(response.aiter_raw(), encoding, limit, truncate)
        finally:
            await response.aclose()
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, names, body.content, body.truncated)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            client = httpx.AsyncClient(
                verify=self._certificate or _authorities(),
                timeout=httpx.Timeout(self._total_seconds, connect=self._connect_seconds),
                limits=httpx.Limits(
                    max_keepalive_connections=20 if self._keep_alive else 0, keepalive_expiry=5
                ),
                trust_env=False,
                follow_redirects=False,
            )
            self._client = httpx_ssrf_protection(
                client,
                check_globally_reachable=False,  # ours is stricter, and knows when loopback is allowed
                custom_validator=self._admits,
                dns_cache_ttl=_DNS_SECONDS,
            )
        return self._client

    def _admits(self, host: str, address: IPv4Address | IPv6Address, port: int) -> bool:
        return self._policy.admits(address, host, port)


def refuse_forbidden(settings: Settings, url: str) -> None:
    """Raise Refused for a URL that could never be called, as far as can be seen without asking for its name: say so when it
    is entered, not when it is needed."""
    policy = _policy(settings, None)
    try:
        there = policy.destination(url)
        if there.literal is not None:
            policy.check(there, [there.literal])
    except PolicyRefused as refused:
        raise Refused(refused.host, refused.reason) from None


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whom we believe about servers; read once, for it takes a while (SSL_CERT_FILE names others than the usual)."""
    return httpx.create_ssl_context()


def _policy(settings: Settings, allowed_hosts: Collection[str] | None) -> HostPolicy:
    return HostPolicy(allowed_hosts, settings.outbound_loopback, _stand_in(settings))


def _stand_in(settings: Settings) -> str | None:
    """The sandbox plays the outside world: where both are allowed it may be called wherever it stands."""
    return settings.url_of("sandbox") if settings.sandbox and settings.outbound_loopback else None


class _Trail:
    """How far a call has come: httpcore tells when the first byte of a request is about to be written."""

    def __init__(self) -> None:
        self.host = "?"
        self.sent = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """See httpcore's `trace` extension."""
        if event.endswith("send_request_headers.started"):
            self.sent = True
        elif event.endswith("send_request_headers.failed"):
            # A header that cannot be written is found before anything is.
            self.sent = not isinstance(
                info["exception"], h11.LocalProtocolError | httpcore.LocalProtocolError
            )

    def broken(self, reason: str) -> OutboundError:
        """The error that says whether the call may have worked."""
        return (Uncertain if self.sent else NotSent)(self.host, reason)


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "timed_out"
    if isinstance(error, httpx.LocalProtocolError):
        return "request_invalid"
    if isinstance(error, httpx.ConnectError):
        return "tls_failed" if isinstance(_root(error), ssl.SSLError) else "not_connected"
    return "connection_lost" if isinstance(error, httpx.NetworkError) else "protocol_error"


def _root(error: BaseException) -> BaseException:
    """Where an error came from."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


def client_certificate(certificate: str, key: str, *, password: str | None = None) -> ssl.SSLContext:
    """A context for mutual TLS from PEM texts (the certificate with its chain). Raises ValueError if they do not fit.

    The server is checked against the usual authorities (SSL_CERT_FILE names others). OpenSSL reads these from files only:
    they stand for a moment in a directory that nobody else may enter.
    """
    context = httpx.create_ssl_context()
    with tempfile.TemporaryDirectory() as directory:
        chain, private = Path(directory, "chain.pem"), Path(directory, "key.pem")
        chain.write_text(certificate)
        private.write_text(key)
        try:
            context.load_cert_chain(chain, private, password or "")
        except (ssl.SSLError, OSError):
            raise ValueError("the certificate and its key do not fit together, or are not PEM") from None
    return context
