"""Standard Webhooks (standardwebhooks.com): the signature, the schedule of attempts, what an answer means."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

SECRET_PREFIX = "whsec_"  # noqa: S105 - how receivers know one
_SECRET_BYTES = 32

#: Seconds from a failed attempt to the next: ten attempts in about 75 hours.
RETRY_AFTER: tuple[int, ...] = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
MAX_ATTEMPTS = len(RETRY_AFTER) + 1
#: An endpoint that took nothing for this long, while something was sent to it, is switched off.
GIVE_UP_AFTER = timedelta(days=5)
_MAX_RETRY_AFTER = 24 * 3600
_PATIENCE = 3
_LONGEST_PAUSE = 300

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")
_OURS = re.compile(
    r"(?i)(webhook-.*|host|content-.*|connection|transfer-encoding|te|trailer|upgrade|expect|accept-encoding|"
    r"proxy-.*|keep-alive|user-agent|cookie)\Z"
)
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?\Z")

Verdict = Literal["delivered", "failed", "gone"]


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a delivery after a failed attempt: another at `at`, or none."""

    at: datetime | None


def new_secret() -> str:
    """A signing secret as receivers' libraries take it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(
    message_id: str, sent_at: datetime, body: bytes, signing_secrets: list[str]
) -> dict[str, str]:
    """The headers that prove where a body comes from, one signature a living secret (the newest first)."""
    timestamp = str(int(sent_at.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, content) for secret in signing_secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def verdict(status: int) -> Verdict:
    """What an answer means: 2xx took it, 410 wants nothing ever again, everything else (redirects too) did not take it."""
    if 200 <= status < 300:
        return "delivered"
    return "gone" if status == 410 else "failed"


def after_failure(attempts: int, now: datetime, chance: float, retry_after_s: int | None = None) -> Next:
    """When to try again after `attempts` failed attempts; `chance` in [0, 1) spreads receivers' load over a fifth of the wait.

    A receiver's Retry-After may lengthen the wait up to a day, never shorten it.
    """
    if attempts >= MAX_ATTEMPTS:
        return Next(None)
    wait = RETRY_AFTER[attempts - 1] * (1 + 0.2 * chance)
    if retry_after_s is not None:
        wait = max(wait, min(retry_after_s, _MAX_RETRY_AFTER))
    return Next(now + timedelta(seconds=wait))


def pause_after(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row: one that is down costs a call now and then."""
    if failures <= _PATIENCE:
        return timedelta(0)
    return timedelta(seconds=min(2 ** min(failures - _PATIENCE + 1, 20), _LONGEST_PAUSE))


def is_given_up(failing_since: datetime, now: datetime) -> bool:
    """Whether an endpoint has failed for so long that it is switched off."""
    return now - failing_since >= GIVE_UP_AFTER


def retry_after_seconds(value: str | None) -> int | None:
    """The seconds of a Retry-After header; a date or nonsense is passed over."""
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def header_complaint(name: str, value: str) -> str | None:
    """What is wrong with a header a tenant wants sent along; None when it may be."""
    if not _HEADER.match(name):
        return "expected a header name of 64 characters at the most"
    if _OURS.match(name):
        return "this header is ours to set"
    if len(value) > 1000 or not _HEADER_VALUE.match(value):
        return "expected a value of 1 to 1000 printable ASCII characters"
    return None
