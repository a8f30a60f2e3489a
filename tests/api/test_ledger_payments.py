"""Payments over HTTP: recorded, allocated, taken back; what is open is never exceeded, whoever asks at the same time."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
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
)


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


def spent(paid: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(number, amount, allocated on) of what a payment pays now."""
    return [
        (a["item_number"], a["amount"], a["allocated_on"])
        for a in paid["allocations"]
        if a["reversed_on"] is None
    ]


async def test_a_payment_is_the_item_of_its_kind(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    paid = await payment(ledger, account["id"], "250.00", reference="VIR 12", external_id="P-1")
    assert (paid["open_amount"], paid["unallocated_amount"], paid["status"]) == ("-250.00", "250.00", "open")
    as_item = await shown(ledger, paid["id"])
    assert (as_item["kind"], as_item["direction"], as_item["open_amount"]) == ("payment", "credit", "-250.00")
    assert as_item["issue_date"] == as_item["due_date"] == "2026-03-20"
    assert await entries(ledger, paid["id"]) == [("issued", "-250.00", "2026-03-20")]
    assert await balance(ledger, account["id"]) == {
        "outstanding": -25000, "credits": -25000, "overdue": 0, "order_book": 0, "items_count": 1,
    }  # fmt: skip
    assert (await ledger.get(f"/v1/payments/{paid['id']}")).json() == paid
    invoice = await item(ledger, account["id"])
    assert (await ledger.get(f"/v1/payments/{invoice['id']}")).status_code == 404


async def test_listed_allocations_by_id_and_by_key(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    first = await item(ledger, account["id"], number="1", external_id="F-1")
    second = await item(ledger, account["id"], number="2", due_date="2026-03-05")
    paid = await payment(
        ledger,
        account["id"],
        "150.00",
        allocations=[
            {"item_external_id": "F-1", "amount": "100.00"},
            {"item_id": second["id"], "amount": "30.00"},
        ],
    )
    # In the same call an allocation counts from the day of payment.
    assert spent(paid) == [("1", "100.00", "2026-03-20"), ("2", "30.00", "2026-03-20")]
    assert paid["unallocated_amount"] == "20.00"
    closed = await shown(ledger, first["id"])
    assert (closed["status"], closed["closed_on"]) == ("closed", "2026-03-20")
    assert (await shown(ledger, second["id"]))["open_amount"] == "70.00"
    assert await balance(ledger, account["id"]) == {
        "outstanding": 5000, "credits": -2000, "overdue": 7000, "order_book": 0, "items_count": 2,
    }  # fmt: skip
    told = (await last_events(ledger, "payment.changed"))[paid["id"]]
    assert [(a["item_id"], a["amount"], a["currency"]) for a in told["allocations"]] == [
        (first["id"], 10000, "EUR"), (second["id"], 3000, "EUR"),
    ]  # fmt: skip
    later = await ledger.post(
        f"/v1/payments/{paid['id']}/allocations",
        json={"allocations": [{"item_id": second["id"], "amount": "20.00"}]},
    )
    assert spent(later.json())[-1] == ("2", "20.00", TODAY)  # on its own, today
    await require_sound(ledger)


@pytest.mark.parametrize(
    ("amount", "mode", "expected", "left"),
    [
        ("120.00", "oldest", [("old", "100.00"), ("mid", "20.00")], "0.00"),
        ("1000.00", "oldest", [("old", "100.00"), ("mid", "50.00"), ("new", "70.00")], "780.00"),
        ("70.00", "exact", [("new", "70.00")], "0.00"),
        ("220.00", "exact", [("old", "100.00"), ("mid", "50.00"), ("new", "70.00")], "0.00"),
        ("71.00", "exact", [], "71.00"),
        ("120.00", "none", [], "120.00"),
    ],
)
async def test_the_ways_to_allocate(
    ledger: ServiceClient, amount: str, mode: str, expected: list[tuple[str, str]], left: str
) -> None:
    account = await customer(ledger)
    await item(ledger, account["id"], "70.00", number="new", due_date="2026-05-01")
    await item(ledger, account["id"], "100.00", number="old", due_date="2026-03-01")
    await item(ledger, account["id"], "50.00", number="mid", due_date="2026-04-01")
    await item(ledger, account["id"], "9.00", number="francs", currency="CHF", due_date="2026-01-01")
    await item(ledger, account["id"], "9.00", number="credit", kind="credit_note")
    await item(ledger, (await customer(ledger))["id"], "70.00", number="another's", due_date="2026-01-01")
    paid = await payment(ledger, account["id"], amount, allocate=mode)
    assert [(number, part) for number, part, _ in spent(paid)] == expected
    assert paid["unallocated_amount"] == left
    await require_sound(ledger)


async def test_an_allocation_counts_from_when_both_sides_are_open(ledger: ServiceClient) -> None:
    """Paid before it was issued: it leaves its invoice on the day of issue, so that no day shows less than nothing."""
    account = await customer(ledger)
    invoice = await item(ledger, account["id"], issue_date="2026-03-25")
    paid = await payment(ledger, account["id"], allocate="oldest")
    assert spent(paid)[0][2] == "2026-03-25"
    assert await entries(ledger, invoice["id"]) == [
        ("issued", "100.00", "2026-03-25"),
        ("allocated", "-100.00", "2026-03-25"),
    ]


async def test_over_allocation_changes_nothing(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    invoice = await item(ledger, account["id"], "100.00", external_id="F-1")
    for amount, lines, pointer, available in (
        ("500.00", [("F-1", "100.01")], "/allocations/0/amount", "100.00"),
        ("500.00", [("F-1", "60.00"), ("F-1", "60.00")], "/allocations/0/amount", "100.00"),
        ("50.00", [("F-1", "60.00")], "/allocations/0/amount", "50.00"),
    ):
        body = {
            "customer_id": account["id"], "currency": "EUR", "paid_on": TODAY, "amount": amount,
            "allocations": [{"item_external_id": key, "amount": part} for key, part in lines],
        }  # fmt: skip
        refused = await ledger.post("/v1/payments", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "over_allocated")
        assert refused.json()["errors"][0]["pointer"] == pointer
        assert refused.json()["available"] == available
    assert (await ledger.get("/v1/payments")).json()["data"] == []
    assert (await shown(ledger, invoice["id"]))["open_amount"] == "100.00"
    assert (await balance(ledger, account["id"]) or {})["credits"] == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"allocations": [{"item_external_id": "CHF-1", "amount": "1"}]}, "currency_mismatch"),
        ({"allocations": [{"item_external_id": "CREDIT-1", "amount": "1"}]}, "not_allocatable"),
        ({"allocations": [{"item_id": str(uuid4()), "amount": "1"}]}, "item_unknown"),
        ({"allocations": [{"item_external_id": "F-1", "amount": "0"}]}, "amount_not_positive"),
        ({"allocations": [{"item_external_id": "F-1", "amount": "1.001"}]}, "amount_too_precise"),
        ({"allocations": [{"amount": "1"}]}, "required"),
        (
            {"allocations": [{"item_external_id": "F-1", "amount": "1"}], "allocate": "oldest"},
            "allocation_ambiguous",
        ),
        ({"paid_on": "2026-04-01"}, "date_in_future"),
        (
            {"allocations": [{"item_external_id": "F-1", "amount": "1"}], "allocated_on": "2026-04-01"},
            "date_in_future",
        ),
        ({"amount": "0"}, "amount_not_positive"),
    ],
)
async def test_refusals(ledger: ServiceClient, given: dict[str, Any], code: str) -> None:
    account = await customer(ledger)
    await item(ledger, account["id"], external_id="F-1")
    await item(ledger, account["id"], external_id="CHF-1", currency="CHF")
    await item(ledger, account["id"], external_id="CREDIT-1", kind="credit_note")
    body = {"customer_id": account["id"], "currency": "EUR", "paid_on": TODAY, "amount": "50.00", **given}
    refused = await ledger.post("/v1/payments", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
    assert (await ledger.get("/v1/payments")).json()["data"] == []


async def test_a_known_key_answers_again_or_refuses_other_content(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    await item(ledger, account["id"], external_id="F-1")
    body = {
        "customer_id": account["id"], "currency": "EUR", "paid_on": "2026-03-20", "amount": "50.00", "external_id": "P-1",
        "allocations": [{"item_external_id": "F-1", "amount": "50.00"}],
    }  # fmt: skip
    first = await ledger.post("/v1/payments", json=body)
    again = await ledger.post("/v1/payments", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    for other in (
        {"amount": "51.00"},
        {"paid_on": "2026-03-21"},
        {"allocations": [{"item_external_id": "F-1", "amount": "5"}]},
    ):
        refused = await ledger.post("/v1/payments", json={**body, **other})
        assert (refused.status_code, refused.json()["existing_id"]) == (409, first.json()["id"])
    await require_sound(ledger)


async def test_an_allocation_taken_back_frees_the_money_and_restores_the_invoice(
    ledger: ServiceClient,
) -> None:
    account = await customer(ledger)
    invoice = await item(ledger, account["id"], due_date="2026-03-10")
    paid = await payment(ledger, account["id"], allocate="oldest")
    path = f"/v1/payments/{paid['id']}/allocations/{paid['allocations'][0]['id']}/reverse"
    back = (await ledger.post(path, json={"reason": "wrong customer"})).json()
    assert (back["unallocated_amount"], back["allocations"][0]["reversed_on"]) == ("100.00", TODAY)
    restored = await shown(ledger, invoice["id"])
    assert (restored["open_amount"], restored["due_date"], restored["days_late"]) == (
        "100.00",
        "2026-03-10",
        21,
    )
    again = await ledger.post(path, json={})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    assert (
        await ledger.post(path.replace(paid["allocations"][0]["id"], str(uuid4())), json={})
    ).status_code == 404
    assert (await balance(ledger, account["id"]) or {})["overdue"] == 10000
    await require_sound(ledger)


async def test_a_bounced_payment_restores_all_it_paid(ledger: ServiceClient) -> None:
    account = await customer(ledger)
    first = await item(ledger, account["id"], "100.00", due_date="2026-03-10")
    second = await item(ledger, account["id"], "50.00", due_date="2026-04-20")
    paid = await payment(ledger, account["id"], "170.00", allocate="oldest")
    response = await ledger.post(f"/v1/payments/{paid['id']}/reverse", json={"reason": "bounced"})
    assert response.status_code == 200, response.text
    back = response.json()
    assert (back["unallocated_amount"], back["status"], back["reversed_reason"]) == (
        "0.00",
        "closed",
        "bounced",
    )
    assert {a["reversal_reason"] for a in back["allocations"]} == {"bounced"}
    assert [(await shown(ledger, i["id"]))["open_amount"] for i in (first, second)] == ["100.00", "50.00"]
    assert (await shown(ledger, second["id"]))["original_due_date"] == "2026-04-20"
    assert (await last_events(ledger, "payment.changed"))[paid["id"]]["reversed_reason"] == "bounced"
    assert await balance(ledger, account["id"]) == {
        "outstanding": 15000, "credits": 0, "overdue": 10000, "order_book": 0, "items_count": 2,
    }  # fmt: skip
    again = await ledger.post(f"/v1/payments/{paid['id']}/reverse", json={"reason": "bounced"})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    assert (
        await ledger.post(f"/v1/payments/{first['id']}/reverse", json={"reason": "error"})
    ).status_code == 404
    await require_sound(ledger)


async def test_fifty_allocations_at_once_never_exceed_what_is_open(ledger: ServiceClient) -> None:
    """Fifty payments of 30 want the same invoice of 1,000: thirty-three find room, whatever the order."""
    account = await customer(ledger)
    invoice = await item(ledger, account["id"], "1000.00")
    paid = [await payment(ledger, account["id"], "30.00") for _ in range(50)]
    line = {"allocations": [{"item_id": invoice["id"], "amount": "30.00"}]}
    answers = await asyncio.gather(
        *[ledger.post(f"/v1/payments/{p['id']}/allocations", json=line) for p in paid]
    )
    assert Counter(a.status_code for a in answers) == {200: 33, 409: 17}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"over_allocated"}
    assert (await shown(ledger, invoice["id"]))["open_amount"] == "10.00"
    await require_sound(ledger)
    told = await events(ledger, "balance.changed")
    assert len({version for _, version, _ in told}) == len(told)


async def test_one_payment_is_spent_once(ledger: ServiceClient) -> None:
    """Fifty invoices want the same payment of 100: ten parts of 10 are there."""
    account = await customer(ledger)
    invoices = [await item(ledger, account["id"], "10.00", number=str(n)) for n in range(50)]
    paid = await payment(ledger, account["id"], "100.00")
    answers = await asyncio.gather(
        *[
            ledger.post(
                f"/v1/payments/{paid['id']}/allocations",
                json={"allocations": [{"item_id": i["id"], "amount": "10.00"}]},
            )
            for i in invoices
        ]
    )
    assert Counter(a.status_code for a in answers) == {200: 10, 409: 40}
    assert (await ledger.get(f"/v1/payments/{paid['id']}")).json()["unallocated_amount"] == "0.00"
    await require_sound(ledger)


async def test_payments_are_listed_with_what_they_pay(ledger: ServiceClient) -> None:
    one, two = await customer(ledger), await customer(ledger)
    await item(ledger, one["id"], "100.00", number="A")
    await payment(ledger, one["id"], "100.00", reference="r1", paid_on="2026-03-01", allocate="oldest")
    await payment(ledger, one["id"], "50.00", reference="r2", paid_on="2026-03-02", external_id="P-2")
    await payment(ledger, two["id"], "70.00", reference="r3", paid_on="2026-03-03", currency="CHF")

    async def references(**params: object) -> list[str]:
        response = await ledger.get("/v1/payments", params=params)
        assert response.status_code == 200, response.text
        return [each["reference"] for each in response.json()["data"]]

    assert await references() == ["r3", "r2", "r1"]
    assert await references(sort="amount") == ["r2", "r3", "r1"]
    assert await references(customer_id=one["id"]) == ["r2", "r1"]
    assert await references(company_id=two["company"]["id"]) == ["r3"]
    assert await references(unallocated=True) == ["r3", "r2"]
    assert await references(unallocated=False) == ["r1"]
    assert await references(paid_from="2026-03-02", paid_to="2026-03-02") == ["r2"]
    assert await references(external_id="P-2") == ["r2"]
    assert await references(reference=["r1", "r3"]) == ["r3", "r1"]
    assert await references(currency="CHF") == ["r3"]
    first = (await ledger.get("/v1/payments", params={"limit": 2})).json()
    rest = (await ledger.get("/v1/payments", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [p["reference"] for p in first["data"] + rest["data"]] == ["r3", "r2", "r1"]
    assert [a["item_number"] for a in rest["data"][0]["allocations"]] == ["A"]


async def test_payments_outside_the_perimeter_do_not_exist(ledger: ServiceClient) -> None:
    lyon = ledger.add_business_unit("lyon")
    await ledger.settle()
    there = await customer(ledger, business_unit_id=str(lyon))
    invoice = await item(ledger, there["id"])
    paid = await payment(ledger, there["id"], allocations=[{"item_id": invoice["id"], "amount": "10.00"}])
    async with ledger.acting(perimeter=[ledger.main_business_unit_id]) as narrow:
        assert (await narrow.get("/v1/payments")).json()["data"] == []
        path = f"/v1/payments/{paid['id']}"
        assert (await narrow.get(path)).status_code == 404
        assert (await narrow.post(f"{path}/reverse", json={"reason": "error"})).status_code == 404
        line = {"allocations": [{"item_id": invoice["id"], "amount": "1"}]}
        assert (await narrow.post(f"{path}/allocations", json=line)).status_code == 404
        reverse = f"{path}/allocations/{paid['allocations'][0]['id']}/reverse"
        assert (await narrow.post(reverse, json={})).status_code == 404
    # One business unit's money does not pay another's invoice.
    here = await customer(ledger)
    body = {
        "customer_id": here["id"], "currency": "EUR", "paid_on": TODAY, "amount": "50.00",
        "allocations": [{"item_id": invoice["id"], "amount": "1"}],
    }  # fmt: skip
    refused = await ledger.post("/v1/payments", json=body)
    assert refused.json()["errors"][0]["code"] == "business_unit_mismatch"
