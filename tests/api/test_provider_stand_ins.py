"""The open registers, read over real HTTP from their stand-ins, well and badly behaved."""

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from libs.testkit.clients import ServiceClient
from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    GarbageAnswer,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from services.risk.providers.port import CompanyRef
from tests.api.provider_steps import SIREN, desk

MakeClient = Callable[..., Awaitable[ServiceClient]]
TODAY = "2026-03-31"


async def test_the_gazette_is_read_page_by_page_and_never_taken_for_silent(
    service_client: MakeClient,
) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "bodacc") as bodacc:
        assert (await bodacc.read()).values["legal_status"].value == "none"
        opening = {"nature": "Jugement d'ouverture d'une procédure de redressement judiciaire",
                   "judged_on": "5 janvier 2026", "published_on": "2026-01-12", "id": "A202600081"}  # fmt: skip
        lists = [
            {"nature": "Dépôt de l'état des créances", "judgment_family": "Avis de dépôt",
             "published_on": "2026-02-01", "id": f"A20260021{n}"} for n in range(120)
        ]  # fmt: skip
        worse = {"nature": "Jugement prononçant la résolution du plan de redressement et la liquidation judiciaire",
                 "judged_on": "2026-03-02", "published_on": "2026-03-09", "id": "A202600471"}  # fmt: skip
        sale = {"family": "vente", "published_on": "2026-03-20", "others": ["552008443"]}
        await bodacc.steer(notices=[opening, *lists, worse, sale])
        snapshot = await bodacc.read()
        assert snapshot.values["legal_status"].value == "liquidation"
        assert snapshot.values["legal_status"].detail["judged_on"] == "2026-03-02"
        assert [value.value.value for value in snapshot.history] == ["receivership", "liquidation"]
        assert snapshot.notices is not None and len(snapshot.notices) == 122
        pages = [call for call in await bodacc.calls() if call["registration_number"] == SIREN]
        assert len(pages) == 3  # one for the clean company, two for the 122 notices
        await bodacc.steer(notices=[opening, {"type": "annulation", "replaces": "A202600081", "published_on": "2026-02-09",
                                              "nature": opening["nature"]}])  # fmt: skip
        assert (await bodacc.read()).values["legal_status"].value == "none"
        events = await bodacc.provider.events("2026-02-01")
        assert [(event.code, event.registration_number) for event in events.events] == [("annulment", SIREN)]
        assert events.since == "2026-02-09" and events.cursor is None
        for mode, error in (
            ("error", ProviderUnavailable),
            ("garbage", GarbageAnswer),
            ("truncated", GarbageAnswer),
            ("huge", GarbageAnswer),
            ("huge_compressed", GarbageAnswer),
            ("redirect", GarbageAnswer),
            ("rate_limited", RateLimited),
        ):
            await bodacc.behave(mode)
            began = time.monotonic()
            with pytest.raises(error):  # down is never "no proceedings"
                await bodacc.read()
            assert time.monotonic() - began < 5, mode
        await bodacc.behave("rate_limited", retry_after=7, times=1)
        with pytest.raises(RateLimited) as limited:
            await bodacc.read()
        assert limited.value.after is not None and limited.value.after.total_seconds() == 7
        assert (await bodacc.read()).values["legal_status"].value == "none"  # once only


