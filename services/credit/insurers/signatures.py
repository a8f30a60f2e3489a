"""Whether a message comes from whom it says, decided on its raw bytes before anybody reads them.

Standard Webhooks 1.0.0 (github.com/standard-webhooks): HMAC-SHA256 over `id.timestamp.body`, five minutes of tolerance either
way, several signatures while a secret is replaced. A plain HMAC header serves middleware that cannot do that.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"
_MAX_SIGNATURES = 20


class NotAuthentic(Exception):
    """No signature fits: whoever sent it does not know the secret."""


class OutOfTime(Exception):
    """Signed too long ago, or in the future: it may be a recording."""


@dataclass(frozen=True, slots=True)
class HmacOptions:
    """How a middleware signs: header names, digest encoding, and where its timestamp and message id stand, if anywhere."""

    header: str = "x-signature"
    encoding: Literal["hex", "base64"] = "hex"
    algorithm: Literal["sha256", "sha512"] = "sha256"
    prefix: str = ""
    timestamp_header: str | None = None
    id_header: str | None = None


def key_of(secret: str) -> bytes:
    """The key behind `whsec_…`. Raises ValueError for an empty one, or one that is not base64."""
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("expected whsec_ and base64") from None
    if not key:
        raise ValueError("an empty secret signs nothing")
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()


def verify_standard(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message's id. `headers` in lower case. Raises NotAuthentic, or OutOfTime for a good signature of another hour."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:_MAX_SIGNATURES]
    if not message_id or len(message_id) > 256 or not timestamp.isascii() or not timestamp.isdigit():
        raise NotAuthentic
    if len(timestamp) > 12:
        raise NotAuthentic
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = [hmac.digest(key_of(secret), signed, "sha256") for secret in secrets]
    # Every pair is compared: how long it takes must not tell which one nearly fitted.
    fits = [hmac.compare_digest(_decoded(one), right) for one in given for right in expected]
    if not any(fits):
        raise NotAuthentic
    _require_recent(int(timestamp), now)
    return message_id


def verify_hmac(
    secrets: Sequence[str], options: HmacOptions, headers: Mapping[str, str], body: bytes, now: datetime
) -> str:
    """The message's id: the one it names, else the digest of its bytes. Raises as `verify_standard`."""
    given = headers.get(options.header.lower(), "").strip()
    if options.prefix and not given.startswith(options.prefix):
        raise NotAuthentic
    text = given.removeprefix(options.prefix)
    try:
        mac = bytes.fromhex(text) if options.encoding == "hex" else base64.b64decode(text, validate=True)
    except ValueError:
        raise NotAuthentic from None
    timestamp = headers.get(options.timestamp_header.lower(), "") if options.timestamp_header else ""
    signed = timestamp.encode() + b"." + body if options.timestamp_header else body
    fits = [
        hmac.compare_digest(mac, hmac.digest(_plain_key(secret), signed, options.algorithm))
        for secret in secrets
    ]
    if not any(fits):
        raise NotAuthentic
    if options.timestamp_header:
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise NotAuthentic
        _require_recent(int(timestamp), now)
    named = headers.get(options.id_header.lower(), "") if options.id_header else ""
    return named[:256] or hashlib.sha256(body).hexdigest()


def _plain_key(secret: str) -> bytes:
    return key_of(secret) if secret.startswith(PREFIX) else secret.encode()


def _decoded(signature: str) -> bytes:
    version, comma, text = signature.partition(",")
    if version != "v1" or not comma:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _require_recent(timestamp: int, now: datetime) -> None:
    if abs(now.timestamp() - timestamp) > TOLERANCE.total_seconds():
        raise OutOfTime
