"""Two invoices, a credit note and some expenses, from the day they are pushed to the last cent."""

from typing import Any

import pytest

from libs.testkit.clients import CheckedClient
from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import account, invoice, read, receive, refused, rows, tell


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def owed(client: CheckedClient, **query: Any) -> tuple[str, str, str, str]:
    """Outstanding, not due, overdue and credits of the one account there is."""
    (row,) = await rows(client, "/v1/balances", **query)
    return row["outstanding"], row["not_due"], row["overdue"], row["credits"]


async def journal(client: CheckedClient, item: dict[str, Any]) -> list[tuple[str, str, str]]:
    entries = await rows(client, f"/v1/items/{item['id']}/entries")
    return [(each["kind"], each["amount"], each["effective_on"]) for each in entries]


async def lines(client: CheckedClient, customer: dict[str, Any], **query: Any) -> list[tuple[str, str, str]]:
    """Number, what is open and the running balance of each line of the statement."""
    statement = await rows(client, f"/v1/customers/{customer['id']}/statement", **query)
    return [(each["number"], each["open_amount"], each["balance"]) for each in statement]


@pytest.mark.feature("L2", "L3", "L4", "L5", "L22", "F2", "F6")
async def test_an_account_is_settled_step_by_step(house: TestTenant) -> None:
    erp = house.client
    buyer = await account(erp, "C-1", "Charpentes Morvan")
    first = await invoice(erp, "C-1", "F-1", "1200.00", "2026-01-15", "2026-02-14")
    second = await invoice(erp, "C-1", "F-2", "800.00", "2026-03-10", "2026-04-09")
    note = await invoice(erp, "C-1", "AV-1", "100.00", "2026-03-12", "2026-03-12", kind="credit_note")
    costs = await invoice(
        erp, "C-1", "FR-1", "50.00", "2026-03-20", "2026-03-20", kind="other", direction="debit"
    )
    assert (first["days_late"], second["days_late"], note["open_amount"]) == (45, 0, "-100.00")
    assert await owed(erp) == ("1950.00", "800.00", "1250.00", "-100.00")
    late = await rows(erp, "/v1/items", overdue="true")
    assert [each["number"] for each in late] == ["F-1", "FR-1"]
    assert await lines(erp, buyer) == [
        ("F-1", "1200.00", "1200.00"), ("F-2", "800.00", "2000.00"), ("AV-1", "-100.00", "1900.00"),
        ("FR-1", "50.00", "1950.00"),
    ]  # fmt: skip

    part = await receive(
        erp, "C-1", "500.00", "2026-03-02", allocations=[{"item_external_id": "F-1", "amount": "500.00"}]
    )
    assert (part["status"], part["unallocated_amount"]) == ("closed", "0.00")
    assert (await read(erp, f"/v1/items/{first['id']}"))["open_amount"] == "700.00"

    # More than the invoice: what is left waits as a credit of the customer.
    rest = await receive(erp, "C-1", "730.00", "2026-03-16")
    pay = f"/v1/payments/{rest['id']}/allocations"
    too_much = [{"item_id": first["id"], "amount": "730.00"}]
    assert await refused(erp, pay, allocations=too_much) == (409, "over_allocated")
    spent = await tell(
        erp, pay, allocations=[{"item_id": first["id"], "amount": "700.00"}], allocated_on="2026-03-16"
    )
    assert (spent["unallocated_amount"], spent["status"]) == ("30.00", "open")
    paid = await read(erp, f"/v1/items/{first['id']}")
    assert (paid["status"], paid["closed_on"], paid["days_late"]) == ("closed", "2026-03-16", 30)
    assert await owed(erp) == ("720.00", "800.00", "50.00", "-130.00")

    # The bank takes the second payment back: the debt is as old as it was before.
    back = await tell(erp, f"/v1/payments/{rest['id']}/reverse", reason="bounced", reversed_on="2026-03-30")
    assert back["reversed_reason"] == "bounced"
    again = await read(erp, f"/v1/items/{first['id']}")
    assert (again["status"], again["open_amount"], again["due_date"]) == ("open", "700.00", "2026-02-14")
    assert (again["days_late"], again["original_due_date"]) == (45, "2026-02-14")
    assert await journal(erp, first) == [
        ("issued", "1200.00", "2026-01-15"), ("allocated", "-500.00", "2026-03-02"), ("allocated", "-700.00", "2026-03-16"),
        ("unallocated", "700.00", "2026-03-30"),
    ]  # fmt: skip
    assert await owed(erp) == ("1450.00", "800.00", "750.00", "-100.00")
    assert await refused(erp, f"/v1/payments/{rest['id']}/reverse", reason="bounced") == (
        409,
        "invalid_state",
    )

    # The credit note goes against the newer invoice, the expenses are not worth the trouble.
    await tell(
        erp,
        f"/v1/items/{note['id']}/allocations",
        allocations=[{"item_external_id": "F-2", "amount": "100.00"}],
    )
    given_up = await tell(erp, f"/v1/items/{costs['id']}/write-off", reason="Below 50 euros")
    assert (given_up["status"], given_up["open_amount"]) == ("closed", "0.00")
    assert (await journal(erp, costs))[-1] == ("written_off", "-50.00", "2026-03-31")
    assert await lines(erp, buyer) == [("F-1", "700.00", "700.00"), ("F-2", "700.00", "1400.00")]
    closed_too = await lines(erp, buyer, items="all")
    assert {number for number, left, _ in closed_too if left == "0.00"} >= {"AV-1", "FR-1"}

    last = await receive(erp, "C-1", "1400.00", "2026-03-31", allocate="oldest")
    assert [(each["item_number"], each["amount"]) for each in last["allocations"]] == [
        ("F-1", "700.00"), ("F-2", "700.00"),
    ]  # fmt: skip
    assert await lines(erp, buyer) == []
    assert await rows(erp, "/v1/balances") == []


