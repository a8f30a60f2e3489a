"""Scenarios: written in versions, assigned, simulated; suggestions; and the caps that no scenario gets around."""

from datetime import date, timedelta

import pytest

from libs.testkit.tenant import TestTenant
from tests.stories.collector_desk import Desk, codes

MONDAY = "2026-03-02T09:00:00+01:00"


@pytest.fixture
async def desk(make_tenant) -> Desk:
    house: TestTenant = await make_tenant(now=MONDAY, name="Aciéries du Rhône")
    return Desk(house)


@pytest.mark.feature("F81", "F82", "F83", "F86", "F87", "D16", "F101", "N6")
async def test_scenarios_are_versioned_assigned_simulated_and_replace_what_was_proposed(desk: Desk) -> None:
    customer = await desk.customer("C1")
    first = await desk.invoice(customer, "F-1", due="2026-02-20")
    second = await desk.invoice(customer, "F-2", due="2026-03-20", amount="500.00")
    templates = {one["code"]: one["id"] for one in await desk.listed("/v1/templates")}
    library = await desk.listed("/v1/scenario-library")
    assert [one["code"] for one in library] == ["standard", "soft", "risky", "public_sector"]
    (standard,) = await desk.listed("/v1/scenarios")
    risky = await desk.post("/v1/scenarios/from-library", 201, library="risky", name="Risqué")

    mail = {"channel": "email", "template_id": templates["first_reminder"]}
    wrong = [
        {**mail, "mode": "automatic", "after_days": 3},
        {"channel": "call", "mode": "automatic", "offset_days": 9},
    ]
    problem = await desk.refused("POST", "/v1/scenarios", 422, name="Faux", steps=wrong)
    assert codes(problem) == [
        ("/steps/0/after_days", "first_step_relative"),
        ("/steps/1/mode", "mode_impossible"),
    ]
    made = await desk.post(
        "/v1/scenarios", 201, name="Grands comptes", minimum_amount={"EUR": "50.00"}, ignore_items_under={"EUR": "5.00"},
        sending={"weekdays": [2], "opens": "10:00", "closes": "12:00", "calendar": "FR"},
        steps=[{**mail, "mode": "to_confirm", "offset_days": -5}, {"channel": "call", "mode": "manual", "after_days": 4}],
    )  # fmt: skip
    assert (made["version"], made["minimum_amount"]) == (1, {"EUR": "50.00"})
    copy = await desk.post(f"/v1/scenarios/{made['id']}/duplicate", 201)
    assert (copy["name"], copy["steps"]) == ("Grands comptes (copy)", made["steps"])
    assert (await desk.post(f"/v1/scenarios/{copy['id']}/archive"))["archived"] is True

    # the same month under two scenarios; nothing leaves
    compared = await desk.post(
        f"/v1/scenarios/{standard['id']}/simulate",
        until="2026-03-31",
        compare_with=[{"scenario_id": risky["id"]}],
    )
    ours, theirs = compared["data"]
    assert [(one["on"], one["channel"]) for one in ours["actions"]] == [("2026-03-02", "email"), ("2026-03-12", "email"),
                                                                        ("2026-03-27", "call")]  # fmt: skip
    assert theirs["totals"]["actions"] > ours["totals"]["actions"]
    assert {item for one in ours["actions"] for item in one["items"]} <= {first, second}
    assert await desk.agenda() == [] and await desk.mails() == []
    replay = await desk.post(
        f"/v1/scenarios/{standard['id']}/simulate",
        **{"from": "2026-02-16"},
        until="2026-03-02",
        customer_ids=[customer],
    )
    assert (replay["kind"], [one["on"] for one in replay["data"][0]["actions"]]) == ("replay", ["2026-02-25"])

    # assigned by hand: what was proposed is replaced at once
    await desk.run(dry_run=True)
    assigned = await desk.client.put(
        f"/v1/customers/{customer}/assignments/scenario",
        json={"scenario_id": made["id"], "reason": "Key account"},
    )
    assert assigned.status_code == 200, assigned.text
    told = assigned.json()
    assert (told["why"], told["manual"], told["reason"]) == ("assigned", True, "Key account")
    assert told["assigned_by"] and told["assigned_at"]
    await desk.run()
    (waiting,) = await desk.agenda(state="to_confirm")
    assert waiting["scenario_id"] == made["id"]
    stands = await desk.stands(customer)
    assert (stands["scenario_name"], stands["why"], stands["manual"]) == ("Grands comptes", "assigned", True)
    problem = await desk.refused("POST", f"/v1/scenarios/{made['id']}/archive", 409)
    assert problem["code"] == "in_use"

    # another version: the message that waited is replaced by the call it begins with now
    published = await desk.post(
        f"/v1/scenarios/{made['id']}/versions", 201,
        steps=[{"channel": "call", "mode": "manual", "offset_days": 3}, {**mail, "mode": "automatic", "after_days": 2}],
        sending={"weekdays": [5], "opens": "08:30", "closes": "16:00", "calendar": "none"},
    )  # fmt: skip
    assert published["version"] == 2
    assert [one["version"] for one in await desk.listed(f"/v1/scenarios/{made['id']}/versions")] == [2, 1]
    assert (await desk.get(f"/v1/actions/{waiting['id']}"))["state"] == "cancelled"
    (call,) = await desk.agenda(state="due")
    assert (call["channel"], call["leader_item_id"]) == ("call", first)
    await desk.post(f"/v1/actions/{call['id']}/complete", outcome="Left word")

    # the mail is due on Wednesday and leaves on Friday morning, the only hours this scenario has
    await desk.house.advance(to="2026-03-05")
    assert await desk.mails() == []
    verdict = await desk.get(f"/v1/actions/{(await desk.agenda(state='due'))[0]['id']}/preflight")
    assert (verdict["verdict"], verdict["code"], verdict["opens_at"]) == (
        "wait",
        "quiet_hours",
        "2026-03-06T07:30:00Z",
    )
    assert verdict["net"] == {"EUR": "1000.00"}
    await desk.house.advance(to="2026-03-07")
    assert len(await desk.mails(to="c1@example.com")) == 1

    # released: back to the default, whose steps already said are not said again
    await desk.client.put(f"/v1/customers/{customer}/assignments/scenario", json={"scenario_id": None})
    stands = await desk.stands(customer)
    assert (stands["why"], stands["next_action"]["step"]) == ("tenant_default", 1)
    default = await desk.post(f"/v1/scenarios/{risky['id']}/make-default")
    assert default["is_default"] is True
    assert (await desk.stands(customer))["scenario_name"] == "Risqué"


