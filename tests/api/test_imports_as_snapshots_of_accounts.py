"""Snapshots of orders and of customers: what is not named is closed or archived, with the same brake and confirmation."""

from typing import Any

import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, counts, invoice, push
from tests.api.ledger_books import balance, last_events, require_sound, states
from tests.api.test_imports_as_snapshots import at


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


def orders(count: int, start: int = 0, **other: Any) -> list[dict[str, Any]]:
    return [
        {
            "external_id": f"O-{n}",
            "customer_external_id": "C-1",
            "currency": "EUR",
            "amount": "10.00",
            **other,
        }
        for n in range(start, start + count)
    ]


def accounts(count: int, start: int = 0, **other: Any) -> list[dict[str, Any]]:
    return [{"external_id": f"C-{n}", "name": f"Buyer {n}", **other} for n in range(start, start + count)]


async def order_states(ledger: ServiceClient) -> dict[str, str]:
    data = (await ledger.get("/v1/orders?limit=200")).json()["data"]
    return {each["external_id"]: each["status"] for each in data}


async def archived(ledger: ServiceClient) -> set[str]:
    data = (await ledger.get("/v1/customers?archived=true")).json()["data"]
    return {each["external_id"] for each in data}


@pytest.mark.feature("F4")
async def test_orders_that_are_not_named_are_closed(ledger: ServiceClient) -> None:
    await push(ledger, *orders(10), kind="orders", **at(ledger, "2026-03-20"))
    await push(ledger, *orders(1, start=90), kind="orders", source="sage")
    await push(ledger, *orders(1, start=91), kind="orders", source="sap", taken_at="2026-03-26T00:00:00Z")
    made = await push(
        ledger, *orders(9, start=1), *orders(1, start=50), kind="orders", **at(ledger, "2026-03-25")
    )
    assert counts(made) == {"received": 10, "created": 1, "unchanged": 9, "closed": 1}
    found = await order_states(ledger)
    assert {name for name, state in found.items() if state == "closed"} == {"O-0"}
    (customer,) = (await ledger.get("/v1/customers?external_id=C-1")).json()["data"]
    assert (await balance(ledger, customer["id"]) or {})["order_book"] == 12_000
    await require_sound(ledger)
    assert await states(ledger, "order.changed") == await last_events(ledger, "order.changed")

    cut = await push(ledger, *orders(3, start=1), kind="orders", **at(ledger, "2026-03-27"))
    assert (cut["status"], cut["held"]["reason"], cut["held"]["closing_count"]) == ("held", "brake_count", 8)
    assert cut["held"]["closing_amounts"] == [{"currency": "EUR", "amount": "80.00"}]
    assert await order_states(ledger) == found  # nothing of it was applied
    done = await ledger.post(f"/v1/imports/{cut['id']}/confirm", json={"diff_hash": cut["held"]["diff_hash"]})
    assert (done.status_code, done.json()["counts"]["closed"]) == (200, 8)
    assert sum(state == "open" for state in (await order_states(ledger)).values()) == 4
    await require_sound(ledger)
    late = await push(ledger, *orders(1), kind="orders", source="sap", taken_at="2026-03-19T00:00:00Z")
    assert counts(late) == {"received": 1, "unchanged": 1}  # said before it was closed


@pytest.mark.feature("F4")
async def test_customers_that_are_not_named_are_archived_and_come_back(ledger: ServiceClient) -> None:
    await push(ledger, *accounts(10), kind="customers", **at(ledger, "2026-03-20"))
    await push(ledger, *accounts(1, start=80), kind="customers", source="crm")
    await push(ledger, invoice(1, customer_external_id="C-90"), source="sap")  # made on the fly
    made = await push(ledger, *accounts(9, start=1), kind="customers", **at(ledger, "2026-03-25"))
    assert counts(made) == {"received": 9, "unchanged": 9, "closed": 1}
    assert await archived(ledger) == {"C-0"}
    assert await states(ledger, "customer.changed") == await last_events(ledger, "customer.changed")

    by_hand = (await ledger.get("/v1/customers?external_id=C-1")).json()["data"][0]["id"]
    assert (await ledger.post(f"/v1/customers/{by_hand}/archive")).status_code == 200
    again = await push(ledger, *accounts(10), kind="customers", **at(ledger, "2026-03-26"))
    assert counts(again) == {"received": 10, "updated": 1, "unchanged": 9}
    assert await archived(ledger) == {"C-1"}  # what a person put away stays away


async def test_the_brake_on_customers_looks_at_what_they_owe(ledger: ServiceClient) -> None:
    await push(ledger, *accounts(10), kind="customers", **at(ledger, "2026-03-20"))
    await push(
        ledger, invoice(1, customer_external_id="C-0"), invoice(2, customer_external_id="C-0", currency="USD")
    )
    made = await push(ledger, *accounts(9, start=1), kind="customers", **at(ledger, "2026-03-25"))
    assert (made["status"], made["held"]["reason"], made["held"]["closing_count"]) == (
        "held",
        "brake_amount",
        1,
    )
    assert made["held"]["closing_amounts"] == [
        {"currency": "EUR", "amount": "100.00"},
        {"currency": "USD", "amount": "100.00"},
    ]
    done = await ledger.post(
        f"/v1/imports/{made['id']}/confirm", json={"diff_hash": made["held"]["diff_hash"]}
    )
    assert done.json()["counts"]["closed"] == 1
    (gone,) = (await ledger.get("/v1/customers?archived=true")).json()["data"]
    assert (await ledger.get(f"/v1/balances?customer_id={gone['id']}&currency=EUR")).json()["data"][0][
        "outstanding"
    ] == "100.00"  # what it owes stays owed


async def test_rows_of_another_scope_are_refused(ledger: ServiceClient) -> None:
    await push(ledger, *accounts(2), kind="customers", **at(ledger, "2026-03-20"))
    made = await push(
        ledger,
        *accounts(2),
        *accounts(1, start=7, source="crm"),
        kind="customers",
        **at(ledger, "2026-03-21"),
    )
    assert [error["code"] for error in made["errors"]] == ["source_mismatch"]
    made = await push(
        ledger, *orders(1), *orders(1, start=7, source="crm"), kind="orders", **at(ledger, "2026-03-21")
    )
    assert [error["code"] for error in made["errors"]] == ["source_mismatch"]
    many = {f"field_{n}": n for n in range(31)}
    made = await push(ledger, *orders(1, custom_fields=many), kind="orders")
    assert [(error["pointer"], error["code"]) for error in made["errors"]] == [
        ("/custom_fields", "custom_fields_invalid")
    ]
