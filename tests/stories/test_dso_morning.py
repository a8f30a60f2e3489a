"""The first question of the month: how many days of sales are out there, and what is the figure made of?"""

from decimal import Decimal

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.api.import_steps import invoice, push
from tests.stories.credit_desk import make, read, rows


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    """Sales of 120,000, 110,000 and 90,000 in three months, of which 70,000 are paid and March is not due."""
    house = await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")
    sold = [("2026-01-10", "2026-02-09", "120000.00"), ("2026-02-10", "2026-03-12", "110000.00"),
            ("2026-03-10", "2026-04-09", "90000.00")]  # fmt: skip
    await push(
        house.client,
        *[
            invoice(n, issue_date=day, due_date=due, amount=amount)
            for n, (day, due, amount) in enumerate(sold)
        ],
    )
    paid = {
        "customer_external_id": "C-1", "amount": "70000.00", "currency": "EUR", "paid_on": "2026-03-11", "allocate": "oldest",
    }  # fmt: skip
    await make(house.client, "/v1/payments", **paid)
    return house


@pytest.mark.feature("L11", "F11", "F12", "F13", "N9")
async def test_the_family_of_the_dso_and_its_proof(house: TestTenant) -> None:
    client = house.client
    back = await read(client, "/v1/reports/dso", method="count_back")
    # 90,000 are all of March (31 days), 110,000 all of February (28), 50,000 of January's 120,000 are 12.9167 days
    assert back["value"] == "71.9167"
    assert (back["contractual"], back["best_possible"]) == ("25.8900", "31.0000")
    assert back["add"] == "40.9167"
    assert Decimal(back["contractual"]) + Decimal(back["overdue"]) == Decimal(back["value"])
    assert (back["exhausted"], back["unexplained"], back["holes"]) == (True, "0.00", [])
    simple = await read(client, "/v1/reports/dso", method="simple", months=3)
    assert (simple["value"], simple["best_possible"]) == (
        "70.3125",
        "25.3125",
    )  # 250,000 and 90,000 / 320,000 * 90
    assert simple["definition"] == "simple/1"

    # The proof: the items that are open are the receivables, the turnover is the sales.
    proof = back["inputs"]
    items = await rows(client, "/v1/items", status="open")
    assert sum(Decimal(item["open_amount"]) for item in items) == Decimal(proof["receivables"]) == 250_000
    assert proof["items_count"] == len(items) == 3
    turnover = await rows_of_turnover(house)
    assert {month["month"][:7]: month["sales"] for month in proof["sales"]} == turnover

    # The last day of February was another story, and can still be told.
    february = await read(client, "/v1/reports/dso", as_of="2026-02-28")
    assert february["inputs"]["receivables"] == "230000.00"
    assert february["value"] == "59.0000"  # all of February and all of January


async def rows_of_turnover(house: TestTenant) -> dict[str, str]:
    report = await read(
        house.client, "/v1/reports/turnover", since="2026-01-01", until="2026-03-31", by="month"
    )
    return {month["key"]: month["turnover"] for month in report["data"]}


@pytest.mark.feature("L12", "F12", "N9")
async def test_what_is_owed_but_was_never_sold_stays_unexplained(house: TestTenant) -> None:
    client = house.client
    order = {"external_id": "SO-1", "customer_external_id": "C-1", "amount": "40000.00", "currency": "EUR"}
    await make(client, "/v1/orders", **order)
    assert (await read(client, "/v1/reports/dso"))["inputs"]["receivables"] == "250000.00", (
        "an order is not owed"
    )

    # Balances taken over from the old system are receivables without a sale.
    opening = invoice(
        90,
        kind="other",
        direction="debit",
        issue_date="2025-12-31",
        due_date="2025-12-31",
        amount="100000.00",
    )
    await push(client, opening)
    report = await read(client, "/v1/reports/dso", months=3)
    assert report["inputs"]["receivables"] == "350000.00"
    assert (report["value"], report["unexplained"]) == ("90.0000", "30000.00")
    assert report["exhausted"] is False
    assert (await rows_of_turnover(house))["2026-01"] == "120000.00"

    # A credit note is a sale taken back, and a month without any is counted and named.
    await push(client, invoice(91, issue_date="2025-11-05", due_date="2025-12-05", amount="60000.00"))
    longer = await read(client, "/v1/reports/dso", months=12)
    assert longer["holes"] == ["2025-12-01"]
    credit = invoice(
        92, kind="credit_note", issue_date="2026-03-20", due_date="2026-03-20", amount="10000.00"
    )
    await push(client, credit)
    after = await read(client, "/v1/reports/dso", method="simple", months=3)
    assert after["inputs"]["sales"][0]["sales"] == "80000.00"
    assert after["inputs"]["receivables"] == "400000.00"
