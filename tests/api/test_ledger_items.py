"""Items over HTTP: recorded, listed, changed, written off, cancelled, reopened; their journal, balances and events."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.events import CATALOGUE
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from services.ledger.usecases.overdue import roll_overdue
from tests.api.ledger_books import (
    TODAY,
    balance,
    customer,
    entries,
    events,
    item,
    last_events,
    payment,
    require_sound,
    shown,
    states,
)


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


async def test_an_invoice_is_recorded_with_its_journal_its_balance_and_its_events(
    ledger: ServiceClient,
) -> None:
    account = await customer(ledger)
    response = await ledger.post(
        "/v1/items",
        json={
            "kind": "invoice",
            "external_id": "F-1",
            "number": "2026-1",
            "customer_external_id": account["external_id"],
            "issue_date": "2026-02-01",
            "currency": "EUR",
            "amount": "1234.56",
            "tax_amount": "205.76",
            "custom_fields": {"site": "Lyon", "weight": 1.5, "urgent": True, "none": None},
        },
    )
    assert response.status_code == 201
    made = response.json()
    assert response.headers["location"] == f"/v1/items/{made['id']}"
    assert made["due_date"] == made["original_due_date"] == "2026-03-03"  # 30 days
    assert (made["open_amount"], made["status"], made["days_late"]) == ("1234.56", "open", 28)
    assert made["custom_fields"] == {"site": "Lyon", "weight": 1.5, "urgent": True}
    assert made["company_id"] == account["company"]["id"]
    assert made == await shown(ledger, made["id"])
    assert await entries(ledger, made["id"]) == [("issued", "1234.56", "2026-02-01")]
    assert await balance(ledger, account["id"]) == {
        "outstanding": 123456, "credits": 0, "overdue": 123456, "order_book": 0, "items_count": 1,
    }  # fmt: skip
    state = (await last_events(ledger, "item.changed"))[made["id"]]
    CATALOGUE["item.changed"].model_validate(state)
    assert (state["open_amount"], state["direction"], state["company_id"]) == (
        123456,
        1,
        account["company"]["id"],
    )
    assert (await last_events(ledger, "balance.changed"))[account["id"]] == {
        "company_id": account["company"]["id"],
        "business_unit_id": account["business_unit_id"],
        "day": TODAY,
        "rows": [
            {
                "currency": "EUR",
                "outstanding": 123456,
                "overdue": 123456,
                "credits": 0,
                "order_book": 0,
                "items_count": 1,
            }
        ],
    }
    audits = [
        data for _, _, data in await events(ledger, "audit.recorded") if data["action"] == "item.created"
    ]
    assert audits[0]["after"]["amount"] == "1234.56"


@pytest.mark.parametrize(
    ("given", "direction", "open_amount", "due_date", "journal"),
    [
        ({"kind": "credit_note"}, "credit", "-100.00", "2026-03-01", [("issued", "-100.00", "2026-03-01")]),
        ({"kind": "other", "direction": "debit"}, "debit", "100.00", "2026-03-31", [("issued", "100.00", "2026-03-01")]),
        ({"kind": "other", "direction": "credit"}, "credit", "-100.00", "2026-03-01", [("issued", "-100.00", "2026-03-01")]),
        ({"due_date": "2026-05-05"}, "debit", "100.00", "2026-05-05", [("issued", "100.00", "2026-03-01")]),
        # What is to be issued later counts from today on: it was received today.
        ({"issue_date": "2026-04-15"}, "debit", "100.00", "2026-05-15", [("issued", "100.00", TODAY)]),
        (
            {"open_amount": "40.00", "settled_on": "2026-03-10"},
            "debit", "40.00", "2026-03-31",
            [("issued", "100.00", "2026-03-01"), ("settled_by_source", "-60.00", "2026-03-10")],
        ),
        (  # settled before it was issued: on its issue
            {"open_amount": "0", "settled_on": "2026-02-10"},
            "debit", "0.00", "2026-03-31",
            [("issued", "100.00", "2026-03-01"), ("settled_by_source", "-100.00", "2026-03-01")],
        ),
        (
            {"kind": "credit_note", "open_amount": "-25.50"},
            "credit", "-25.50", "2026-03-01",
            [("issued", "-100.00", "2026-03-01"), ("settled_by_source", "74.50", TODAY)],
        ),
    ],
)  # fmt: skip
async def test_first_sight(
    ledger: ServiceClient,
    given: dict[str, Any],
    direction: str,
    open_amount: str,
    due_date: str,
    journal: list[tuple[str, str, str]],
) -> None:
    account = await customer(ledger)
    made = await item(ledger, account["id"], **given)
    assert (made["direction"], made["open_amount"], made["due_date"]) == (direction, open_amount, due_date)
    assert await entries(ledger, made["id"]) == journal
    assert made["as_of_approximate"] is ("open_amount" in given and "settled_on" not in given)
    assert made["closed_on"] == ("2026-03-01" if open_amount == "0.00" else None)
    await require_sound(ledger)


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"amount": "0"}, "/amount", "amount_not_positive"),
        ({"amount": "-1"}, "/amount", "amount_not_positive"),
        ({"amount": "1.005"}, "/amount", "amount_too_precise"),
        ({"amount": "1e3"}, "/amount", "value_error"),
        ({"currency": "XXX"}, "/currency", "currency_unknown"),
        ({"currency": "JPY", "amount": "10.5"}, "/amount", "amount_too_precise"),
        ({"tax_amount": "100.01"}, "/tax_amount", "amount_out_of_range"),
        ({"open_amount": "100.01"}, "/open_amount", "open_amount_out_of_range"),
        ({"open_amount": "-1"}, "/open_amount", "open_amount_out_of_range"),
        ({"kind": "credit_note", "open_amount": "1"}, "/open_amount", "open_amount_out_of_range"),
        ({"kind": "other"}, "/direction", "direction_required"),
        ({"direction": "credit"}, "/direction", "direction_not_allowed"),
        ({"customer_id": str(uuid4())}, "/customer_id", "customer_unknown"),
        ({"customer_id": None}, "/customer_id", "required"),
        ({"customer_external_id": "C"}, "/customer_id", "customer_ambiguous"),
        ({"business_unit_id": str(uuid4())}, "/business_unit_id", "business_unit_mismatch"),
        ({"issue_date": "1812-01-01"}, "/issue_date", "greater_than_equal"),
        ({"colour": "red"}, "/colour", "extra_forbidden"),
        ({"custom_fields": {"deep": {"a": 1}}}, "/custom_fields", "custom_field_invalid"),
    ],
)
async def test_refusals_name_the_member(
    ledger: ServiceClient, given: dict[str, Any], pointer: str, code: str
) -> None:
    account = await customer(ledger)
    body = {
        "kind": "invoice", "customer_id": account["id"], "issue_date": "2026-03-01", "currency": "EUR", "amount": "100",
        **given,
    }  # fmt: skip
    response = await ledger.post("/v1/items", json=body)
    assert response.status_code == 422
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [(pointer, code)]
    assert await balance(ledger, account["id"]) is None


async def test_a_debit_without_due_date_and_terms_is_refused(ledger: ServiceClient) -> None:
    account = await customer(ledger, payment_terms=None)
    body = {
        "kind": "invoice",
        "customer_id": account["id"],
        "issue_date": "2026-03-01",
        "currency": "EUR",
        "amount": "1",
    }
    response = await ledger.post("/v1/items", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "due_date_unknown")


async def test_a_known_key_answers_again_or_refuses_other_content(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    first = await item(ledger, account["id"], external_id="F-1", custom_fields={"a": 1})
    body = {
        "kind": "invoice", "customer_id": account["id"], "issue_date": "2026-03-01", "currency": "EUR",
        "amount": "100.00", "external_id": "F-1", "custom_fields": {"a": 1},
    }  # fmt: skip
    again = await ledger.post("/v1/items", json=body)
    assert (again.status_code, again.json()) == (200, first)
    for other in (
        {"amount": "100.01"},
        {"kind": "credit_note"},
        {"due_date": "2027-01-01"},
        {"custom_fields": {}},
    ):
        refused = await ledger.post("/v1/items", json={**body, **other})
        assert (refused.status_code, refused.json()["code"]) == (409, "external_id_exists")
        assert refused.json()["existing_id"] == first["id"]
    # All kinds share one namespace, the business unit's.
    taken = {
        "customer_id": account["id"],
        "amount": "1",
        "currency": "EUR",
        "paid_on": TODAY,
        "external_id": "F-1",
    }
    refused = await ledger.post("/v1/payments", json=taken)
    assert (refused.status_code, refused.json()["existing_id"]) == (409, first["id"])
    await require_sound(ledger)


async def test_fifty_equal_posts_record_one_item(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    body = {
        "kind": "invoice", "customer_id": account["id"], "issue_date": "2026-03-01", "currency": "EUR", "amount": "7",
        "external_id": "F-1",
    }  # fmt: skip
    answers = await asyncio.gather(*[ledger.post("/v1/items", json=body) for _ in range(50)])
    assert sorted({a.status_code for a in answers}) == [200, 201]
    assert [a.status_code for a in answers].count(201) == 1
    assert len({a.json()["id"] for a in answers}) == 1
    assert (await balance(ledger, account["id"]) or {})["outstanding"] == 700


async def test_fifty_first_items_of_a_customer_in_two_currencies(ledger: ServiceClient) -> None:
    """The first balance rows are made by many at once; the newest event says what the rows say."""
    account = await customer(ledger)
    await asyncio.gather(
        *[item(ledger, account["id"], "1.00", currency=("EUR", "CHF")[n % 2]) for n in range(50)]
    )
    await require_sound(ledger)
    told = await events(ledger, "balance.changed")
    assert len({version for _, version, _ in told}) == len(told) == 50
    newest = (await last_events(ledger, "balance.changed"))[account["id"]]
    assert [(row["currency"], row["outstanding"]) for row in newest["rows"]] == [("CHF", 2500), ("EUR", 2500)]
    assert (await states(ledger, "balance.changed"))[account["id"]] == newest


async def test_the_list_filters_sorts_and_pages(ledger: ServiceClient) -> None:
    one, two = await customer(ledger), await customer(ledger)
    made = [
        await item(
            ledger, one["id"], "10.00", number="A-1", issue_date="2026-01-01", custom_fields={"site": "Lyon"}
        ),
        await item(ledger, one["id"], "20.00", number="A-2", issue_date="2026-02-01", external_id="X-2"),
        await item(ledger, one["id"], "30.00", number="A-3", issue_date="2026-03-15", currency="CHF"),
        await item(ledger, two["id"], "40.00", number="A-4", issue_date="2026-03-20", kind="credit_note"),
        await item(ledger, two["id"], "50.00", number="A-5", issue_date="2026-01-15", open_amount="0"),
    ]

    async def numbers(**params: object) -> list[str]:
        response = await ledger.get("/v1/items", params=params)
        assert response.status_code == 200, response.text
        return [each["number"] for each in response.json()["data"]]

    assert await numbers() == ["A-1", "A-5", "A-2", "A-4", "A-3"]  # by due date
    assert await numbers(status="open", sort="number") == ["A-1", "A-2", "A-3", "A-4"]
    assert await numbers(status="closed") == ["A-5"]
    assert await numbers(kind="credit_note") == ["A-4"]
    assert await numbers(kind=["credit_note", "invoice"], sort="-number") == [
        "A-5",
        "A-4",
        "A-3",
        "A-2",
        "A-1",
    ]
    assert await numbers(customer_id=two["id"], sort="number") == ["A-4", "A-5"]
    assert await numbers(company_id=one["company"]["id"], sort="number") == ["A-1", "A-2", "A-3"]
    assert await numbers(currency="CHF") == ["A-3"]
    assert await numbers(due_date_from="2026-03-01", due_date_to="2026-03-25", sort="number") == [
        "A-2",
        "A-4",
    ]
    assert await numbers(overdue=True) == ["A-1", "A-2"]
    assert await numbers(overdue=False, sort="number") == ["A-3", "A-4", "A-5"]
    assert await numbers(number="A-2") == ["A-2"]
    assert await numbers(external_id="X-2") == ["A-2"]
    assert await numbers(custom_field="site:Lyon") == ["A-1"]
    assert await numbers(updated_since="2026-04-01T00:00:00Z") == []
    assert await numbers(business_unit_id=str(uuid4())) == []
    assert await numbers(sort="-days_late,number") == ["A-1", "A-5", "A-2", "A-3", "A-4"]
    assert await numbers(sort="-open_amount") == ["A-3", "A-2", "A-1", "A-5", "A-4"]
    for sort in ("due_date", "-days_late", "-open_amount", "issue_date", "number", "-created_at"):
        whole, cursor = [], None
        while True:
            params = {"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await ledger.get("/v1/items", params=params)).json()
            whole += [each["id"] for each in page["data"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(whole) == sorted(each["id"] for each in made), sort
    for params in (
        {"limit": 0},
        {"limit": 201},
        {"colour": "red"},
        {"sort": "colour"},
        {"cursor": "nonsense"},
    ):
        assert (await ledger.get("/v1/items", params=params)).status_code == 422, params


async def test_changed_attributes_are_kept_and_the_original_due_date_stays(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    made = await item(ledger, account["id"], number="A-1", custom_fields={"a": 1}, due_date="2026-03-10")
    assert (await balance(ledger, account["id"]) or {})["overdue"] == 10000
    path = f"/v1/items/{made['id']}"
    first = await ledger.get(path)
    changed = await ledger.patch(
        path,
        json={"due_date": "2026-06-30", "number": "A-1b", "custom_fields": {"b": 2}},
        headers={"If-Match": first.headers["etag"]},
    )
    assert changed.status_code == 200, changed.text
    now = changed.json()
    assert (now["due_date"], now["original_due_date"]) == ("2026-06-30", "2026-03-10")
    assert (now["number"], now["custom_fields"], now["days_late"]) == ("A-1b", {"b": 2}, 0)
    assert (await balance(ledger, account["id"]) or {})["overdue"] == 0
    stale = await ledger.patch(path, json={"number": "A-9"}, headers={"If-Match": first.headers["etag"]})
    assert stale.status_code == 412
    same = await ledger.patch(path, json={"number": "A-1b"})
    assert same.headers["etag"] == changed.headers["etag"]  # nothing new, nothing written
    versions = await ledger.stack.sql(
        "ledger", "SELECT version, due_date::text, attributes->>'number' AS number FROM item_versions WHERE item_id = $1",
        UUID(made["id"]),
    )  # fmt: skip
    assert [tuple(row) for row in versions] == [(1, "2026-03-10", "A-1")]
    assert (await last_events(ledger, "item.changed"))[made["id"]]["due_date"] == "2026-06-30"
    await require_sound(ledger)


async def test_a_stated_open_amount_is_authoritative(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    made = await item(ledger, account["id"])
    path = f"/v1/items/{made['id']}"
    partly = (await ledger.patch(path, json={"open_amount": "30.00", "settled_on": "2026-03-12"})).json()
    assert (partly["open_amount"], partly["as_of_approximate"]) == ("30.00", False)
    closed = (await ledger.patch(path, json={"open_amount": "0"})).json()
    assert (closed["status"], closed["closed_on"], closed["as_of_approximate"]) == ("closed", TODAY, True)
    reopened = (await ledger.patch(path, json={"open_amount": "100.00"})).json()
    assert (reopened["status"], reopened["closed_on"]) == ("open", None)
    raised = (await ledger.patch(path, json={"amount": "150.00"})).json()
    assert (raised["amount"], raised["open_amount"]) == ("150.00", "150.00")
    assert await entries(ledger, made["id"]) == [
        ("issued", "100.00", "2026-03-01"),
        ("settled_by_source", "-70.00", "2026-03-12"),
        ("settled_by_source", "-30.00", TODAY),
        ("reopened", "100.00", TODAY),
        ("amended", "50.00", TODAY),
    ]
    refused = await ledger.patch(path, json={"open_amount": "150.01"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/open_amount")
    await require_sound(ledger)


async def test_write_off_cancel_and_reopen(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    made = await item(ledger, account["id"])
    path = f"/v1/items/{made['id']}"
    part = await ledger.post(
        f"{path}/write-off", json={"amount": "10.00", "effective_on": "2026-03-15", "reason": "rounding"}
    )
    assert part.json()["open_amount"] == "90.00"
    too_much = await ledger.post(f"{path}/write-off", json={"amount": "90.01"})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "exceeds_open")
    later = await ledger.post(f"{path}/write-off", json={"effective_on": "2026-04-01"})
    assert (later.status_code, later.json()["code"]) == (422, "date_in_future")
    whole = (await ledger.post(f"{path}/write-off", json={})).json()
    assert (whole["status"], whole["closed_on"]) == ("closed", TODAY)
    again = await ledger.post(f"{path}/write-off", json={})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    back = (await ledger.post(f"{path}/reopen", json={})).json()
    assert (back["open_amount"], back["due_date"], back["closed_on"]) == ("90.00", "2026-03-31", None)
    cancelled = (await ledger.post(f"{path}/cancel", json={"reason": "issued twice"})).json()
    assert (cancelled["open_amount"], cancelled["cancelled"]) == ("0.00", True)
    assert (await ledger.post(f"{path}/reopen", json={})).json()["cancelled"] is False
    kinds = [kind for kind, _, _ in await entries(ledger, made["id"])]
    assert kinds == ["issued", "written_off", "written_off", "reopened", "cancelled", "reopened"]
    await require_sound(ledger)


async def test_an_item_with_allocations_is_not_cancelled(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    made = await item(ledger, account["id"])
    await payment(ledger, account["id"], "40.00", allocate="oldest")
    response = await ledger.post(f"/v1/items/{made['id']}/cancel", json={})
    assert (response.status_code, response.json()["code"]) == (409, "has_allocations")


async def test_a_credit_note_is_allocated_and_taken_back(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    invoice = await item(ledger, account["id"], "100.00", external_id="F-1")
    credit = await item(
        ledger, account["id"], "60.00", kind="credit_note", issue_date="2026-03-10", external_id="A-1"
    )
    path = f"/v1/items/{credit['id']}/allocations"
    spent = await ledger.post(path, json={"allocations": [{"item_external_id": "F-1", "amount": "45.00"}]})
    assert spent.status_code == 200, spent.text
    assert spent.json()["open_amount"] == "-15.00"
    assert (await shown(ledger, invoice["id"]))["open_amount"] == "55.00"
    assert await balance(ledger, account["id"]) == {
        "outstanding": 4000, "credits": -1500, "overdue": 0, "order_book": 0, "items_count": 2,
    }  # fmt: skip
    listed = (await ledger.get(f"/v1/items/{invoice['id']}/allocations")).json()["data"]
    assert [(a["credit_kind"], a["amount"], a["allocated_on"]) for a in listed] == [
        ("credit_note", "45.00", TODAY)
    ]
    too_much = await ledger.post(path, json={"allocations": [{"item_id": invoice["id"], "amount": "15.01"}]})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "over_allocated")
    assert too_much.json()["available"] == "15.00"
    # From the invoice's side the same rules hold.
    other_side = await ledger.post(
        f"/v1/items/{invoice['id']}/allocations",
        json={"allocations": [{"item_external_id": "A-1", "amount": "15.00"}]},
    )
    assert other_side.json()["open_amount"] == "40.00"
    back = await ledger.post(f"{path}/{listed[0]['id']}/reverse", json={"reason": "wrong invoice"})
    assert back.json()["open_amount"] == "-45.00"
    again = await ledger.post(f"{path}/{listed[0]['id']}/reverse", json={})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    assert (await shown(ledger, invoice["id"]))["open_amount"] == "85.00"
    for wrong in ({}, {"allocate": "oldest", "allocations": [{"item_external_id": "F-1", "amount": "1"}]}):
        assert (await ledger.post(path, json=wrong)).status_code == 422
    await require_sound(ledger)


async def test_items_outside_the_perimeter_do_not_exist(ledger: ServiceClient) -> None:
    lyon = ledger.add_business_unit("lyon")
    await ledger.settle()
    here, there = await customer(ledger), await customer(ledger, business_unit_id=str(lyon))
    mine, theirs = await item(ledger, here["id"]), await item(ledger, there["id"])
    async with ledger.acting(perimeter=[ledger.main_business_unit_id]) as narrow:
        assert [each["id"] for each in (await narrow.get("/v1/items")).json()["data"]] == [mine["id"]]
        for path in ("", "/entries", "/allocations"):
            assert (await narrow.get(f"/v1/items/{theirs['id']}{path}")).status_code == 404
        for verb in ("write-off", "cancel", "reopen"):
            assert (await narrow.post(f"/v1/items/{theirs['id']}/{verb}", json={})).status_code == 404
        assert (await narrow.patch(f"/v1/items/{theirs['id']}", json={"number": "x"})).status_code == 404
        body = {
            "kind": "invoice",
            "customer_id": there["id"],
            "issue_date": TODAY,
            "currency": "EUR",
            "amount": "1",
        }
        refused = await narrow.post("/v1/items", json=body)
        assert refused.json()["errors"][0]["code"] == "customer_unknown"
        line = {"allocations": [{"item_id": theirs["id"], "amount": "1"}]}
        credit = await item(narrow, here["id"], kind="credit_note")
        refused = await narrow.post(f"/v1/items/{credit['id']}/allocations", json=line)
        assert refused.json()["errors"][0]["code"] == "item_unknown"
        assert (await narrow.get(f"/v1/customers/{there['id']}/statement")).status_code == 404
    # A key means one thing in each business unit.
    first = await item(ledger, here["id"], external_id="F-1")
    second = await item(ledger, there["id"], external_id="F-1")
    assert first["id"] != second["id"]


async def test_another_tenants_items_do_not_exist(ledger: ServiceClient, service_client: MakeClient) -> None:
    made = await item(ledger, (await customer(ledger))["id"])
    other = await service_client("ledger", now=TODAY)
    assert (await other.get(f"/v1/items/{made['id']}")).status_code == 404
    assert (await other.get("/v1/items")).json()["data"] == []


async def test_what_falls_due_becomes_overdue_with_the_day(ledger: ServiceClient) -> None:
    one, two, idle = [await customer(ledger) for _ in range(3)]
    await item(ledger, one["id"], "10.00", due_date="2026-03-31")
    await item(ledger, one["id"], "20.00", due_date="2026-04-01")
    await item(ledger, two["id"], "30.00", due_date="2026-04-03")
    await item(ledger, idle["id"], "40.00", due_date="2026-12-31")
    before = len(await events(ledger, "balance.changed"))
    await ledger.live_until(date(2026, 4, 1))
    assert (await balance(ledger, one["id"]) or {})["overdue"] == 1000
    told = (await events(ledger, "balance.changed"))[before:]
    assert [subject for subject, _, _ in told] == [one["id"]]  # nobody else's figures moved
    assert (told[0][2]["day"], told[0][2]["rows"][0]["overdue"]) == ("2026-04-01", 1000)
    # Two days pass without a step, as in an outage; the next step makes up for both.
    runtime = ledger.stack.runtime("ledger")
    tenant = ledger.caller.tenant
    late = replace(tenant, frozen_at=datetime(2026, 4, 4, 12, tzinfo=UTC))
    await roll_overdue(runtime, late, date(2026, 4, 4))
    ledger.caller = replace(ledger.caller, tenant=late)
    await require_sound(ledger)
    assert (await balance(ledger, two["id"]) or {})["overdue"] == 3000
    count = len(await events(ledger, "balance.changed"))
    await roll_overdue(runtime, late, date(2026, 4, 4))
    assert len(await events(ledger, "balance.changed")) == count  # a second run finds nothing to do


async def test_a_change_that_began_before_midnight_is_counted_as_of_the_rolled_day(
    ledger: ServiceClient,
) -> None:
    """The row knows the day it stands at: a caller whose clock still shows yesterday does not undo the roll."""
    account = await customer(ledger)
    made = await item(ledger, account["id"], "10.00", due_date="2026-03-31")
    tomorrow = replace(ledger.caller.tenant, frozen_at=datetime(2026, 4, 1, 12, tzinfo=UTC))
    await roll_overdue(ledger.stack.runtime("ledger"), tomorrow, date(2026, 4, 1))
    await item(ledger, account["id"], "5.00", due_date="2026-03-31")  # today is 31 March for this one
    await ledger.post(f"/v1/items/{made['id']}/write-off", json={})
    ledger.caller = replace(ledger.caller, tenant=tomorrow)
    await require_sound(ledger)
    assert (await balance(ledger, account["id"]) or {})["overdue"] == 500


async def test_the_state_of_items_is_what_was_told(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    for _ in range(3):
        await item(ledger, account["id"])
    paid = await payment(ledger, account["id"], "150.00", allocate="oldest", reference="VIR 1")
    assert await states(ledger, "item.changed") == await last_events(ledger, "item.changed")
    told = await last_events(ledger, "payment.changed")
    assert await states(ledger, "payment.changed") == told
    CATALOGUE["payment.changed"].model_validate(told[paid["id"]])
    assert [a["amount"] for a in told[paid["id"]]["allocations"]] == [10000, 5000]
    assert await states(ledger, "balance.changed") == await last_events(ledger, "balance.changed")
