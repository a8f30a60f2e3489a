"""Insurers' webhooks: proven on raw bytes, stored before thought, harmless in any order and any number."""

import hmac
import json
import random
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.feed.events import Subject
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from services.credit.insurers.signatures import sign
from tests.stories.credit_desk import make, read, rows, tell

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


async def desk(
    service_client: MakeClient, insurer: str = "manual", **members: Any
) -> tuple[ServiceClient, dict[str, Any], str]:
    """A tenant whose manual insurer also signs webhooks, and a company it knows as buyer 4711."""
    client = await service_client("credit", now="2026-03-02", user_id=new_id())
    company = new_id()
    state = {
        "name": "Charpentes Morvan",
        "country": "FR",
        "registration_number": "732829320",
        "merged_into_id": None,
    }
    client.publish("ledger", "company.changed", Subject(company, 1, state))
    account = {"company_id": company, "business_unit_id": client.main_business_unit_id, "payer_profile": None,
               "buyer_kind": "private", "prepaid": False}  # fmt: skip
    client.publish("ledger", "customer.changed", Subject(new_id(), 1, account))
    await client.settle()
    wish = {"webhook_mode": "standard_webhooks", "webhook_secret": SECRET, **members}
    connection = await make(client, "/v1/insurer-connections", insurer=insurer, name="Signed", **wish)
    assert connection["webhook_secret"] is None, "a secret you gave is not shown"
    await make(client, "/v1/insurance-policies", connection_id=connection["id"], number="P-1", currency="EUR",
               starts_on="2026-01-01")  # fmt: skip
    return client, connection, str(company)


def decision(number: int, status: str, amount: str | None, **members: Any) -> dict[str, Any]:
    return {
        "decision_id": f"d-{number}", "buyer_reference": "4711", "product": "permanent", "status": status, "sequence": 0,
        "granted_amount": amount, "currency": "EUR", "decided_at": f"2026-03-01T{number:02}:00:00Z",
        "effective_from": "2026-03-01", **members,
    }  # fmt: skip


async def send(
    client: ServiceClient, connection: dict[str, Any], data: Any, message_id: str, *, at: int | None = None,
    signature: str | None = None, raw: bytes | None = None,
) -> httpx.Response:  # fmt: skip
    body = (
        raw
        or json.dumps(
            {"type": "guarantee.decided", "timestamp": "2026-03-02T12:00:00Z", "data": data}
        ).encode()
    )
    stamp = at or int(clock.wall().timestamp())
    headers = {
        "authorization": "", "content-type": "application/json", "webhook-id": message_id, "webhook-timestamp": str(stamp),
        "webhook-signature": sign(SECRET, message_id, stamp, body) if signature is None else signature,
    }  # fmt: skip
    return await client.post(f"/v1/webhooks/insurers/{connection['id']}", content=body, headers=headers)


@pytest.mark.feature("F68", "N3")
async def test_only_what_is_proven_gets_in_and_only_once(service_client: MakeClient) -> None:
    client, connection, company = await desk(service_client)
    granted = decision(1, "approved", "50000.00")
    assert (await send(client, connection, granted, "m1")).status_code == 202
    assert (await send(client, connection, granted, "m1")).status_code == 200
    other = await send(client, connection, decision(1, "approved", "90000.00"), "m1")
    assert (other.status_code, other.json()["code"]) == (409, "message_id_reused")
    now = int(clock.wall().timestamp())
    for at in (now - 310, now + 310):
        assert (await send(client, connection, granted, "m2", at=at)).status_code == 400
    right = sign(SECRET, "m2", now, b"{}")
    for signature in ("", "v1", "v1,xx  v1,yy", "v2," + right[3:], right[:-4] + "AAA="):
        refused = await send(client, connection, granted, "m2", at=now, signature=signature)
        assert refused.status_code == 401, signature
    unknown = await send(client, {"id": new_id()}, granted, "m2")
    assert (unknown.status_code, unknown.json()["code"]) == (401, "unauthenticated")
    large = await send(client, connection, None, "m3", raw=b"x" * (64 * 1024 + 1))
    assert large.status_code == 413
    assert (await client.get(f"/v1/webhooks/insurers/{connection['id']}/nobody-knows")).status_code == 204
    await client.settle()

    # Nobody has said yet who buyer 4711 is: parked, and matched by itself once somebody does.
    found = {
        one["message_id"].split("#")[0]: one["state"]
        for one in await rows(client, "/v1/insurer-messages", state="parked")
    }
    assert found == {"m1": "parked"}
    (held,) = await rows(client, "/v1/insurer-messages", state="quarantined")
    assert held["reason"] == "message_id_reused"
    assert await rows(client, f"/v1/companies/{company}/guarantees") == []
    path = f"/v1/companies/{company}/insurer-buyers/confirm"
    await tell(client, path, connection_id=connection["id"], insurer_buyer_id="4711")
    (cover,) = await rows(client, f"/v1/companies/{company}/guarantees")
    assert (cover["amount"], cover["status"]) == ("50000.00", "approved")

    # Words we do not know change nothing and wait for a person; so does what cannot be read.
    for number, raw in ((8, None), (9, b"\xff{")):
        answer = await send(client, connection, decision(number, "DC99", "1.00"), f"m{number}", raw=raw)
        assert answer.status_code == 202
    await client.settle()
    (cover,) = await rows(client, f"/v1/companies/{company}/guarantees")
    assert (cover["amount"], cover["needs_review"], cover["review_reason"]) == (
        "50000.00",
        True,
        "decision_unclear",
    )
    reasons = {
        one["message_id"]: one["reason"]
        for one in await rows(client, "/v1/insurer-messages", state="needs_review")
    }
    assert reasons == {"m8": "status_unknown", "m9": "body_unreadable"}
    reviewed = await tell(client, f"/v1/guarantees/{cover['id']}/review", comment="Asked: no change")
    assert (reviewed["needs_review"], reviewed["amount"]) == (False, "50000.00")


