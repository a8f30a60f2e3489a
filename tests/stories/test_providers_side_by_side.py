"""One company seen by every provider at once, each in its own wire format, and by the gazette when a court has spoken."""

from typing import Any

import pytest

from libs.testkit.plugin import MakeTenant
from tests.stories.credit_desk import make, read
from tests.stories.risk_desk import company, open_alerts, steer, sync

ALPES = "732829320"
CONTRACTS: dict[str, dict[str, str]] = {
    "infolegale": {"token": "hush-hush-infolegale"},
    "ellisphere": {"contract_id": "C-1", "user_id": "U-1", "password": "hush-hush-ellisphere"},
    "creditsafe": {"username": "desk", "password": "hush-hush-creditsafe"},
    "dnb": {"key": "desk", "secret": "hush-hush-dnb"},
    "sirene": {"api_key": "hush-hush-sirene"},
    "bodacc": {},
}


@pytest.mark.feature("F30", "F31", "F32", "F36", "R13", "N10")
async def test_every_provider_speaks_of_the_same_company(make_tenant: MakeTenant) -> None:
    house = await make_tenant(now="2026-03-31T06:00:00+02:00", name="Tuilerie de Bourgogne")
    erp = house.client
    alpes = (await company(house, "C-1", "Fonderie des Alpes", ALPES))["company"]["id"]
    await house.settle()
    opening = {
        "nature": "Jugement de plan de redressement", "judged_on": "2024-01-08", "published_on": "2024-01-15", "id": "A202400101",
    }  # fmt: skip
    failing = {
        "nature": "Jugement prononçant la résolution du plan de redressement et la liquidation judiciaire",
        "judged_on": "23 mars 2026", "published_on": "2026-03-30", "id": "A202600622",
    }  # fmt: skip
    sale = {
        "family": "vente",
        "published_on": "2026-03-30",
        "nature": "Jugement d'ouverture de liquidation judiciaire",
    }
    told: dict[str, dict[str, Any]] = {
        "ellisphere": {"score": "3.5", "privileges_social_count": 2}, "infolegale": {"score": "11"}, "sirene": {},
        "creditsafe": {"score": "71", "credit_limit_text": "No Limit"},
        "dnb": {"score": "41", "delinquency_score": None, "paydex": 78}, "bodacc": {"notices": [opening, failing, sale]},
    }  # fmt: skip
    connections: dict[str, dict[str, Any]] = {}
    for provider, credentials in CONTRACTS.items():
        connection = connections[provider] = await make(
            erp, "/v1/provider-connections", provider=provider, name=provider, credentials=credentials,
            rate={"calls": 1000, "seconds": 1},
        )  # fmt: skip
        await steer(house, connection, ALPES, name="Fonderie des Alpes", **told[provider])
        body = {"provider_connection_id": connection["id"], "company_ids": [alpes]}
        assert (await erp.post("/v1/monitorings/bulk", json=body)).status_code == 200
    await house.settle()
    for connection in connections.values():
        await house.finished(await erp.post(f"/v1/provider-connections/{connection['id']}/sync"))
    await house.settle()

    seen = await read(erp, f"/v1/companies/{alpes}/risk")
    by_provider = {one["provider"]: one["fields"] for one in seen["by_provider"]}
    assert set(by_provider) == set(CONTRACTS)
    scores = {
        provider: by_provider[provider]["score"]
        for provider in ("ellisphere", "creditsafe", "dnb", "infolegale")
    }
    assert {provider: (one["value"], one["normalised"]) for provider, one in scores.items()} == {
        "ellisphere": ("3.5", "35.00"), "creditsafe": ("71", "71.00"), "dnb": ("41", "40.40"), "infolegale": ("11", "55.00"),
    }  # fmt: skip
    # Nothing, zero, and never: three answers.
    assert by_provider["creditsafe"]["recommended_credit"]["state"] == "no_data"  # "No Limit" is no amount
    assert by_provider["dnb"]["delinquency_score"]["state"] == "no_data"
    assert by_provider["sirene"]["score"]["state"] == "not_supplied"
    assert by_provider["ellisphere"]["privileges_tax_count"]["value"] == 0
    assert by_provider["sirene"]["activity"]["state"] == "known"

    # The gazette outweighs everybody on what a court has decided, and a sale is no insolvency.
    assert by_provider["bodacc"]["legal_status"]["value"] == "liquidation"
    assert (await open_alerts(house))["proceedings_opened"]["company_id"] == alpes
    taken_back = {
        **failing,
        "id": "A202600701",
        "type": "annulation",
        "replaces": "A202600622",
        "published_on": "2026-03-31",
    }
    await steer(house, connections["bodacc"], ALPES, notices=[opening, failing, taken_back])
    await sync(house, connections["bodacc"])
    after = await read(erp, f"/v1/companies/{alpes}/risk")
    gazette = next(one["fields"] for one in after["by_provider"] if one["provider"] == "bodacc")
    assert gazette["legal_status"]["value"] == "receivership"  # the plan goes on
