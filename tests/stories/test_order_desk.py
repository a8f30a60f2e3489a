"""The order desk asks before it promises: checks, reservations, holds; and what a limit rests on."""

from typing import Any

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import account, invoice, make, person, read, receive, refused, rows, tell

CHECKS = "/v1/credit-checks"


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def give_limit(house: TestTenant, company: str, amount: str, **more: Any) -> None:
    _, paul = await person(house, "Paul", "salesperson")
    _, anne = await person(house, "Anne", "credit_manager")
    body = {"company_id": company, "amount": amount, "currency": "EUR", **more}
    asked = await make(paul, "/v1/credit-limit-requests", **body)
    await tell(anne, f"/v1/credit-limit-requests/{asked['id']}/approve")


@pytest.mark.feature("N2", "C6", "F57", "F58", "F59", "F60", "F61")
async def test_an_order_is_checked_reserved_booked_and_held(house: TestTenant) -> None:
    erp = house.client
    buyer = await account(erp, "C-1", "Charpentes Morvan")
    company = buyer["company"]["id"]
    order = {"customer_id": buyer["id"], "currency": "EUR", "reserve": True, "ttl": 3600}
    unknown = await make(erp, CHECKS, **order, amount="1000.00")
    assert (unknown["decision"], unknown["headroom"]) == ("hold", None)
    assert [rule["code"] for rule in unknown["rules"] if not rule["passed"]] == ["limit_missing"]
    await give_limit(house, company, "10000.00")
    await invoice(erp, "C-1", "F-1", "4000.00", "2026-03-01", "2026-04-30")

    # The invoice of a moment ago counts already: a check reads the ledger to its last word.
    first = await make(erp, CHECKS, **order, amount="5000.00", order_external_id="SO-1")
    assert (first["decision"], first["outstanding"], first["headroom"]) == ("allow", "4000.00", "6000.00")
    second = await make(erp, CHECKS, **order, amount="1000.01", order_external_id="SO-2")
    assert (second["decision"], second["reserved"], second["headroom"]) == ("hold", "5000.00", "1000.00")
    failed = [
        (rule["code"], rule["threshold"], rule["value"]) for rule in second["rules"] if not rule["passed"]
    ]
    assert failed == [("limit_exceeded", "1000.00", "1000.01")]
    await make(
        erp, "/v1/orders", external_id="SO-1", customer_external_id="C-1", amount="5000.00", currency="EUR"
    )
    booked = await make(erp, CHECKS, **order, amount="1000.00", order_external_id="SO-3")
    assert (booked["decision"], booked["order_book"], booked["reserved"]) == ("allow", "5000.00", "0.00")
    taken = f"/v1/credit-reservations/{first['reservation']['id']}"
    assert (await read(erp, taken))["state"] == "consumed"
    assert await refused(erp, f"{taken}/consume") == (409, "invalid_state")
    await tell(erp, f"/v1/credit-reservations/{booked['reservation']['id']}/release")

    # A person lets the held order go on for some days; nobody lets one pass a hold.
    boss_id, boss = await person(house, "Beatrice", "credit_manager")
    released = await tell(boss, f"{CHECKS}/{second['id']}/release", grace_days=2, comment="Prepays half")
    assert (released["released_by"], released["released_until"]) == (boss_id, "2026-04-02")
    later = await make(
        erp, CHECKS, **order, amount="1000.01", order_external_id="SO-2", checkpoint="delivery"
    )
    assert (later["decision"], [rule["code"] for rule in later["rules"] if rule["waived"]]) == (
        "allow",
        ["limit_exceeded"],
    )
    await tell(boss, f"/v1/companies/{company}/credit-limit/block", reason="Cheque returned unpaid")
    stopped = await make(erp, CHECKS, **order, amount="1.00", order_external_id="SO-2")
    assert (stopped["decision"], stopped["rules"][0]["value"]) == ("refuse", "Cheque returned unpaid")
    await tell(boss, f"/v1/companies/{company}/credit-limit/unblock", comment="Wired today")
    await house.advance(days=3)
    again = await make(erp, CHECKS, **order, amount="1000.01", order_external_id="SO-2")
    assert again["decision"] == "hold", "the days of grace are over"

    # Nine tenths used is worth a word, more than all of it another.
    await invoice(erp, "C-1", "F-2", "5500.00", "2026-04-03", "2026-05-03")
    await house.settle()
    assert [one["kind"] for one in await rows(erp, "/v1/alerts", state="open")] == ["limit_usage"]
    await invoice(erp, "C-1", "F-3", "1000.00", "2026-04-03", "2026-05-03")
    await house.settle()
    assert [one["kind"] for one in await rows(erp, "/v1/alerts", state="open")] == ["limit_exceeded"]


