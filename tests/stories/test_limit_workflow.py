"""A limit is a decision with a name under it: guarantees first, then levels; what falls later is decided again."""

from typing import Any

import pytest

from libs.testkit.clients import CheckedClient
from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.api.import_steps import counts
from tests.stories.credit_desk import account, invoice, make, person, read, refused, rows, tell

REQUESTS = "/v1/credit-limit-requests"


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def levels(house: TestTenant, *wanted: tuple[str, str | None, list[str]], **members: Any) -> None:
    body = [
        {"name": name, "max_amount": amount, "currency": "EUR", "user_ids": users}
        for name, amount, users in wanted
    ]
    answer = await house.client.put("/v1/approval-policy", json={"levels": body, **members})
    assert answer.status_code == 200, answer.text


async def ask(who: CheckedClient, company: str, amount: str, **more: Any) -> dict[str, Any]:
    return await make(who, REQUESTS, company_id=company, amount=amount, currency="EUR", **more)


async def limit(house: TestTenant, company: str) -> tuple[str, str, str | None]:
    shown = await read(house.client, f"/v1/companies/{company}/credit-limit")
    return shown["state"], shown["color"], shown["allowed_amount"]


async def letters(house: TestTenant, address: str) -> list[str]:
    await house.settle()
    caught = await rows(house.client, "/v1/sandbox/mails", to=address)
    return sorted(one["subject"] for one in caught)


@pytest.mark.feature(
    "C1",
    "C2",
    "C3",
    "C4",
    "C7",
    "C8",
    "C21",
    "G8",
    "G19",
    "F49",
    "F51",
    "F52",
    "F53",
    "F55",
    "F57",
    "F78",
    "F80",
)
async def test_a_limit_above_its_guarantees_is_decided_and_decided_again(house: TestTenant) -> None:
    erp = house.client
    junior_id, junior = await person(house, "Julie", "approver")
    senior_id, senior = await person(house, "Serge", "approver")
    paul_id, paul = await person(house, "Paul", "salesperson")
    settings = {"front_url": "https://desk.example", "languages": ["fr", "en"]}
    assert (await erp.patch("/v1/settings", json=settings)).status_code == 200
    await levels(house, ("junior", "20000.00", [junior_id, paul_id]), ("senior", "100000.00", [senior_id]))
    company = (await account(erp, "C-1", "Charpentes Morvan"))["company"]["id"]
    await invoice(erp, "C-1", "F-1", "30000.00", "2026-03-01", "2026-04-30")
    bank = await make(
        erp, "/v1/other-guarantees", company_id=company, kind="bank_guarantee", amount="40000.00", currency="EUR",
        valid_from="2026-01-01", valid_to="2027-12-31", issuer="Banque Populaire",
    )  # fmt: skip
    await house.settle()

    # What guarantees secure needs nobody; what stands above them does, of the level of that part.
    secured = await ask(paul, company, "40000.00")
    assert (secured["state"], secured["route"], secured["unsecured_amount"]) == ("approved", [], "0.00")
    asked = await ask(paul, company, "55000.00", reason="Spring season")
    assert (asked["unsecured_amount"], [step["level"] for step in asked["route"]]) == ("15000.00", ["junior"])
    assert await letters(house, "julie@example.com") == [
        "Limite de crédit à valider : Charpentes Morvan, 55000.00 EUR"
    ]
    (mail,) = await rows(erp, "/v1/sandbox/mails", to="julie@example.com")
    assert f"https://desk.example/credit-limit-requests/{asked['id']}" in mail["text"]
    assert await refused(paul, f"{REQUESTS}/{asked['id']}/approve") == (403, "scope_missing")
    assert await refused(senior, f"{REQUESTS}/{asked['id']}/approve") == (403, "above_your_level")
    await tell(junior, f"{REQUESTS}/{asked['id']}/approve", comment="Pays within terms")
    assert await refused(junior, f"{REQUESTS}/{asked['id']}/reject") == (409, "invalid_state")
    assert await limit(house, company) == ("approved", "green", "55000.00")
    assert await letters(house, "paul@example.com") == [
        "Limite de crédit validée : Charpentes Morvan, 55000.00 EUR"
    ]

    # The bank calls its guarantee back: more stands bare than Julie approved, and everybody can see it.
    await tell(erp, f"/v1/other-guarantees/{bank['id']}/release")
    assert await limit(house, company) == ("not_validated", "red", None)
    await house.settle()
    (alert,) = await rows(erp, "/v1/alerts", state="open")
    assert (alert["kind"], alert["company_id"], alert["criticality"]) == (
        "limit_not_validated",
        company,
        "critical",
    )
    (action,) = await rows(erp, "/v1/risk-agenda")
    assert (action["kind"], action["company"]["name"]) == ("revalidate_limit", "Charpentes Morvan")
    assert await refused(paul, REQUESTS, company_id=company, amount="100000.01", currency="EUR") == (
        422,
        "above_top_level",
    )
    again = await ask(paul, company, "55000.00")
    assert [step["level"] for step in again["route"]] == ["senior"]
    assert (await limit(house, company))[1] == "orange"
    await tell(senior, f"{REQUESTS}/{again['id']}/approve")
    assert await limit(house, company) == ("approved", "green", "55000.00")
    await house.settle()
    assert await rows(erp, "/v1/alerts", state="open") == []
    assert await rows(erp, "/v1/risk-agenda") == []

    history = await rows(erp, f"/v1/companies/{company}/credit-limit/history")
    assert [(each["event"], each["user_id"]) for each in reversed(history)] == [
        ("approved", None), ("approved", junior_id), ("guarantee_fell", None), ("approved", senior_id),
    ]  # fmt: skip
    as_table = await erp.get(f"/v1/companies/{company}/credit-limit/history", headers={"accept": "text/csv"})
    assert len(as_table.text.splitlines()) == 5
    listed = await rows(paul, REQUESTS, company_id=company)
    assert [one["state"] for one in listed] == ["approved"] * 3


