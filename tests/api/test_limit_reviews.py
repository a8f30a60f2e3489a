"""Reviews, the credit file and proposals: what a limit rests on, and when it is looked at again."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject
from tests.api.credit_steps import ask, check, decide, failed, make_buyer, person, policy, with_limit

ASKER, ANNA = new_id(), new_id()


@pytest.fixture
async def client(service_client):
    return await service_client("credit", now="2026-03-31", user_id=ASKER)


async def customer_of(client, company_id: UUID) -> UUID:
    rows = await client.stack.sql(
        "credit",
        "SELECT id FROM customers WHERE tenant_id = $1 AND company_id = $2",
        client.tenant_id,
        company_id,
    )
    return UUID(str(rows[0]["id"]))


def pays(client, company_id: UUID, customer_id: UUID, version: int, payer_class: str) -> None:
    """Let the ledger say how an account pays."""
    behaviour = {"average_delay": "4.50", "average_duration": "34.50", "invoices": 9, "class": payer_class}
    profile = {
        "class": payer_class, "as_of": "2026-03-31", "trend": "-1.20", "paid_only": behaviour,
        "with_open_overdue": behaviour,
    }  # fmt: skip
    state = {
        "company_id": company_id,
        "business_unit_id": client.main_business_unit_id,
        "payer_profile": profile,
    }
    client.publish("ledger", "customer.changed", Subject(customer_id, version, state))


async def reviews(client, **query: Any) -> list[dict[str, Any]]:
    return (await client.get("/v1/limit-reviews", params=query)).json()["data"]


async def agenda(client) -> list[tuple[str, str]]:
    return [(one["kind"], one["due_on"]) for one in (await client.get("/v1/risk-agenda")).json()["data"]]


async def test_a_campaign_opens_the_reviews_its_criteria_name(client) -> None:
    person(client, ANNA, "Anna", "credit_manager")
    used, spare, unlimited = [await make_buyer(client, name) for name in ("Used", "Spare", "Unlimited")]
    await with_limit(client, used, "8000.00")
    await with_limit(client, spare, "80000.00", valid_until="2026-12-31")
    criteria = {"used_percent_from": 90}
    body = {"name": "Tight ones", "due_on": "2026-04-10", "assignee": str(ANNA), "criteria": criteria}
    campaign = (await client.post("/v1/limit-review-campaigns", json=body)).json()
    assert (campaign["reviews"], campaign["still_open"]) == (1, 1)
    (review,) = await reviews(client, campaign_id=campaign["id"])
    assert (review["company_id"], review["kind"], review["assignee"]) == (str(used), "campaign", str(ANNA))
    assert await agenda(client) == [("limit_review", "2026-04-10")]
    everything = {"name": "All", "due_on": "2026-04-20"}
    second = (await client.post("/v1/limit-review-campaigns", json=everything)).json()
    assert second["reviews"] == 1, (
        "who is under review in a campaign is left out; who has no limit has nothing to review"
    )
    ending = {"name": "Ending", "due_on": "2026-04-20", "criteria": {"valid_until_before": "2026-12-31"}}
    assert (await client.post("/v1/limit-review-campaigns", json=ending)).json()["reviews"] == 0
    elsewhere = client.acting(perimeter=[new_id()])
    assert (await elsewhere.get("/v1/limit-reviews")).json()["data"] == []

    address = f"/v1/limit-reviews/{review['id']}"
    lacking = await client.post(f"{address}/complete", json={"outcome": "request_made"})
    assert lacking.json()["errors"][0]["pointer"] == "/request_id"
    request = (await ask(client, used, "9000.00")).json()
    wrong = {"outcome": "request_made", "request_id": str(new_id())}
    assert (await client.post(f"{address}/complete", json=wrong)).status_code == 404
    done = {"outcome": "request_made", "request_id": request["id"], "comment": "needs more"}
    assert (await client.post(f"{address}/complete", json=done)).json()["state"] == "done"
    again = await client.post(f"{address}/complete", json=done)
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    assert await agenda(client) == [("limit_review", "2026-04-20")]
    shown = (await client.get(f"/v1/limit-review-campaigns/{campaign['id']}")).json()
    assert (shown["reviews"], shown["still_open"]) == (1, 0)
    history = (await client.get(f"/v1/companies/{used}/credit-limit/history")).json()["data"]
    assert (history[0]["event"], history[0]["comment"]) == ("reviewed", "needs more")
    manual = {"company_id": str(unlimited), "due_on": "2026-03-01", "reason": "New shareholder"}
    first = await client.post("/v1/limit-reviews", json=manual)
    assert (first.status_code, first.json()["overdue"]) == (201, True)
    assert (await client.post("/v1/limit-reviews", json=manual)).json()["code"] == "review_open"
    assert (await client.post(f"/v1/limit-reviews/{first.json()['id']}/cancel", json={})).json()[
        "state"
    ] == "cancelled"


async def test_a_limit_and_a_guarantee_that_end_are_looked_at_a_month_before(client) -> None:
    company = await make_buyer(client)
    await policy(client, default_validity_days=None)
    await with_limit(client, company, "8000.00", valid_until="2026-05-02")
    bank = {
        "company_id": str(company), "kind": "deposit", "amount": "500.00", "currency": "EUR", "valid_from": "2026-01-01",
        "valid_to": "2026-05-03",
    }  # fmt: skip
    await client.post("/v1/other-guarantees", json=bank)
    await client.live_until(date(2026, 4, 1))
    assert await agenda(client) == []
    await client.live_until(date(2026, 4, 3))
    assert await agenda(client) == [("limit_review", "2026-05-02"), ("guarantee_end", "2026-05-03")]
    assert [one["kind"] for one in await reviews(client)] == ["limit_end"]


async def test_a_payer_that_changes_class_is_reviewed(client) -> None:
    company = await make_buyer(client)
    account = await customer_of(client, company)
    await with_limit(client, company, "8000.00")
    for version, payer_class in ((2, "unknown"), (3, "good"), (4, "good"), (5, "bad")):
        pays(client, company, account, version, payer_class)
        await client.settle()
        assert len(await reviews(client)) == (payer_class == "bad"), "becoming known is no change"
    (review,) = await reviews(client)
    assert (review["kind"], review["reason"], review["due_on"]) == ("payer_class", "good → bad", "2026-03-31")

    dispute = {"customer_id": account, "item_ids": [], "kind": "price", "state": "open"}
    client.publish("dunning", "dispute.changed", Subject(new_id(), 1, dispute))
    promise = {
        "customer_id": account, "item_ids": [], "amount": 1, "currency": "EUR", "promised_on": "2026-03-01", "state": "broken",
    }  # fmt: skip
    client.publish("dunning", "promise.changed", Subject(new_id(), 1, promise))
    client.publish("risk", "grade.changed", Subject(company, 1, {"grade": "C", "points": "41"}))
    await client.settle()
    address = f"/v1/companies/{company}/credit-file"
    empty = (await client.get(address)).json()
    assert (empty["manual_grade"], empty["payer_profile"]["payer_class"]) == (None, "bad")
    assert [(one["cause"], one["source"], one["still_open"]) for one in empty["causes"]] == [
        ("broken_promise", "dunning", 0), ("dispute:price", "dunning", 1),
    ]  # fmt: skip
    named = {
        "manual_grade": "B",
        "grade_reason": "Shareholder pays",
        "causes": [{"cause": "Invoices get lost"}],
    }
    graded = (await client.patch(address, json=named)).json()
    assert (graded["manual_grade"]["grade"], graded["manual_grade"]["by"]) == ("B", str(ASKER))
    assert graded["causes"][-1] == {
        "cause": "Invoices get lost", "source": "person", "times": None, "still_open": None, "comment": None,
    }  # fmt: skip
    assert graded["internal_grade"] == {"grade": "C", "points": "41"}
    assert (await client.patch(address, json={"manual_grade": None})).json()["manual_grade"] is None
    assert (await client.patch(address, json={"grade": "B"})).status_code == 422


async def sold(
    client, company_id: UUID, account: UUID, number: int, amount: int, issued: date, due: date, **more
) -> None:
    """Let the ledger tell of an invoice, in minor units of EUR."""
    state = {
        "business_unit_id": client.main_business_unit_id, "customer_id": account, "company_id": company_id,
        "kind": "invoice", "direction": 1, "external_id": f"F-{number}", "number": f"F-{number}", "issue_date": issued,
        "delivery_date": None, "due_date": due, "original_due_date": due, "currency": "EUR", "amount": amount,
        "tax_amount": None, "open_amount": 0, "reference": None, "order_reference": None, "custom_fields": {},
        "closed_on": due, "cancelled": False, **more,
    }  # fmt: skip
    client.publish("ledger", "item.changed", Subject(new_id(), 1, state))


async def test_proposals_show_their_inputs_and_what_they_lack(client) -> None:
    company = await make_buyer(client, owed=100_000_00)
    account = await customer_of(client, company)
    address = f"/v1/companies/{company}/credit-limit/proposals"
    bare = (await client.get(address)).json()
    lacking = {one["method"]: one["missing"] for one in bare["proposals"]}
    assert lacking["need"] == ["yearly_sales", "term_days"]
    assert lacking["provider"] == ["recommended_credit"]
    assert (bare["result"]["value"], bare["result"]["reason"]) == (None, "nothing_known")

    await sold(client, company, account, 1, 900_000_00, date(2025, 6, 1), date(2025, 7, 1))  # 30 days
    await sold(client, company, account, 2, 400_000_00, date(2026, 1, 1), date(2026, 3, 2))  # 60 days
    await sold(
        client, company, account, 3, 800_000_00, date(2025, 3, 31), date(2025, 4, 30)
    )  # a year and a day ago
    await sold(
        client,
        company,
        account,
        4,
        100_000_00,
        date(2026, 1, 5),
        date(2026, 1, 5),
        kind="credit_note",
        direction=-1,
    )
    known = {
        "state": "known",
        "value": "175000.00",
        "currency": "EUR",
        "provider": "altares",
        "as_of": "2026-03-01",
    }
    facts = {
        "recommended_credit": known, "turnover": {**known, "value": "30000000"},
        "score": {"state": "known", "value": "55", "normalised": "55"}, "paydex": {"state": "not_supplied"},
    }  # fmt: skip
    client.publish(
        "risk", "provider_data.changed", Subject(company, 1, {"provider": "altares", "fields": facts})
    )
    pays(client, company, account, 2, "good")
    await client.settle()
    await client.live_until(date(2026, 4, 1))  # nothing is overdue: the day's peak is clean
    shown = (await client.get(address, params={"equity": "2000000", "lead_days": "5"})).json()
    by_method = {one["method"]: one for one in shown["proposals"]}
    inputs = {one["name"]: (one["value"], one["source"]) for one in by_method["need"]["inputs"]}
    assert inputs == {
        "yearly_sales": ("1200000.00", "ledger"), "term_days": ("39.2", "ledger"), "late_days": ("0", "policy"),
        "lead_days": ("5", "given"),
    }  # fmt: skip
    values = {name: one["value"] for name, one in by_method.items()}
    assert values == {
        "need": "145315.07",  # 1,200,000 × 44.2 / 365
        "afdcc": "110000.00",  # 100,000 owed, by a good payer
        "capacity": "150000.00",  # 0.5 % of 30 M, below 10 % of the 2 M given
        "provider": "175000.00",
        "history": "110000.00",
    }
    assert shown["result"] == {
        "value": "110000.00", "need": "145315.07", "acceptable": "110000.00", "reason": "acceptable",
        "advice": "reduce_term_or_get_guarantee",
    }  # fmt: skip
    setting = {"acceptable_methods": ["provider"], "maximum": "120000.00", "currency": "EUR"}
    assert (await client.put("/v1/proposal-policy", json=setting)).status_code == 200
    capped = (await client.get(address)).json()["result"]
    assert (capped["value"], capped["reason"]) == ("120000.00", "maximum")
    kept = (await ask(client, company, "120000.00")).json()["proposals"]
    assert kept[-1] == {"method": "policy", "value": "120000.00", "currency": "EUR", "missing": []}
    assert (await client.put("/v1/proposal-policy", json={"maximum": "1.00"})).status_code == 422
    assert (await client.get(address, params={"equity": "-1"})).status_code == 422

    proceedings = {
        "status": "receivership",
        "kind": "judgment",
        "judged_on": "2026-03-30",
        "published_on": None,
    }
    client.publish("risk", "legal_status.changed", Subject(company, 1, {**proceedings, "provider": "bodacc"}))
    await client.settle()
    fallen = (await client.get(address)).json()["result"]
    assert (fallen["value"], fallen["reason"]) == ("0.00", "collective_proceedings")
    await decide(client, (await client.get("/v1/credit-limit-requests")).json()["data"][0], ANNA)
    assert failed(await check(client, company, "1.00")) == ["legal_proceedings"]
