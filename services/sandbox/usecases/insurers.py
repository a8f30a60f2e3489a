"""The stand-in insurer at work: decides as it is told, and tells it as the insurer it plays would."""

import base64
import hmac
from typing import Any

import msgspec

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row
from libs.kit.outbound import Outbound, OutboundError
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime

BUYER_PREFIX = "SB-"


async def tell(
    runtime: Runtime, played: Row, decision: dict[str, Any], times: int, message_id: str | None
) -> list[int]:
    """Deliver a decision by webhook, `times` times with one id; the statuses answered. Raises 502 when nobody answers."""
    body = msgspec.json.encode(
        {"type": "guarantee.decided", "timestamp": clock.wall().isoformat(), "data": decision}
    )
    named = message_id or f"msg_{new_id().hex}"
    base = f"{runtime.settings.url_of('gateway')}/v1/webhooks/insurers/{played['id']}"
    async with Outbound(runtime.settings, allowed_hosts=None) as outbound:
        statuses = []
        for _ in range(times):
            try:
                if played["mode"] == "poke":
                    answer = await outbound.send("GET", f"{base}/{played['token']}")
                else:
                    answer = await outbound.send(
                        "POST", base, headers=_signed(played, named, body), content=body
                    )
            except OutboundError as error:
                raise Problem(
                    502, "not_delivered", f"The webhook was not answered ({error.reason})."
                ) from None
            statuses.append(answer.status)
    return statuses


def _signed(played: Row, message_id: str, body: bytes) -> dict[str, str]:
    secret = (played["secret"] or "").encode()
    if secret.startswith(b"whsec_"):
        secret = base64.b64decode(secret[6:])
    if played["mode"] == "hmac_header":
        options = msgspec.json.decode(played["options"])
        stamp = str(int(clock.wall().timestamp()))
        signed = stamp.encode() + b"." + body if options["timestamp_header"] else body
        digest = hmac.digest(secret, signed, options["algorithm"])
        text = digest.hex() if options["encoding"] == "hex" else base64.b64encode(digest).decode()
        headers = {options["header"]: options["prefix"] + text}
        headers |= {options["timestamp_header"]: stamp} if options["timestamp_header"] else {}
        return headers | ({options["id_header"]: message_id} if options["id_header"] else {})
    stamp = str(int(clock.wall().timestamp()))
    digest = hmac.digest(secret, f"{message_id}.{stamp}.".encode() + body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def candidates_for(query: dict[str, Any]) -> list[dict[str, Any]]:
    """Whom the stand-in knows: everybody with a registration number, once; by name alone two who look alike."""
    number, name = query.get("registration_number"), query.get("name") or ""
    if number:
        return [_candidate(str(number), name, str(number), 100, "exact_id")]
    if not name or name.lower().startswith("unknown"):
        return []
    slug = hashed(name)
    return [
        _candidate(slug, name, None, 88, "name"),
        _candidate(f"{slug}-2", f"{name} HOLDING", None, 61, "name"),
    ]


def hashed(name: str) -> str:
    """A buyer's number made of its name."""
    return hmac.digest(b"buyer", name.lower().encode(), "sha256").hex()[:10]


def _candidate(number: str, name: str, registration: str | None, score: int, kind: str) -> dict[str, Any]:
    return {
        "insurer_buyer_id": f"{BUYER_PREFIX}{number}",
        "name": name.upper(),
        "address": None,
        "registration_number": registration,
        "score": score,
        "match_kind": kind,
    }


def matched(request: dict[str, Any] | None, decision: dict[str, Any]) -> dict[str, Any]:
    """A decision with what its request says, where it says nothing itself."""
    if request is None:
        return decision
    known = {
        "buyer_reference": request.get("buyer_reference"),
        "policy_reference": request.get("policy_reference"),
        "product": request.get("product"),
        "currency": request.get("currency"),
        "requested_amount": request.get("amount"),
    }
    return {**{name: value for name, value in known.items() if value is not None}, **decision}
