"""Orders of a customer: what is not invoiced yet counts in what is at risk, never in what is owed."""

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.api.import_steps import counts, push
from tests.stories.credit_desk import account, invoice, make, read, rows


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def owed_and_ordered(house: TestTenant) -> tuple[str, str]:
    (row,) = await rows(house.client, "/v1/balances")
    return row["outstanding"], row["order_book"]


async def risk(house: TestTenant) -> tuple[str, str, str, str]:
    await house.settle()
    (row,) = (await read(house.client, "/v1/reports/risk"))["data"]
    return row["outstanding"], row["order_book"], row["real_risk"], row["potential_risk"]


@pytest.mark.feature("L6", "L12", "F8")
async def test_an_order_becomes_an_invoice(house: TestTenant) -> None:
    erp = house.client
    buyer = await account(erp, "C-1", "Charpentes Morvan")
    await invoice(erp, "C-1", "F-1", "500.00", "2026-03-01", "2026-03-31")
    order = await make(
        erp, "/v1/orders", external_id="SO-1", customer_external_id="C-1", amount="3000.00", currency="EUR",
        expected_on="2026-05-15",
    )  # fmt: skip
    later = {"kind": "orders", "source": "sap"}
    pushed = [
        {"external_id": "SO-2", "customer_external_id": "C-1", "amount": "700.00", "currency": "EUR",
         "expected_on": "2026-04-10"},
        {"external_id": "SO-3", "customer_external_id": "C-1", "amount": "90.00", "currency": "EUR", "status": "cancelled"},
    ]  # fmt: skip
    assert counts(await push(erp, *pushed, **later)) == {"received": 2, "created": 2}
    assert await owed_and_ordered(house) == ("500.00", "3700.00")
    assert await risk(house) == ("500.00", "3700.00", "500.00", "4200.00")
    (balance,) = await rows(erp, "/v1/balances", as_of="2026-03-30")
    assert balance["order_book"] is None, "what was on order on a past day is not kept"

    soon = await rows(erp, "/v1/orders", customer_id=buyer["id"], status="open", expected_to="2026-04-30")
    assert [(each["external_id"], each["expected_on"]) for each in soon] == [("SO-2", "2026-04-10")]

    # A first delivery is invoiced: the same money moves from the order book to the outstanding.
    await invoice(erp, "C-1", "F-2", "1000.00", "2026-03-31", "2026-04-30", order_reference="SO-1")
    part = await erp.patch(f"/v1/orders/{order['id']}", json={"invoiced_amount": "1000.00"})
    assert part.status_code == 200, part.text
    assert await owed_and_ordered(house) == ("1500.00", "2700.00")

    # The customer gives the rest up, and the small order is delivered and closed.
    assert (await erp.patch(f"/v1/orders/{order['id']}", json={"status": "cancelled"})).status_code == 200
    assert counts(await push(erp, {**pushed[0], "status": "closed"}, **later)) == {
        "received": 1,
        "updated": 1,
    }
    assert await owed_and_ordered(house) == ("1500.00", "0.00")
    assert await risk(house) == ("1500.00", "0.00", "1500.00", "1500.00")
