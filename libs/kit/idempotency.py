"""`Idempotency-Key`: the answer is stored in the transaction of the effect, so the two stand or fall together.

While the first request runs, an advisory lock on the key tells a second one that it is in progress, at once and without
waiting. Only 2xx answers are kept: a refused request left nothing behind and may simply be tried again.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from starlette.responses import Response

from libs.kit import clock
from libs.kit.db import Tx
from libs.kit.problems import Problem, invalid

KEPT = timedelta(days=7)
MAX_KEY_LENGTH = 255
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
_SECRET_HEADERS = frozenset({"set-cookie"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that carries a key."""

    key: str
    fingerprint: bytes


def attempt(key: str, method: str, path: str, query: bytes, body_sha256: bytes) -> Attempt:
    """Name a request. Raises 422 for a key that is empty, too long, or not printable ASCII."""
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise invalid(
            "header:Idempotency-Key",
            "idempotency_key_invalid",
            "expected 1 to 255 printable ASCII characters",
        )
    parts = b"\n".join((method.encode(), path.encode(), query, body_sha256))
    return Attempt(key, hashlib.sha256(parts).digest())


async def claim(tx: Tx, request: Attempt) -> Response | None:
    """The stored answer of an equal request, or None when this one must do the work.

    Raises 409 `idempotency_in_progress` while another transaction holds the key, 409 `idempotency_key_reused` when the
    key once named another request.
    """
    if not await tx.fetchval(_LOCK, f"{tx.tenant_id}:{request.key}"):
        detail = "A request with this Idempotency-Key is being worked on."
        raise Problem(409, "idempotency_in_progress", detail, headers={"Retry-After": "1"})
    row = await tx.fetchrow(
        "SELECT fingerprint, status, headers, body, created_at FROM idempotency_keys WHERE tenant_id = $1 AND key = $2",
        tx.tenant_id, request.key,
    )  # fmt: skip
    if row is None:
        return None
    if row["created_at"] < clock.wall() - KEPT:
        await tx.execute(
            "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND key = $2", tx.tenant_id, request.key
        )
        return None
    if row["fingerprint"] != request.fingerprint:
        raise Problem(409, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
    headers: dict[str, Any] = msgspec.json.decode(row["headers"])
    return Response(row["body"], row["status"], headers={**headers, "Idempotency-Replayed": "true"})


async def store(tx: Tx, request: Attempt, response: Response, *, replay_body: bytes | None = None) -> None:
    """Keep a 2xx answer. `replay_body` replaces the body for replays: a secret is shown once, to the first caller only."""
    headers = {
        name.decode(): value.decode("latin-1")
        for name, value in response.raw_headers
        if name not in (b"content-length",) and name.decode() not in _SECRET_HEADERS
    }
    body = bytes(response.body) if replay_body is None else replay_body
    await tx.execute(
        "INSERT INTO idempotency_keys (tenant_id, key, fingerprint, status, headers, body, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        tx.tenant_id, request.key, request.fingerprint, response.status_code,
        msgspec.json.encode(headers).decode(), body, clock.wall(),
    )  # fmt: skip


async def forget_expired(tx: Tx) -> int:
    """Delete keys older than a week; the number deleted."""
    return await tx.execute(
        "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND created_at < $2",
        tx.tenant_id,
        clock.wall() - KEPT,
    )
