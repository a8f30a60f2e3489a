"""Providers connected, portfolios steered, companies read, every change remembered: risk over HTTP against a fake provider."""

import time
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject
from services.risk.providers.errors import AuthRefused, ProviderUnavailable, RateLimited, Uncertain
from services.risk.storage import monitorings
from services.risk.usecases import desk
from tests.api.fake_provider import FakeAdapter, World, connected, event

DAY = date(2026, 4, 9)
NUMBERS = ("732829320", "552100554", "542051180")


@pytest.fixture
def fake():
    adapter = FakeAdapter("fake")
    with connected(adapter):
        yield adapter


@pytest.fixture
async def client(service_client, fake):
    return await service_client("risk", now="2026-03-31", user_id=new_id())


def add_company(client, name: str, number: str | None) -> UUID:
    """A company with one customer, as the ledger tells it."""
    company_id = new_id()
    company = {"name": name, "country": "FR", "registration_number": number, "vat_number": None, "group_id": company_id,
               "merged_into_id": None}  # fmt: skip
    customer = {
        "company_id": company_id, "business_unit_id": client.main_business_unit_id, "external_id": name, "name": name,
        "segment": "Industry", "collector_user_id": None, "payer_profile": None,
    }  # fmt: skip
    client.publish("ledger", "company.changed", Subject(company_id, 1, company))
    client.publish("ledger", "customer.changed", Subject(new_id(), 1, customer))
    return company_id


async def connect(client, fake: FakeAdapter, **members: Any) -> tuple[str, World]:
    """A connection, and what its provider knows."""
    body = {
        "provider": fake.key,
        "credentials": {"password": "right"},
        "name": f"{fake.key} {new_id()}",
        **members,
    }
    answer = await client.post("/v1/provider-connections", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], fake.worlds[UUID(answer.json()["id"])]


async def watch(client, connection_id: str, *companies: UUID) -> None:
    body = {"provider_connection_id": connection_id, "company_ids": [str(company) for company in companies]}
    answer = await client.post("/v1/monitorings/bulk", json=body)
    assert answer.status_code == 200, answer.text
    await client.settle()


async def sync(client, connection_id: str, **body: Any) -> dict[str, Any]:
    """Synchronise now and wait; the sync with its counts."""
    answer = await client.post(f"/v1/provider-connections/{connection_id}/sync", json=body)
    assert answer.status_code == 202, answer.text
    await client.settle()
    syncs = (await client.get(f"/v1/provider-connections/{connection_id}/syncs")).json()["data"]
    return next(one for one in syncs if one["id"] == answer.json()["id"])


