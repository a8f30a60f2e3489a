"""After each answer of a customer: status, date, comment, who resolves it, and what comes next."""

import pytest

from libs.testkit.tenant import TestTenant
from tests.stories.collector_desk import Desk, codes

MONDAY = "2026-03-02T09:00:00+01:00"


@pytest.fixture
async def desk(make_tenant) -> Desk:
    house: TestTenant = await make_tenant(now=MONDAY, name="Aciéries du Rhône")
    return Desk(house)


@pytest.mark.feature("D4", "D5", "D6", "D7", "D8", "D10", "D22", "F89", "F92", "N14", "D21")
async def test_a_promise_takes_its_items_out_until_it_is_kept_or_broken(desk: Desk) -> None:
    customer = await desk.customer("C1")
    first = await desk.invoice(customer, "F-1", due="2026-02-20")
    second = await desk.invoice(customer, "F-2", due="2026-02-25", amount="400.00")
    other = await desk.customer("C2")
    stray = await desk.invoice(other, "F-9", due="2026-02-20")

    problem = await desk.refused(
        "POST", "/v1/qualifications", 422, item_ids=[first, stray], status_code="promise"
    )
    assert codes(problem) == [("/item_ids", "several_customers")]
    problem = await desk.refused("POST", "/v1/qualifications", 422, item_ids=[first], status_code="promise")
    assert codes(problem) == [("/date", "missing")]
    problem = await desk.refused(
        "POST", "/v1/qualifications", 422, item_ids=[first], status_code="promise", date="2026-02-01"
    )
    assert codes(problem) == [("/date", "in_the_past")]

    preview = await desk.post(
        "/v1/qualifications/preview", item_ids=[first, second], status_code="promise", date="2026-03-12"
    )
    assert preview["status_label"] == "Promesse de règlement"
    assert preview["amounts"] == {"EUR": "1400.00"}
    assert (await desk.stands(customer))["excluded_items"] == []

    nobody = "00000000-0000-7000-8000-000000000009"
    done = await desk.qualify(
        [first, second, nobody],
        "promise",
        date="2026-03-12",
        comment="Virement jeudi",
        next={"kind": "scenario"},
    )
    assert [one["outcome"] for one in done["items"]] == ["qualified", "qualified", "not_found"]
    # the promised day beats the delay of seven days that the status has
    assert (done["date"], done["follow_up_on"]) == ("2026-03-12", "2026-03-12")
    # the first reminder of the scenario comes after the promise and its two days of grace
    assert done["next_scenario_action"]["due_on"] == "2026-03-15"
    stands = await desk.stands(customer)
    assert [(one["number"], one["excluded_by"], one["until"]) for one in stands["excluded_items"]] == [
        ("F-1", "promise", "2026-03-14"),
        ("F-2", "promise", "2026-03-14"),
    ]
    assert stands["nothing_because"] == "all_excluded"

    owner = "00000000-0000-7000-8000-000000000001"
    patched = await desk.client.patch(
        f"/v1/items/{first}/resolution-owner", json={"resolution_owner_id": owner}
    )
    assert patched.status_code == 200, patched.text
    situation = await desk.get(f"/v1/items/{first}/situation")
    assert (situation["status_code"], situation["resolution_owner_id"]) == ("promise", owner)
    assert situation["comment"] == "Virement jeudi"

    await desk.house.advance(to="2026-03-12")
    assert await desk.mails(to="c1@example.com") == []  # promised: left alone
    await desk.pays(customer, first, "1000.00", on="2026-03-12")
    (promise,) = await desk.listed("/v1/promises", customer_id=customer)
    assert (promise["state"], promise["paid_amount"], promise["amount"]) == ("open", "1000.00", "1400.00")

    await desk.house.advance(to="2026-03-16")
    promise = await desk.get(f"/v1/promises/{promise['id']}")
    assert (promise["state"], promise["judged_on"]) == ("partly", "2026-03-15")
    (call,) = await desk.agenda(kind="broken_promise")
    assert (call["channel"], call["items"], call["promise_id"]) == ("call", [second], promise["id"])
    assert (await desk.stands(customer))["excluded_items"] == []
    assert "F-2" in (await desk.mails(to="c1@example.com"))[0]["subject"]  # back in the scenario
    reliability = await desk.get(f"/v1/customers/{customer}/reliability")
    assert reliability["data"] == [
        {"currency": "EUR", "kept": 0, "partly": 1, "broken": 0, "open": 0, "rate": "0.7143"}
    ]

    # the bank tells late that the rest came in time: the judgement is corrected
    await desk.pays(customer, second, "400.00", on="2026-03-13")
    assert (await desk.get(f"/v1/promises/{promise['id']}"))["state"] == "kept"
    assert await desk.agenda(kind="broken_promise", state="due") == []

    await desk.qualify([stray], "ongoing", comment="Cherche la facture")
    await desk.qualify([stray], "dispute", comment="Deux palettes manquent", dispute_kind="missing_goods")
    history = await desk.listed(f"/v1/items/{stray}/qualifications")
    assert [(one["status_code"], one["comment"]) for one in history] == [
        ("dispute", "Deux palettes manquent"),
        ("ongoing", "Cherche la facture"),
    ]
    await desk.pays(other, stray, "1000.00", on="2026-03-16")
    assert len(await desk.listed(f"/v1/items/{stray}/qualifications")) == 2  # history outlives the item
    problem = await desk.refused("POST", "/v1/qualifications", 409, item_ids=[stray], status_code="ongoing")
    assert problem["code"] == "items_closed"


