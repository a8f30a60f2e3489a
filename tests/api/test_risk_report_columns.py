"""The risk report's columns from insurance, providers and currencies; its files; companies of 06:10."""

import csv
import io
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import pytest

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.exports import XLSX
from libs.kit.feed.events import Subject
from services.risk.storage import connections, syncs
from tests.api.fake_provider import FakeAdapter, connected
from tests.api.test_risk_providers import NUMBERS, connect, rows, sync, watch
from tests.api.test_risk_report import add_company, allow, owe, report

DAY = date(2026, 4, 21)


@pytest.fixture
async def client(service_client):
    return await service_client("risk", now="2026-03-31", user_id=new_id())


def cover(client, company_id: UUID, layer: str, amount: int, version: int = 1, **members: Any) -> None:
    """Let credit tell a cover, in euro cents."""
    state = {"company_id": company_id, "policy_id": new_id(), "layer": layer, "amount": amount, "currency": "EUR",
             "percent": "90", "effective_from": "2026-01-01", "expires_at": None, **members}  # fmt: skip
    client.publish("credit", "cover.changed", Subject(uuid5(company_id, layer), version, state))


async def test_guarantees_make_real_risk_of_an_outstanding(client) -> None:
    alpes = add_company(client, "Alpes")
    owe(client, alpes, 1, EUR=(180_000_00, 0, 0, 40_000_00))
    cover(client, alpes[0], "permanent", 100_000_00)
    cover(client, alpes[0], "temporary", 20_000_00, expires_at="2026-04-15")
    other = {"company_id": alpes[0], "kind": "bank", "amount": 10_000_00, "currency": "EUR", "valid_from": "2026-01-01",
             "valid_to": None}  # fmt: skip
    client.publish("credit", "other_guarantee.changed", Subject(new_id(), 1, other))
    clock = {"company_id": alpes[0], "kind": "notification", "date": "2026-04-20", "days_left": 20, "item_id": None,
             "policy_id": None, "amount": None, "currency": None, "state": "running"}  # fmt: skip
    client.publish("credit", "clock.approaching", Subject(new_id(), 1, clock))
    owe(client, add_company(client, "Spare"), 1, EUR=(5_000_00, 0, 0, 0))
    spare = next(row for row in (await report(client))["data"] if row["company"]["name"] == "Spare")
    cover(client, UUID(spare["company"]["id"]), "permanent", 8_000_00)
    shown = await report(client)
    row = next(row for row in shown["data"] if row["company"]["name"] == "Alpes")
    assert row["guarantees"] == {"permanent": "100000.00", "temporary": "20000.00", "topup": "0.00",
                                 "discretionary": "0.00", "non_named": "0.00"}  # fmt: skip
    figures = (
        "other_guarantees",
        "real_risk",
        "potential_risk",
        "uncovered",
        "spare_cover",
        "cover_expires_at",
    )
    assert [row[name] for name in figures] == [
        "10000.00",
        "50000.00",
        "90000.00",
        "50000.00",
        "0.00",
        "2026-04-15",
    ]
    assert row["next_clock"] == {"kind": "notification", "date": "2026-04-20", "item_id": None}
    totals = shown["totals"]
    assert (totals["real_risk"], totals["uncovered"], totals["spare_cover"]) == (
        "47000.00",
        "50000.00",
        "3000.00",
    )
    assert totals["guarantees"]["permanent"] == "108000.00"

    await client.live_until(DAY)  # the temporary cover and the clock are over
    row = next(row for row in (await report(client))["data"] if row["company"]["name"] == "Alpes")
    assert (row["guarantees"]["temporary"], row["real_risk"], row["next_clock"]) == ("0.00", "70000.00", None)
    cover(client, alpes[0], "permanent", 0, version=2, expires_at="2026-04-21")
    row = next(row for row in (await report(client))["data"] if row["company"]["name"] == "Alpes")
    assert row["real_risk"] == "170000.00"


async def test_advice_is_compared_with_what_is_owed_and_what_is_allowed(client) -> None:
    fake = FakeAdapter("fake")
    with connected(fake):
        alpes = add_company(client, "Alpes")
        owe(client, alpes, 1, EUR=(60_000_00, 0, 0, 0))
        allow(client, alpes[0], 45_000_00)
        connection_id, world = await connect(client, fake)
        world.companies["732829320"] = {
            "score": "14",
            "recommended_credit": "50000",
            "turnover": "1850000.5",
            "paydex": 72,
        }
        (row,) = (await report(client))["data"]
        assert (row["provider_data"], row["recommended_credit"]) == ("not_monitored", None)
        await watch(client, connection_id, alpes[0])
        (row,) = (await report(client))["data"]
        compared = (
            "recommended_credit",
            "recommended_minus_outstanding",
            "recommended_minus_limit",
            "turnover",
        )
        assert [row[name] for name in compared] == ["50000.00", "-10000.00", "5000.00", "1850000.50"]
        assert (row["score"], row["score_scale"], row["score_normalised"], row["paydex"]) == (
            "14",
            "0-20",
            "70.00",
            72,
        )
        assert row["provider_data"] == "known"
        kept = (
            ("monitored", "true", 1),
            ("monitored", "false", 0),
            ("stale", "true", 0),
            ("critical", "false", 1),
        )
        for name, wanted, count in kept:
            assert (await report(client, **{name: wanted}))["totals"]["companies"] == count
        for sort in ("-score", "recommended_minus_outstanding", "next_clock", "-uncovered", "-open_alerts"):
            assert len((await report(client, sort=sort))["data"]) == 1


