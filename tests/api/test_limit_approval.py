"""How limits are approved: guarantees first, then levels, stand-ins, escalation; what a falling guarantee re-opens."""

from datetime import date
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from tests.api.credit_steps import ask, decide, level, limit, make_buyer, person, policy

ASKER, ANNA, BEN, CHIEF, DORA = (new_id() for _ in range(5))


@pytest.fixture
async def client(service_client):
    return await service_client("credit", now="2026-03-31", user_id=ASKER)


@pytest.fixture
async def buyer(client) -> UUID:
    return await make_buyer(client)


async def deposit(client, company_id: UUID, amount: str, until: str | None = None, **more):
    body = {
        "company_id": str(company_id), "kind": "bank_guarantee", "amount": amount, "currency": "EUR",
        "valid_from": "2026-01-01", "valid_to": until, **more,
    }  # fmt: skip
    answer = await client.post("/v1/other-guarantees", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_levels_see_the_part_without_a_guarantee(client, buyer) -> None:
    await policy(client, levels=[level("manager", "10000.00", ANNA), level("director", "50000.00", CHIEF)])
    bank = await deposit(client, buyer, "25000.00", "2027-12-31")
    await deposit(client, buyer, "9000.00", "2026-06-30")
    request = (await ask(client, buyer, "30000.00")).json()
    assert request["unsecured_amount"] == "5000.00"
    assert [step["level"] for step in request["route"]] == ["manager"]
    # What ends before the limit does secures nothing of it.
    assert sorted((one["standing"], one["counted_amount"]) for one in request["guarantees_considered"]) == [
        ("counted", "25000.00"), ("ends_too_early", "0.00"),
    ]  # fmt: skip
    assert (await decide(client, request, ANNA)).json()["state"] == "approved"

    # The bank guarantee is given back: more stands bare than Anna approved, from today on.
    released = await client.post(f"/v1/other-guarantees/{bank['id']}/release", json={})
    assert released.json()["state"] == "released"
    fallen = await limit(client, buyer)
    assert (fallen["state"], fallen["color"], fallen["unvalidated_since"]) == (
        "not_validated",
        "red",
        "2026-03-31",
    )
    assert (fallen["amount"], fallen["allowed_amount"]) == ("30000.00", None)
    (action,) = (await client.get("/v1/risk-agenda")).json()["data"]
    assert (action["kind"], action["amount_at_stake"], action["source"]) == (
        "revalidate_limit",
        "30000.00",
        "automatic",
    )
    again = await client.post(f"/v1/other-guarantees/{bank['id']}/release", json={})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")

    # Asked again, the larger bare part goes to the director; the limit waits, orange.
    anew = (await ask(client, buyer, "30000.00")).json()
    assert [step["level"] for step in anew["route"]] == ["director"]
    assert (await limit(client, buyer))["color"] == "orange"
    await decide(client, anew, CHIEF)
    assert (await limit(client, buyer))["state"] == "approved"
    assert (await client.get("/v1/risk-agenda")).json()["data"] == []
    history = (await client.get(f"/v1/companies/{buyer}/credit-limit/history")).json()["data"]
    assert [one["event"] for one in history] == ["approved", "guarantee_fell", "approved"]


async def test_what_guarantees_secure_needs_nobody(client, buyer) -> None:
    await policy(client, levels=[level("manager", "1000.00", ANNA)])
    await deposit(client, buyer, "20000.00")
    secured = (await ask(client, buyer, "20000.00")).json()
    assert (secured["state"], secured["route"], secured["unsecured_amount"]) == ("approved", [], "0.00")
    assert (await limit(client, buyer))["amount"] == "20000.00"
    await policy(client, levels=[level("manager", "20000.00", ANNA)], auto_approve_when_secured=False)
    assert (await ask(client, buyer, "20000.00")).json()["state"] == "pending"
    other = await make_buyer(client, "Scierie du Nord")
    await policy(client, levels=[level("manager", "19999.99", ANNA)], compare="gross")
    await deposit(client, other, "20000.00")
    gross = await ask(client, other, "20000.00")
    assert (gross.status_code, gross.json()["code"]) == (422, "above_top_level")


async def test_a_guarantee_that_ends_by_its_date_re_opens_the_limit_that_day(client, buyer) -> None:
    await policy(client, levels=[level("manager", "1000.00", ANNA)], default_validity_days=5)
    await deposit(client, buyer, "20000.00", "2026-04-05")
    await ask(client, buyer, "20000.00")
    await policy(client, levels=[level("manager", "1000.00", ANNA)], default_validity_days=None)
    shortened = (await client.get("/v1/other-guarantees")).json()["data"][0]
    await client.patch(f"/v1/other-guarantees/{shortened['id']}", json={"valid_to": "2026-04-02"})
    assert (await limit(client, buyer))["state"] == "approved"
    await client.live_until(date(2026, 4, 2))
    assert (await limit(client, buyer))["state"] == "approved", "its last day counts"
    await client.live_until(date(2026, 4, 3))
    assert (await limit(client, buyer))["state"] == "not_validated"
    await deposit(client, buyer, "20000.00")
    assert (await limit(client, buyer))["state"] == "approved"


async def test_a_stand_in_decides_between_the_dates_and_never_for_themselves(client, buyer) -> None:
    away = {"from": "2026-03-30", "to": "2026-04-01", "user": str(ANNA), "delegate": str(BEN)}
    own = {**away, "delegate": str(ASKER)}
    await policy(client, levels=[level("manager", "50000.00", ANNA)], delegations=[away, own])
    request = (await ask(client, buyer)).json()
    waiting = await client.acting(user_id=BEN).get("/v1/credit-limit-requests", params={"awaiting": "me"})
    assert [one["can_decide"] for one in waiting.json()["data"]] == [True]
    mine = await decide(client, request, ASKER)
    assert (mine.status_code, mine.json()["code"]) == (403, "own_request")
    stranger = await decide(client, request, DORA)
    assert (stranger.status_code, stranger.json()["code"]) == (403, "above_your_level")
    (step,) = (await decide(client, request, BEN)).json()["route"]
    assert (step["by"], step["on_behalf_of"]) == (str(BEN), str(ANNA))

    second = (await ask(client, buyer, "12000.00")).json()
    await client.live_until(date(2026, 4, 2))
    late = await decide(client, second, BEN)
    assert (late.status_code, late.json()["code"]) == (403, "above_your_level")


async def test_everybody_of_a_level_agrees_when_the_policy_asks_all(client, buyer) -> None:
    away = {"from": "2026-03-30", "to": "2026-04-30", "user": str(BEN), "delegate": str(ANNA)}
    levels = [level("managers", "50000.00", ANNA, BEN, ASKER)]
    await policy(client, levels=levels, require_all=True, delegations=[away])
    request = (await ask(client, buyer)).json()
    assert [step["user_ids"] for step in request["route"]] == [[str(ANNA)], [str(BEN)]]
    assert (await decide(client, request, ANNA)).json()["state"] == "pending"
    twice = await decide(client, request, ANNA)
    assert twice.status_code == 403, "nobody signs twice, not even for somebody else"
    assert (await decide(client, request, BEN)).json()["state"] == "approved"


@pytest.mark.parametrize(
    ("action", "state", "levels"),
    [
        ("expire", "expired", ["manager"]),
        ("reject", "rejected", ["manager"]),
        ("escalate", "pending", ["manager", "director"]),
    ],
)
async def test_a_request_left_alone_does_what_the_policy_says(client, buyer, action, state, levels) -> None:
    await policy(
        client, levels=[level("manager", "20000.00", ANNA), level("director", None, CHIEF)], expiry_days=2,
        expiry_action=action,
    )  # fmt: skip
    request = (await ask(client, buyer)).json()
    await client.live_until(date(2026, 4, 2))
    left = (await client.get(f"/v1/credit-limit-requests/{request['id']}")).json()
    assert (left["state"], [step["level"] for step in left["route"]]) == (state, levels)
    if action == "escalate":
        assert [step["decision"] for step in left["route"]] == ["expired", None]
        assert (await decide(client, request, ANNA)).status_code == 403
        assert (await decide(client, request, CHIEF)).json()["state"] == "approved"


async def test_a_temporary_limit_comes_on_top_between_its_dates(client, buyer) -> None:
    await policy(client, levels=[level("manager", "20000.00", ANNA), level("director", None, CHIEF)])
    early = await ask(client, buyer, "5000.00", temporary=True, valid_until="2026-04-10")
    assert early.json()["code"] == "no_limit_to_top_up"
    await decide(client, (await ask(client, buyer, "18000.00")).json(), ANNA)
    endless = await ask(client, buyer, "5000.00", temporary=True)
    assert endless.json()["errors"][0]["pointer"] == "/valid_until"
    top = await ask(
        client, buyer, "5000.00", temporary=True, valid_from="2026-04-02", valid_until="2026-04-03"
    )
    assert [step["level"] for step in top.json()["route"]] == ["director"], "the whole of it is compared"
    await decide(client, top.json(), CHIEF)
    seen = {}
    for day in (1, 2, 3, 4):
        await client.live_until(date(2026, 4, day))
        shown = await limit(client, buyer)
        seen[day] = (shown["amount"], shown["allowed_amount"], len(shown["temporary"]))
    assert seen == {
        1: ("18000.00", "18000.00", 1), 2: ("18000.00", "23000.00", 1), 3: ("18000.00", "23000.00", 1),
        4: ("18000.00", "18000.00", 0),
    }  # fmt: skip
    told = await client.stack.sql(
        "credit",
        "SELECT s->'data'->>'amount' AS amount FROM events, json_array_elements(subjects) AS s"
        " WHERE tenant_id = $1 AND type = 'limit.changed' ORDER BY id",
        client.tenant_id,
    )
    amounts = [row["amount"] for row in told]
    assert "2300000" in amounts and amounts[-1] == "1800000", "the others are told when it begins and ends"


async def test_a_hold_outranks_the_limit_until_it_is_lifted(client, buyer) -> None:
    await decide(client, (await ask(client, buyer)).json(), ANNA)
    address = f"/v1/companies/{buyer}/credit-limit"
    held = await client.post(f"{address}/block", json={"reason": "Cheque returned", "until": "2026-04-01"})
    assert (held.json()["state"], held.json()["allowed_amount"], held.json()["amount"]) == (
        "blocked",
        "0.00",
        "10000.00",
    )
    assert held.json()["hold"]["reason"] == "Cheque returned"
    again = await client.post(f"{address}/block", json={"reason": "once more"})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    await client.live_until(date(2026, 4, 2))
    assert (await limit(client, buyer))["state"] == "approved", "a hold ends with its last day"
    await client.post(f"{address}/block", json={"reason": "again"})
    assert (await client.post(f"{address}/unblock", json={"comment": "paid"})).json()["state"] == "approved"
    told = await client.stack.sql(
        "credit",
        "SELECT s->'data'->>'held' AS held FROM events, json_array_elements(subjects) AS s"
        " WHERE tenant_id = $1 AND type = 'hold.changed' ORDER BY id",
        client.tenant_id,
    )
    assert [row["held"] for row in told] == ["true", "false", "true", "false"]
    history = (await client.get(f"{address}/history")).json()["data"]
    assert [one["event"] for one in history] == ["unblocked", "blocked", "blocked", "approved"]


async def test_the_agenda_is_worked_off_overdue_first(client, buyer) -> None:
    person(client, ANNA, "Anna", "credit_manager")
    await client.settle()
    plan = {"company_id": str(buyer), "title": "Ask for the balance sheet"}
    later = (await client.post("/v1/risk-agenda", json={**plan, "due_on": "2026-04-20"})).json()
    stake = {"amount_at_stake": "7500.00", "currency": "EUR"}
    overdue = (await client.post("/v1/risk-agenda", json={**plan, **stake, "due_on": "2026-03-20"})).json()
    listed = (await client.get("/v1/risk-agenda")).json()["data"]
    assert [(one["id"], one["overdue"]) for one in listed] == [(overdue["id"], True), (later["id"], False)]
    unknown = await client.post(f"/v1/risk-agenda/{later['id']}/assign", json={"assignee": str(new_id())})
    assert unknown.json()["errors"][0]["code"] == "user_unknown"
    await client.post(f"/v1/risk-agenda/{later['id']}/assign", json={"assignee": str(ANNA)})
    mine = await client.acting(user_id=ANNA).get("/v1/risk-agenda", params={"assignee": "me"})
    assert [one["id"] for one in mine.json()["data"]] == [later["id"]]
    moved = await client.post(f"/v1/risk-agenda/{later['id']}/reschedule", json={"due_on": "2026-03-19"})
    assert moved.json()["overdue"] is True
    done = await client.post(f"/v1/risk-agenda/{overdue['id']}/complete", json={"comment": "received"})
    assert (done.json()["state"], done.json()["completed_by"]) == ("done", str(ASKER))
    twice = await client.post(f"/v1/risk-agenda/{overdue['id']}/complete", json={})
    assert (twice.status_code, twice.json()["code"]) == (409, "invalid_state")
    as_csv = await client.get("/v1/risk-agenda", headers={"accept": "text/csv"})
    assert as_csv.text.splitlines()[1].startswith(
        "2026-03-19,follow_up,Ask for the balance sheet,Fonderie des Alpes"
    )
    elsewhere = client.acting(perimeter=[new_id()])
    assert (await elsewhere.get("/v1/risk-agenda")).json()["data"] == []
    assert (await elsewhere.post(f"/v1/risk-agenda/{later['id']}/complete", json={})).status_code == 404
