"""A policy's year: cover, an unpaid invoice, the clocks, and what each day costs."""

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import invoice, make, read, rows
from tests.stories.insurance_desk import buyer, connect, decide, exposure, insure

DELIVERED = {"tax_amount": "30000.00", "delivery_date": "2026-01-10"}


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-01-05T09:00:00+01:00", name="Tuilerie de Bourgogne")


@pytest.mark.feature("C18", "C19", "C33", "C39", "F66", "F79", "N4")
async def test_exposure_is_told_layer_by_layer(house: TestTenant) -> None:
    connection = await connect(house)
    policy = await insure(house, connection)
    company = await buyer(house, "C-1", "Charpentes Morvan", "732829320", policy)
    await decide(house, connection, buyer_reference="SB-732829320", status="approved", granted_amount="120000.00",
                 effective_from="2026-01-01", decided_at="2026-01-02T10:00:00Z")  # fmt: skip
    await invoice(house.client, "C-1", "F-1", "180000.00", "2026-01-10", "2026-02-09", **DELIVERED)
    await make(house.client, "/v1/orders", external_id="O-1", customer_external_id="C-1", amount="40000.00",
               currency="EUR", tax_included=True)  # fmt: skip
    await make(house.client, "/v1/other-guarantees", company_id=company, kind="bank_guarantee", amount="10000.00",
               currency="EUR", valid_from="2026-01-01")  # fmt: skip
    await house.settle()

    shown = await exposure(house, company)
    assert [shown[name] for name in ("outstanding", "order_book", "guarantee", "other_guarantees")] == [
        "180000.00", "40000.00", "120000.00", "10000.00",
    ]  # fmt: skip
    assert [shown[name] for name in ("real_risk", "potential_risk", "uncovered", "spare_cover")] == [
        "50000.00", "90000.00", "50000.00", "0.00",
    ]  # fmt: skip
    assert shown["insured_split"] == {
        "gross": "180000.00", "tax": "30000.00", "insured": "120000.00", "indemnity": "108000.00", "retention": "12000.00",
        "above_cover": "30000.00", "tax_unknown": "0.00",
    }  # fmt: skip
    (line,) = shown["layers"]
    assert (line["layer"], line["counted"], line["percent"], line["reason"]) == (
        "permanent",
        "120000.00",
        "90",
        None,
    )

    # What if it were cancelled: new deliveries are bare, the old one keeps its cover until it is paid.
    bare = await exposure(house, company, without=line["guarantee_id"], as_of="2026-02-01")
    assert (bare["guarantee"], bare["real_risk"]) == ("0.00", "170000.00")
    assert bare["insured_split"]["insured"] == "120000.00"
    (ledgers,) = (await read(house.client, "/v1/balances", by="company", company_id=company))["data"]
    assert (ledgers["outstanding"], ledgers["not_due"]) == (shown["outstanding"], shown["not_due"])
    past = await exposure(house, company, as_of="2026-01-04")
    assert (past["outstanding"], past["real_risk"], past["potential_risk"]) == ("0.00", "-130000.00", None)
    assert (past["uncovered"], past["spare_cover"]) == ("0.00", "130000.00")


@pytest.mark.feature("C20", "C31", "C35", "F73", "F74", "N1")
async def test_the_clocks_run_whatever_else_happens(make_tenant: MakeTenant) -> None:
    house = await make_tenant(now="2026-04-02T09:00:00+02:00", name="Tuilerie de Bourgogne")
    connection = await connect(house)
    policy = await insure(house, connection)
    await buyer(house, "C-1", "Charpentes Morvan", "732829320", policy)
    await decide(house, connection, buyer_reference="SB-732829320", status="approved", granted_amount="120000.00",
                 effective_from="2026-01-01", decided_at="2026-01-02T10:00:00Z")  # fmt: skip
    await invoice(house.client, "C-1", "F-1", "180000.00", "2026-01-10", "2026-02-09", **DELIVERED)
    await house.settle()
    clocks = {one["kind"]: one for one in await rows(house.client, "/v1/cover-clocks")}
    # 60 days after the due date, 30 to notify, 60 to claim.
    assert {kind: one["due_on"] for kind, one in clocks.items()} == {
        "stop_delivery": "2026-04-10", "notification": "2026-05-10", "foreclosure": "2026-07-09",
    }  # fmt: skip
    first = clocks["notification"]
    assert (first["item_number"], first["amount_at_stake"], first["policy_version"]) == (
        "F-1",
        "108000.00",
        1,
    )
    assert first["clause"] == {"event": "notification", "days": 30, "base": "stop", "threshold": None}

    # The ERP pushes the due date: no clock moves.
    (item,) = await rows(house.client, "/v1/items")
    moved = await house.client.patch(f"/v1/items/{item['id']}", json={"due_date": "2026-06-30"})
    assert moved.status_code == 200, moved.text
    await house.advance(to="2026-04-03")
    await house.settle()
    near = await rows(house.client, "/v1/cover-clocks", within_days=15)
    assert [(one["kind"], one["days_left"]) for one in near] == [("stop_delivery", 7)]
    alerts = await rows(house.client, "/v1/alerts", state="open")
    assert "clock_stop_delivery" in {alert["kind"] for alert in alerts}
    agenda = await rows(house.client, "/v1/risk-agenda")
    assert ("cover_clock_stop_delivery", "2026-04-10") in {(one["kind"], one["due_on"]) for one in agenda}
    calendar = await house.client.get("/v1/cover-clocks.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert "DTSTART;VALUE=DATE:20260410" in calendar.text
