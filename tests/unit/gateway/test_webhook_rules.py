"""Signing and the schedule of attempts; the signature is checked with the library receivers use."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.gateway.domain.webhook import (
    GIVE_UP_AFTER,
    MAX_ATTEMPTS,
    RETRY_AFTER,
    after_failure,
    header_complaint,
    is_given_up,
    new_secret,
    pause_after,
    retry_after_seconds,
    signed_headers,
    verdict,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_receivers_libraries_believe_the_signature_and_nothing_else() -> None:
    old, new = new_secret(), new_secret()
    now, body = datetime.now(UTC), '{"name": "Aciéries"}'.encode()
    headers = signed_headers("0197fa3c-0000-7000-8000-000000000000", now, body, [new, old])
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers) == {"name": "Aciéries"}
    for broken, text in (
        (headers | {"webhook-id": "another"}, body),
        (headers | {"webhook-timestamp": str(int(now.timestamp()) + 1)}, body),
        (headers, body + b" "),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(new).verify(text, broken)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)


@pytest.mark.data
def test_the_published_vector_comes_out() -> None:
    path = Path(os.environ.get("ENCOURS_DATA", "../shared/data"), "webhooks", "vectors.json")
    vector = json.loads(path.read_text())
    sent_at = datetime.fromtimestamp(vector["timestamp"], UTC)
    headers = signed_headers(vector["msg_id"], sent_at, vector["body"].encode(), [vector["secret"]])
    assert headers["webhook-signature"] == vector["signature"]
    assert headers["webhook-signature"] not in vector["invalid"]


def test_ten_attempts_in_three_days_and_none_after() -> None:
    waits = [after_failure(attempts, NOW, 0).at for attempts in range(1, MAX_ATTEMPTS)]
    assert [at - NOW for at in waits if at] == [timedelta(seconds=seconds) for seconds in RETRY_AFTER]
    assert sum(RETRY_AFTER) == pytest.approx(77 * 3600, rel=0.05) and MAX_ATTEMPTS == 10
    assert after_failure(MAX_ATTEMPTS, NOW, 0).at is None
    late = after_failure(2, NOW, 0.999).at
    assert late is not None and timedelta(seconds=359) < late - NOW < timedelta(seconds=360)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, 5), (2, 5), (90, 90), (10**9, 86400)],
    ids=["none", "less", "more", "endless"],
)
def test_a_receiver_may_ask_for_more_time_and_not_for_less(asked: int | None, seconds: int) -> None:
    assert after_failure(1, NOW, 0, asked).at == NOW + timedelta(seconds=seconds)


def test_only_2xx_takes_a_message() -> None:
    assert {status: verdict(status) for status in (200, 204, 299, 301, 308, 400, 404, 410, 429, 500, 503)} == {
        200: "delivered", 204: "delivered", 299: "delivered", 301: "failed", 308: "failed", 400: "failed",
        404: "failed", 410: "gone", 429: "failed", 500: "failed", 503: "failed",
    }  # fmt: skip


def test_an_endpoint_that_is_down_is_left_alone_longer_and_longer() -> None:
    pauses = [pause_after(failures).total_seconds() for failures in range(1, 14)]
    assert pauses == [0, 0, 0, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert pause_after(10**6).total_seconds() == 300
    assert not is_given_up(NOW - GIVE_UP_AFTER + timedelta(seconds=1), NOW)
    assert is_given_up(NOW - GIVE_UP_AFTER, NOW)


def test_retry_after_is_a_number_or_nothing() -> None:
    values = ("30", " 7 ", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e3", "", None, "٣", "9" * 20)
    assert [retry_after_seconds(value) for value in values] == [30, 7] + [None] * 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "1"),
        ("Content-Length", "3"),
        ("HOST", "inside"),
        ("transfer-encoding", "chunked"),
        ("x y", "1"),
        ("x\r\ny", "1"),
        ("", "1"),
        ("x-ok", "a\r\nhost: b"),
        ("x-ok", ""),
        ("x-ok", " padded "),
        ("x-ok", "é"),
        ("x-ok", "a" * 1001),
    ],
)
def test_headers_that_are_ours_or_break_a_message_are_refused(name: str, value: str) -> None:
    assert header_complaint(name, value)


def test_other_headers_go_along() -> None:
    assert header_complaint("Authorization", "Basic ZW5jb3Vyczo=") is None
    assert header_complaint("X-Api-Key", "a b") is None