@pytest.mark.feature("F68", "F70", "C40")
async def test_the_same_decisions_in_any_order_end_in_the_same_state(service_client: MakeClient) -> None:
    told = [
        decision(1, "approved", "80000.00", cover_reference="COV-1"),
        decision(2, "reduced", "50000.00", effective_from="2026-03-10", cover_reference="COV-1"),
        decision(3, "withdrawal_announced", None, withdrawal_date="2026-04-01", cover_reference="COV-1"),
        decision(4, "cancelled", None, effective_from="2026-03-20", cover_reference="COV-1"),
        decision(
            4, "reduced", "10000.00", decision_id="d-4b", effective_from="2026-03-20", cover_reference="COV-1"
        ),
    ]
    ends = set()
    for seed in range(4):
        client, connection, company = await desk(service_client)
        await tell(client, f"/v1/companies/{company}/insurer-buyers/confirm", connection_id=connection["id"],
                   insurer_buyer_id="4711")  # fmt: skip
        order = [*told, *random.Random(seed).choices(told, k=3)]
        random.Random(seed).shuffle(order)
        for one in order:
            answer = await send(client, connection, one, f"m-{one['decision_id']}")
            assert answer.status_code in (200, 202)
            if seed % 2:
                await client.settle()
        await client.settle()
        (cover,) = await rows(client, f"/v1/companies/{company}/guarantees")
        days = [(one["starts_on"], one["ends_on"], one["amount"]) for one in cover["timeline"]]
        ends.add(json.dumps([days, cover["status"], cover["needs_review"], cover["review_reason"]]))
        assert len(await rows(client, f"/v1/guarantees/{cover['id']}/decisions")) == len(told)
    (end,) = ends
    days, _, needs_review, reason = json.loads(end)
    assert days == [
        ["2026-03-01", "2026-03-09", "80000.00"], ["2026-03-10", "2026-03-19", "50000.00"], ["2026-03-20", None, "0.00"],
    ]  # fmt: skip
    assert (needs_review, reason) == (True, "decisions_tied")


async def test_a_middleware_signs_in_its_own_header(service_client: MakeClient) -> None:
    options = {"header": "x-hub-signature", "prefix": "sha256=", "id_header": "x-delivery"}
    client, connection, _ = await desk(
        service_client,
        webhook_mode="hmac_header",
        webhook_options=options,
        webhook_secret="a-secret-of-their-own-24",
    )
    body = json.dumps({"type": "guarantee.decided", "data": decision(1, "approved", "1.00")}).encode()
    digest = "sha256=" + hmac.digest(b"a-secret-of-their-own-24", body, "sha256").hex()
    path = f"/v1/webhooks/insurers/{connection['id']}"
    for signature, status in ((digest, 202), (digest, 200), (digest[:-1], 401), ("", 401)):
        answer = await client.post(
            path, content=body, headers={"x-hub-signature": signature, "x-delivery": "7"}
        )
        assert answer.status_code == status
    shown = await read(client, f"/v1/insurer-connections/{connection['id']}")
    assert "secret" not in json.dumps(shown)
    assert UUID(shown["id"])
