"""A limit is asked by one, decided by another, overrun by an invoice and respected again by a payment."""

from typing import Any

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import account, invoice, make, person, read, receive, refused, rows, tell


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def risk(house: TestTenant, company: str) -> dict[str, Any]:
    await house.settle()
    report = await read(house.client, "/v1/reports/risk")
    return next(row for row in report["data"] if row["company"]["id"] == company)


def limit_of(row: dict[str, Any]) -> tuple[str | None, str, str | None, str | None]:
    return row["limit"], row["limit_state"], row["limit_used_percent"], row["overrun"]


@pytest.mark.feature("L21", "F46", "F49", "F53", "F55")
async def test_one_asks_for_a_limit_and_another_decides(house: TestTenant) -> None:
    erp = house.client
    seller, paul = await person(house, "Paul", "salesperson")
    boss, anne = await person(house, "Anne", "approver")
    company = (await account(erp, "C-1", "Charpentes Morvan"))["company"]["id"]
    await invoice(erp, "C-1", "F-1", "8000.00", "2026-02-10", "2026-03-12")

    asked = await make(
        paul, "/v1/credit-limit-requests", company_id=company, amount="10000.00", currency="EUR", reason="Spring season",
    )  # fmt: skip
    address = f"/v1/credit-limit-requests/{asked['id']}"
    assert (asked["state"], asked["requested_by"]) == ("pending", seller)
    assert asked["exposure_at_request"]["outstanding"] == "8000.00"
    waiting = await risk(house, company)
    assert limit_of(waiting) == (None, "pending", None, None)
    assert waiting["pending_request_id"] == asked["id"]

    # Paul may ask and not decide; a key without a person decides nothing.
    assert (await refused(paul, f"{address}/approve"))[0] == 403
    assert await refused(erp, f"{address}/approve") == (403, "user_required")
    (mine,) = await rows(anne, "/v1/credit-limit-requests", awaiting="me")
    assert (mine["id"], mine["can_decide"]) == (asked["id"], True)
    agreed = await tell(anne, f"{address}/approve", comment="Pays within terms")
    assert (agreed["state"], agreed["route"][0]["by"]) == ("approved", boss)
    assert limit_of(await risk(house, company)) == ("10000.00", "approved", "80.0", "0.00")

    # Nobody approves their own request, whatever their role.
    own = await make(anne, "/v1/credit-limit-requests", company_id=company, amount="90000.00", currency="EUR")
    assert await refused(anne, f"/v1/credit-limit-requests/{own['id']}/approve") == (403, "own_request")
    await tell(anne, f"/v1/credit-limit-requests/{own['id']}/cancel")
    history = await rows(erp, f"/v1/companies/{company}/credit-limit/history")
    assert [(each["event"], each["user_id"], each["comment"]) for each in history] == [
        ("cancelled", boss, None),
        ("approved", boss, "Pays within terms"),
    ]


@pytest.mark.feature("L21", "F46", "F57")
async def test_a_delivery_too_many_shows_at_once_until_it_is_paid(house: TestTenant) -> None:
    erp = house.client
    _, paul = await person(house, "Paul", "salesperson")
    _, anne = await person(house, "Anne", "approver")
    company = (await account(erp, "C-1", "Charpentes Morvan"))["company"]["id"]
    await invoice(erp, "C-1", "F-1", "8000.00", "2026-02-10", "2026-03-12")
    asked = await make(
        paul, "/v1/credit-limit-requests", company_id=company, amount="10000.00", currency="EUR"
    )
    await tell(anne, f"/v1/credit-limit-requests/{asked['id']}/approve")

    await invoice(erp, "C-1", "F-2", "4500.00", "2026-03-31", "2026-04-30")
    over = await risk(house, company)
    assert limit_of(over) == ("10000.00", "approved", "125.0", "2500.00")
    assert over["open_alerts"] == 1
    (alert,) = await rows(erp, "/v1/alerts", state="open")
    assert (alert["kind"], alert["company_id"]) == ("limit_exceeded", company)
    assert alert["evidence"] == {
        "currency": "EUR", "outstanding": "12500.00", "limit_amount": "10000.00", "overrun": "2500.00",
    }  # fmt: skip
    only = await read(erp, "/v1/reports/risk", overrun_only="true")
    assert only["totals"]["overrun"] == "2500.00"
    limit = await read(erp, f"/v1/companies/{company}/credit-limit")
    assert (limit["used_percent"], limit["exceeded_by"]) == ("125.0", "2500.00")

    # The money comes: nothing is overrun, and the alert closes by itself.
    await receive(erp, "C-1", "8000.00", "2026-03-31", allocate="oldest")
    calm = await risk(house, company)
    assert limit_of(calm) == ("10000.00", "approved", "45.0", "0.00")
    assert calm["open_alerts"] == 0
    assert await rows(erp, "/v1/alerts", state="open") == []
    (closed,) = await rows(erp, "/v1/alerts", state="closed")
    assert closed["id"] == alert["id"]


