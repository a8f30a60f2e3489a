"""Wire formats understood: samples written after the providers' documents, and those that nobody here wrote."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.risk.domain.legal.notices import LegalStatus
from services.risk.providers.altares import payloads as altares
from services.risk.providers.altares.mapper import proceedings
from services.risk.providers.bodacc.payloads import notice_of, previous_id, registers
from services.risk.providers.companies_house.mapper import cases
from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    GarbageAnswer,
    ProviderUnavailable,
    Rejected,
)
from services.risk.providers.facts import RawAnswer, Scale
from services.risk.providers.fields import FIELDS, paydex_days
from services.risk.providers.port import Connection
from services.risk.providers.reading import dated, integer, listed, number, tree_of, xml_of
from services.risk.providers.registry import ADAPTERS
from services.risk.providers.values import activity, known, money, portal, score

AT = datetime(2026, 3, 31, tzinfo=UTC)
ID = UUID("0190a0a0-0000-7000-8000-000000000001")


def answer(part: str, body: Any, *, status: int = 200, failure: str | None = None) -> RawAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawAnswer(part, "GET /", status, "", raw, AT, failure)


def mapped(key: str, *answers: RawAnswer, **options: Any) -> Any:
    adapter = ADAPTERS[key]
    return adapter.map(answers, Connection(ID, adapter.products[0].key, options=options))


# -- numbers, dates, documents ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("6.9974169E8", "699741690"), ("12,5", "12.5"), ("1 234 567,89", "1234567.89"), ("1\u202f234,5", "1234.5"),
        ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("1,234,567", "1234567"), (Decimal("3.10"), "3.10"),
        (0, "0"), ("-2", "-2"), ("No Limit", None), ("", None), (None, None), (True, None), ("1e999", None),
        ("NaN", None),
        ("@@", None), ("9" * 400, None),
    ],
)  # fmt: skip
def test_numbers_however_they_are_written(written: Any, meant: str | None) -> None:
    assert number(written) == (None if meant is None else Decimal(meant))


@pytest.mark.parametrize(
    ("written", "shape", "meant"),
    [
        ("2025-05-28", "iso", "2025-05-28"), ("2025-05-28T09:36:11.281", "iso", "2025-05-28"), ("05/28/2025", "us", "2025-05-28"),
        ("3/16/2022", "us", "2022-03-16"), ("30/12/2022", "fr", "2022-12-30"), ("20240917", "compact", "2024-09-17"),
        (20240917, "compact", "2024-09-17"), ("20210000", "compact", None), ("10/02/2025", "us", "2025-10-02"),
        ("10/02/2025", "fr", "2025-02-10"), ("10/02/2025", "iso", None), ("30/12/2022", "us", None), ("2025-02-30", "iso", None),
        ("10 décembre 2009", "fr_words", "2009-12-10"), ("1er août 2010", "fr_words", "2010-08-01"),
        ("19\u00a0décembre\u00a02007", "fr_words", "2007-12-19"), ("10 brumaire 2009", "fr_words", None), (None, "iso", None),
    ],
)  # fmt: skip
def test_dates_have_a_declared_shape_and_are_never_guessed(
    written: Any, shape: str, meant: str | None
) -> None:
    assert dated(written, shape) == (None if meant is None else date.fromisoformat(meant))


def test_xml_without_a_dtd_and_without_surprises() -> None:
    for hostile in (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://elsewhere.example/a.dtd"><a/>',
        b"<a>" * 20_000,
        b"<a><b></a>",
        b"",
        b"\xff\xfe",
        b"{}",
    ):
        with pytest.raises(GarbageAnswer):
            xml_of(hostile)
    nested = xml_of(b"<a>" * 200 + b"</a>" * 200)
    with pytest.raises(GarbageAnswer):
        tree_of(nested)
    one, many = tree_of(xml_of(b"<l><x>1</x></l>")), tree_of(xml_of(b"<l><x>1</x><x>2</x></l>"))
    assert (listed(one["x"]), listed(many["x"]), listed(None)) == (["1"], ["1", "2"], [])
    nil = b'<l xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><x xsi:nil="true"/><y> </y></l>'
    assert tree_of(xml_of(nil)) == {"x": None, "y": ""}


# -- values -------------------------------------------------------------------------------------------------------------


def test_no_data_is_not_zero_and_scales_have_two_ends() -> None:
    assert (known(0).state, known(0).value, known(None).state, known("").state) == (
        "known",
        0,
        "no_data",
        "no_data",
    )
    assert str(score(Decimal(4), Scale(Decimal(1), Decimal(10), "low")).normalised) == "66.67"
    assert score(Decimal(120), Scale(Decimal(0), Decimal(100))).normalised is None
    assert score(None, Scale(Decimal(0), Decimal(20))).state == "no_data"
    assert money(Decimal("0"), "EUR").value == "0.00" and money(Decimal("12.345"), "EUR").value == "12.34"
    assert money(Decimal("1000"), "JPY").value == "1000"
    assert money(Decimal("5"), "???").state == "no_data" and money(None, "EUR").state == "no_data"
    assert known(5).same_as(known(5, as_of=date(2026, 1, 1))) and not known(0).same_as(known(None))


def test_paydex_in_days() -> None:
    table = {
        100: -30,
        90: -20,
        80: 0,
        70: 15,
        60: 22,
        50: 30,
        40: 60,
        30: 90,
        20: 120,
        19: 121,
        0: 121,
        75: 8,
    }
    assert {index: paydex_days(index) for index in table} == table
    with pytest.raises(ValueError, match="between"):
        paydex_days(101)


def test_activity_codes_and_portal_links() -> None:
    assert (activity("62.01Z").value, activity("6201z").value) == ("6201Z", "6201Z")
    assert activity("62.01Z").detail["nomenclature"] == "NAFRev2"
    assert activity("62.01Z", on=date(2027, 2, 1)).detail.get("nomenclature") is None
    assert activity("7371", nomenclature="usSicV4").value == "7371" and activity(None).state == "no_data"
    hosts = ("provider.example",)
    assert portal("https://www.provider.example/x", hosts).state == "known"
    for bad in (
        "http://provider.example/x", "https://evil.example/provider.example", "https://provider.example@evil.example",
        "https://u:p@provider.example", "javascript:alert(1)", "https://notprovider.example",
    ):  # fmt: skip
        assert portal(bad, hosts).state == "no_data", bad


# -- Altares ------------------------------------------------------------------------------------------------------------


def soap(inside: str) -> bytes:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<e:Body><getScoreResponse><return>{inside}</return></getScoreResponse></e:Body></e:Envelope>"
    ).encode()


def test_altares_tells_errors_inside_success() -> None:
    def exception(code: str) -> bytes:
        return soap(
            f"<correct>false</correct><exception><code>{code}</code></exception><myInfo xsi:nil='true'/>"
        )

    for code, kind in (
        ("102", CompanyNotFound), ("-1", ProviderUnavailable), ("8", ProviderUnavailable), ("503", Rejected), ("10", AuthRefused),
        (" 118 ", Rejected), ("999", Rejected),
    ):  # fmt: skip
        with pytest.raises(kind) as told:
            altares.info(exception(code))
        assert told.value.code == code.strip()
    for contradictory in (
        "<exception><code>1</code></exception><myInfo><a>1</a></myInfo>",
        "<correct>true</correct>",
    ):
        with pytest.raises(GarbageAnswer):
            altares.info(soap(contradictory))
    assert altares.info(soap("<exception xsi:nil='true'/><myInfo><scoreCent>5</scoreCent></myInfo>")) == {
        "scoreCent": "5"
    }


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("NEANT", "none"), ("", "none"), (None, "none"), ("LIQUIDATION JUDICIAIRE", "liquidation"),
        ("Redressement judiciaire", "receivership"), ("SAUVEGARDE ACCELEREE", "safeguard"),
        ("PLAN DE CONTINUATION", "other_proceeding"),
    ],
)  # fmt: skip
def test_altares_proceedings(words: str | None, status: str) -> None:
    assert proceedings(words) == status


def test_altares_without_a_field_map_says_not_supplied_and_with_one_no_data() -> None:
    body = soap(
        "<myInfo><etat>7</etat><procedureCollective>NEANT</procedureCollective><chiffreAffaire>0</chiffreAffaire></myInfo>"
    )
    bare = mapped("altares", answer("identity", body)).values
    assert {bare[name].state for name in ("paydex", "recommended_credit", "privileges_amount")} == {
        "not_supplied"
    }
    assert (bare["legal_status"].value, bare["company_active"].value, bare["turnover"].value) == (
        "ceased",
        False,
        "0.00",
    )
    rule = {"privileges_amount": {"pointer": "/montant", "currency": "EUR"}}
    assert (
        mapped("altares", answer("identity", body), field_map=rule).values["privileges_amount"].state
        == "no_data"
    )
    half = mapped(
        "altares",
        answer("identity", b"", failure="unavailable"),
        answer("score", soap("<myInfo><scoreVingt>9</scoreVingt></myInfo>")),
    )
    assert half.values["legal_status"].state == "error" and half.values["score"].value == "9"
    assert str(half.values["score"].normalised) == "45.00"


# -- registers ----------------------------------------------------------------------------------------------------------


def test_bodacc_registers_and_references() -> None:
    assert (
        registers({"registre": ["883847758", "883 847 758"]})
        == registers({"registre": "883847758,883 847 758"})
        == {"883847758"}
    )
    assert (
        previous_id({"nomPublication": "BODACC A", "numeroParution": "20080068", "numeroAnnonce": "3153"})
        == "A200800683153"
    )
    assert previous_id({}) is None
    sale = {"id": "B1", "dateparution": "2026-01-01", "familleavis": "vente", "registre": ["552008443", "732829320"],
            "jugement": '{"nature": "Jugement d\'ouverture de liquidation judiciaire"}'}  # fmt: skip
    assert notice_of(sale).ruling.target is None
    assert notice_of({**sale, "familleavis": "collective", "typeavis": "jamais vu"}).ruling.review is True
    with pytest.raises(GarbageAnswer):
        notice_of({"id": "B1"})


def test_a_gazette_answer_that_lacks_a_page_or_speaks_of_another_is_refused() -> None:
    record = {
        "id": "A1",
        "dateparution": "2026-01-01",
        "familleavis": "collective",
        "registre": ["552008443"],
    }
    for broken in (
        {"total_count": 2, "results": [record]},
        {"results": []},
        {"total_count": 1, "results": [record]},
        {"error": 1},
    ):
        with pytest.raises(GarbageAnswer):
            mapped("bodacc", answer("notices:732829320:0", broken))
    with pytest.raises(GarbageAnswer):
        mapped("bodacc")


@pytest.mark.data
def test_real_samples(data_dir: Path) -> None:
    def sample(name: str) -> bytes:
        return (data_dir / "provider" / name).read_bytes()

    gazette = mapped("bodacc", answer("notices:883847758:0", sample("bodacc_v21_883847758.json")))
    assert (
        gazette.values["legal_status"].value == "liquidation"
    )  # a sanction of its director later changes nothing
    assert gazette.values["legal_status"].detail["judged_on"] == "2025-01-21"
    assert [notice.ruling.effect.value for notice in gazette.notices or ()] == ["opens", "neutral"]
    silent = mapped("bodacc", answer("notices:883847758:0", sample("bodacc_v21_empty.json")))
    assert (silent.values["legal_status"].state, silent.values["legal_status"].value) == ("known", "none")
    dnb = mapped("dnb", answer("organization", sample("dnb_assessment_l2_804735132.json"))).values
    assert (dnb["score"].value, dnb["risk_class"].value, dnb["grade"].value) == ("41", "2", "3A2")
    assert (dnb["paydex"].value, dnb["payment_delay_days"].value, dnb["delinquency_score"].value) == (
        78,
        3,
        "46",
    )
    assert dnb["recommended_credit"].state == "no_data" and dnb["legal_status"].state == "no_data"
    orange = mapped("sirene", answer("unit", sample("sirene311_siret_380129866.json"))).values
    assert (orange["name"].value, orange["activity"].value, orange["activity"].raw) == (
        "ORANGE",
        "6110Z",
        "61.10Z",
    )
    assert (orange["company_active"].value, orange["headcount_band"].detail["label"]) == (True, "10000+")


@pytest.mark.data
def test_real_british_insolvencies(data_dir: Path) -> None:
    folder = data_dir / "legal" / "companies-house"
    for file in sorted(folder.glob("*case_type_compulsory_liquidation*.json")):
        document = json.loads(file.read_text())
        insolvency = document.get("external_data") or document["companyInsolvency"]
        opened, *_ = cases(insolvency, "03770663", date(2026, 1, 1))
        assert (opened.ruling.target, str(opened.judged_on)) == (LegalStatus.LIQUIDATION, "2022-01-01"), (
            file.name
        )
    ended = json.loads(
        (data_dir / "legal" / "companies-house-delta" / "itest__output__case_type_3_output.json").read_text()
    )
    begins, ends = cases(ended["external_data"], "02877513", date(2026, 1, 1))
    assert (str(begins.judged_on), begins.ruling.effect.value, ends.ruling.effect.value) == (
        "2021-06-10",
        "opens",
        "closes",
    )
    undated = json.loads((folder / "itest__json__input__bad_request_payload.json").read_text())[
        "external_data"
    ]
    assert cases(undated, "1", date(2026, 1, 1))[0].judged_on is None


def test_a_french_unit_that_ceased_in_its_only_period_does_not_tell_when() -> None:
    def unit(**period: Any) -> Any:
        periods = [{"dateFin": None, "etatAdministratifUniteLegale": "C", **period}]
        body = {
            "uniteLegale": {
                "siren": "732829320",
                "dateCreationUniteLegale": "2001-02-03",
                "periodesUniteLegale": periods,
            }
        }
        return mapped("sirene", answer("unit", body)).values["legal_status"]

    since_birth = unit(dateDebut="2001-02-03", changementEtatAdministratifUniteLegale=False)
    assert (since_birth.value, since_birth.detail.get("judged_on")) == ("ceased", None)
    later = unit(dateDebut="2020-05-01", changementEtatAdministratifUniteLegale=True)
    assert later.detail["judged_on"] == "2020-05-01"
    ended = {
        "dateDebut": "2019-01-01",
        "dateFin": "2020-04-30",
        "etatAdministratifUniteLegale": "A",
        "denominationUniteLegale": "OLD",
    }
    body = {"uniteLegale": {"siren": "732829320", "periodesUniteLegale": [ended, {"dateDebut": "2020-05-01", "dateFin": None,
            "etatAdministratifUniteLegale": "A", "denominationUniteLegale": "NEW"}]}}  # fmt: skip
    assert mapped("sirene", answer("unit", body)).values["name"].value == "NEW"


# -- Creditsafe, D&B ----------------------------------------------------------------------------------------------------


def creditsafe(rating: dict[str, Any], **summary: Any) -> Any:
    report = {
        "companySummary": summary,
        "creditScore": {"currentCreditRating": rating, "latestRatingChangeDate": "2026-02-01T00:00:00Z"},
    }
    return mapped("creditsafe", answer("report", {"report": report}), pod_unit="percent").values


def test_creditsafe_numbers_in_words_and_words_for_numbers() -> None:
    full = creditsafe({
        "commonValue": "B", "creditLimit": {"currency": "GBP", "value": "12500"}, "pod": 2.5,
        "providerValue": {"minValue": "1", "maxValue": "100", "value": "51"},
    }, companyStatus={"status": "NonActive"}, latestTurnoverFigure={"currency": "GBP", "value": 1850000.0})  # fmt: skip
    assert (full["score"].value, str(full["score"].normalised), full["risk_class"].value) == (
        "51",
        "50.51",
        "B",
    )
    assert (full["recommended_credit"].value, full["recommended_credit"].currency) == ("12500.00", "GBP")
    assert (full["pd_12m"].value, full["turnover"].value) == ("0.025", "1850000.00")
    assert (full["company_active"].value, full["legal_status"].state) == (
        False,
        "not_supplied",
    )  # not active is not insolvent
    words = creditsafe(
        {"creditLimit": {"value": "No Limit"}, "providerValue": {"value": "Not rated"}},
        companyStatus={"status": "Other"},
    )
    assert {words[name].state for name in ("recommended_credit", "score", "pd_12m", "company_active")} == {
        "no_data"
    }


def test_dnb_has_nothing_in_braces() -> None:
    empty = {
        "failureScore": {},
        "delinquencyScore": {},
        "creditLimitRecommendation": {},
        "standardRating": {},
    }
    events = {"hasOpenLiens": False, "hasOpenBankruptcy": True}
    body = {"organization": {"duns": "804735132", "dnbAssessment": empty, "legalEvents": events}}
    values = mapped("dnb", answer("organization", body)).values
    assert {
        values[name].state for name in ("score", "delinquency_score", "recommended_credit", "grade", "paydex")
    } == {"no_data"}
    assert (values["privileges_present"].value, values["legal_status"].value) == (False, "other_proceeding")
    with pytest.raises(GarbageAnswer):
        mapped("dnb", answer("organization", {"error": {"errorCode": "00041"}}))


# -- the catalogue ------------------------------------------------------------------------------------------------------


def test_every_adapter_says_what_it_is() -> None:
    assert len(ADAPTERS) == 10
    for key, adapter in ADAPTERS.items():
        capabilities = adapter.capabilities({})
        shown = capabilities.as_json()
        assert (adapter.key, set(shown["fields"])) == (key, set(FIELDS)) and json.dumps(shown), key
        assert adapter.title and adapter.products and adapter.unknown, key
        assert adapter.options_schema()["type"] == "object"
        empty = Connection(ID, adapter.products[0].key)
        needed = any(field.required for field in adapter.credentials) or adapter.default_base_url is None
        assert bool(adapter.flaws(empty)) == needed, key
        plain = Connection(ID, "x", base_url="http://provider.example", credentials={"nonsense": "1"})
        pointers = {flaw.pointer for flaw in adapter.flaws(plain)}
        assert {"/base_url"} <= pointers, key
        assert adapter.hosts(Connection(ID, "x", base_url="https://API.provider.example:8443/v1")) == {
            "api.provider.example"
        }


def test_contents_are_compared_without_dates_and_spelling() -> None:
    def snapshot(**report: Any) -> Any:
        return mapped("dnb", answer("organization", {"organization": {"duns": "1", "dnbAssessment": report}}))

    first = snapshot(failureScore={"nationalPercentile": 41, "scoreDate": "2026-01-01"})
    later = snapshot(failureScore={"nationalPercentile": "41.0", "scoreDate": "2026-02-01"})
    worse = snapshot(failureScore={"nationalPercentile": 40, "scoreDate": "2026-02-01"})
    assert first.content_hash == later.content_hash != worse.content_hash
    assert integer("41.0") == 41


DESCRIBED: dict[str, Any] = {
    "fetch": {"main": {"path": "companies/${siren}"}},
    "fields": {"score": {"pointer": "/score", "scale": {"min": 0, "max": 10}}},
}


@pytest.mark.parametrize(
    ("change", "pointer", "said"),
    [
        ({"fetch": {"main": {"path": "https://evil.example/x"}}}, "/options/fetch/main/path", "below the base URL"),
        ({"fetch": {"main": {"path": "../admin"}}}, "/options/fetch/main/path", "below the base URL"),
        ({"fetch": {"main": {"path": "x/${password}"}}}, "/options/fetch/main", "unknown placeholder password"),
        ({"fetch": {}}, "/options/fetch", "at least 1"),
        ({"fields": {"karma": {"pointer": "/k"}}}, "/options/fields", "not a canonical field"),
        ({"fields": {"score": {"pointer": "/score"}}}, "/options/fields", "say its scale"),
        ({"fields": {"turnover": {"pointer": "/ca"}}}, "/options/fields", "say its currency"),
        ({"fields": {"legal_status": {"pointer": "/l", "values": {"X": "bankrupt"}}}}, "/options/fields", "needs `values`"),
        ({"fields": {"name": {"pointer": "name"}}}, "/options/fields/name/pointer", "begins with /"),
        ({"fields": {"name": {"pointer": "/n", "part": "other"}}}, "/options", "there are: main"),
        ({"fields": {"portal_url": {"pointer": "/u"}}}, "/options", "portal_hosts"),
        ({"fields": {"created_on": {"pointer": "/d", "dates": "guess"}}}, "/options/fields/created_on/dates", "expected one of"),
        ({"auth": {"kind": "oauth_cc"}}, "/options/auth", "token_path"),
        ({"failures": [{"means": "not_found"}]}, "/options/failures/0", "a status, a pointer"),
        ({"fetch": {"main": {"path": "x", "headers": {"Host": "evil"}}}}, "/options/fetch/main/headers", "header names"),
        ({"fetched": {}}, "/options/fetched", "Extra inputs"),
    ],
)  # fmt: skip
def test_a_description_that_will_not_do_says_where_and_why(
    change: dict[str, Any], pointer: str, said: str
) -> None:
    adapter = ADAPTERS["declarative"]
    fine = Connection(ID, "described", "https://api.provider.example", {"secret": "hush-hush"}, DESCRIBED)
    assert adapter.flaws(fine) == []
    wrong = Connection(
        ID, "described", "https://api.provider.example", {"secret": "hush-hush"}, {**DESCRIBED, **change}
    )
    flaws = adapter.flaws(wrong)
    assert [flaw for flaw in flaws if flaw.pointer == pointer and said in flaw.detail], flaws


def test_a_described_answer_with_attributes_lists_and_words() -> None:
    options = {
        "format": "xml",
        "fetch": {"main": {"path": "x"}},
        "fields": {
            "score": {
                "pointer": "/scores/score/[@type=standard]/value",
                "scale": {"min": 1, "max": 10, "better": "low"},
            },
            "recommended_credit": {
                "pointer": "/advice",
                "currency_pointer": "/advice/@ccy",
                "transforms": ["thousands"],
            },
            "pd_12m": {"pointer": "/pd", "transforms": ["percent"]},
            "company_active": {"pointer": "/active"},
            "legal_status": {"pointer": "/state", "values": {"OK": "none"}},
            "paydex": {"pointer": "/paydex"},
            "headcount": {"pointer": "/staff"},
        },
    }
    body = (
        b'<r><scores><score type="legend"><value>1</value></score><score type="standard"><value>4</value></score></scores>'
        b'<advice ccy="CHF">12,5</advice><pd>2%</pd><active>oui</active><state>??</state>'
        b"<paydex>70</paydex><staff>many</staff></r>"
    )
    snapshot = mapped("declarative", answer("main", body), **options)
    values = snapshot.values
    assert (values["score"].value, str(values["score"].normalised)) == ("4", "66.67")
    assert (values["recommended_credit"].value, values["recommended_credit"].currency) == ("12500.00", "CHF")
    assert (values["pd_12m"].value, values["company_active"].value) == ("0.02", True)
    assert (values["paydex"].value, values["payment_delay_days"].value) == (70, 15)
    assert values["legal_status"].state == "no_data" and values["headcount"].state == "no_data"
    assert [warning.split(":")[0] for warning in snapshot.warnings] == ["legal_status", "headcount"]
    assert values["turnover"].state == "not_supplied"
