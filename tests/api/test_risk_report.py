"""The risk report and its alerts over HTTP, fed by the other services' events."""

from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject

AMOUNTS = ("outstanding", "overdue", "credits", "order_book")


@pytest.fixture
async def client(service_client):
    return await service_client("risk", now="2026-03-31", user_id=new_id())


def add_company(client, name: str, unit: UUID | None = None, segment: str = "Industry") -> tuple[UUID, UUID]:
    """A company with one customer, as the ledger tells it."""
    company_id, customer_id = new_id(), new_id()
    company = {"name": name, "country": "FR", "registration_number": "732829320", "group_id": company_id,
               "merged_into_id": None}  # fmt: skip
    customer = {
        "company_id": company_id, "business_unit_id": unit or client.main_business_unit_id, "external_id": name,
        "name": name, "segment": segment, "collector_user_id": None, "payer_profile": {"class": "good"},
    }  # fmt: skip
    client.publish("ledger", "company.changed", Subject(company_id, 1, company))
    client.publish("ledger", "customer.changed", Subject(customer_id, 1, customer))
    return company_id, customer_id


def owe(client, ids: tuple[UUID, UUID], version: int, **by_currency: tuple[int, int, int, int]) -> None:
    """Let the ledger say what the customer owes: outstanding, overdue, credits, order book, in minor units."""
    rows = [
        {"currency": code, **dict(zip(AMOUNTS, figures, strict=True))}
        for code, figures in by_currency.items()
    ]
    client.publish(
        "ledger", "balance.changed", Subject(ids[1], version, {"company_id": ids[0], "rows": rows})
    )


def allow(client, company_id: UUID, amount: int, version: int = 1, state: str = "approved") -> None:
    """Let credit say what limit a company has, in euro cents."""
    limit = {"state": state, "amount": amount, "currency": "EUR", "valid_from": "2026-01-01",
             "valid_until": "2026-12-31", "pending_request_id": None}  # fmt: skip
    client.publish("credit", "limit.changed", Subject(company_id, version, limit))


