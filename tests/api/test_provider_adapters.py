"""Commercial providers, spoken to over real HTTP: their own wire formats, their quirks, their failures."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from libs.testkit.clients import ServiceClient
from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    GarbageAnswer,
    HostRefused,
    NotSupported,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Uncertain,
)
from services.risk.providers.port import CompanyRef
from services.risk.providers.wire import Wire
from tests.api.provider_steps import CREDENTIALS, SIREN, Desk, desk

MakeClient = Callable[..., Awaitable[ServiceClient]]
TODAY = "2026-03-31"
OTHER = "552008443"
ALTARES_MAP = {
    "field_map": {
        "recommended_credit": {"pointer": "/creditConseille", "currency": "EUR"},
        "paydex": {"pointer": "/paydex"},
        "privileges_amount": {"pointer": "/montantPrivileges", "currency": "EUR"},
    }
}
#: Adapters that read, with what they are told besides.
READERS: list[tuple[str, dict[str, Any]]] = [
    ("altares", ALTARES_MAP),
    ("scores_decisions", {}),
    ("infolegale", {}),
    ("ellisphere", {}),
    ("creditsafe", {}),
    ("dnb", {}),
    ("bodacc", {}),
    ("sirene", {}),
]


def ref(number: str = SIREN, **more: Any) -> CompanyRef:
    return CompanyRef(number, "FR", **more)


async def _watch(provider_desk: Desk, *, removes: bool = True) -> None:
    """Adding twice and removing twice succeed, and say so."""
    provider = provider_desk.provider
    first, second = await provider.add(ref()), await provider.add(ref())
    assert (first.already, second.already) == (False, True)
    if removes:
        assert (await provider.remove(ref())).already is False
        assert (await provider.remove(ref())).already is True
        await provider.add(ref())


async def test_altares(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "altares", options=ALTARES_MAP) as altares:
        await altares.provider.test()
        await altares.steer(
            name="COMPTOIR & FILS <SAS>", score=63, turnover="699741690", paydex=70, recommended_credit="25000",
            privileges_amount="0", activity="4671Z", history=[{"as_of": "2026-02-01", "score": "70"}],
        )  # fmt: skip
        snapshot = await altares.read()
        values = snapshot.values
        assert (values["score"].value, str(values["score"].normalised)) == ("63", "63.00")
        assert values["name"].value == "COMPTOIR & FILS <SAS>"
        assert (values["turnover"].raw, values["turnover"].value) == ("6.9974169E8", "699741690.00")
        assert (values["paydex"].value, values["payment_delay_days"].value) == (70, 15)
        assert (values["privileges_amount"].state, values["privileges_amount"].value) == ("known", "0.00")
        assert values["privileges_count"].state == "not_supplied" and values["trend"].state == "not_supplied"
        assert values["legal_status"].value == "none"
        assert [str(row.as_of) for row in snapshot.history] == ["2026-02-01"]  # one row, sent as an object
        await altares.steer(score=None, privileges_amount=None)
        silent = (await altares.read()).values
        assert silent["score"].value == "70"  # exception 118: no figures today, the history still speaks
        assert silent["privileges_amount"].state == "no_data"
        await _watch(altares)
        await altares.steer(legal_status="receivership", score=41)
        events = await altares.provider.events(None)
        assert {event.kind for event in events.events} == {"score", "state"} and events.cursor is None
        assert all(event.registration_number == SIREN and event.ack for event in events.events)
        again = await altares.provider.events(None)
        assert [event.id for event in again.events] == [event.id for event in events.events]
        await altares.provider.acknowledge(events.events)
        assert (await altares.provider.events(None)).events == ()
        await altares.behave("silent")
        await altares.steer(fields={"score": 40})  # in a member of their own
        assert (await altares.provider.events(None)).events == ()
        await altares.behave("normal")
        assert [event.kind for event in (await altares.provider.events(None)).events] == ["score"]
        assert (await altares.read()).values["legal_status"].value == "receivership"
        found = await altares.provider.search(ref())
        assert [(one.registration_number, one.exact) for one in found] == [(SIREN, True)]
        await altares.steer(OTHER, unknown=True)
        with pytest.raises(CompanyNotFound):
            await altares.fetch(OTHER)
        await altares.behave("soap_fault")
        with pytest.raises(ProviderUnavailable):
            await altares.fetch()
        await altares.behave("entity_bomb")
        with pytest.raises(GarbageAnswer):
            await altares.fetch()
        await altares.behave("error", calls=["getIdentiteAltaN3Entreprise"])
        half = await altares.read()
        assert half.values["legal_status"].state == "error" and half.values["score"].value == "40"
    async with desk(client, "altares") as untold:  # the sandbox's own names, where nothing else is said
        await untold.steer(paydex=80, recommended_credit="9000")
        plain = (await untold.read()).values
        assert (plain["paydex"].value, plain["recommended_credit"].value) == (80, "9000.00")
    async with desk(client, "altares", credentials={"login": "wrong", "password": "x"}) as locked:
        with pytest.raises(AuthRefused):
            await locked.provider.test()


async def test_scores_and_decisions_by_its_profile(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "scores_decisions") as indiscore:
        await indiscore.provider.test()
        await indiscore.steer(
            score="12.5", trend="down", legal_status="safeguard", recommended_credit="1234.56"
        )
        values = (await indiscore.read()).values
        assert (values["score"].value, str(values["score"].normalised), values["trend"].value) == (
            "12.5",
            "62.50",
            "down",
        )
        assert values["legal_status"].value == "safeguard"
        assert (values["recommended_credit"].value, values["recommended_credit"].currency) == (
            "1234.56",
            "EUR",
        )
        assert values["portal_url"].value == f"https://portail.example/entreprises/{SIREN}"
        assert {values[name].state for name in ("paydex", "privileges_amount", "turnover")} == {
            "not_supplied"
        }
        await indiscore.steer(
            portal_url="https://evil.example/phish", legal_status="other_proceeding", score=None
        )
        odd = (await indiscore.read()).values
        assert odd["portal_url"].state == "no_data" and odd["score"].state == "no_data"
        assert odd["legal_status"].value == "other_proceeding"
        await _watch(indiscore)
        assert [member.registration_number async for member in indiscore.provider.members()] == [SIREN]
        await indiscore.steer(score=3)
        events = await indiscore.provider.events(TODAY)
        assert [(event.kind, event.registration_number) for event in events.events] == [("score", SIREN)]


async def test_infolegale(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "infolegale") as infolegale:
        await infolegale.provider.test()
        await infolegale.steer(
            score=11, recommended_credit="15000", legal_status="liquidation", legal_status_since="2026-02-03"
        )
        values = (await infolegale.read()).values
        assert (values["score"].value, str(values["score"].normalised)) == ("11", "55.00")
        assert (values["legal_status"].value, values["legal_status"].detail["judged_on"]) == (
            "liquidation",
            "2026-02-03",
        )
        await infolegale.steer(score=None, legal_status="other_proceeding")
        red = (await infolegale.read()).values
        assert (red["legal_status"].value, red["score"].state) == ("other_proceeding", "no_data")
        await infolegale.steer(legal_status="none")
        assert (await infolegale.read()).values["legal_status"].value == "none"
        raw = await infolegale.fetch()
        assert all("hush" not in answer.request and "%2B" not in answer.request for answer in raw)
        with pytest.raises(NotSupported):
            await infolegale.provider.add(ref())
        await infolegale.steer(OTHER, unknown=True)
        with pytest.raises(CompanyNotFound):
            await infolegale.fetch(OTHER)
    async with desk(client, "infolegale", credentials={"token": "wrong"}) as locked:
        with pytest.raises(AuthRefused):  # inside HTTP 200
            await locked.provider.test()


async def test_ellisphere(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "ellisphere") as ellisphere:
        await ellisphere.provider.test()
        await ellisphere.steer(
            score="3.5", risk_class="D", recommended_credit="12500.50", recommended_credit_ceiling="40000",
            privileges_social_count=2, privileges_tax_count=1, history=[{"as_of": "2025-01-01", "score": "8"}],
        )  # fmt: skip
        snapshot = await ellisphere.read()
        values = snapshot.values  # the score is neither the legend's 10 nor the past 8
        assert (values["score"].value, str(values["score"].normalised)) == (
            "3.5",
            "35.00",
        )  # neither the legend's 10 nor the past 8
        assert (values["risk_class"].value, values["sector_score"].value) == ("D", "5.5")
        assert (values["recommended_credit"].value, values["recommended_credit_ceiling"].value) == (
            "12500.50",
            "40000.00",
        )
        assert [values[f"privileges_{kind}count"].value for kind in ("", "social_", "tax_")] == [3, 2, 1]
        assert values["privileges_amount"].state == "not_supplied"
        assert [row.value.value for row in snapshot.history] == ["8"]
        await ellisphere.steer(score=None, legal_status="receivership", legal_status_since="2026-03-03")
        blank = (await ellisphere.read()).values
        assert blank["score"].state == "no_data"  # no assessment: the legend is not a score
        assert (blank["legal_status"].value, blank["legal_status"].detail["judged_on"]) == (
            "receivership",
            "2026-03-03",
        )
        await _watch(ellisphere, removes=False)  # HTTP 401 that means success
        await ellisphere.provider.add(ref(OTHER))
        assert [member.registration_number async for member in ellisphere.provider.members()] == [
            OTHER,
            SIREN,
        ]
        assert (await ellisphere.fetch())[0].billed is True
        orders = [call for call in await ellisphere.calls() if call["path"].endswith("svcOnlineOrder")]
        await ellisphere.behave("huge", calls=["svcOnlineOrder"])
        with pytest.raises(Uncertain):  # a billed order whose answer was lost: nobody orders again by itself
            await ellisphere.fetch()
        after = [call for call in await ellisphere.calls() if call["path"].endswith("svcOnlineOrder")]
        assert len(after) == len(orders) + 1
    async with desk(
        client, "ellisphere", credentials={**CREDENTIALS["ellisphere"], "password": "wrong"}
    ) as locked:
        with pytest.raises(AuthRefused):
            await locked.provider.test()


async def test_creditsafe(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "creditsafe") as creditsafe:
        await creditsafe.provider.test()
        await creditsafe.steer(
            score=77, risk_class="A", recommended_credit="18000", turnover="1850000", pd_12m=None
        )
        values = (await creditsafe.read()).values
        assert (values["risk_class"].value, values["score"].value) == ("A", "77")
        assert (values["recommended_credit"].value, values["recommended_credit"].raw) == ("18000.00", "18000")
        assert values["pd_12m"].state == "no_data" and values["paydex"].state == "not_supplied"
        await creditsafe.steer(credit_limit_text="No Limit", score=None, company_active=False)
        words = (await creditsafe.read()).values
        assert (words["recommended_credit"].state, words["recommended_credit"].raw) == ("no_data", "No Limit")
        assert (words["score"].state, words["score"].raw) == ("no_data", "Not rated")
        assert words["company_active"].value is False and words["legal_status"].state == "not_supplied"
        assert (await creditsafe.provider.events(None)).events == ()  # an empty portfolio: last = -1
        await _watch(creditsafe)
        assert [member.registration_number async for member in creditsafe.provider.members()] == [SIREN]
        await creditsafe.steer(score=20)
        page = await creditsafe.provider.events("2026-03-01")
        assert [(event.kind, event.provider_reference) for event in page.events] == [
            ("score", f"FR-0-{SIREN}")
        ]
        await creditsafe.provider.acknowledge(page.events)
        assert (await creditsafe.provider.events("2026-03-01")).events == ()
        # A token that runs out in the middle of things: one new log-in, and all who wait share it.
        before = len([call for call in await creditsafe.calls() if call["path"] == "authenticate"])
        await creditsafe.behave("unauthorized", times=3, calls=["GET companies/"])
        known = {"provider_reference": f"FR-0-{SIREN}"}
        together = await asyncio.gather(*[creditsafe.fetch(**known) for _ in range(3)])
        assert [answers[0].status for answers in together] == [200, 200, 200]
        assert (
            len([call for call in await creditsafe.calls() if call["path"] == "authenticate"]) == before + 1
        )
        await creditsafe.behave("normal")
        assert (await creditsafe.read()).values["name"].state == "known"
    async with desk(client, "creditsafe", credentials={"username": "desk", "password": "wrong"}) as locked:
        for _ in range(3):
            with pytest.raises(AuthRefused):
                await locked.provider.test()
        assert len(await locked.calls()) == 1  # refused once, never tried again: accounts are locked for less


async def test_dnb(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with desk(client, "dnb") as dnb:
        await dnb.provider.test()
        await dnb.steer(
            score=41,
            paydex=78,
            grade="3A2",
            recommended_credit={"amount": "90000", "currency": "USD"},
            privileges_count=1,
        )
        values = (await dnb.read()).values
        assert (values["score"].value, str(values["score"].normalised)) == ("41", "40.40")
        assert (values["grade"].value, values["paydex"].value, values["payment_delay_days"].value) == (
            "3A2",
            78,
            3,
        )
        assert (values["recommended_credit"].value, values["recommended_credit"].currency) == (
            "90000.00",
            "USD",
        )
        assert (
            values["privileges_present"].value is True and values["privileges_count"].state == "not_supplied"
        )
        assert values["delinquency_score"].state == "no_data"  # {}
        await dnb.steer(score=None, paydex=None, recommended_credit=None, legal_status="liquidation")
        empty = (await dnb.read()).values
        assert {empty[name].state for name in ("score", "paydex", "recommended_credit")} == {"no_data"}
        assert empty["legal_status"].value == "other_proceeding"
        await _watch(dnb)
        await dnb.steer(score=11)
        taken = (await dnb.provider.events(None)).events
        assert [(event.kind, event.provider_reference) for event in taken] == [("score", SIREN)]
        assert (await dnb.provider.events(None)).events == ()


async def test_a_provider_described_by_its_tenant(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    described = {
        "provider": "house_of_scores",
        "format": "xml",
        "auth": {"kind": "oauth_cc", "token_path": "oauth/token"},
        "as_of": "/dateNote",
        "fetch": {"main": {"path": "xml/companies/${siren}", "query": {"dates": "fr"}},
                  "second": {"path": "json/broken/${siren}"}},
        "fields": {
            "score": {"pointer": "/indiscore/note", "scale": {"min": "0", "max": "20"}},
            "turnover": {"pointer": "/chiffreAffaires/montant", "currency": "EUR", "transforms": ["thousands"]},
            "headcount": {"pointer": "/effectif", "part": "second"},
        },
        "search": {"call": {"path": "xml/companies", "query": {"siren": "${siren}"}},
                   "rows": {"list": "/companies", "registration_number": "/siren", "reference": "/id", "name": "/label"}},
        "failures": [{"status": 404, "means": "not_found"}],
    }  # fmt: skip
    for shape, written in (
        ("iso", "iso"),
        ("us", "us"),
        ("fr", "fr"),
        ("compact", "compact"),
        ("number", "compact"),
    ):
        described["as_of_dates"] = written
        described["fetch"]["main"]["query"] = {"dates": shape}
        async with desk(
            client, "declarative", options=described, credentials={"user": "me", "secret": "hush-hush-oauth"}
        ) as own:
            await own.steer(score=14, score_as_of="2026-02-10", turnover="1500")
            snapshot = await own.read()
            assert (snapshot.provider, str(snapshot.as_of)) == ("house_of_scores", "2026-02-10"), shape
            assert (snapshot.values["score"].value, snapshot.values["turnover"].value) == ("14", "1500000.00")
            assert (
                snapshot.values["headcount"].state == "error"
                and snapshot.values["paydex"].state == "not_supplied"
            )
            found = await own.provider.search(ref())
            assert [(one.provider_reference, one.exact) for one in found] == [
                (f"G{SIREN}", True)
            ]  # a list of one
    json_side = {
        "auth": {"kind": "query_token"},
        "fetch": {"main": {"path": "json/companies/${siren}"}},
        "fields": {"score": described["fields"]["score"]},
    }
    async with desk(client, "declarative", options=json_side, credentials={"secret": "wrong"}) as locked:
        with pytest.raises(AuthRefused):
            await locked.fetch()


@pytest.mark.parametrize(("key", "options"), READERS, ids=[key for key, _ in READERS])
async def test_whatever_goes_wrong_has_its_name_and_tells_no_secret(
    service_client: MakeClient,
    key: str,
    options: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = await service_client("sandbox", now=TODAY)
    caplog.set_level(0)
    async with desk(client, key, options=options) as reader:
        answers = await reader.fetch()
        kept = json.dumps([answer.request for answer in answers]).encode() + b"".join(
            answer.body for answer in answers
        )
        reference = {"provider_reference": reader.adapter.map(answers, reader.connection).provider_reference}
        if key == "ellisphere":
            reference = {"provider_reference": f"ELL{SIREN}"}
        await reader.steer(name="TWINS OF LYON")
        await reader.steer(OTHER, name="Twins of Lyon", legal_status="liquidation")
        twins = await reader.provider.search(CompanyRef("", "FR", name="twins of lyon"))
        if key != "bodacc":  # the gazette finds by name those it wrote of
            assert {one.registration_number for one in twins} == {SIREN, OTHER}
        assert twins and not any(one.exact for one in twins)  # a person chooses
        errors: list[ProviderError] = []
        for mode, kinds in (
            ("error", (ProviderUnavailable,)),
            ("rate_limited", (RateLimited,)),
            ("garbage", (GarbageAnswer,)),
            ("truncated", (GarbageAnswer,)),
            ("redirect", (GarbageAnswer,)),
            ("huge", (GarbageAnswer, Uncertain)),
            ("entity_bomb", (GarbageAnswer,)),
            ("timeout", (ProviderUnavailable, Uncertain)),
        ):
            monkeypatch.setattr(Wire, "seconds", 0.5 if mode == "timeout" else 20.0)
            calls = [] if key not in ("creditsafe", "dnb") else ["companies/", "data/duns"]
            await reader.behave(mode, calls=calls, seconds=3)
            with pytest.raises(kinds) as failure:
                reader.adapter.map(await reader.fetch(**reference), reader.connection)
            errors.append(failure.value)
        told = (
            kept.decode("utf-8", "replace")
            + repr(errors)
            + " ".join(error.detail for error in errors)
            + caplog.text
        )
        assert "hush" not in told and "jwt-for" not in told and "dnb-token" not in told, key
        digest = hashlib.sha1(CREDENTIALS[key].get("password", "").encode()).hexdigest()
        assert digest not in told  # as good as the password where it is sent in its place
        assert repr(reader.connection).count("hush") == 0


async def test_only_configured_hosts_are_called(service_client: MakeClient) -> None:
    client = await service_client("sandbox", now=TODAY)
    async with (
        desk(client, "bodacc") as bodacc,
        desk(client, "sirene", base_url="https://internal.example/x") as elsewhere,
    ):
        stranger = elsewhere.adapter.connect(elsewhere.connection, bodacc.provider._wire._transport)
        with pytest.raises(HostRefused):
            await stranger.fetch(ref())