@pytest.mark.feature("D11", "D2", "D3", "D12", "D14", "D20", "D24", "F88", "F90", "F91")
async def test_a_status_sets_off_an_action_that_takes_the_items_out_until_it_is_finished(desk: Desk) -> None:
    customer = await desk.customer("C1")
    first = await desk.invoice(customer, "F-1", due="2026-02-20")
    second = await desk.invoice(customer, "F-2", due="2026-03-01", amount="400.00")
    templates = {one["code"]: one["id"] for one in await desk.listed("/v1/templates")}

    made = await desk.post(
        "/v1/statuses", 201, code="waiting_po", category="ongoing", labels={"en": "Order number awaited"},
        default_days=4, action_template_id=templates["second_reminder"], mode="automatic",
    )  # fmt: skip
    problem = await desk.refused(
        "POST", "/v1/statuses", 409, code="waiting_po", category="ongoing", labels={"en": "x"}
    )
    assert (problem["code"], problem["existing_id"]) == ("code_exists", made["id"])
    problem = await desk.refused("POST", "/v1/statuses", 422, code="x", category="lost", labels={"xx": "x"})
    assert {pointer for pointer, _ in codes(problem)} >= {"/category"}

    done = await desk.qualify([first], "waiting_po")
    assert done["follow_up_on"] == "2026-03-06"
    (action,) = await desk.agenda(kind="specific_action")
    assert (action["id"], action["due_on"], action["channel"]) == (done["action_id"], "2026-03-06", "email")
    stands = await desk.stands(customer)
    assert [(one["number"], one["excluded_by"]) for one in stands["excluded_items"]] == [
        ("F-1", "specific_action")
    ]
    assert stands["leader_item"]["number"] == "F-2"  # the next oldest leads, from its own first step

    await desk.house.advance(to="2026-03-06")
    (mail,) = await desk.mails(to="c1@example.com")
    assert "F-1" in mail["text"] and "F-2" not in mail["text"]
    assert (await desk.get(f"/v1/actions/{action['id']}"))["state"] == "done"
    assert (await desk.stands(customer))["leader_item"]["number"] == "F-1"  # finished: back in the scenario

    # by hand: a call that keeps an item out, and one beside the scenario that does not
    call = await desk.post(
        "/v1/actions", 201, kind="specific_action", item_ids=[first], channel="call", due_on="2026-03-20"
    )
    beside = await desk.post(
        "/v1/actions", 201, kind="out_of_scenario", item_ids=[second], channel="task", due_on="2026-03-09", comment="Copy"
    )  # fmt: skip
    excluded = (await desk.stands(customer))["excluded_items"]
    assert [(one["number"], one["excluded_by"]) for one in excluded] == [("F-1", "specific_action")]
    moved = await desk.post(
        "/v1/actions/reschedule", action_ids=[call["id"], beside["id"]], due_on="2026-03-24"
    )
    assert [one["outcome"] for one in moved["data"]] == ["changed", "changed"]
    ended = await desk.post(
        "/v1/actions/complete", action_ids=[call["id"], done["action_id"]], outcome="Reached"
    )
    assert {one["id"]: one["outcome"] for one in ended["data"]} == {
        call["id"]: "changed",
        done["action_id"]: "invalid_state",
    }
    assert (await desk.stands(customer))["excluded_items"] == []

    # settled meanwhile: the action is over by itself
    last = await desk.qualify(
        [second], "ongoing", next={"kind": "specific_action", "channel": "call", "due_on": "2026-04-02"}
    )
    await desk.pays(customer, second, "400.00", on="2026-03-06")
    assert (await desk.get(f"/v1/actions/{last['action_id']}"))["state"] == "cancelled"

    deleted = await desk.client.delete(f"/v1/statuses/{made['id']}")
    assert (deleted.status_code, deleted.json()["code"]) == (409, "in_use")
    await desk.client.patch(f"/v1/statuses/{made['id']}", json={"active": False})
    problem = await desk.refused(
        "POST", "/v1/qualifications", 422, item_ids=[first], status_code="waiting_po"
    )
    assert codes(problem) == [("/status_code", "status_unknown")]