async def test_totals_convert_each_currency_once_as_the_ledger_does(client) -> None:
    rate = {"base": "CHF", "quote": "EUR", "valid_on": "2026-03-01", "rate": "1.055"}
    client.publish("ledger", "rate.changed", Subject(new_id(), 1, rate))
    for name in ("A", "B", "C"):
        owe(client, add_company(client, name), 1, EUR=(100, 0, 0, 0), CHF=(101, 101, 0, 0), USD=(7, 0, 0, 0))
    owe(client, add_company(client, "D"), 1, EUR=(100, 0, 0, 0))
    shown = await report(client)
    outstanding = sorted(row["outstanding"] for row in shown["data"])
    assert outstanding == ["1.00", "2.07", "2.07", "2.07"]  # 1.01 CHF is 1.06555 EUR: 1.07 a row
    # … and 3.03 CHF is 3.19665 EUR: 3.20, not 3.21.
    assert (shown["totals"]["outstanding"], shown["totals"]["overdue"], shown["totals"]["not_due"]) == (
        "7.20",
        "3.20",
        "4.00",
    )
    assert shown["totals"]["unconverted"] == [{"currency": "USD", "amount": "0.21"}]


async def test_the_report_as_a_file_has_every_row(client) -> None:
    for number in range(3):
        owe(client, add_company(client, f"=Company {number}"), 1, EUR=(number * 100_00, 0, 0, 0))
    await client.settle()
    answer = await client.get("/v1/reports/risk", params={"limit": 1}, headers={"accept": "text/csv"})
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["Company"], line["Outstanding"], line["Real risk"]) for line in lines] == [
        ("'=Company 2", "200.00", "200.00"), ("'=Company 1", "100.00", "100.00"), ("'=Company 0", "0.00", "0.00"),
    ]  # fmt: skip
    sheet = await client.get("/v1/reports/risk", headers={"accept": XLSX})
    assert (sheet.status_code, sheet.content[:2]) == (200, b"PK")


async def test_a_kill_costs_no_second_question(client) -> None:
    """The list and each answer are committed as they come: whoever takes over asks only those who have not been asked."""
    paid = FakeAdapter("paid", billed=True)
    with connected(paid):
        companies = [add_company(client, f"C{n}")[0] for n in range(len(NUMBERS))]
        for company, number in zip(companies, NUMBERS, strict=True):
            state = {
                "name": number,
                "country": "FR",
                "registration_number": number,
                "group_id": company,
                "merged_into_id": None,
            }
            client.publish("ledger", "company.changed", Subject(company, 2, state))
        connection_id, world = await connect(client, paid)
        world.companies = {number: {"score": "14"} for number in NUMBERS}
        await client.settle()
        await watch(client, connection_id, *companies)
        world.calls.clear()
        tenant, connection = client.caller.tenant, UUID(connection_id)
        runtime = await client.stack.worker_runtime("risk")
        answer = await client.post(f"/v1/provider-connections/{connection_id}/sync")
        assert answer.status_code == 202
        # The worker asks one company and dies; of the next it has only written that it is about to ask.
        async with runtime.db.transaction(tenant) as tx:
            row = await connections.one(tx, connection)
            run = await syncs.next_of(tx, connection, clock.wall())
            assert row is not None and run is not None
            await syncs.enlist(tx, run["id"], connection, everybody=True, moved=[], older_than=tx.now)
            await syncs.update(tx, run["id"], {"state": "fetching"})
            first, second = await syncs.claim(tx, run["id"], connection, 2)
            asked = {"company_id": first["company_id"], "outcome": "unchanged", "error": None, "billed": True}
            await syncs.done(tx, run, [asked])
        await client.settle()
        assert world.calls["fetch"] == 1, "neither who has answered nor who may have been paid for"
        address = f"/v1/provider-connections/{connection_id}/syncs/{run['id']}/companies"
        listed = await rows(client, address)
        outcomes = {one["company_id"]: one["outcome"] for one in listed}
        assert outcomes[str(second["company_id"])] == "unknown"
        assert sorted(outcomes.values()) == ["unchanged", "unchanged", "unknown"]
        (unknown,) = await rows(client, address, outcome="unknown")
        assert unknown["billed"] is True
        assert (await sync(client, connection_id))["counts"]["unchanged"] == 3
