"""A risk desk's days: providers connected, portfolios filled, bad news at 06:10, a provider that is down, two that disagree."""

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import invoice, make, person, read, rows, tell
from tests.stories.risk_desk import behave, company, connect, open_alerts, risk_row, steer, sync, watch

ALPES, MORVAN, RHONE = "732829320", "552100554", "542051180"


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T06:00:00+02:00", name="Tuilerie de Bourgogne")


@pytest.mark.feature(
    "R1", "R2", "R4", "R5", "R6", "R7", "R9", "R10", "R11", "R12", "R14", "R15", "R17", "R18", "R19", "R20", "R21", "R22",
    "R26", "R29", "R30", "R33", "R35", "F30", "F31", "F32", "F33", "F34", "F35", "F36", "F37", "F39", "F40", "F46", "F47",
    "G5", "G20", "N10",
)  # fmt: skip
async def test_a_company_enters_receivership_at_ten_past_six(house: TestTenant) -> None:
    erp = house.client
    alpes = await company(house, "C-1", "Fonderie des Alpes", ALPES)
    await company(house, "C-2", "Charpentes Morvan", MORVAN)
    await invoice(erp, "C-1", "F-1", "60000.00", "2026-02-10", "2026-03-12")
    await invoice(erp, "C-2", "F-2", "8000.00", "2026-03-10", "2026-04-09")
    _, paul = await person(house, "Paul", "salesperson")
    _, anne = await person(house, "Anne", "approver")
    company_id = alpes["company"]["id"]
    asked = await make(
        paul, "/v1/credit-limit-requests", company_id=company_id, amount="45000.00", currency="EUR"
    )
    await tell(anne, f"/v1/credit-limit-requests/{asked['id']}/approve")

    # The contract is connected and tried; what the provider knows is laid out.
    altares = await connect(house, "altares", name="Altares")
    assert "hush" not in str(await read(erp, f"/v1/provider-connections/{altares['id']}"))
    assert (await tell(erp, f"/v1/provider-connections/{altares['id']}/test"))["ok"] is True
    await steer(
        house, altares, ALPES, name="Fonderie des Alpes", score="70", score_as_of="2026-03-30", recommended_credit="50000",
        paydex=72, privileges_amount="0", legal_status="none", turnover="1850000", fiscal_year_end="2025-12-31",
        activity="2451Z", history=[{"as_of": "2025-09-30", "score": "66"}],
    )  # fmt: skip
    await steer(house, altares, MORVAN, name="Charpentes Morvan", score="55", legal_status="none")

    # Everybody who owes more than five thousand is watched; being there already is a success.
    await house.settle()
    chosen = await watch(house, altares, criteria={"min_outstanding": "5000.00"})
    assert (chosen["matched"], chosen["adding"]) == (2, 2)
    assert (await watch(house, altares, company_ids=[company_id]))["already"] == 1
    assert {one["state"] for one in await rows(erp, "/v1/monitorings")} == {"member"}

    row = await risk_row(house, "Alpes")
    assert (row["score"], row["score_scale"], row["score_normalised"]) == ("70", "0-100", "70.00")
    assert (row["paydex"], row["turnover"], row["activity"]) == (72, "1850000.00", "2451Z")
    assert (row["legal_status"], row["privileges_amount"], row["critical"]) == ("none", "0.00", False)
    compared = ("recommended_credit", "recommended_minus_outstanding", "recommended_minus_limit")
    assert [row[name] for name in compared] == ["50000.00", "-10000.00", "5000.00"]
    assert set(await open_alerts(house)) == {"limit_exceeded"}

    # 06:10 the next day: the court has decided, and a lien was registered.
    await steer(
        house, altares, ALPES, score="31", score_as_of="2026-04-01", legal_status="receivership",
        legal_status_since="2026-04-01", privileges_amount="12500.50",
    )  # fmt: skip
    await house.advance(days=1)
    alerts = await open_alerts(house)
    assert set(alerts) == {"limit_exceeded", "proceedings_opened", "privilege_registered", "score_fall"}
    assert alerts["proceedings_opened"]["evidence"]["legal_status"] == "receivership"
    assert (alerts["proceedings_opened"]["criticality"], alerts["proceedings_opened"]["company_id"]) == (
        "critical",
        company_id,
    )
    row = await risk_row(house, "Alpes")
    assert (row["legal_status"], row["score"], row["trend"], row["privileges_amount"]) == (
        "receivership", "31", "down", "12500.50",
    )  # fmt: skip
    assert (row["critical"], row["open_alerts"]) == (True, 4)
    critical = await read(erp, "/v1/reports/risk", critical="true")
    assert [one["company"]["name"] for one in critical["data"]] == ["Fonderie des Alpes"]
    calm = await risk_row(house, "Morvan")
    assert (calm["legal_status"], calm["critical"]) == ("none", False)

    # The sync shows what it did; the customer card shows what was, and what is.
    (daily, *_) = [
        one
        for one in await rows(erp, f"/v1/provider-connections/{altares['id']}/syncs")
        if one["reason"] == "daily"
    ]
    assert (daily["day"], daily["state"], daily["counts"]["changed"], daily["counts"]["unchanged"]) == (
        "2026-04-01", "succeeded", 1, 1,
    )  # fmt: skip
    done = await rows(
        erp, f"/v1/provider-connections/{altares['id']}/syncs/{daily['id']}/companies", outcome="changed"
    )
    assert [one["company_id"] for one in done] == [company_id]
    card = await read(erp, f"/v1/customers/{alpes['id']}/overview", series=["score"])
    fields = {one["field"]: one for one in card["provider_fields"]}
    assert (fields["legal_status"]["value"], fields["legal_status"]["previous"]) == ("receivership", "none")
    assert (fields["score"]["value"], fields["score"]["previous"], fields["score"]["provider"]) == (
        "31",
        "70",
        "altares",
    )
    assert [point["value"] for point in card["series"]["score"]] == ["66", "70", "31"]
    assert card["monitoring"] == {"state": "member", "can_add": False}
    assert card["missing"] == []
    history = await rows(erp, f"/v1/companies/{company_id}/risk/history", field="score")
    assert [(one["old"] and one["old"]["value"], one["new"]["value"], one["origin"]) for one in history] == [
        ("70", "31", "fetched"), (None, "70", "fetched"), (None, "66", "back_filled"),
    ]  # fmt: skip
    values = (await read(erp, f"/v1/companies/{company_id}/risk"))["canonical"]
    assert values["payment_delay_days"]["value"] == 12, "a Paydex of 72 is twelve days beyond terms"
    assert (values["paydex"]["state"], values["portal_url"]["state"]) == ("known", "not_supplied")
    picture = await erp.get(f"/v1/companies/{company_id}/risk/sparkline.svg", params={"field": "score"})
    assert picture.text.startswith("<svg")

    # Seen by somebody, and once only.
    seen = await tell(erp, f"/v1/alerts/{alerts['proceedings_opened']['id']}/acknowledge")
    assert seen["state"] == "acknowledged"
    await house.advance(days=1)
    assert len(await rows(erp, "/v1/alerts", kind="proceedings_opened")) == 1

    # Removed from the portfolio: what is known stays.
    (mine,) = await rows(erp, "/v1/monitorings", company_id=company_id)
    assert (await erp.delete(f"/v1/monitorings/{mine['id']}")).status_code == 204
    await house.settle()
    assert await rows(erp, "/v1/monitorings", company_id=company_id) == []
    assert (await risk_row(house, "Alpes"))["legal_status"] == "receivership"