@pytest.mark.feature("F93", "F95", "N7")
async def test_disputes_and_pauses_hold_back_what_is_due_and_let_it_go_again(desk: Desk) -> None:
    customer = await desk.customer("C1")
    first = await desk.invoice(customer, "F-1", due="2026-02-20")
    second = await desk.invoice(customer, "F-2", due="2026-02-22")
    owner = "00000000-0000-7000-8000-000000000001"
    done = await desk.qualify(
        [first], "dispute", comment="Prix", dispute_kind="price", resolution_owner_id=owner, amount="120.00"
    )
    dispute = await desk.get(f"/v1/disputes/{done['dispute_id']}")
    assert (dispute["kind"], dispute["amount"], dispute["owner_user_id"]) == ("price", "120.00", owner)
    assert (await desk.stands(customer))["leader_item"]["number"] == "F-2"

    pause = await desk.post(
        "/v1/pauses", 201, customer_id=customer, reason="Cyber attack", until="2026-03-09"
    )
    problem = await desk.refused("POST", "/v1/pauses", 409, customer_id=customer, reason="Again")
    assert (problem["code"], problem["existing_id"]) == ("already_paused", pause["id"])
    stands = await desk.stands(customer)
    assert (stands["nothing_because"], stands["paused_until"]) == ("paused", "2026-03-09")
    assert stands["next_action"]["due_on"] <= "2026-03-10"
    await desk.house.advance(to="2026-03-09")
    assert await desk.mails(to="c1@example.com") == []
    await desk.house.advance(to="2026-03-10")
    (mail,) = await desk.mails(to="c1@example.com")
    assert "F-2" in mail["text"] and "F-1" not in mail["text"]  # nothing disputed
    assert (await desk.get(f"/v1/pauses/{pause['id']}"))["state"] == "ended"
    assert (await desk.stands(customer))["paused_until"] is None

    await desk.house.advance(to="2026-03-12")
    resolved = await desk.post(
        f"/v1/disputes/{dispute['id']}/resolve", outcome="rejected", comment="Prix conforme"
    )
    assert (resolved["state"], resolved["days"]) == ("resolved", 10)
    situation = await desk.get(f"/v1/items/{first}/situation")
    assert (situation["category"], situation["excluded_by"]) == ("dispute_resolved", None)
    assert (await desk.stands(customer))["leader_item"]["number"] == "F-1"  # collectable again
    problem = await desk.refused("POST", f"/v1/disputes/{dispute['id']}/resolve", 409, outcome="accepted")
    assert problem["code"] == "invalid_state"
    report = await desk.get("/v1/reports/disputes")
    assert report["data"] == [
        {"key": "price", "open": 0, "resolved": 1, "average_days": "10.0", "oldest_open_on": None}
    ]
    told = await desk.listed("/v1/events", types="dispute.changed")
    assert [one["data"]["state"] for one in told] == ["open", "resolved"]
    # resolved, the item takes its own steps: none is sent twice, and the cap of seven days holds
    await desk.house.advance(to="2026-03-20")
    mails = await desk.mails(to="c1@example.com")
    assert len(mails) == 2 and "F-1" in mails[-1]["text"] + mails[0]["text"]
    assert second
