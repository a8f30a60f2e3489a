"""A guarantee is asked, decided by webhook, and counts; what is unclear waits for a person and harms nobody."""

import asyncio

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import make, read, refused, rows, tell
from tests.stories.insurance_desk import buyer, connect, cover, decide, exposure, insure, steer


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-02T09:00:00+01:00", name="Tuilerie de Bourgogne")


@pytest.mark.feature("C12", "C14", "C15", "C16", "C17", "C40", "F64", "F67", "F68", "F70")
async def test_cover_is_asked_and_granted_in_part_by_webhook(house: TestTenant) -> None:
    connection = await connect(house)
    assert connection["webhook_secret"].startswith("whsec_")
    policy = await insure(house, connection)
    company = await buyer(house, "C-1", "Charpentes Morvan", "732829320", policy)
    body = {"policy_id": policy["id"], "company_id": company, "product": "permanent", "currency": "EUR"}

    # The insurer takes thousands, and one request at a time.
    answer = await house.client.post("/v1/guarantee-requests", json={**body, "amount": "80500.00"})
    assert answer.status_code == 422
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == (
        "/amount",
        "amount_step",
    )
    asked = await make(house.client, "/v1/guarantee-requests", **body, amount="80000.00")
    assert (asked["state"], asked["current_cover"], asked["open_request_id"]) == (
        "draft",
        "0.00",
        asked["id"],
    )
    twice = await house.client.post("/v1/guarantee-requests", json={**body, "amount": "90000.00"})
    assert (twice.status_code, twice.json()["code"], twice.json()["existing_id"]) == (
        409,
        "request_open",
        asked["id"],
    )

    address = f"/v1/guarantee-requests/{asked['id']}"
    assert (await tell(house.client, f"{address}/submit"))["state"] == "validated"
    await house.settle()
    assert (await read(house.client, address))["state"] == "pending"
    taken = await decide(
        house, connection, request_reference=asked["id"], status="partially_approved", granted_amount="50000.00",
        insured_percent="90", cover_reference="COV-1", expires_at="2026-12-31", sequence=1, times=2,
        conditions=[{"code": "T60", "text": "Terms of 60 days at most"}],
    )  # fmt: skip
    assert taken["delivered"] == [202, 200]
    decided = await read(house.client, address)
    assert (decided["state"], decided["current_cover"], decided["open_request_id"]) == (
        "decided",
        "50000.00",
        None,
    )

    shown = await cover(house, company)
    assert (shown["amount"], shown["percent"], shown["status"]) == ("50000.00", "90.00", "partially_approved")
    assert (shown["effective_from"], shown["expires_at"]) == ("2026-03-02", "2026-12-31")
    assert (shown["cover_reference"], shown["conditions"][0]["code"]) == ("COV-1", "T60")
    (decision,) = await rows(house.client, f"/v1/guarantees/{shown['id']}/decisions")
    assert (decision["requested_amount"], decision["granted_amount"]) == ("80000.00", "50000.00")
    events = await read(house.client, "/v1/events", types="cover.changed,guarantee.decided", limit=200)
    told = {event["type"]: event["data"] for event in events["data"]}
    assert told["guarantee.decided"]["granted_amount"] == "50000.00"
    assert (told["cover.changed"]["amount"], told["cover.changed"]["expires_at"]) == (
        "50000.00",
        "2026-12-31",
    )

    # A reduction, then a cancellation that came late: the older never revives what the newer ended.
    await decide(house, connection, cover_reference="COV-1", status="cancelled", effective_from="2026-03-20",
                 decided_at="2026-03-02T12:00:00Z")  # fmt: skip
    await decide(house, connection, cover_reference="COV-1", status="reduced", granted_amount="30000.00",
                 decided_at="2026-03-02T11:00:00Z")  # fmt: skip
    assert (await cover(house, company))["amount"] == "30000.00"
    later = await cover(house, company, as_of="2026-03-20")
    assert (later["amount"], later["expires_at"]) == ("0.00", "2026-03-19")
    assert len(await rows(house.client, f"/v1/guarantees/{shown['id']}/decisions")) == 3