async def report(client, **query: Any) -> dict[str, Any]:
    await client.settle()
    answer = await client.get("/v1/reports/risk", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_company_shows_what_it_owes_and_what_it_may_owe(client) -> None:
    alpes = add_company(client, "Fonderie des Alpes")
    owe(client, alpes, 1, EUR=(120_000_00, 30_000_00, -5_000_00, 40_000_00))
    allow(client, alpes[0], 100_000_00)
    shown = await report(client)
    (row,) = shown["data"]
    assert row["company"]["name"] == "Fonderie des Alpes"
    assert (row["outstanding"], row["not_due"], row["overdue"], row["credits"]) == (
        "120000.00", "95000.00", "30000.00", "-5000.00",
    )  # fmt: skip
    assert (row["limit"], row["limit_used_percent"], row["overrun"]) == ("100000.00", "120.0", "20000.00")
    assert (row["real_risk"], row["potential_risk"]) == ("120000.00", "160000.00")
    assert (row["provider_data"], row["score"], row["payer_class"]) == ("not_connected", None, "good")
    assert shown["totals"]["companies"] == 1
    assert shown["totals"]["overrun"] == "20000.00"


async def test_an_older_balance_never_overrides_a_newer_one(client) -> None:
    alpes = add_company(client, "Alpes")
    owe(client, alpes, 7, EUR=(700, 0, 0, 0))
    owe(client, alpes, 6, EUR=(600, 0, 0, 0))
    assert (await report(client))["data"][0]["outstanding"] == "7.00"


async def test_totals_are_over_all_pages_and_pages_follow_the_sort(client) -> None:
    for number in range(5):
        owe(client, add_company(client, f"Company {number}"), 1, EUR=(number * 100, 0, 0, 0))
    names, cursor = [], None
    while True:
        page = await report(client, limit=2, sort="-outstanding", **({"cursor": cursor} if cursor else {}))
        assert page["totals"]["outstanding"] == "10.00"
        names += [row["company"]["name"] for row in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == [f"Company {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "scie"}, ["Scierie"]),
        ({"q": "100%"}, []),
        ({"segment": "Wood"}, ["Scierie"]),
        ({"limit_state": "approved"}, ["Alpes"]),
        ({"overrun_only": "true"}, ["Alpes"]),
        ({"min_outstanding": "150.00"}, ["Alpes"]),
        ({"country": "DE"}, []),
        ({"sort": "name"}, ["Alpes", "Scierie"]),
        ({"sort": "-name"}, ["Scierie", "Alpes"]),
    ],
)
async def test_filters_and_sorts(client, query: dict[str, str], names: list[str]) -> None:
    alpes = add_company(client, "Alpes")
    owe(client, alpes, 1, EUR=(200_00, 0, 0, 0))
    allow(client, alpes[0], 100_00)
    owe(client, add_company(client, "Scierie", segment="Wood"), 1, EUR=(100_00, 0, 0, 0))
    shown = await report(client, **query)
    assert [row["company"]["name"] for row in shown["data"]] == names
    assert shown["totals"]["companies"] == len(names)


async def test_a_total_of_uncovered_is_the_sum_of_the_rows(client) -> None:
    owe(client, add_company(client, "Debtor"), 1, EUR=(100_00, 0, 0, 0))
    owe(client, add_company(client, "Creditor"), 1, EUR=(-60_00, 0, -60_00, 0))
    totals = (await report(client))["totals"]
    assert (totals["real_risk"], totals["uncovered"], totals["spare_cover"]) == ("40.00", "100.00", "60.00")


async def test_the_perimeter_hides_companies_but_not_parts_of_one(client) -> None:
    lyon = client.add_business_unit("LYON")
    owe(client, add_company(client, "Elsewhere"), 1, EUR=(100_00, 0, 0, 0))
    both = add_company(client, "Both", unit=lyon)
    owe(client, both, 1, EUR=(10_00, 0, 0, 0))
    second = new_id()
    state = {"company_id": both[0], "business_unit_id": client.main_business_unit_id, "external_id": "B2", "name": "B2",
             "segment": None, "collector_user_id": None, "payer_profile": None}  # fmt: skip
    client.publish("ledger", "customer.changed", Subject(second, 1, state))
    owe(client, (both[0], second), 1, EUR=(5_00, 0, 0, 0))
    await client.settle()
    seen = await report(client.acting(perimeter=[lyon]))
    assert [(row["company"]["name"], row["outstanding"]) for row in seen["data"]] == [("Both", "15.00")]
    assert seen["totals"]["outstanding"] == "15.00"


async def test_currencies_follow_the_rate_and_stand_apart_without_one(client) -> None:
    alpes = add_company(client, "Alpes")
    owe(client, alpes, 1, EUR=(100_00, 0, 0, 0), CHF=(100_00, 0, 0, 0))
    (row,) = (await report(client))["data"]
    assert (row["outstanding"], row["unconverted"]) == ("100.00", [{"currency": "CHF", "amount": "100.00"}])
    rate = {"base": "CHF", "quote": "EUR", "valid_on": "2026-03-01", "rate": "1.05"}
    client.publish("ledger", "rate.changed", Subject(new_id(), 1, rate))
    (row,) = (await report(client))["data"]
    assert (row["outstanding"], row["rate_date"], row["unconverted"]) == ("205.00", "2026-03-01", [])


async def test_an_overrun_opens_one_alert_which_closes_with_it(client) -> None:
    alpes = add_company(client, "Alpes")
    allow(client, alpes[0], 100_00)
    owe(client, alpes, 1, EUR=(150_00, 0, 0, 0))
    await client.settle()
    owe(client, alpes, 2, EUR=(160_00, 0, 0, 0))
    await client.settle()
    (alert,) = (await client.get("/v1/alerts")).json()["data"]
    assert (alert["kind"], alert["state"], alert["company_id"]) == ("limit_exceeded", "open", str(alpes[0]))
    assert alert["evidence"]["overrun"] == "50.00"  # as it stood when it opened
    assert (await report(client))["data"][0]["open_alerts"] == 1
    seen = await client.post(f"/v1/alerts/{alert['id']}/acknowledge")
    assert seen.json()["state"] == "acknowledged"
    again = await client.post(f"/v1/alerts/{alert['id']}/acknowledge")
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    owe(client, alpes, 3, EUR=(90_00, 0, 0, 0))
    await client.settle()
    assert (await client.get("/v1/alerts", params={"state": "closed"})).json()["data"][0]["id"] == alert["id"]
    assert (await report(client))["data"][0]["open_alerts"] == 0


async def test_an_alert_closed_by_hand_stays_closed_until_its_condition_comes_back(client) -> None:
    alpes = add_company(client, "Alpes")
    allow(client, alpes[0], 100_00)
    owe(client, alpes, 1, EUR=(150_00, 0, 0, 0))
    await client.settle()
    (alert,) = (await client.get("/v1/alerts")).json()["data"]
    assert (await client.post(f"/v1/alerts/{alert['id']}/close")).json()["state"] == "closed"
    for version, amount in ((2, 170_00), (3, 50_00), (4, 180_00)):
        owe(client, alpes, version, EUR=(amount, 0, 0, 0))
        await client.settle()
        live = (await client.get("/v1/alerts", params={"state": "open"})).json()["data"]
        assert len(live) == (1 if version == 4 else 0)


async def test_a_company_merged_away_leaves_the_report(client) -> None:
    first, second = add_company(client, "First"), add_company(client, "Second")
    owe(client, first, 1, EUR=(1_00, 0, 0, 0))
    owe(client, second, 1, EUR=(2_00, 0, 0, 0))
    await client.settle()
    client.publish("ledger", "company.merged", Subject(second[0], 2, {"into_id": first[0]}))
    moved = {"company_id": first[0], "business_unit_id": client.main_business_unit_id, "external_id": "Second",
             "name": "Second", "segment": None, "collector_user_id": None, "payer_profile": None}  # fmt: skip
    client.publish("ledger", "customer.changed", Subject(second[1], 2, moved))
    shown = await report(client)
    assert [(row["company"]["name"], row["outstanding"]) for row in shown["data"]] == [("First", "3.00")]