@pytest.mark.feature("C5", "C9", "C10", "C21", "F50", "F56", "F80")
async def test_a_payer_gets_slower_and_its_limit_is_looked_at_again(house: TestTenant) -> None:
    erp = house.client
    company = (await account(erp, "C-1", "Charpentes Morvan"))["company"]["id"]
    for month in (10, 11, 12):
        await invoice(erp, "C-1", f"F-{month}", "36500.00", f"2025-{month}-01", f"2025-{month}-28")
        await receive(erp, "C-1", "36500.00", f"2025-{month}-28", allocate="oldest")
    await house.advance(days=1)
    await give_limit(house, company, "20000.00", valid_until="2026-12-31")
    file = f"/v1/companies/{company}/credit-file"
    assert (await read(erp, file))["payer_profile"]["payer_class"] == "very_good"

    proposed = await read(
        erp, f"/v1/companies/{company}/credit-limit/proposals", turnover="3000000", score="62"
    )
    by_method = {one["method"]: one for one in proposed["proposals"]}
    # 109,500 a year, 27 days each, more to come or not: (28 − 1) × 109,500 / 365; and one per cent of three million
    assert (by_method["need"]["value"], by_method["capacity"]["value"]) == ("8100.00", "30000.00")
    assert by_method["provider"]["missing"] == ["recommended_credit"]
    assert (proposed["result"]["value"], proposed["result"]["reason"]) == ("8100.00", "need")

    # Spring: everything is late now.
    await invoice(erp, "C-1", "F-1", "365000.00", "2026-01-02", "2026-02-01")
    await house.advance(days=1)
    assert (await read(erp, file))["payer_profile"]["payer_class"] != "very_good"
    (review,) = await rows(erp, "/v1/limit-reviews")
    assert (review["kind"], review["reason"].split()[0]) == ("payer_class", "very_good")
    (action,) = await rows(erp, "/v1/risk-agenda")
    assert (action["kind"], action["object_id"], action["amount_at_stake"]) == (
        "limit_review",
        review["id"],
        "20000.00",
    )
    boss_id, boss = await person(house, "Beatrice", "credit_manager")
    await tell(boss, f"/v1/risk-agenda/{action['id']}/assign", assignee=boss_id)
    (mine,) = await rows(boss, "/v1/risk-agenda", assignee="me")
    assert mine["id"] == action["id"]
    graded = await boss.patch(file, json={"manual_grade": "D", "grade_reason": "Late since January"})
    assert graded.json()["manual_grade"] == {**graded.json()["manual_grade"], "grade": "D", "by": boss_id}
    await tell(boss, f"/v1/limit-reviews/{review['id']}/complete", outcome="confirmed", comment="Watched")
    assert await rows(erp, "/v1/risk-agenda") == []

    # The yearly campaign takes what is used up, by payers that worry.
    campaign = await make(
        boss, "/v1/limit-review-campaigns", name="Yearly review", due_on="2026-04-02",
        criteria={"used_percent_from": 100, "payer_classes": ["average", "bad", "very_bad"]},
    )  # fmt: skip
    assert campaign["reviews"] == 1
    (due,) = await rows(boss, "/v1/risk-agenda", kind="limit_review")
    assert (due["due_on"], due["overdue"], due["source"]) == ("2026-04-02", False, "automatic")