async def risk(client, company_id: UUID, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/v1/companies/{company_id}/risk", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rows(client, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_connection_hides_its_credentials_and_says_whether_they_work(client, fake) -> None:
    catalogue = {one["key"]: one for one in await rows_of_catalogue(client)}
    assert catalogue["fake"]["capabilities"]["fields"]["headcount"] == "no"
    assert set(catalogue["fake"]["capabilities"]["fields"].values()) == {"yes", "no"}

    connection_id, _ = await connect(
        client, fake, credentials={"password": "wrong"}, contract_holder="Infolegale"
    )
    address = f"/v1/provider-connections/{connection_id}"
    shown = await client.get(address)
    assert "wrong" not in shown.text and "credentials" not in shown.json()
    assert (shown.json()["credentials_set"], shown.json()["contract_holder"]) == (True, "Infolegale")
    stored = await client.stack.sql(
        "risk", "SELECT credentials_sealed FROM provider_connections WHERE id = $1", UUID(connection_id)
    )
    assert "wrong" not in stored[0]["credentials_sealed"]

    refused = (await client.post(f"{address}/test")).json()
    assert (refused["ok"], refused["error"]["code"], refused["error"]["provider_code"]) == (
        False,
        "auth",
        "401",
    )
    assert (await client.get(address)).json()["state"] == "refused"
    assert (await client.post(f"{address}/sync")).json()["code"] == "invalid_state"
    mended = await client.patch(address, json={"credentials": {"password": "right"}})
    assert (mended.json()["state"], mended.json()["error"]) == ("active", None)
    assert (await client.post(f"{address}/test")).json()["ok"] is True

    flawed = await client.post(
        "/v1/provider-connections", json={"provider": "fake", "name": "F", "options": {"broken": True}}
    )
    assert flawed.json()["errors"][0]["pointer"] == "/options/broken"
    unknown = await client.post("/v1/provider-connections", json={"provider": "nobody", "name": "N"})
    assert unknown.json()["errors"][0]["code"] == "adapter_unknown"
    taken = await client.post(
        "/v1/provider-connections", json={"provider": "fake", "name": shown.json()["name"]}
    )
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert (await client.delete(address)).status_code == 204
    assert (await client.get(address)).status_code == 404
    reader = client.acting("risk:read")
    assert (await reader.post("/v1/provider-connections", json={"provider": "fake"})).status_code == 403


async def rows_of_catalogue(client) -> list[dict[str, Any]]:
    answer = await client.get("/v1/providers")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_what_a_provider_says_is_kept_apart_from_what_it_does_not_say(client, fake) -> None:
    alpes = add_company(client, "Alpes", NUMBERS[0])
    connection_id, world = await connect(client, fake)
    world.companies[NUMBERS[0]] = {
        "score": "14", "recommended_credit": "50000", "legal_status": "none", "privileges_amount": "0",
        "portal_url": "https://fake.example/732829320", "history": {"2025-10-01": "12", "2026-01-01": "13"},
    }  # fmt: skip
    await client.settle()
    await watch(client, connection_id, alpes)
    shown = await risk(client, alpes, series=["score"])
    values = shown["canonical"]
    assert (values["score"]["value"], values["score"]["normalised"], values["score"]["provider"]) == (
        "14",
        "70.00",
        "fake",
    )
    assert values["score"]["scale"] == {"min": "0", "max": "20", "better": "high"}
    states = {name: values[name]["state"] for name in ("privileges_amount", "paydex", "headcount")}
    assert states == {"privileges_amount": "known", "paydex": "no_data", "headcount": "not_supplied"}
    assert (values["privileges_amount"]["value"], values["paydex"]["value"]) == ("0", None)
    assert (values["trend"]["value"], values["trend"]["detail"]) == ("up", {"source": "computed"})
    assert [point["value"] for point in shown["series"]["score"]] == ["12", "13", "14"]
    assert shown["portal_url"] == "https://fake.example/732829320"
    (record,) = shown["by_provider"]
    assert (record["provider"], record["stale"], record["mapping_version"]) == ("fake", False, 1)
    assert [m["state"] for m in shown["monitoring"]] == ["member"]

    history = await rows(client, f"/v1/companies/{alpes}/risk/history", field="score")
    assert [(one["new"]["value"], one["origin"]) for one in history] == [
        ("14", "fetched"), ("13", "back_filled"), ("12", "back_filled"),
    ]  # fmt: skip
    picture = await client.get(f"/v1/companies/{alpes}/risk/sparkline.svg", params={"field": "score"})
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.count("H") == 3
    wrong = await client.get(f"/v1/companies/{alpes}/risk/history", params={"field": "shoe_size"})
    assert wrong.status_code == 422


async def test_only_what_changed_makes_history_and_a_snapshot(client, fake) -> None:
    alpes = add_company(client, "Alpes", NUMBERS[0])
    connection_id, world = await connect(client, fake)
    world.companies[NUMBERS[0]] = {"score": "14", "paydex": 72}
    await client.settle()
    await watch(client, connection_id, alpes)
    assert (await sync(client, connection_id))["counts"]["unchanged"] == 1
    world.companies[NUMBERS[0]] = {"score": "14", "paydex": "error"}
    assert (await sync(client, connection_id))["counts"]["changed"] == 1
    kept = (await risk(client, alpes))["canonical"]["paydex"]
    assert (kept["state"], kept["value"]) == ("known", 72), "a part that could not be had is no news"
    world.companies[NUMBERS[0]] = {"score": "9", "paydex": 72, "as_of": "2026-03-31"}
    await sync(client, connection_id)
    changes = await rows(client, f"/v1/companies/{alpes}/risk/history")
    told = [(one["field"], one["old"] and one["old"]["value"], one["new"]["value"]) for one in changes]
    assert told == [("score", "14", "9"), ("paydex", None, 72), ("score", None, "14")] or told == [
        ("score", "14", "9"), ("score", None, "14"), ("paydex", None, 72),
    ]  # fmt: skip
    snapshots = await rows(client, f"/v1/companies/{alpes}/risk/snapshots")
    assert [one["fields"]["score"]["value"] for one in snapshots] == ["9", "14", "14"]
    raw = await client.get(f"/v1/companies/{alpes}/risk/snapshots/{snapshots[0]['id']}/raw")
    assert raw.json()["parts"][0]["part"] == "facts"
    events = await client.stack.sql(
        "risk",
        "SELECT type FROM events WHERE tenant_id = $1 AND type = 'provider_data.changed'",
        client.tenant_id,
    )
    assert len(events) == 2


async def test_bad_news_opens_alerts_at_once_and_worse_news_another(client, fake) -> None:
    alpes = add_company(client, "Alpes", NUMBERS[0])
    connection_id, world = await connect(client, fake)
    world.companies[NUMBERS[0]] = {"score": "14", "legal_status": "none", "privileges_amount": "0"}
    await client.settle()
    await watch(client, connection_id, alpes)
    assert await rows(client, "/v1/alerts") == []

    world.companies[NUMBERS[0]] = {
        "score": "8",
        "legal_status": "receivership",
        "privileges_amount": "12000.50",
        "as_of": "2026-03-31",
    }
    await sync(client, connection_id)
    opened = {one["kind"]: one for one in await rows(client, "/v1/alerts", state="open")}
    assert set(opened) == {"proceedings_opened", "privilege_registered", "score_fall"}
    assert opened["proceedings_opened"]["evidence"]["legal_status"] == "receivership"
    assert (opened["score_fall"]["evidence"]["from"], opened["score_fall"]["evidence"]["to"]) == (
        "70.00",
        "40.00",
    )
    assert opened["privilege_registered"]["evidence"]["privileges_amount"] == {
        "value": "12000.50",
        "currency": "EUR",
    }
    assert {one["criticality"] for one in opened.values()} == {"critical"}
    shown = await risk(client, alpes)
    assert (shown["critical"], shown["open_alerts"]) == (True, 3)

    await sync(client, connection_id)
    assert len(await rows(client, "/v1/alerts")) == 3, "once a company while it holds"
    world.companies[NUMBERS[0]] = {
        "score": "8",
        "legal_status": "liquidation",
        "privileges_amount": "12000.50",
        "as_of": "2026-03-31",
    }
    await sync(client, connection_id)
    proceedings = await rows(client, "/v1/alerts", kind="proceedings_opened")
    assert [(one["state"], one["evidence"]["legal_status"]) for one in proceedings] == [
        ("open", "liquidation"), ("closed", "receivership"),
    ]  # fmt: skip
    (row,) = (await client.get("/v1/reports/risk", params={"critical": "true"})).json()["data"]
    assert (row["legal_status"], row["privileges_amount"], row["critical"]) == (
        "liquidation",
        "12000.50",
        True,
    )
    told = await client.stack.sql(
        "risk",
        "SELECT subjects FROM events WHERE tenant_id = $1 AND type = 'legal_status.changed' ORDER BY id",
        client.tenant_id,
    )
    assert ["receivership" in one["subjects"] for one in told] == [True, False]


async def test_a_provider_that_is_down_is_left_alone_and_nothing_is_taken_for_clean(client, fake) -> None:
    companies = [add_company(client, f"C{n}", number) for n, number in enumerate(NUMBERS)]
    connection_id, world = await connect(client, fake)
    for number in NUMBERS:
        world.companies[number] = {"score": "14", "legal_status": "none"}
    await client.settle()
    await watch(client, connection_id, *companies)
    world.fail(f"fetch:{NUMBERS[1]}", RateLimited("slow down"), ProviderUnavailable("hiccup"))
    assert (await sync(client, connection_id))["counts"] == {
        "companies": 3, "done": 3, "changed": 0, "unchanged": 3, "not_found": 0, "failed": 0, "unknown": 0, "over_budget": 0,
        "billed": 0,
    }  # fmt: skip
    world.fail("fetch", *[ProviderUnavailable("down")] * 999)
    down = await sync(client, connection_id)
    assert (down["state"], down["counts"]["failed"], down["error"]["code"]) == ("failed", 3, "unavailable")
    operation = (await client.get(f"/v1/operations/{down['operation_id']}")).json()
    assert (operation["status"], operation["error"]["code"]) == ("failed", "provider_unavailable")
    shown = (await client.get(f"/v1/provider-connections/{connection_id}")).json()
    assert (shown["circuit"]["state"], shown["error"]["code"]) == ("open", "unavailable")
    assert (await risk(client, companies[0]))["canonical"]["legal_status"]["value"] == "none", (
        "as it was last known"
    )

    await client.live_until(DAY)
    stale = await rows(client, "/v1/alerts", kind="stale_data")
    assert len(stale) == 3
    shown = await risk(client, companies[0])
    assert (shown["stale"], shown["canonical"]["score"]["stale"], shown["critical"]) == (True, True, False)
    await client.stack.sql(
        "risk",
        "UPDATE provider_connections SET closed_until = NULL, failures = 0 WHERE id = $1",
        UUID(connection_id),
    )
    world.failures.clear()
    assert (await sync(client, connection_id))["counts"]["unchanged"] == 3
    assert await rows(client, "/v1/alerts", kind="stale_data", state="open") == []


async def test_refused_credentials_stop_everything_until_they_are_mended(client, fake) -> None:
    alpes = add_company(client, "Alpes", NUMBERS[0])
    connection_id, world = await connect(client, fake)
    world.companies[NUMBERS[0]] = {"score": "14"}
    await client.settle()
    await watch(client, connection_id, alpes)
    world.fail("fetch", AuthRefused("no"))
    assert (await sync(client, connection_id))["error"]["code"] == "auth"
    assert world.calls["fetch"] == 2, "once for the first reading, once refused, never again"
    assert (await client.get(f"/v1/provider-connections/{connection_id}")).json()["state"] == "refused"


async def test_a_portfolio_is_steered_from_here(client, fake) -> None:
    exact, twin, _ = (
        add_company(client, name, number)
        for name, number in (("Exact", NUMBERS[0]), ("Twin", None), ("Nobody", None))
    )
    connection_id, world = await connect(client, fake)
    world.companies = {NUMBERS[0]: {"name": "Exact", "score": "10"}, NUMBERS[1]: {"name": "Twin", "score": "11"},
                       NUMBERS[2]: {"name": "Twin", "score": "12"}}  # fmt: skip
    world.portfolio.add(NUMBERS[0])  # added in the provider's own portal long ago
    await client.settle()
    body = {"provider_connection_id": connection_id}
    first = await client.post("/v1/monitorings", json={**body, "company_id": str(exact)})
    assert (first.status_code, first.json()["state"]) == (201, "adding")
    bulk = (
        await client.post("/v1/monitorings/bulk", json={**body, "criteria": {"segment": ["Industry"]}})
    ).json()
    assert (bulk["matched"], bulk["adding"], bulk["already"]) == (3, 2, 1)
    await client.settle()
    found = {one["company_name"]: one for one in await rows(client, "/v1/monitorings")}
    assert {name: one["state"] for name, one in found.items()} == {
        "Exact": "member",
        "Twin": "failed",
        "Nobody": "failed",
    }
    assert (found["Twin"]["error"]["code"], found["Nobody"]["error"]["code"]) == (
        "match_ambiguous",
        "not_found",
    )
    again = await client.post("/v1/monitorings", json={**body, "company_id": str(exact)})
    assert (again.status_code, again.json()["state"]) == (200, "member")

    matches = (await client.post(f"/v1/companies/{twin}/provider-matches", json=body)).json()
    assert (len(matches["candidates"]), matches["matched"]) == (2, None)
    chosen = f"ref-{NUMBERS[2]}"
    confirmed = await client.post(
        f"/v1/companies/{twin}/provider-matches/confirm", json={**body, "provider_reference": chosen}
    )
    assert (confirmed.json()["state"], confirmed.json()["match_kind"]) == ("adding", "manual")
    await client.settle()
    (member,) = await rows(client, "/v1/monitorings", company_id=str(twin))
    assert (member["state"], member["provider_reference"]) == ("member", chosen)

    world.fail("remove", Uncertain("no answer"))
    assert (await client.delete(f"/v1/monitorings/{found['Exact']['id']}")).status_code == 204
    await client.settle()
    (unknown,) = await rows(client, "/v1/monitorings", company_id=str(exact))
    assert unknown["state"] == "member", "asked what became of it, the portfolio says it is still there"
    await client.delete(f"/v1/monitorings/{found['Exact']['id']}")
    await client.settle()
    assert await rows(client, "/v1/monitorings", company_id=str(exact)) == []
    assert NUMBERS[0] not in world.portfolio
    assert (await client.delete(f"/v1/provider-connections/{connection_id}")).json()["code"] == "in_use"


async def test_two_providers_disagree_and_the_policy_decides(client, fake) -> None:
    second = FakeAdapter("second")
    with connected(second):
        alpes = add_company(client, "Alpes", NUMBERS[0])
        one, first_world = await connect(client, fake, priority=1)
        two, second_world = await connect(client, second, priority=2)
        first_world.companies[NUMBERS[0]] = {
            "score": "14",
            "legal_status": "none",
            "turnover": "900",
            "as_of": "2026-03-01",
        }
        second_world.companies[NUMBERS[0]] = {
            "score": "6", "legal_status": "receivership", "turnover": "1000", "paydex": 60, "as_of": "2026-03-20",
        }  # fmt: skip
        await client.settle()
        await watch(client, one, alpes)
        await watch(client, two, alpes)
        values = (await risk(client, alpes))["canonical"]
        picked = {
            name: (values[name]["value"], values[name]["provider"])
            for name in ("score", "legal_status", "turnover", "paydex")
        }
        assert picked == {"score": ("14", "fake"), "legal_status": ("receivership", "second"), "turnover": ("900", "fake"),
                          "paydex": (60, "second")}  # fmt: skip
        policy = await client.put(
            "/v1/provider-policy",
            json={"rules": {"turnover": "latest", "score": "worst", "legal_status": "priority"}},
        )
        assert policy.status_code == 200, policy.text
        values = (await risk(client, alpes))["canonical"]
        assert [values[name]["value"] for name in ("turnover", "score", "legal_status")] == [
            "1000",
            "6",
            "none",
        ]
        (row,) = (await client.get("/v1/reports/risk")).json()["data"]
        assert (row["turnover"], row["score"], set(row["by_provider"])) == (
            "1000.00",
            "6",
            {"fake", "second"},
        )
        assert (await client.put("/v1/provider-policy", json={"rules": {"hat": "worst"}})).status_code == 422


async def test_stored_answers_are_understood_anew_without_asking(client, fake) -> None:
    alpes = add_company(client, "Alpes", NUMBERS[0])
    connection_id, world = await connect(client, fake)
    world.companies[NUMBERS[0]] = {"score": "14", "activity": "2451Z"}
    await client.settle()
    await watch(client, connection_id, alpes)
    assert (await risk(client, alpes))["canonical"]["activity"]["state"] == "no_data"
    fake.mapping_version = 2
    before = world.calls["fetch"]
    answer = await client.post(f"/v1/provider-connections/{connection_id}/remap")
    assert answer.status_code == 202, answer.text
    await client.settle()
    shown = await risk(client, alpes)
    assert (shown["canonical"]["activity"]["value"], shown["by_provider"][0]["mapping_version"]) == (
        "2451Z",
        2,
    )
    assert world.calls["fetch"] == before
    (change,) = await rows(client, f"/v1/companies/{alpes}/risk/history", field="activity")
    assert change["origin"] == "remapped"
    connection = (await client.get(f"/v1/provider-connections/{connection_id}")).json()
    assert (connection["mapping_version"], connection["latest_mapping_version"]) == (2, 2)


async def test_reading_that_is_paid_for_follows_events_and_keeps_to_the_budget(client) -> None:
    paid = FakeAdapter("paid", billed=True)
    with connected(paid):
        companies = [add_company(client, f"C{n}", number) for n, number in enumerate(NUMBERS)]
        connection_id, world = await connect(client, paid, budget={"billed_calls_per_month": 5})
        for number in NUMBERS:
            world.companies[number] = {"score": "14"}
        await client.settle()
        await watch(client, connection_id, *companies)
        assert world.calls["fetch"] == 3
        world.companies[NUMBERS[0]] = {"score": "13", "as_of": "2026-03-31"}
        world.events = [event("e1", NUMBERS[0]), event("e2", "999999999")]
        await client.live_until(DAY.replace(day=1))
        assert world.calls["fetch"] == 4, "only who moved is read"
        assert world.acknowledged == ["e1", "e2"]
        assert (await risk(client, companies[0]))["canonical"]["score"]["value"] == "13"
        (untouched,) = await rows(client, "/v1/monitorings", company_id=str(companies[1]))
        assert untouched["last_outcome"] == "no_event"
        shown = (await client.get(f"/v1/provider-connections/{connection_id}")).json()
        assert shown["budget"] == {"billed_calls_per_month": 5, "billed_calls_this_month": 1}, (
            "a new month has begun"
        )
        spent = await client.stack.sql(
            "risk", "SELECT sum(calls) AS n FROM billed_calls WHERE tenant_id = $1", client.tenant_id
        )
        assert spent[0]["n"] == 4
        await client.stack.sql(
            "risk", "UPDATE billed_calls SET calls = 4 WHERE tenant_id = $1", client.tenant_id
        )
        over = await sync(client, connection_id)
        assert (over["counts"]["unchanged"], over["counts"]["over_budget"]) == (1, 2)
        assert world.calls["fetch"] == 5


async def test_what_is_known_follows_a_merged_company(client, fake) -> None:
    alpes, twin = add_company(client, "Alpes", NUMBERS[0]), add_company(client, "Twin", None)
    connection_id, world = await connect(client, fake)
    world.companies[NUMBERS[0]] = {"score": "8", "legal_status": "receivership"}
    await client.settle()
    await watch(client, connection_id, alpes)
    client.publish("ledger", "company.merged", Subject(alpes, 2, {"into_id": str(twin)}))
    await client.settle()
    assert (await client.get(f"/v1/companies/{alpes}/risk")).status_code == 404
    shown = await risk(client, twin)
    assert (shown["canonical"]["score"]["value"], [one["state"] for one in shown["monitoring"]]) == (
        "8",
        ["member"],
    )
    assert len(await rows(client, f"/v1/companies/{twin}/risk/history", field="score")) == 1
    alerts = await rows(client, "/v1/alerts", kind="proceedings_opened")
    assert [(one["state"], one["company_id"]) for one in alerts] == [
        ("open", str(twin)),
        ("closed", str(alpes)),
    ]


async def test_work_that_lost_its_nudge_is_found(client, fake) -> None:
    alpes = add_company(client, "Alpes", NUMBERS[0])
    connection_id, world = await connect(client, fake)
    world.companies[NUMBERS[0]] = {"score": "8"}
    await client.settle()
    runtime = await client.stack.worker_runtime("risk")
    async with runtime.db.transaction(client.caller.tenant) as tx:
        await monitorings.add(tx, UUID(connection_id), [alpes], None)
    await client.settle()
    assert world.portfolio == set()
    await desk.sweep(runtime)
    await client.settle()
    assert (world.portfolio, world.calls["fetch"]) == ({NUMBERS[0]}, 1)


@pytest.mark.slow
async def test_a_large_portfolio_is_read_in_one_run(client, fake) -> None:
    """400 members: statements are a batch's, not a company's, so that the time grows with the number and no faster."""
    numbers = [f"{n:09d}" for n in range(400)]
    companies = [new_id() for _ in numbers]
    states = [
        Subject(company, 1, {"name": number, "country": "FR", "registration_number": number, "vat_number": None,
                             "group_id": company, "merged_into_id": None})
        for company, number in zip(companies, numbers, strict=True)
    ]  # fmt: skip
    client.publish("ledger", "company.changed", *states)
    connection_id, world = await connect(client, fake, rate={"calls": 10_000, "seconds": 1})
    world.companies = {number: {"score": "14"} for number in numbers}
    await client.settle()
    await watch(client, connection_id, *companies)
    assert world.calls["fetch"] == len(numbers)
    for number in numbers[::10]:
        world.companies[number] = {"score": "9", "as_of": "2026-03-31"}
    started = time.monotonic()
    counts = (await sync(client, connection_id))["counts"]
    took = time.monotonic() - started
    assert (counts["done"], counts["changed"], counts["unchanged"]) == (400, 40, 360)
    assert took < 120, f"{took:.0f} s for 400 companies"


async def test_an_insurers_grade_is_one_more_source(client) -> None:
    alpes = add_company(client, "Alpes", NUMBERS[0])
    scale = {"min": 1, "max": 10, "better": "low"}
    grade = {"company_id": str(alpes), "insurer": "allianz_trade", "policy_id": str(new_id()), "scale": scale}
    subject = new_id()
    client.publish(
        "credit",
        "insurer_grade.changed",
        Subject(subject, 1, {**grade, "grade": "4", "graded_on": "2026-02-01"}),
    )
    await client.settle()
    client.publish(
        "credit",
        "insurer_grade.changed",
        Subject(subject, 2, {**grade, "grade": "7", "graded_on": "2026-03-15"}),
    )
    await client.settle()
    shown = await risk(client, alpes, series=["insurer_grade"])
    value = shown["canonical"]["insurer_grade"]
    assert (value["value"], value["provider"], value["scale"]) == (
        "7",
        "insurer",
        {"min": 1, "max": 10, "better": "low"},
    )
    assert [(point["on"], point["value"]) for point in shown["series"]["insurer_grade"]] == [
        ("2026-02-01", "4"),
        ("2026-03-15", "7"),
    ]
    (change, first) = await rows(client, f"/v1/companies/{alpes}/risk/history", field="insurer_grade")
    assert (change["old"]["value"], change["new"]["value"], first["old"]) == ("4", "7", None)
    (row,) = (await client.get("/v1/reports/risk")).json()["data"]
    assert row["insurer_grade"] == "7"
