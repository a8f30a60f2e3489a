"""Three weeks of a late payer: two reminders, a call, and silence once the money is there."""

from typing import Any

import pytest

from libs.testkit.tenant import TestTenant

MONDAY = "2026-03-02T09:00:00+01:00"


@pytest.fixture
async def house(make_tenant) -> TestTenant:
    return await make_tenant(now=MONDAY, name="Aciéries du Rhône")


async def buyer(
    house: TestTenant, number: str, email: str | None = "compta@example.com", language: str = "fr"
) -> str:
    contacts = (
        [{"name": "Mme Petit", "email": email, "role": "accounting", "language": language}] if email else []
    )
    body = {
        "external_id": number, "name": f"Client {number}", "language": language, "currency": "EUR",
        "company": {"country": "FR", "name": f"Client {number}"}, "contacts": contacts,
        "address": {"line1": "1 rue de la Paix", "city": "Lyon", "country": "FR"},
    }  # fmt: skip
    answer = await house.client.post("/v1/customers", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def invoice(house: TestTenant, customer: str, number: str, due: str, amount: str = "1000.00") -> str:
    body = {
        "kind": "invoice", "external_id": number, "number": number, "customer_id": customer, "issue_date": "2026-01-15",
        "due_date": due, "currency": "EUR", "amount": amount,
    }  # fmt: skip
    answer = await house.client.post("/v1/items", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def mails(house: TestTenant, **query: Any) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = (await house.client.get("/v1/sandbox/mails", params=query)).json()["data"]
    return data


async def run(house: TestTenant, **body: Any) -> dict[str, Any]:
    """A run, followed to its end."""
    answer = await house.client.post("/v1/dunning-runs", json=body)
    assert answer.status_code == 202, answer.text
    await house.settle()
    done = (await house.client.get(f"/v1/dunning-runs/{answer.json()['id']}")).json()
    assert done["status"] == "succeeded", done
    return done


@pytest.mark.feature("D1", "D23", "F84", "F86", "F87", "F114", "L5")
async def test_a_run_reminds_once_whoever_is_late_and_says_why_it_leaves_the_others(
    house: TestTenant,
) -> None:
    late, punctual, silent = (
        await buyer(house, "C1"),
        await buyer(house, "C2"),
        await buyer(house, "C3", email=None),
    )
    await invoice(house, late, "F-1", due="2026-02-20")
    await invoice(house, punctual, "F-2", due="2026-03-10")
    await invoice(house, silent, "F-3", due="2026-02-20")

    dry = await run(house, dry_run=True)
    assert (dry["counts"]["planned"], dry["counts"]["sent"]) == (2, 0)
    assert await mails(house) == []

    first = await run(house)
    assert (first["counts"]["customers"], first["counts"]["planned"], first["counts"]["sent"]) == (3, 2, 1)
    assert first["counts"]["blocked"] == 1
    assert first["skipped"] == [{"customer_id": punctual, "code": "nothing_due"}]
    (mail,) = await mails(house)
    assert mail["to"] == ["compta@example.com"]
    assert "F-1" in mail["subject"]
    assert "1\u202f000,00" in mail["text"]
    assert "F-2" not in mail["text"] and "F-3" not in mail["text"]

    again = await run(house)
    assert (again["counts"]["planned"], again["counts"]["sent"]) == (0, 0)
    assert len(await mails(house)) == 1

    agenda = (await house.client.get("/v1/actions", params={"state": "blocked"})).json()["data"]
    assert [(one["customer_id"], one["reason"]) for one in agenda] == [(silent, "no_contact")]
    (message,) = (await house.client.get("/v1/messages")).json()["data"]
    assert (message["state"], message["customer_id"]) == ("sent", late)
    content = (await house.client.get(f"/v1/messages/{message['id']}/content")).json()
    assert content["subject"] == mail["subject"]


@pytest.mark.feature("D1", "F81", "F83", "L22")
async def test_days_bring_reminders_and_a_call_and_a_payment_ends_them(house: TestTenant) -> None:
    slow, quick = await buyer(house, "C1", "slow@example.com"), await buyer(house, "C2", "quick@example.com")
    await invoice(house, slow, "F-1", due="2026-03-05")
    await invoice(house, quick, "F-2", due="2026-03-05")
    await house.settle()

    await house.advance(to="2026-03-10")
    assert sorted(mail["to"][0] for mail in await mails(house)) == ["quick@example.com", "slow@example.com"]

    paid = {
        "customer_id": quick,
        "amount": "1000.00",
        "currency": "EUR",
        "paid_on": "2026-03-10",
        "allocate": "oldest",
    }
    assert (await house.client.post("/v1/payments", json=paid)).status_code == 201
    await house.advance(to="2026-03-20")
    assert len(await mails(house, to="slow@example.com")) == 2
    assert len(await mails(house, to="quick@example.com")) == 1

    await house.advance(to="2026-04-07")
    (call,) = (await house.client.get("/v1/actions", params={"state": "due"})).json()["data"]
    assert (call["customer_id"], call["channel"], call["due_on"]) == (slow, "call", "2026-04-04")
    done = await house.client.post(f"/v1/actions/{call['id']}/complete", json={"outcome": "Pays on Friday"})
    assert (done.json()["state"], done.json()["outcome"]) == ("done", "Pays on Friday")
    stands = (await house.client.get(f"/v1/customers/{slow}/dunning")).json()
    assert stands["nothing_because"] == "scenario_finished"


@pytest.mark.feature("N7", "L22")
async def test_an_invoice_paid_between_planning_and_sending_is_not_reminded(house: TestTenant) -> None:
    await house.advance(to="2026-03-07")  # a Saturday: what is planned waits for Monday
    customer = await buyer(house, "C1")
    await invoice(house, customer, "F-1", due="2026-03-01")
    planned = await run(house)
    assert (planned["counts"]["planned"], planned["counts"]["sent"]) == (1, 0)
    paid = {
        "customer_id": customer,
        "amount": "1000.00",
        "currency": "EUR",
        "paid_on": "2026-03-07",
        "allocate": "oldest",
    }
    assert (await house.client.post("/v1/payments", json=paid)).status_code == 201
    await house.advance(to="2026-03-09")
    assert await mails(house) == []
    (action,) = (await house.client.get("/v1/actions", params={"customer_id": customer})).json()["data"]
    assert action["state"] == "cancelled"
