"""Standard Webhooks as its own vectors have it (WHK of the peers' cases)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.credit.insurers.signatures import NotAuthentic, OutOfTime, key_of, sign, verify_standard


@pytest.fixture
def vectors(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data_dir / "webhooks" / "vectors.json").read_text())
    return found


def check(
    vectors: dict[str, Any], signature: str, body: bytes | None = None, late: int = 0, prefix: str = "webhook"
) -> str:
    now = datetime.fromtimestamp(vectors["timestamp"], UTC) + timedelta(seconds=late)
    headers = {
        f"{prefix}-id": vectors["msg_id"],
        f"{prefix}-timestamp": str(vectors["timestamp"]),
        f"{prefix}-signature": signature,
    }
    return verify_standard([vectors["secret"]], headers, body or vectors["body"].encode(), now)


@pytest.mark.data
def test_the_published_vectors(vectors: dict[str, Any]) -> None:
    body = vectors["body"].encode()
    assert (
        sign(vectors["secret"], vectors["msg_id"], vectors["timestamp"], body) == vectors["signature"]
    )  # WHK-01
    assert check(vectors, vectors["signature"]) == vectors["msg_id"]
    assert check(vectors, vectors["valid_multi"]) == vectors["msg_id"]
    # WHK-05, WHK-06: a signature that cannot be read is one that does not fit, never an error of ours.
    for wrong in [*vectors["invalid"], "v1", "v1,xx  v1,yy", "v1,é"]:
        with pytest.raises(NotAuthentic):
            check(vectors, wrong)
    assert check(vectors, f"v1,xx  {vectors['signature']}") == vectors["msg_id"]
    with pytest.raises(NotAuthentic):  # WHK-08: raw bytes, not what they mean
        check(vectors, vectors["signature"], body.replace(b" ", b""))
    for late in (301, -301):  # WHK-03
        with pytest.raises(OutOfTime):
            check(vectors, vectors["signature"], late=late)
    assert check(vectors, vectors["signature"], late=300) == vectors["msg_id"]
    with pytest.raises(NotAuthentic):  # WHK-10: svix's own header names are another product's
        check(vectors, vectors["signature"], prefix="svix")


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_an_empty_secret_signs_nothing(secret: str) -> None:  # WHK-11
    with pytest.raises(ValueError, match="empty"):
        key_of(secret)
