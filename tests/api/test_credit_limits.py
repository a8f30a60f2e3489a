"""Credit limits over HTTP: asked, decided, shown against what the company owes."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject
from tests.api.credit_steps import ask, company, make_buyer, owing

ASKER, BOSS, CHIEF = new_id(), new_id(), new_id()
NO_COMMENT: dict[str, Any] = {}


@pytest.fixture
async def client(service_client):
    return await service_client("credit", now="2026-03-31", user_id=ASKER)


@pytest.fixture
async def buyer(client) -> UUID:
    """A company with one customer, which owes 7,500.00 EUR."""
    return await make_buyer(client)


async def test_a_limit_is_asked_by_one_and_approved_by_another(client, buyer) -> None:
    before = (await client.get(f"/v1/companies/{buyer}/credit-limit")).json()
    assert (before["state"], before["color"], before["amount"]) == ("none", "red", None)
    assert before["exceeded_by"] == "7500.00"

    asked = await ask(client, buyer, reason="Spring season")
    assert asked.status_code == 201
    request = asked.json()
    assert request["exposure_at_request"]["outstanding"] == "7500.00"
    assert request["valid_until"] == "2027-03-31"  # the policy's year
    assert (await client.get(f"/v1/companies/{buyer}/credit-limit")).json()["color"] == "orange"

    own = await client.post(f"/v1/credit-limit-requests/{request['id']}/approve", json=NO_COMMENT)
    assert (own.status_code, own.json()["code"]) == (403, "own_request")

    boss = client.acting(user_id=BOSS)
    waiting = (await boss.get("/v1/credit-limit-requests", params={"awaiting": "me"})).json()["data"]
    assert [one["id"] for one in waiting] == [request["id"]]
    assert waiting[0]["can_decide"] is True
    said_yes = await boss.post(
        f"/v1/credit-limit-requests/{request['id']}/approve", json={"comment": "good payer"}
    )
    assert said_yes.json()["state"] == "approved"
    assert said_yes.json()["route"][0]["by"] == str(BOSS)

    after = (await client.get(f"/v1/companies/{buyer}/credit-limit")).json()
    assert (after["state"], after["color"], after["amount"]) == ("approved", "green", "10000.00")
    assert (after["used_percent"], after["exceeded_by"]) == ("75.0", "0.00")
    history = (await client.get(f"/v1/companies/{buyer}/credit-limit/history")).json()["data"]
    assert [(one["event"], one["user_id"], one["comment"]) for one in history] == [
        ("approved", str(BOSS), "good payer")
    ]
    assert [one["company_id"] for one in (await client.get("/v1/credit-limits")).json()["data"]] == [
        str(buyer)
    ]


async def test_two_approvers_at_once_take_one_decision(client, buyer) -> None:
    request = (await ask(client, buyer)).json()
    people = [client.acting(user_id=new_id()) for _ in range(8)]
    verbs = ["approve", "reject"] * 4
    answers = await asyncio.gather(
        *[
            person.post(f"/v1/credit-limit-requests/{request['id']}/{verb}", json=NO_COMMENT)
            for person, verb in zip(people, verbs, strict=True)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"invalid_state"}
    history = (await client.get(f"/v1/companies/{buyer}/credit-limit/history")).json()["data"]
    assert len(history) == 1


async def test_a_stale_etag_is_refused(client, buyer) -> None:
    asked = await ask(client, buyer)
    address = f"/v1/credit-limit-requests/{asked.json()['id']}"
    amended = await client.post(
        f"{address}/amend", json={"amount": "20000.00"}, headers={"If-Match": asked.headers["etag"]}
    )
    assert amended.json()["amount"] == "20000.00"
    boss = client.acting(user_id=BOSS)
    stale = await boss.post(
        f"{address}/approve", json=NO_COMMENT, headers={"If-Match": asked.headers["etag"]}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    fresh = await boss.post(
        f"{address}/approve", json=NO_COMMENT, headers={"If-Match": amended.headers["etag"]}
    )
    assert fresh.json()["state"] == "approved"


async def test_levels_decide_up_to_their_amount_and_amending_voids_decisions(client, buyer) -> None:
    levels = [
        {"name": "manager", "max_amount": "10000.00", "currency": "EUR", "user_ids": [str(BOSS)]},
        {"name": "director", "max_amount": "50000.00", "currency": "EUR", "user_ids": [str(CHIEF)]},
    ]
    policy = {"levels": levels, "routing": "all_below"}
    assert (await client.put("/v1/approval-policy", json=policy)).status_code == 200
    request = (await ask(client, buyer, "30000.00")).json()
    address = f"/v1/credit-limit-requests/{request['id']}"
    assert [step["level"] for step in request["route"]] == ["manager", "director"]
    boss, chief = client.acting(user_id=BOSS), client.acting(user_id=CHIEF)
    early = await chief.post(f"{address}/approve", json=NO_COMMENT)
    assert (early.status_code, early.json()["code"]) == (403, "above_your_level")
    half = (await boss.post(f"{address}/approve", json=NO_COMMENT)).json()
    assert (half["state"], half["route"][0]["decision"]) == ("pending", "approved")
    amended = (await client.post(f"{address}/amend", json={"amount": "40000.00"})).json()
    assert [step["decision"] for step in amended["route"]] == [None, None]
    await boss.post(f"{address}/approve", json=NO_COMMENT)
    assert (await chief.post(f"{address}/approve", json=NO_COMMENT)).json()["state"] == "approved"
    other = await make_buyer(client, "Scierie du Nord")
    too_much = await ask(client, other, "50000.01")
    assert (too_much.status_code, too_much.json()["code"]) == (422, "above_top_level")


async def test_one_request_a_company_at_a_time(client, buyer) -> None:
    first = (await ask(client, buyer)).json()
    second = await ask(client, buyer, "1.00")
    assert (second.status_code, second.json()["code"]) == (409, "request_pending")
    assert second.json()["existing_id"] == first["id"]
    assert (await client.post(f"/v1/credit-limit-requests/{first['id']}/cancel")).json()[
        "state"
    ] == "cancelled"
    assert (await client.get(f"/v1/companies/{buyer}/credit-limit")).json()["state"] == "none"
    assert (await ask(client, buyer, "1.00")).status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount": "-1"}, "/amount"),
        ({"amount": "1.005"}, "/amount"),
        ({"currency": "XXX"}, "/currency"),
        ({"valid_until": "2026-03-30"}, "/valid_until"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_bad_requests_name_what_to_mend(client, buyer, change: dict[str, Any], pointer: str) -> None:
    body = {"company_id": str(buyer), "amount": "1.00", "currency": "EUR", **change}
    answer = await client.post("/v1/credit-limit-requests", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_decision_needs_a_name_under_it(client, buyer) -> None:
    request = (await ask(client, buyer)).json()
    nobody = client.acting()
    answer = await nobody.post(f"/v1/credit-limit-requests/{request['id']}/approve", json=NO_COMMENT)
    assert (answer.status_code, answer.json()["code"]) == (403, "user_required")


async def test_companies_outside_the_perimeter_do_not_exist(client, buyer) -> None:
    elsewhere = client.acting(user_id=BOSS, perimeter=[new_id()])
    request = (await ask(client, buyer)).json()
    assert (await elsewhere.get(f"/v1/companies/{buyer}/credit-limit")).status_code == 404
    assert (await elsewhere.get(f"/v1/credit-limit-requests/{request['id']}")).status_code == 404
    assert (
        await elsewhere.post(f"/v1/credit-limit-requests/{request['id']}/approve", json={})
    ).status_code == 404
    assert (await elsewhere.get("/v1/credit-limit-requests")).json()["data"] == []
    assert (await elsewhere.get("/v1/credit-limits")).json()["data"] == []


async def test_other_currencies_count_at_the_latest_rate_and_stand_apart_without_one(client) -> None:
    company_id, customer_id = new_id(), new_id()
    client.publish("ledger", "company.changed", Subject(company_id, 1, company()))
    customer = {"company_id": company_id, "business_unit_id": client.main_business_unit_id}
    client.publish("ledger", "customer.changed", Subject(customer_id, 1, customer))
    owing(client, company_id, customer_id, EUR=100_00, CHF=100_00, USD=50_00)
    rate = {"base": "CHF", "quote": "EUR", "valid_on": "2026-03-01", "rate": "1.05"}
    client.publish("ledger", "rate.changed", Subject(new_id(), 1, rate))
    await client.settle()
    exposure = (await client.get(f"/v1/companies/{company_id}/credit-limit")).json()["exposure"]
    assert (exposure["outstanding"], exposure["rate_date"]) == ("205.00", "2026-03-01")
    assert exposure["unconverted"] == [{"currency": "USD", "outstanding": "50.00"}]


async def test_of_two_merged_limits_the_lower_applies_and_a_person_looks(client, buyer) -> None:
    other = await make_buyer(client, "Fonderie (ancien)")
    boss = client.acting(user_id=BOSS)
    for company_id, amount in ((buyer, "30000.00"), (other, "20000.00")):
        request = (await ask(client, company_id, amount)).json()
        await boss.post(f"/v1/credit-limit-requests/{request['id']}/approve", json=NO_COMMENT)
    client.publish("ledger", "company.merged", Subject(other, 2, {"into_id": buyer}))
    await client.settle()
    kept = (await client.get(f"/v1/companies/{buyer}/credit-limit")).json()
    assert (kept["amount"], kept["needs_review"]) == ("20000.00", True)
    events = [
        one["event"]
        for one in (await client.get(f"/v1/companies/{buyer}/credit-limit/history")).json()["data"]
    ]
    assert sorted(events) == ["approved", "approved", "merged"]


async def test_requests_and_limits_run_out_as_days_pass(client, buyer) -> None:
    await client.put("/v1/approval-policy", json={"expiry_days": 3, "default_validity_days": 5})
    forgotten = (await ask(client, buyer)).json()
    await client.live_until(date(2026, 4, 4))
    assert (await client.get(f"/v1/credit-limit-requests/{forgotten['id']}")).json()["state"] == "expired"
    request = (await ask(client, buyer)).json()
    await client.acting(user_id=BOSS).post(
        f"/v1/credit-limit-requests/{request['id']}/approve", json=NO_COMMENT
    )
    await client.live_until(date(2026, 4, 9))
    assert (await client.get(f"/v1/companies/{buyer}/credit-limit")).json()["state"] == "approved"
    await client.live_until(date(2026, 4, 10))
    assert (await client.get(f"/v1/companies/{buyer}/credit-limit")).json()["state"] == "expired"