@pytest.mark.data
async def test_real_notices_told_by_the_gazette(service_client: MakeClient, data_dir: Path) -> None:
    """Liquidations that the public rule table misses, an annulment, and what is no proceeding at all."""
    issues = sorted((data_dir / "legal").glob("bodacc_pcl_*.json"))
    notices = [one for issue in issues for one in json.loads(issue.read_text())["annonces"]]
    marks = {
        "résolution du plan": "liquidation", "conversion en redressement": "receivership", "mettant fin": "none",
        "extinction du passif": "none", "homologation": "conciliation", "faillite personnelle": "none",
        "reprise de la procédure": "liquidation",
    }  # fmt: skip
    wanted: list[tuple[dict[str, Any], str]] = []
    for one in notices:
        mark = next((mark for mark in marks if mark in one["jugement"]["nature"]), None)
        if "annulation" in one["typeAnnonce"]:
            wanted.append((one, "none"))
        elif mark is not None and one.get("numeroImmatriculation"):
            wanted.append((one, marks[mark]))
    assert len(wanted) > 25
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "bodacc") as bodacc:
        for position, (one, status) in enumerate(wanted):
            judgment, number = one["jugement"], str(400_000_000 + position)
            told = {
                "type": next(iter(one["typeAnnonce"])).replace("creation", "annonce"), "nature": judgment["nature"],
                "judgment_family": judgment["famille"], "judged_on": judgment.get("date"), "published_on": "2008-06-01",
                "text": judgment.get("complementJugement"), "replaces": "A200800683153" if status == "none" else None,
            }  # fmt: skip
            sale = {
                "family": "vente",
                "published_on": "2008-06-02",
                "nature": "Jugement d'ouverture de liquidation judiciaire",
            }
            struck_off = {"family": "radiation", "published_on": "2008-06-03"}
            await bodacc.steer(number, notices=[told, sale])
            value = (await bodacc.read(number)).values["legal_status"]
            assert (value.state, value.value) == ("known", status), judgment
            if position % 10 == 0:
                await bodacc.steer(number, notices=[told, sale, struck_off])
                after = (await bodacc.read(number)).values["legal_status"].value
                assert after == (status if status in ("liquidation", "receivership") else "ceased")


async def test_the_french_register(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "sirene") as sirene:
        await sirene.provider.test()
        await sirene.steer(
            name="ATELIERS DU PORT", activity="6201Z", created_on="2001-02-03", headcount_band="12"
        )
        snapshot = await sirene.read("732 829 320 00074")
        values = snapshot.values
        assert values["activity"].value == "6201Z" and values["activity"].raw == "62.01Z"
        assert values["activity"].detail["nomenclature"] == "NAFRev2"
        assert (values["company_active"].value, values["headcount_band"].detail["label"]) == (True, "20-49")
        assert values["score"].state == "not_supplied" and values["created_on"].value == "2001-02-03"
        await sirene.steer(company_active=False)
        closed = (await sirene.read()).values
        assert (closed["company_active"].value, closed["legal_status"].value) == (False, "ceased")
        found = await sirene.provider.search(CompanyRef("", "FR", name="ateliers du"))
        assert [(one.registration_number, one.exact) for one in found] == [(SIREN, False)]
        await sirene.steer("552008443", unknown=True)
        assert await sirene.provider.search(CompanyRef("552008443", "FR")) == []
        with pytest.raises(CompanyNotFound):
            await sirene.fetch("552008443")
        raw = (await sirene.fetch())[0]
        assert raw.billed is False and raw.sha256 and "hush" not in raw.request
    async with desk(client, "sirene", credentials={"api_key": "wrong"}) as locked:
        with pytest.raises(AuthRefused):
            await locked.provider.test()


async def test_the_british_register(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "companies_house") as house:
        await house.steer("03770663", name="HARBOUR WORKS LTD")
        clean = (await house.read("03770663", "GB")).values
        assert (clean["legal_status"].value, clean["company_active"].value) == ("none", True)
        cases = [
            {
                "number": "1",
                "type": "members-voluntary-liquidation",
                "dates": [{"type": "wound-up-on", "date": "2026-01-10"}],
            }
        ]
        await house.steer("03770663", cases=cases, company_status="liquidation")
        solvent = await house.read("03770663", "GB")
        assert solvent.values["legal_status"].value == "other_proceeding"
        await house.steer("03770663", cases=[{**cases[0], "type": "compulsory-liquidation"}])
        wound_up = (await house.read("03770663", "GB")).values["legal_status"]
        assert (wound_up.value, wound_up.detail["opened_on"]) == ("liquidation", "2026-01-10")
        await house.steer("03770663", cases=[], company_status="active")
        await house.behave("error", calls=["insolvency"])
        half = (await house.read("03770663", "GB")).values
        assert half["legal_status"].state == "error" and half["name"].value == "HARBOUR WORKS LTD"
        await house.behave("error")
        with pytest.raises(ProviderError):
            await house.fetch("03770663", "GB")
