"""The ERP's side: what an ERP does against the public API, over HTTP and with nothing but an API key.

Every refusal becomes one line a person can act on. Everything written carries an idempotency key derived
from what is written, so that a push that was cut off is simply made again.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import httpx

__all__ = ["Erp", "ErpError", "Pushed", "connection", "control_sums"]

_PATIENCE = httpx.Timeout(120, connect=5)
_TRIES = 6
#: Worth asking again: too fast, still starting, the same request still under way.
_LATER = frozenset({429, 503})
_FOLLOW_SECONDS = 600
_PAGE = 200

Query = Mapping[str, str | int]


class ErpError(Exception):
    """The API refused or could not be reached; the text is one line. `status` is 0 when nothing answered."""

    def __init__(self, line: str, status: int = 0, code: str = "unreachable") -> None:
        super().__init__(line)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a file: rows by outcome, and the first error in words if there was one."""

    counts: dict[str, int]
    first_error: str | None


def connection(url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client of the API at `url`. A transport of one's own stands in for the network in tests."""
    return httpx.AsyncClient(base_url=url, timeout=_PATIENCE, transport=transport)


class Erp:
    """Somebody with a key."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._key = key

    def with_key(self, key: str) -> Self:
        """The same API under another key."""
        return type(self)(self._client, key)

    async def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """An object or the first page of a list. Raises ErpError."""
        return _object(await self._send("GET", path, query))

    async def pages(self, path: str, **query: str | int) -> AsyncIterator[dict[str, Any]]:
        """Every element of a list, page after page. Raises ErpError."""
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, **query, **cursor, limit=_PAGE)
            for element in page["data"]:
                yield element
            if not page.get("next_cursor"):
                return
            cursor = {"cursor": page["next_cursor"]}

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create or act, once however often it is called with the same body. Raises ErpError."""
        return _object(await self._send("POST", path, {}, _json(body)))

    async def create_once(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create something whose secret is shown once: without an idempotency key, for a replay would not
        show it. Raises ErpError."""
        return _object(await self._send("POST", path, {}, _json(body), repeatable=False))

    async def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace. Raises ErpError."""
        return _object(await self._send("PUT", path, {}, _json(body)))

    async def push(
        self,
        kind: str,
        unit_id: str,
        source: str,
        rows: Iterable[Mapping[str, Any]],
        control_sum: str | None = None,
    ) -> Pushed:
        """Send rows as one NDJSON delta with control totals and wait until they have landed. Raises ErpError.

        `control_sum` is the signed sum of the rows by currency, "EUR:1234.50,CHF:-7.00".
        """
        lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
        query: dict[str, str | int] = {
            "kind": kind,
            "mode": "delta",
            "source": source,
            "business_unit_id": unit_id,
            "control_count": len(lines),
        }
        if control_sum:
            query["control_sum"] = control_sum
        body = "\n".join(lines).encode() + b"\n"
        answer = await self._send("POST", "/v1/imports", query, body, "application/x-ndjson")
        made = _object(answer)
        if answer.status_code == 202:
            await self.follow(answer.headers.get("operation-location"))
            made = await self.get(f"/v1/imports/{made['id']}")
        if made["status"] != "completed":
            raise ErpError(f"import of {kind} ended as {made['status']}", answer.status_code, made["status"])
        return Pushed(made["counts"], _first_error(made.get("errors") or []))

    async def follow(self, location: str | None) -> dict[str, Any]:
        """Wait for long work to end well. Raises ErpError when it fails or takes more than ten minutes."""
        if not location:
            raise ErpError("long work was accepted without saying where to follow it")
        path = httpx.URL(location).path
        patience: Query = {"wait": 20} if path.startswith("/v1/operations/") else {}
        async with asyncio.timeout(_FOLLOW_SECONDS):
            while True:
                operation = _object(await self._send("GET", path, patience))
                if operation["status"] == "succeeded":
                    return operation
                if operation["status"] in {"failed", "cancelled"}:
                    problem = operation.get("error") or {}
                    said = problem.get("detail") or problem.get("code") or operation["status"]
                    raise ErpError(f"{operation.get('kind', 'operation')} {operation['status']}: {said}")
                await asyncio.sleep(0.2)

    async def start(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin long work and wait for its end; returns what the first answer said. Raises ErpError."""
        answer = await self._send("POST", path, {}, _json(body))
        if answer.status_code == 202 and answer.headers.get("operation-location"):
            await self.follow(answer.headers["operation-location"])
        return _object(answer)

    async def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: bytes | None = None,
        media_type: str = "application/json",
        *,
        repeatable: bool = True,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._key}"}
        if body is not None:
            headers["Content-Type"] = media_type
        if method == "POST" and body is not None and repeatable:
            headers["Idempotency-Key"] = _idempotency_key(path, query, body)
        for attempt in range(_TRIES):
            answer = await self._once(method, path, query, body, headers)
            again = answer.status_code in _LATER or _code(answer) == "idempotency_in_progress"
            if not again or attempt == _TRIES - 1:
                break
            await asyncio.sleep(_seconds(answer.headers.get("retry-after"), 0.5 * 2**attempt))
        if answer.status_code >= 400:
            raise _refusal(method, path, answer)
        return answer

    async def _once(
        self, method: str, path: str, query: Query, body: bytes | None, headers: dict[str, str]
    ) -> httpx.Response:
        try:
            return await self._client.request(
                method, path, params=dict(query) or None, content=body, headers=headers
            )
        except httpx.ConnectError:
            raise ErpError(f"nothing answers at {self._client.base_url}: is it running?") from None
        except httpx.HTTPError as error:
            raise ErpError(f"{method} {path}: {type(error).__name__}") from None


def control_sums(rows: Iterable[Mapping[str, Any]]) -> str:
    """The signed sum of rows by currency, as the import's control total wants it: credit notes count down."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sign = -1 if row.get("kind") == "credit_note" else 1
        sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + sign * Decimal(row["amount"])
    return ",".join(f"{currency}:{amount}" for currency, amount in sorted(sums.items()))


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _idempotency_key(path: str, query: Query, body: bytes) -> str:
    """One key for one content: the same push again is the same request."""
    told = json.dumps([path, sorted(query.items())]).encode() + b"\0" + body
    return f"erp-{hashlib.sha256(told).hexdigest()[:40]}"


def _object(answer: httpx.Response) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        value = answer.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ErpError(
            f"{answer.request.url.path}: the answer is not a JSON object", answer.status_code, "garbage"
        )
    return value


def _code(answer: httpx.Response) -> str:
    if answer.status_code < 400 or "json" not in answer.headers.get("content-type", ""):
        return ""
    try:
        return str(_object(answer).get("code", ""))
    except ErpError:
        return ""


def _refusal(method: str, path: str, answer: httpx.Response) -> ErpError:
    """A problem document as one line: what was asked, the code, the first error with its place."""
    code = _code(answer)
    problem = _object(answer) if code else {}
    said = problem.get("detail") or problem.get("title") or answer.reason_phrase
    for error in (problem.get("errors") or [])[:1]:
        said = f"{said} ({error.get('pointer', '')}: {error.get('detail', error.get('code', ''))})"
    line = " ".join(f"{method} {path}: {answer.status_code} {code} {said}".split())
    return ErpError(line, answer.status_code, code)


def _first_error(errors: list[dict[str, Any]]) -> str | None:
    if not errors:
        return None
    first = errors[0]
    return f"row {first.get('row')}{first.get('pointer', '')}: {first.get('code')}, {first.get('detail', '')}"


def _seconds(header: str | None, otherwise: float) -> float:
    try:
        return min(10.0, float(header)) if header else otherwise
    except ValueError:
        return otherwise