@pytest.mark.feature("F51", "F53")
async def test_the_amount_decides_who_decides(house: TestTenant) -> None:
    junior_id, junior = await person(house, "Julie", "approver")
    senior_id, senior = await person(house, "Serge", "approver")
    _, paul = await person(house, "Paul", "salesperson")
    levels = [
        {"name": "junior", "max_amount": "20000.00", "currency": "EUR", "user_ids": [junior_id]},
        {"name": "senior", "max_amount": "100000.00", "currency": "EUR", "user_ids": [senior_id]},
    ]
    policy = await house.client.put("/v1/approval-policy", json={"levels": levels})
    assert policy.status_code == 200, policy.text
    company = (await account(house.client, "C-1", "Charpentes Morvan"))["company"]["id"]
    body = {"company_id": company, "currency": "EUR"}
    requests = "/v1/credit-limit-requests"

    assert await refused(paul, requests, amount="100000.01", **body) == (422, "above_top_level")
    large = await make(paul, requests, amount="20000.01", **body)
    assert [step["level"] for step in large["route"]] == ["senior"]
    assert await rows(junior, requests, awaiting="me") == []
    assert await refused(junior, f"{requests}/{large['id']}/approve") == (403, "above_your_level")
    no = await tell(senior, f"{requests}/{large['id']}/reject", comment="Too early")
    assert no["state"] == "rejected"
    assert (await read(senior, f"/v1/companies/{company}/credit-limit"))["amount"] is None

    small = await make(paul, requests, amount="20000.00", **body)
    assert [step["level"] for step in small["route"]] == ["junior"]
    assert (await tell(junior, f"{requests}/{small['id']}/approve"))["state"] == "approved"
    assert (await risk(house, company))["limit"] == "20000.00"


@pytest.mark.feature("L17", "L21", "F46")
async def test_debt_and_credit_stand_side_by_side_while_nothing_is_insured(house: TestTenant) -> None:
    erp = house.client
    debtor = (await account(erp, "C-1", "Charpentes Morvan"))["company"]["id"]
    creditor = (await account(erp, "C-2", "Négoce Bâti"))["company"]["id"]
    await invoice(erp, "C-1", "F-1", "900.00", "2026-01-10", "2026-02-09")
    await invoice(erp, "C-1", "F-2", "100.00", "2026-03-10", "2026-04-09")
    await receive(erp, "C-2", "300.00", "2026-03-10")
    owes, is_owed = await risk(house, debtor), await risk(house, creditor)

    split = ("overdue", "real_risk", "uncovered", "spare_cover")
    assert [owes[name] for name in split] == ["900.00", "1000.00", "1000.00", "0.00"]
    assert [is_owed[name] for name in split] == ["0.00", "-300.00", "0.00", "300.00"]
    totals = (await read(erp, "/v1/reports/risk"))["totals"]
    # What one customer is owed covers nothing that another owes.
    assert [totals[name] for name in split] == ["900.00", "700.00", "1000.00", "300.00"]
    assert set(owes["guarantees"].values()) == {None}, (
        "no insurer is connected, which is not the same as no cover"
    )
    assert (owes["provider_data"], owes["recommended_credit"], owes["limit"]) == ("not_connected", None, None)