@pytest.mark.feature("L3", "L4", "F10")
async def test_figures_of_a_past_day_do_not_know_what_came_later(house: TestTenant) -> None:
    erp = house.client
    buyer = await account(erp, "C-1", "Charpentes Morvan")
    await invoice(erp, "C-1", "F-1", "1200.00", "2026-01-15", "2026-02-14")
    second = await invoice(erp, "C-1", "F-2", "800.00", "2026-03-10", "2026-04-09")
    payment = await receive(erp, "C-1", "1200.00", "2026-03-16", allocate="exact")
    await tell(erp, f"/v1/payments/{payment['id']}/reverse", reason="returned", reversed_on="2026-03-27")
    await tell(erp, f"/v1/items/{second['id']}/cancel", reason="Invoiced twice", effective_on="2026-03-30")

    past = {
        "2026-01-31": ("1200.00", "1200.00", "0.00", "0.00"),
        "2026-02-28": ("1200.00", "0.00", "1200.00", "0.00"),
        "2026-03-20": ("800.00", "800.00", "0.00", "0.00"),
        "2026-03-28": ("2000.00", "800.00", "1200.00", "0.00"),
        "2026-03-31": ("1200.00", "0.00", "1200.00", "0.00"),
    }
    for day, figures in past.items():
        assert await owed(erp, as_of=day) == figures, day
        statement = await read(erp, f"/v1/customers/{buyer['id']}/statement", as_of=day)
        (total,) = statement["totals"]
        assert tuple(total[name] for name in ("outstanding", "not_due", "overdue", "credits")) == figures
        ageing = await read(erp, "/v1/reports/ageing", by="total", as_of=day)
        assert ageing["totals"]["outstanding"] == figures[0]
    assert await rows(erp, "/v1/balances", as_of="2026-01-14") == []
    march = await read(erp, "/v1/reports/ageing", by="total", as_of="2026-03-28", buckets="30,60")
    assert march["totals"]["amounts"] == {
        "not_due": "800.00", "1-30": "0.00", "31-60": "1200.00", ">60": "0.00", "unallocated": "0.00",
    }  # fmt: skip

    reopened = await tell(erp, f"/v1/items/{second['id']}/reopen", reason="It was right after all")
    assert (reopened["open_amount"], reopened["due_date"], reopened["cancelled"]) == (
        "800.00", "2026-04-09", False,
    )  # fmt: skip
    assert await owed(erp) == ("2000.00", "800.00", "1200.00", "0.00")
    assert await owed(erp, as_of="2026-03-30") == ("1200.00", "0.00", "1200.00", "0.00")
