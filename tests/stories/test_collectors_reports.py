"""Confirmations, payment plans, hand-overs, and how well late items are followed up."""

import csv
import io

import pytest

from libs.testkit.tenant import TestTenant
from tests.stories.collector_desk import Desk, codes

MONDAY = "2026-03-02T09:00:00+01:00"


@pytest.fixture
async def desk(make_tenant) -> Desk:
    house: TestTenant = await make_tenant(now=MONDAY, name="Aciéries du Rhône")
    return Desk(house)


@pytest.mark.feature("D9", "D15", "D25", "F94", "F106", "F107", "G6")
async def test_confirmations_plans_hand_overs_and_the_qualification_rate(desk: Desk) -> None:
    customer, other = await desk.customer("C1"), await desk.customer("C2")
    first = await desk.invoice(customer, "F-1", due="2026-02-20")
    second = await desk.invoice(customer, "F-2", due="2026-02-22", amount="600.00")
    late = await desk.invoice(other, "F-9", due="2026-02-20", amount="400.00")
    await desk.invoice(other, "F-10", due="2026-05-20", amount="999.00")  # not due: in no rate

    said = {"item_ids": [first], "status_code": "promise", "date": "2026-03-05", "comment": "Virement jeudi"}
    preview = await desk.post("/v1/qualifications/preview", **said, confirmation={})
    shown = preview["confirmation"]
    assert (shown["to"], shown["language"]) == (["c1@example.com"], "fr")
    assert "F-1" in shown["text"] and "F-2" not in shown["text"]
    assert await desk.mails() == []
    (contact,) = preview["contacts"]
    stranger = "00000000-0000-7000-8000-000000000009"
    problem = await desk.refused(
        "POST", "/v1/qualifications", 422, **said, confirmation={"contact_ids": [stranger]}
    )
    assert codes(problem) == [("/confirmation/contact_ids/0", "contact_unknown")]
    assert await desk.listed("/v1/promises") == []  # refused as a whole
    done = await desk.post(
        "/v1/qualifications",
        **said,
        confirmation={"contact_ids": [contact["id"]], "cc": ["sales@example.com"]},
    )
    await desk.house.settle()
    (mail,) = await desk.mails(to="c1@example.com")
    assert (mail["subject"], mail["text"].splitlines()) == (shown["subject"], shown["text"].splitlines())
    message = await desk.get(f"/v1/messages/{done['message_id']}")
    assert (message["state"], message["customer_id"]) == ("sent", customer)

    user = await desk.post(
        "/v1/users", 201, name="Camille Roy", email="camille@example.org", roles=["salesperson"]
    )
    await desk.house.settle()
    await desk.qualify(
        [late], "ongoing", follow_up_on="2026-03-03", comment="Voir le commercial",
        confirmation={"user_ids": [user["id"]], "subject": "À voir", "body": "Peux-tu l'appeler ?"},
    )  # fmt: skip
    await desk.house.settle()
    (mail,) = await desk.mails(to="camille@example.org")
    assert (mail["subject"], "Peux-tu l'appeler ?" in mail["text"]) == ("À voir", True)

    report = await desk.get("/v1/reports/item-statuses")
    assert [(row["status"], row["count"], row["amount"], row["share"]) for row in report["data"]] == [
        (None, 1, "600.00", "0.3000"),
        ("ongoing", 1, "400.00", "0.2000"),
        ("promise", 1, "1000.00", "0.5000"),
    ]
    (rates,) = report["totals"]
    assert (rates["rate_by_count"], rates["rate_by_amount"], rates["alive_rate_by_amount"]) == (
        "0.6667",
        "0.7000",
        "0.7000",
    )
    by_customer = await desk.get("/v1/reports/item-statuses", by="customer", limit=1)
    assert by_customer["next_cursor"] is not None
    answer = await desk.client.get("/v1/reports/item-statuses", headers={"accept": "text/csv"})
    assert len(list(csv.reader(io.StringIO(answer.text)))) == 4

    plan = await desk.post(
        "/v1/payment-plans", 201, item_ids=[second],
        instalments=[{"due_on": "2026-03-04", "amount": "200.00"}, {"due_on": "2026-03-16", "amount": "400.00"}],
    )  # fmt: skip
    assert [one["excluded_by"] for one in (await desk.stands(customer))["excluded_items"]] == [
        "promise",
        "payment_plan",
    ]
    problem = await desk.refused(
        "POST", "/v1/payment-plans", 422, item_ids=[second],
        instalments=[{"due_on": "2026-03-04", "amount": "601.00"}],
    )  # fmt: skip
    assert codes(problem) == [("/instalments", "amount_above_open")]
    handed = await desk.post("/v1/hand-overs", 201, item_ids=[late], recipient="agency", reference="RR-118")
    problem = await desk.refused("POST", "/v1/hand-overs", 409, item_ids=[late], recipient="lawyer")
    assert (problem["code"], problem["existing_id"]) == ("already_handed_over", handed["id"])

    await desk.house.advance(to="2026-03-04")
    await desk.pays(customer, second, "200.00", on="2026-03-04")
    await desk.house.advance(to="2026-03-07")
    plan = await desk.get(f"/v1/payment-plans/{plan['id']}")
    assert [one["state"] for one in plan["instalments"]] == ["kept", "open"]
    past = await desk.get("/v1/reports/item-statuses", as_of="2026-03-03")
    assert {row["status"] for row in past["data"]} == {None, "ongoing", "promise"}
    now = await desk.get("/v1/reports/item-statuses")
    assert len(now["trend"]) == 1 and now["trend"][0]["day"] == "2026-03-07"
    # the follow-up of C2's item has passed: it has a status, but not one that is alive
    (rates,) = now["totals"]
    assert rates["qualified_count"] > rates["alive_count"]
    ended = await desk.post(f"/v1/hand-overs/{handed['id']}/end", outcome="returned")
    assert ended["state"] == "ended"
    await desk.house.advance(to="2026-03-19")
    plan = await desk.get(f"/v1/payment-plans/{plan['id']}")
    assert (plan["state"], [one["state"] for one in plan["instalments"]]) == ("broken", ["kept", "broken"])
    assert {one["reason"] for one in await desk.agenda(kind="broken_promise")} == {"promise_broken"}
    assert (await desk.stands(customer))["excluded_items"] == []