@pytest.mark.feature("R3", "R8", "R9", "R13", "R16", "R34", "R36", "F32", "F38", "F39", "F41", "N10")
async def test_two_providers_and_one_that_goes_silent(house: TestTenant) -> None:
    erp = house.client
    rhone = await company(house, "C-1", "Mécanique du Rhône", RHONE)
    company_id = rhone["company"]["id"]
    await invoice(erp, "C-1", "F-1", "1000.00", "2026-03-10", "2026-04-09")
    scores = await connect(
        house,
        "scores_decisions",
        name="Indiscore",
        contract_holder="Infolegale",
        priority=1,
        stale_after_days=2,
    )
    gazette = await connect(house, "bodacc", name="Gazette", priority=2)
    await steer(
        house, scores, RHONE, name="Mécanique du Rhône", score="14", trend="up", recommended_credit="20000",
        legal_status="none", activity="2562B", portal_url=f"https://portail.example/entreprises/{RHONE}",
    )  # fmt: skip
    notice = {
        "id": "A202600710001", "judgment_family": "Jugement d'ouverture", "judged_on": "2026-03-20", "published_on": "2026-03-27",
        "nature": "Jugement d'ouverture d'une procédure de sauvegarde",
    }  # fmt: skip
    await steer(house, gazette, RHONE, notices=[notice])
    matches = await tell(
        erp, f"/v1/companies/{company_id}/provider-matches", provider_connection_id=scores["id"]
    )
    assert [one["registration_number"] for one in matches["candidates"] if one["exact"]] == [RHONE]
    for connection in (scores, gazette):
        await watch(house, connection, company_ids=[company_id])

    shown = await read(erp, f"/v1/companies/{company_id}/risk")
    values = shown["canonical"]
    assert (values["score"]["value"], values["score"]["scale"]["max"], values["score"]["normalised"]) == (
        "14",
        "20",
        "70.00",
    )
    assert (values["trend"]["value"], values["trend"]["detail"]["source"]) == ("up", "provider")
    # The gazette knows worse than the score provider, and the worst is believed.
    assert (values["legal_status"]["value"], values["legal_status"]["provider"]) == ("safeguard", "bodacc")
    (event,) = shown["legal_events"]
    assert (event["judged_on"], event["published_on"], event["target"]) == (
        "2026-03-20",
        "2026-03-27",
        "safeguard",
    )
    assert shown["portal_url"] == f"https://portail.example/entreprises/{RHONE}"
    sources = {one["provider"]: one for one in shown["by_provider"]}
    assert sources["scores_decisions"]["contract_holder"] == "Infolegale"
    assert sources["scores_decisions"]["fields"]["paydex"]["state"] == "not_supplied"
    assert (await open_alerts(house))["proceedings_opened"]["evidence"]["judged_on"] == "2026-03-20"

    # One provider is down for days: what it said grows old and says so, and is never taken for clean.
    await behave(house, scores, "error", status=503)
    await house.advance(days=4)
    assert set(await open_alerts(house)) == {"proceedings_opened", "stale_data"}
    values = (await read(erp, f"/v1/companies/{company_id}/risk"))["canonical"]
    assert (values["score"]["value"], values["score"]["stale"], values["legal_status"]["stale"]) == (
        "14",
        True,
        False,
    )
    (newest, *_) = await rows(erp, f"/v1/provider-connections/{scores['id']}/syncs")
    assert (newest["state"], newest["error"]["code"]) == ("failed", "unavailable")
    await behave(house, scores, "normal")
    mended = await tell(erp, f"/v1/provider-connections/{scores['id']}/test")
    assert mended["ok"] is True
    assert (await sync(house, scores))["unchanged"] == 1
    assert set(await open_alerts(house)) == {"proceedings_opened"}
