"""What whoever looks after a policy does: the steps the insurance stories share, each a call of the public API."""

from typing import Any

from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import account, make, read, rows, tell

CLAUSES = [
    {"event": "stop_delivery", "days": 60, "base": "original_due_date", "threshold": "1000.00"},
    {"event": "notification", "days": 30, "base": "stop"},
    {"event": "foreclosure", "days": 60, "base": "notification"},
]


async def connect(house: TestTenant, insurer: str = "sandbox", **members: Any) -> dict[str, Any]:
    """A connection; with the stand-in unless told otherwise."""
    return await make(
        house.client, "/v1/insurer-connections", insurer=insurer, name=f"Our {insurer}", **members
    )


async def insure(
    house: TestTenant, connection: dict[str, Any], number: str = "P-1", **terms: Any
) -> dict[str, Any]:
    """A policy of that connection from 2026 on, 90 % of the net amount."""
    body = {
        "connection_id": connection["id"], "number": number, "currency": "EUR", "starts_on": "2026-01-01",
        "percent_by_layer": {"permanent": "90"}, "clauses": CLAUSES, **terms,
    }  # fmt: skip
    return await make(house.client, "/v1/insurance-policies", **body)


async def buyer(house: TestTenant, number: str, name: str, siren: str, policy: dict[str, Any] | None) -> str:
    """A company with an account, identified at the policy's insurer where one is given; its id."""
    company = {"country": "FR", "registration_number": siren, "name": name}
    made = await account(house.client, number, name, company=company)
    identifier = str(made["company"]["id"])
    await house.settle()
    if policy is not None:
        path = f"/v1/companies/{identifier}/insurer-buyers"
        found = await tell(house.client, f"{path}/search", policy_id=policy["id"])
        chosen = found["candidates"][0]["insurer_buyer_id"]
        await tell(house.client, f"{path}/confirm", policy_id=policy["id"], insurer_buyer_id=chosen)
    return identifier


async def decide(house: TestTenant, connection: dict[str, Any], **decision: Any) -> dict[str, Any]:
    """Let the stand-in decide, and wait until that is known everywhere."""
    answer = await house.client.post(f"/v1/sandbox/insurer/{connection['id']}/decisions", json=decision)
    assert answer.status_code == 202, answer.text
    await house.settle()
    taken: dict[str, Any] = answer.json()
    return taken


async def steer(house: TestTenant, connection: dict[str, Any], mode: str) -> None:
    """How the stand-in answers from now on."""
    answer = await house.client.post(f"/v1/sandbox/insurer/{connection['id']}/behaviour", json={"mode": mode})
    assert answer.status_code == 204, answer.text


async def cover(house: TestTenant, company: str, layer: str = "permanent", **query: Any) -> dict[str, Any]:
    """One layer of a company's cover."""
    found = await rows(house.client, f"/v1/companies/{company}/guarantees", **query)
    return next(one for one in found if one["layer"] == layer)


async def exposure(house: TestTenant, company: str, **query: Any) -> dict[str, Any]:
    """A company's exposure."""
    return await read(house.client, f"/v1/companies/{company}/exposure", **query)