@pytest.mark.feature("F67")
async def test_nobody_knows_whether_it_arrived_and_it_is_never_sent_twice(house: TestTenant) -> None:
    connection = await connect(house, profile={"timeout_seconds": 1})
    policy = await insure(house, connection)
    company = await buyer(house, "C-1", "Charpentes Morvan", "732829320", policy)
    body = {"policy_id": policy["id"], "company_id": company, "amount": "80000.00", "submit": True}

    await steer(house, connection, "timeout")
    asked = await make(house.client, "/v1/guarantee-requests", **body)
    await house.settle()
    address = f"/v1/guarantee-requests/{asked['id']}"
    unknown = await read(house.client, address)
    assert (unknown["state"], unknown["error"]) == ("send_unknown", "No usable answer came (timed_out).")
    assert await refused(house.client, f"{address}/submit") == (409, "invalid_state")

    await steer(house, connection, "normal")
    for _ in range(60):  # the sweep looks for it at the insurer, where it is
        found = await read(house.client, address)
        if found["state"] == "pending":
            break
        await asyncio.sleep(0.5)
    assert found["state"] == "pending" and found["insurer_reference"]
    stand_in = await house.stack.sql(
        "sandbox", "SELECT count(*) FROM stand_in_requests WHERE tenant_id = $1", house.id
    )
    assert stand_in[0][0] == 1

    # What the insurer surely does not hold goes back to a person.
    await steer(house, connection, "error")
    other = await buyer(house, "C-2", "Négoce Bâti", "552008443", None)
    assert await refused(house.client, "/v1/guarantee-requests", **{**body, "company_id": other}) == (
        422, "buyer_not_identified",
    )  # fmt: skip


@pytest.mark.feature("C24", "C32", "F65")
async def test_a_manual_insurer_s_answers_are_typed_in(house: TestTenant) -> None:
    connection = await connect(house, "manual", broker_email="desk@broker.example")
    policy = await insure(house, connection, discretionary_limit="20000.00", non_named_ceiling="5000.00")
    company = await buyer(house, "C-1", "Charpentes Morvan", "732829320", None)
    other = await buyer(house, "C-2", "Négoce Bâti", "552008443", None)
    client = house.client
    asked = await make(
        client,
        "/v1/guarantee-requests",
        policy_id=policy["id"],
        company_id=company,
        amount="35000.00",
        submit=True,
    )
    assert asked["state"] == "pending"
    answer = f"/v1/guarantees/{asked['guarantee_id']}/decisions"
    await make(
        client,
        answer,
        status="approved_with_conditions",
        granted_amount="35000.00",
        comment="Mail of the broker",
    )
    assert (await read(client, f"/v1/guarantee-requests/{asked['id']}"))["state"] == "decided"
    assert (await cover(house, company))["amount"] == "35000.00"

    # Within the policy: a discretionary limit needs evidence, and the insurer's own decision ends it.
    own = {"policy_id": policy["id"], "company_id": other, "granted_amount": "20000.00"}
    assert (await refused(client, "/v1/guarantees", **own, product="dcl"))[0] == 422
    evidence = {"kind": "trading_history", "dated_on": "2026-02-20", "text": "14 invoices within terms"}
    above = {**own, "granted_amount": "20000.01"}
    assert (await refused(client, "/v1/guarantees", **above, product="dcl", evidence=evidence))[0] == 422
    dcl = await make(client, "/v1/guarantees", **own, product="dcl", evidence=evidence)
    assert (dcl["layer"], dcl["amount"], dcl["evidence"]["dated_on"]) == ("dcl", "20000.00", "2026-02-20")
    assert await refused(
        client, "/v1/guarantees", policy_id=policy["id"], company_id=company, granted_amount="5000.00", product="non_named"
    ) == (409, "insurer_decided")  # fmt: skip

    # Buyers nobody named are covered up to the policy's ceiling.
    small = await buyer(house, "C-3", "Menuiserie du Lac", "552100554", None)
    unnamed = {"policy_id": policy["id"], "company_id": small, "product": "non_named"}
    await make(client, "/v1/guarantees", **unnamed, granted_amount="5000.00")
    (layer,) = (await exposure(house, small))["layers"]
    assert (layer["layer"], layer["counted"], layer["reason"]) == ("non_named", "5000.00", None)
