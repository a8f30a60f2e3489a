"""Calls to the house's own services: one pooled client a peer, a service token, the trace handed on, short timeouts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from libs.kit import clock, context
from libs.kit.auth import TOKEN_LIFE, Keys
from libs.kit.problems import Problem
from libs.kit.settings import ServiceName, Settings

_TIMEOUT = httpx.Timeout(connect=2, read=30, write=10, pool=2)
_RENEW_BEFORE = timedelta(minutes=1)


class Peers:
    """The other services, seen from one of them."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys
        self._clients: dict[ServiceName, httpx.AsyncClient] = {}
        self._tokens: dict[ServiceName, tuple[Any, str]] = {}

    async def get(
        self,
        peer: ServiceName,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
    ) -> Any:
        """The JSON of a peer's answer; None for a 404. Raises Problem 503 `peer_unavailable` when it is down or broken."""
        return await self._call(peer, "GET", path, params=params, token=token)

    async def post(
        self, peer: ServiceName, path: str, body: Any, *, token: str | None = None, within: float = 30
    ) -> Any:
        """Send JSON, read JSON; None for a 404. Raises Problem 503 `peer_unavailable`, or the peer's own 4xx problem."""
        return await self._call(
            peer, "POST", path, content=msgspec.json.encode(body), token=token, within=within
        )

    async def close(self) -> None:
        """Close the pools."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _call(
        self,
        peer: ServiceName,
        method: str,
        path: str,
        *,
        token: str | None = None,
        within: float = 30,
        **request: Any,
    ) -> Any:
        headers = {
            "authorization": f"Bearer {token or self._token(peer)}",
            "content-type": "application/json",
            "x-request-id": context.request_id() or "-",
            "traceparent": context.traceparent(),
        }
        limits = httpx.Timeout(connect=2, read=within, write=10, pool=2)
        try:
            response = await self._client(peer).request(
                method, path, headers=headers, timeout=limits, **request
            )
        except httpx.HTTPError as error:
            raise _unavailable(peer, type(error).__name__) from error
        if response.status_code == 404:
            return None
        if response.status_code >= 500:
            raise _unavailable(peer, f"it answered {response.status_code}")
        if response.status_code >= 400:
            raise _refusal(response)
        return msgspec.json.decode(response.content) if response.content else {}

    async def _request(self, peer: ServiceName, method: str, path: str, **request: Any) -> httpx.Response:
        """One exchange. Every call between our services may be repeated without harm, so one that met a connection the peer
        was just closing is sent once more."""
        try:
            return await self._client(peer).request(method, path, **request)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            return await self._client(peer).request(method, path, **request)

    def _client(self, peer: ServiceName) -> httpx.AsyncClient:
        client = self._clients.get(peer)
        if client is None:
            url = self._settings.url_of(peer)
            # Shorter than uvicorn's own five seconds: a connection both ends may close is a request lost.
            limits = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=2)
            # Reading the machine's certificates takes a tenth of a second: not for plain HTTP.
            client = httpx.AsyncClient(
                base_url=url,
                timeout=_TIMEOUT,
                limits=limits,
                trust_env=False,
                verify=url.startswith("https:"),
            )
            self._clients[peer] = client
        return client

    def _token(self, peer: ServiceName) -> str:
        known = self._tokens.get(peer)
        now = clock.wall()
        if known is None or known[0] < now:
            known = (now + TOKEN_LIFE - _RENEW_BEFORE, self._keys.sign_service(peer))
            self._tokens[peer] = known
        return known[1]


def _unavailable(peer: str, reason: str) -> Problem:
    return Problem(
        503,
        "peer_unavailable",
        f"The {peer} service does not answer ({reason}).",
        headers={"Retry-After": "2"},
        service=peer,
    )


def _refusal(response: httpx.Response) -> Problem:
    try:
        body = msgspec.json.decode(response.content)
        return Problem(response.status_code, body["code"], body["detail"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return Problem(response.status_code, "refused", "A service of ours refused the call.")
