"""Customers, orders and payments pushed in bulk."""

from typing import Any

import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, counts, invoice, listed, push
from tests.api.ledger_books import balance, entries, last_events, require_sound, states


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


def payment(place: int = 1, /, **other: Any) -> dict[str, Any]:
    row = {
        "external_id": f"PAY-{place}",
        "customer_external_id": "C-1",
        "currency": "EUR",
        "amount": "100.00",
        "paid_on": "2026-03-20",
        **other,
    }
    return {name: value for name, value in row.items() if value is not None}


async def test_customers(ledger: ServiceClient) -> None:
    rows = [
        {"external_id": f"K-{n}", "name": f"Buyer {n}", "payment_terms": {"days": 30}} for n in range(120)
    ]
    assert counts(await push(ledger, *rows, kind="customers")) == {"received": 120, "created": 120}
    assert counts(await push(ledger, *rows, kind="customers")) == {"received": 120, "unchanged": 120}
    rows[0]["name"] = "Renamed"
    made = await push(ledger, *rows, {"external_id": "K-1000"}, kind="customers")
    assert counts(made) == {"received": 121, "updated": 1, "unchanged": 119, "rejected": 1}
    await push(ledger, invoice(1, customer_external_id="K-0", due_date=None))
    assert (await listed(ledger))["INV-1"]["due_date"] == TODAY


async def test_orders_move_the_order_book(ledger: ServiceClient) -> None:
    order = {"external_id": "O-1", "customer_external_id": "C-1", "currency": "EUR", "amount": "500.00"}
    assert counts(await push(ledger, order, kind="orders")) == {"received": 1, "created": 1}
    assert counts(await push(ledger, order, kind="orders")) == {"received": 1, "unchanged": 1}
    order["invoiced_amount"] = "200.00"
    made = await push(
        ledger, order, order | {"external_id": "O-2", "customer_external_id": None}, kind="orders"
    )
    assert counts(made) == {"received": 2, "updated": 1, "rejected": 1}
    (found,) = (await ledger.get("/v1/orders")).json()["data"]
    row = await balance(ledger, found["customer_id"])
    assert row is not None
    assert row["order_book"] == 30_000
    assert await states(ledger, "order.changed") == await last_events(ledger, "order.changed")


async def test_payments_settle_what_they_name(ledger: ServiceClient) -> None:
    await push(ledger, *(invoice(n) for n in range(1, 6)))
    rows = [
        payment(1, item_external_id="INV-1", customer_external_id=None),
        payment(2, amount="150.00", allocations=[
            {"item_external_id": "INV-2", "amount": "100.00"}, {"item_external_id": "INV-3", "amount": "30.00"},
        ], allocated_on="2026-03-25"),
        payment(3, amount="70.00", allocate="exact"),
        payment(4, amount="10.00"),
    ]  # fmt: skip
    made = await push(ledger, *rows, kind="payments")
    assert counts(made) == {"received": 4, "created": 4}
    items = await listed(ledger)
    assert {key: item["open_amount"] for key, item in items.items()} == {
        "INV-1": "0.00", "INV-2": "0.00", "INV-3": "0.00", "INV-4": "100.00", "INV-5": "100.00",
        "PAY-1": "0.00", "PAY-2": "-20.00", "PAY-3": "0.00", "PAY-4": "-10.00",
    }  # fmt: skip
    assert items["INV-1"]["closed_on"] == "2026-03-20"
    assert (await entries(ledger, items["INV-2"]["id"]))[1] == ("allocated", "-100.00", "2026-03-25")
    await require_sound(ledger)
    assert await states(ledger, "payment.changed") == await last_events(ledger, "payment.changed")
    assert counts(await push(ledger, *rows, kind="payments")) == {"received": 4, "unchanged": 4}


@pytest.mark.parametrize(
    ("row", "pointer", "code"),
    [
        (payment(9, item_external_id="INV-9"), "/allocations/0", "item_unknown"),
        (payment(9, amount="100.01", item_external_id="INV-1"), "/allocations/0", "over_allocated"),
        (payment(9, currency="USD", item_external_id="INV-1"), "/allocations/0", "currency_mismatch"),
        (payment(9, paid_on="2026-04-01"), "/paid_on", "date_in_future"),
        (payment(9, customer_external_id="nobody"), "/customer_external_id", "customer_unknown"),
        (payment(1, amount="99.00"), "/external_id", "payment_changed"),
        (payment(1, external_id="INV-2"), "/external_id", "external_id_exists"),
    ],
)
async def test_a_payment_that_cannot_be_booked_is_named(
    ledger: ServiceClient, row: dict[str, Any], pointer: str, code: str
) -> None:
    await push(ledger, invoice(1), invoice(2))
    await push(ledger, payment(1, amount="1.00"), kind="payments")
    await push(ledger, payment(1), kind="payments")
    good = payment(2, item_external_id="INV-2")
    made = await push(ledger, row, good, kind="payments", create_customers="false")
    assert counts(made) == {"received": 2, "created": 1, "rejected": 1}
    assert [(e["row"], e["pointer"], e["code"]) for e in made["errors"]] == [(1, pointer, code)]
    await require_sound(ledger)


async def test_two_rows_cannot_spend_more_than_is_open(ledger: ServiceClient) -> None:
    await push(ledger, invoice(1))
    rows = [payment(n, amount="60.00", item_external_id="INV-1") for n in (1, 2)]
    made = await push(ledger, *rows, kind="payments")
    assert [(e["row"], e["code"]) for e in made["errors"]] == [(2, "over_allocated")]
    assert (await listed(ledger))["INV-1"]["open_amount"] == "40.00"
