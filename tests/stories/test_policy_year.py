"""A policy's year: cover, an unpaid invoice, the clocks, and what each day costs."""

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import invoice, make, read, receive, refused, rows, tell
from tests.stories.insurance_desk import buyer, connect, cover, decide, exposure, insure

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
    company = await buyer(house, "C-1", "Charpentes Morvan", "732829320", policy)
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

    # Cover stops; what is delivered after is not covered, and the money that comes brings cover back for the future only.
    await house.advance(to="2026-04-12")
    await house.settle()
    assert (await exposure(house, company))["cover_stopped_since"] == "2026-04-11"
    await invoice(house.client, "C-1", "F-2", "12000.00", "2026-04-12", "2026-05-12", tax_amount="2000.00")
    await house.settle()
    split = (await exposure(house, company))["insured_split"]
    assert (split["gross"], split["insured"], split["above_cover"]) == ("192000.00", "120000.00", "40000.00")
    await receive(
        house.client,
        "C-1",
        "180000.00",
        "2026-04-12",
        allocations=[{"item_id": item["id"], "amount": "180000.00"}],
    )
    await house.settle()
    assert await rows(house.client, "/v1/cover-clocks") == []
    after = await exposure(house, company)
    assert (after["cover_stopped_since"], after["insured_split"]["insured"]) == (None, "0.00")
    assert (await cover(house, company))["amount"] == "120000.00"


@pytest.mark.feature("C34", "C36", "F75", "F76")
async def test_from_the_overdue_to_the_indemnity(make_tenant: MakeTenant) -> None:
    house = await make_tenant(now="2026-02-16T09:00:00+01:00", name="Tuilerie de Bourgogne")
    client = house.client
    connection = await connect(house, "manual")
    clauses = [
        {"event": "stop_delivery", "days": 7, "base": "original_due_date"},
        {"event": "notification", "days": 5, "base": "stop"},
        {"event": "foreclosure", "days": 5, "base": "notification"},
    ]
    deductible = {"amount": "1000.00", "applied": "after"}
    policy = await insure(house, connection, deductible=deductible, waiting_months=3, clauses=clauses)
    company = await buyer(house, "C-1", "Charpentes Morvan", "732829320", None)
    await make(client, "/v1/guarantees", policy_id=policy["id"], company_id=company, granted_amount="120000.00",
               effective_from="2026-01-01")  # fmt: skip
    body = {"policy_id": policy["id"], "company_id": company}
    assert await refused(client, "/v1/overdue-declarations", **body) == (422, "nothing_overdue")
    item = await invoice(client, "C-1", "F-1", "180000.00", "2026-01-10", "2026-02-09", **DELIVERED)
    await house.settle()
    await house.advance(to="2026-02-18")

    # Notified two days into the five: the claim date is counted from that day.
    told = await make(client, "/v1/overdue-declarations", **body)
    assert (told["amount"], told["late"], told["items"][0]["number"]) == ("180000.00", False, "F-1")
    assert (await tell(client, f"/v1/overdue-declarations/{told['id']}/submit"))[
        "declared_on"
    ] == "2026-02-18"
    await house.settle()
    clocks = {one["kind"]: one["due_on"] for one in await rows(client, "/v1/cover-clocks")}
    assert clocks == {"stop_delivery": "2026-02-16", "foreclosure": "2026-02-23"}

    claim = await make(client, "/v1/claims", **body, item_ids=[item["id"]])
    estimate = claim["estimate"]
    assert [estimate[name] for name in ("gross", "indemnity", "deductible", "retention", "above_cover", "tax")] == [
        "180000.00", "107000.00", "1000.00", "12000.00", "30000.00", "30000.00",
    ]  # fmt: skip
    filed = await tell(client, f"/v1/claims/{claim['id']}/file", insurer_reference="CLM-1")
    assert (filed["state"], filed["indemnity_due_on"]) == ("filed", "2026-05-18")
    assert [one["kind"] for one in await rows(client, "/v1/cover-clocks")] == ["stop_delivery"]
    assert await refused(client, f"/v1/claims/{claim['id']}/file") == (409, "invalid_state")
    paid = await tell(client, f"/v1/claims/{claim['id']}/settle", outcome="indemnified", amount="107000.00")
    assert (paid["state"], paid["indemnity"]) == ("indemnified", "107000.00")
    shared = await make(
        client, f"/v1/claims/{claim['id']}/recoveries", amount="18000.00", received_on="2026-02-18"
    )
    assert shared["recoveries"][0]["insurer_share"] == "10700.00"

    # A second debt, forgotten until its date has passed: lost, said once, and good for collection only.
    await invoice(client, "C-1", "F-2", "6000.00", "2026-01-15", "2026-02-05", tax_amount="1000.00")
    await house.settle()
    await house.advance(to="2026-02-23")
    await house.settle()
    lost = await rows(client, "/v1/cover-clocks", state="foreclosed")
    assert [(one["item_number"], one["due_on"]) for one in lost] == [("F-2", "2026-02-22")]
    (second,) = await rows(client, "/v1/items", external_id="F-2")
    assert await refused(client, "/v1/claims", **body, item_ids=[second["id"]]) == (409, "foreclosed")
    collected = await make(client, "/v1/claims", **body, kind="collection_only", item_ids=[second["id"]])
    assert collected["estimate"]["standing"] == "nothing_insured"
    handed = await tell(client, f"/v1/claims/{collected['id']}/file")
    assert handed["indemnity_due_on"] is None
    assert (
        await refused(client, f"/v1/claims/{collected['id']}/settle", outcome="indemnified", amount="1.00")
    )[0] == 422