@pytest.mark.feature("C3", "F51", "F53", "F54")
async def test_somebody_is_away_and_somebody_sleeps(house: TestTenant) -> None:
    erp = house.client
    junior_id, _ = await person(house, "Julie", "approver")
    senior_id, senior = await person(house, "Serge", "approver")
    stand_in_id, stand_in = await person(house, "Ines", "approver")
    _, paul = await person(house, "Paul", "salesperson")
    away = {"from": "2026-03-30", "to": "2026-04-01", "user": junior_id, "delegate": stand_in_id}
    both = [("junior", "20000.00", [junior_id]), ("senior", None, [senior_id])]
    await levels(
        house, *both, delegations=[away], expiry_days=2, expiry_action="escalate", routing="all_below"
    )
    company = (await account(erp, "C-1", "Charpentes Morvan"))["company"]["id"]
    large = await ask(paul, company, "30000.00")
    assert [step["level"] for step in large["route"]] == ["junior", "senior"]
    (waiting,) = await rows(stand_in, REQUESTS, awaiting="me")
    assert waiting["can_decide"] is True
    assert await refused(senior, f"{REQUESTS}/{large['id']}/approve") == (403, "above_your_level")
    first = await tell(stand_in, f"{REQUESTS}/{large['id']}/approve")
    assert (first["route"][0]["by"], first["route"][0]["on_behalf_of"]) == (stand_in_id, junior_id)
    voided = await tell(paul, f"{REQUESTS}/{large['id']}/amend", amount="18000.00")
    assert [(step["level"], step["decision"]) for step in voided["route"]] == [("junior", None)]

    await house.advance(days=2)
    assert await refused(stand_in, f"{REQUESTS}/{large['id']}/approve") == (403, "above_your_level")
    slept = await read(erp, f"{REQUESTS}/{large['id']}")
    assert [(step["level"], step["decision"]) for step in slept["route"]] == [
        ("junior", "expired"),
        ("senior", None),
    ]
    assert await letters(house, "serge@example.com") == [
        "Credit limit to decide: Charpentes Morvan, 18000.00 EUR",  # escalated
        "Credit limit to decide: Charpentes Morvan, 30000.00 EUR",  # Ines had agreed
    ]
    await house.advance(days=2)
    assert (await read(erp, f"{REQUESTS}/{large['id']}"))["state"] == "expired", (
        "above the top there is nobody"
    )
    assert await letters(house, "paul@example.com") == [
        "Credit limit request expired: Charpentes Morvan, 18000.00 EUR"
    ]


@pytest.mark.feature("C1", "C4", "F49")
async def test_limits_decided_elsewhere_arrive_as_a_file(house: TestTenant) -> None:
    erp = house.client
    for number, name in (("C-1", "Charpentes Morvan"), ("C-2", "Négoce Bâti"), ("C-3", "Scierie du Nord")):
        await account(erp, number, name)
    file = (
        "customer_external_id,amount,currency,valid_until,reason\r\n"
        "C-1,50000.00,EUR,2026-12-31,Committee of March\r\n"
        "C-2,0,EUR,,Prepaid only\r\n"
        "C-3,1000.00,EUR,2026-03-30,\r\n"
        "C-9,1000.00,EUR,,\r\n"
        "C-3,-5.00,EUR,,\r\n"
    )

    async def push(text: str = file, **query: str) -> dict[str, Any]:
        params = {"kind": "credit_limits", "source": "committee", **query}
        answer = await erp.post(
            "/v1/imports", params=params, content=text, headers={"content-type": "text/csv"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    rehearsed = await push(dry_run="true")
    assert counts(rehearsed) == {"received": 5, "created": 2, "rejected": 3}
    await house.settle()
    assert await rows(erp, "/v1/credit-limits") == []
    made = await push()
    assert counts(made) == {"received": 5, "created": 2, "rejected": 3}
    assert sorted((one["row"], one["pointer"], one["code"]) for one in made["errors"]) == [
        (3, "/valid_until", "in_the_past"), (4, "/customer_external_id", "customer_unknown"),
        (5, "/amount", "amount_out_of_range"),
    ]  # fmt: skip
    await house.settle()
    shown = await rows(erp, "/v1/credit-limits")
    assert [(one["company_name"], one["amount"], one["state"], one["reason"]) for one in shown] == [
        ("Charpentes Morvan", "50000.00", "approved", "Committee of March"),
        ("Négoce Bâti", "0.00", "approved", "Prepaid only"),
    ]
    assert counts(await push()) == {"received": 5, "unchanged": 2, "rejected": 3}
    assert counts(await push(file.replace("50000", "60000"))) == {
        "received": 5,
        "updated": 1,
        "unchanged": 1,
        "rejected": 3,
    }
    await house.settle()
    (first, _) = await rows(erp, "/v1/credit-limits")
    assert first["amount"] == "60000.00"
    history = await rows(erp, f"/v1/companies/{first['company_id']}/credit-limit/history")
    assert [one["event"] for one in history] == ["imported", "imported"]
    _, clerk = await person(house, "Colin", "collector")
    no = await clerk.post(
        "/v1/imports", params={"kind": "credit_limits"}, content=file, headers={"content-type": "text/csv"}
    )
    assert no.status_code == 403, "whoever may push invoices may not give credit"