@pytest.mark.feature("D13", "D23", "F96", "F97", "G13", "G14", "N7")
async def test_accounts_of_a_company_share_the_cap_and_suggestions_say_why(desk: Desk) -> None:
    company = {"country": "FR", "name": "Groupe Vela", "registration_number": "732829320"}
    north, south = await desk.customer("N1", company=company), await desk.customer("S1", company=company)
    slow, prompt = await desk.customer("SLOW"), await desk.customer("FAST")
    await desk.invoice(north, "N-1", due="2026-02-20")
    await desk.invoice(south, "S-1", due="2026-02-21")
    # a history: one pays weeks late, the other within days
    for place in range(6):
        due = date(2025, 12, 5) + timedelta(days=place)
        for customer, name, days in ((slow, "SLOW", 40), (prompt, "FAST", 3)):
            item = await desk.invoice(
                customer, f"{name}-{place}", due=due.isoformat(), amount="100.00", issue_date="2025-11-01"
            )
            body = {
                "customer_id": customer, "amount": "100.00", "currency": "EUR",
                "paid_on": (due + timedelta(days=days)).isoformat(), "allocations": [{"item_id": item, "amount": "100.00"}],
            }  # fmt: skip
            await desk.post("/v1/payments", 201, **body)
    await desk.invoice(slow, "SLOW-9", due="2026-03-01", amount="700.00")
    await desk.invoice(prompt, "FAST-9", due="2026-03-01", amount="900.00")
    await desk.house.settle()

    ranked = await desk.listed("/v1/suggestions")
    names = [one["customer_name"] for one in ranked]
    assert names.index("Client SLOW") < names.index("Client FAST"), (
        "less money, but it will be missing for longer"
    )
    reasons = {one["code"]: one["facts"] for one in ranked[names.index("Client SLOW")]["reasons"]}
    assert reasons["amount_late"] == {"EUR": "700.00", "items": 1}
    assert reasons["usual_behaviour"]["own_still_unpaid"] == 6
    assert ranked == await desk.listed("/v1/suggestions")  # the same facts, the same order

    report = await desk.run()
    assert report["counts"]["sent"] == 1, "one message to the company, whichever account it was for"
    (skipped,) = [one for one in report["skipped"] if one["code"] == "frequency_cap"]
    assert skipped["customer_id"] in (north, south)
    capped, written = (north, south) if skipped["customer_id"] == north else (south, north)
    (item,) = await desk.listed("/v1/items", customer_id=capped)
    verdict = await desk.post("/v1/preflight", item_ids=[item["id"]])
    assert (verdict["verdict"], verdict["code"], verdict["left_out"]) == (
        "wait",
        "frequency_cap",
        [item["id"]],
    )
    await desk.house.advance(to="2026-03-09")
    to = [mail["to"][0] for mail in await desk.mails()]
    assert sorted(one for one in to if one in ("n1@example.com", "s1@example.com")) == [
        "n1@example.com",
        "s1@example.com",
    ]
    assert written
