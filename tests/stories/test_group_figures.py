"""A group of two companies that owes to three business units in two currencies."""

from typing import Any

import pytest

from libs.testkit.clients import CheckedClient
from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import account, invoice, make, person, read, rows

HOLDING = {"country": "FR", "name": "Rhône Holding", "registration_number": "552 081 317"}
FOUNDRY = {"country": "FR", "name": "Fonderie du Rhône", "registration_number": "732 829 320"}


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def business_units(house: TestTenant) -> tuple[str, str, str]:
    (main,) = (await read(house.client, "/v1/business-units"))["data"]
    lyon = await make(house.client, "/v1/business-units", code="lyon", name="Lyon")
    zurich = await make(house.client, "/v1/business-units", code="zurich", name="Zürich")
    return main["id"], lyon["id"], zurich["id"]


async def group_of_two(house: TestTenant, main: str, lyon: str, zurich: str) -> tuple[str, str]:
    """The holding buys from the main unit, its foundry from Lyon (euros) and Zürich (francs); the ids of both."""
    erp = house.client
    holding = (await account(erp, "H-1", "Rhône Holding", company=HOLDING))["company"]["id"]
    at_lyon = await account(erp, "F-1", "Fonderie, Lyon", company=FOUNDRY, business_unit_id=lyon)
    at_zurich = await account(
        erp, "F-1", "Fonderie, Zürich", company=FOUNDRY, business_unit_id=zurich, currency="CHF"
    )
    foundry = at_lyon["company"]["id"]
    assert at_zurich["company"]["id"] == foundry, "two accounts, one legal entity"
    placed = await erp.put(f"/v1/companies/{foundry}/parent", json={"parent_id": holding})
    assert placed.json()["group_id"] == holding

    await invoice(erp, "H-1", "M-1", "1000.00", "2026-01-10", "2026-02-10")
    await invoice(erp, "F-1", "L-1", "400.00", "2026-03-10", "2026-04-10", business_unit_id=lyon)
    await invoice(
        erp, "F-1", "Z-1", "200.00", "2026-03-01", "2026-03-15", business_unit_id=zurich, currency="CHF"
    )
    await account(erp, "O-1", "Somebody else")
    await invoice(erp, "O-1", "M-2", "77.00", "2026-03-10", "2026-04-10")
    return holding, foundry


def figures(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["currency"], row["outstanding"], row["overdue"]


async def names(client: CheckedClient, path: str, **query: Any) -> set[str]:
    return {row["name"] for row in await rows(client, path, **query)}


@pytest.mark.feature("L13", "G21", "F1", "F9")
async def test_a_group_owes_what_its_companies_owe(house: TestTenant) -> None:
    erp = house.client
    units = await business_units(house)
    holding, foundry = await group_of_two(house, *units)

    of_group = await rows(erp, "/v1/balances", by="group", group_id=holding)
    assert sorted(map(figures, of_group)) == [("CHF", "200.00", "200.00"), ("EUR", "1400.00", "1000.00")]
    assert {row["name"] for row in of_group} == {"Rhône Holding"}
    of_companies = await rows(erp, "/v1/balances", by="company", group_id=holding)
    assert sorted((row["id"], *figures(row)) for row in of_companies) == sorted(
        [
            (holding, "EUR", "1000.00", "1000.00"),
            (foundry, "EUR", "400.00", "0.00"),
            (foundry, "CHF", "200.00", "200.00"),
        ]
    )

    # Without a rate francs stand apart and are in no sum; with one everything is in euros, and its day is told.
    bare = await read(erp, "/v1/reports/ageing", by="business_unit")
    assert (bare["totals"]["outstanding"], bare["rate_date"]) == ("1477.00", None)
    assert bare["totals"]["unconverted"] == [{"currency": "CHF", "amount": "200.00"}]
    rates = [
        {"base": "CHF", "quote": "EUR", "valid_on": "2026-03-02", "rate": "1.05"},
        {"base": "CHF", "quote": "EUR", "valid_on": "2026-03-30", "rate": "1.06"},
    ]
    assert (await erp.put("/v1/exchange-rates", json={"data": rates})).status_code == 200
    ageing = await read(erp, "/v1/reports/ageing", by="business_unit")
    assert (ageing["currency"], ageing["rate_date"]) == ("EUR", "2026-03-30")
    assert {row["key"]: row["outstanding"] for row in ageing["data"]} == dict(
        zip(units, ("1077.00", "400.00", "212.00"), strict=True)
    )
    assert ageing["totals"]["outstanding"] == "1689.00"
    earlier = await read(erp, "/v1/reports/ageing", by="total", as_of="2026-03-29")
    assert (earlier["totals"]["outstanding"], earlier["rate_date"]) == ("1687.00", "2026-03-02")

    await house.settle()
    risk = await read(erp, "/v1/reports/risk", group_id=holding)
    assert {row["company"]["name"]: row["outstanding"] for row in risk["data"]} == {
        "Rhône Holding": "1000.00", "Fonderie du Rhône": "612.00",
    }  # fmt: skip
    assert (risk["totals"]["outstanding"], risk["totals"]["overdue"]) == ("1612.00", "1212.00")


@pytest.mark.feature("L13", "F112")
async def test_a_collector_in_lyon_sees_lyon(house: TestTenant) -> None:
    main, lyon, zurich = await business_units(house)
    holding, foundry = await group_of_two(house, main, lyon, zurich)
    _, claire = await person(house, "Claire", "collector", perimeter=[lyon])
    await house.settle()

    assert await names(claire, "/v1/customers") == {"Fonderie, Lyon"}
    assert [row["number"] for row in await rows(claire, "/v1/items")] == ["L-1"]
    assert await names(claire, "/v1/balances") == {"Fonderie, Lyon"}
    ageing = await read(claire, "/v1/reports/ageing", by="business_unit")
    assert [(row["key"], row["outstanding"]) for row in ageing["data"]] == [(lyon, "400.00")]
    assert ageing["totals"]["outstanding"] == "400.00"
    assert ageing["totals"]["unconverted"] == []

    # A company's figures cover the whole company, whoever asks; a company without an account in Lyon is not there.
    company = await rows(claire, "/v1/balances", by="company")
    assert sorted((row["id"], *figures(row)) for row in company) == sorted(
        [(foundry, "EUR", "400.00", "0.00"), (foundry, "CHF", "200.00", "200.00")]
    )
    risk = await read(claire, "/v1/reports/risk")
    assert [row["company"]["id"] for row in risk["data"]] == [foundry]
    elsewhere = (await rows(house.client, "/v1/items", number="Z-1"))[0]["id"]
    for path in (
        f"/v1/items/{elsewhere}",
        f"/v1/companies/{holding}",
        f"/v1/companies/{holding}/credit-limit",
    ):
        assert (await claire.get(path)).status_code == 404, path
    theirs = await claire.post(f"/v1/items/{elsewhere}/write-off", json={})
    assert theirs.status_code == 404
