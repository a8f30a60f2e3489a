"""What notices do, and where a company stands after them."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.domain.legal.notices import Effect, LegalNotice, LegalStatus, NoticeType, Ruling
from services.risk.domain.legal.standing import legal_history, legal_standing
from services.risk.domain.legal.wording import mend, rule

L = LegalStatus
OPEN_RJ = "Jugement d'ouverture d'une procédure de redressement judiciaire"
OPEN_LJ = "Jugement d'ouverture de liquidation judiciaire"
TO_LJ = "Jugement de conversion en liquidation judiciaire"
PLAN_LOST = "Jugement prononçant la résolution du plan de redressement et la liquidation judiciaire"
UNDONE = "Jugement prononçant la résolution du plan de sauvegarde"
LIST_LJ = "Liste des créances nées après le jugement d'ouverture d'une procédure de liquidation judiciaire"
TAKEN_BACK, CORRECTED = NoticeType.ANNULMENT, NoticeType.CORRECTION
REPORTED = "Rapport de la radiation d'office"
CLOSED = "Jugement de clôture pour insuffisance d'actif"

WORDS = [
    (OPEN_LJ, None, Effect.OPENS, L.LIQUIDATION),
    (OPEN_RJ, None, Effect.OPENS, L.RECEIVERSHIP),
    ("Jugement d'ouverture d'une procédure de sauvegarde", None, Effect.OPENS, L.SAFEGUARD),
    ("Jugement d'ouverture d'une procédure de sauvegarde accélérée", None, Effect.OPENS, L.SAFEGUARD),
    (TO_LJ, None, Effect.CONVERTS, L.LIQUIDATION),
    ("Jugement de conversion en redressement judiciaire de la procédure de sauvegarde", None, Effect.CONVERTS, L.RECEIVERSHIP),
    (PLAN_LOST, None, Effect.CONVERTS, L.LIQUIDATION),
    (f"{UNDONE} et la liquidation judiciaire", None, Effect.CONVERTS, L.LIQUIDATION),
    (f"{UNDONE} et le redressement judiciaire", None, Effect.CONVERTS, L.RECEIVERSHIP),
    ("Jugement prononçant la résolution du plan de redressement", None, Effect.PLAN_FAILS, None),
    ("Jugement d'extension de liquidation judiciaire", None, Effect.OPENS, L.LIQUIDATION),
    ("Jugement de reprise de la procédure de liquidation judiciaire", None, Effect.RESUMES, L.LIQUIDATION),
    (CLOSED, None, Effect.CLOSES, None),
    ("Jugement de clÃ´ture pour insuffisance d'actif", None, Effect.CLOSES, None),
    ("Jugement de clôture pour extinction du passif", None, Effect.ENDS, None),
    ("Jugement mettant fin à la procédure de redressement judiciaire", None, Effect.ENDS, L.RECEIVERSHIP),
    ("Jugement mettant fin à la procédure de sauvegarde", None, Effect.ENDS, L.SAFEGUARD),
    ("Jugement mettant fin à l'application des règles de la liquidation simplifiée", None, Effect.NEUTRAL, None),
    ("Jugement arrêtant le plan de sauvegarde", None, Effect.PLAN, L.SAFEGUARD),
    ("Jugement de plan de redressement", None, Effect.PLAN, L.RECEIVERSHIP),
    ("Jugement modifiant le plan de continuation", None, Effect.PLAN, L.RECEIVERSHIP),
    ("Jugement arrêtant un plan de cession", None, Effect.NEUTRAL, L.OTHER_PROCEEDING),
    ("Dépôt de l'état des créances", None, Effect.NEUTRAL, L.OTHER_PROCEEDING),
    ("Liste des créances nées après le jugement d'ouverture d'une procédure de liquidation judiciaire", None, Effect.NEUTRAL,
     L.LIQUIDATION),
    ("Jugement de faillite personnelle", None, Effect.NEUTRAL, None),
    ("Jugement d'interdiction de gérer", None, Effect.NEUTRAL, None),
    ("Jugement modifiant la date de cessation des paiements", None, Effect.NEUTRAL, None),
    ("Arrêt de la cour d'appel infirmant une décision soumise à publicité", None, Effect.REVERSES, None),
    ("Jugement d'homologation de l'accord", None, Effect.OPENS, L.CONCILIATION),
    ("Autre jugement et ordonnance", None, Effect.NEUTRAL, None),
    ("Autre jugement prononçant", "l'ouverture d'une procédure de liquidation judiciaire", Effect.OPENS, L.LIQUIDATION),
    ("Autre jugement et ordonnance", "Ordonnance désignant un nouveau liquidateur dans la liquidation judiciaire", Effect.NEUTRAL,
     None),
    ("Nature inconnue", None, Effect.NEUTRAL, None),
    ("Jugement rejetant la demande de conversion en liquidation judiciaire", None, Effect.NEUTRAL, None),
]  # fmt: skip


@pytest.mark.parametrize(("nature", "text", "effect", "target"), WORDS, ids=[f"{n[:60]}" for n, *_ in WORDS])
def test_words(nature: str, text: str | None, effect: Effect, target: LegalStatus | None) -> None:
    ruling = rule("collective", None, nature, text)
    assert (ruling.effect, ruling.target) == (effect, target)


def test_sales_and_strikings_off_are_no_proceedings() -> None:
    text = "Vente d'un fonds dans le cadre de la liquidation judiciaire"
    for family in ("vente", "creation", "immatriculation", "modification", "dpc", "divers"):
        assert rule(family, None, OPEN_LJ, text) == Ruling(Effect.NEUTRAL), family
    assert rule("radiation", None, "radiation").target is L.CEASED
    assert rule("radiation", None, "Rapport de la radiation d'office").effect is Effect.NEUTRAL


def test_sound_text_is_not_mended() -> None:
    assert mend("Jugement de clÃ´ture") == "Jugement de clôture"
    assert mend("Jugement de clôture à São Paulo") == "Jugement de clôture à São Paulo"


def notice(
    number: int, nature: str | None, day: str, *, type_: NoticeType = NoticeType.INITIAL, family: str = "collective",
    replaces: int | None = None, judged: str | None = "same", text: str | None = None,
) -> LegalNotice:  # fmt: skip
    published = date.fromisoformat(day)
    return LegalNotice(
        source="bodacc", source_id=f"A{number}", published_on=published,
        judged_on=published - timedelta(days=7) if judged == "same" else judged and date.fromisoformat(judged),
        type=type_, family=family, nature=nature, ruling=rule(family, None, nature, text), text=text,
        replaces=f"A{replaces}" if replaces else None,
    )  # fmt: skip


def test_a_life_in_proceedings() -> None:
    life = [
        notice(1, "Jugement d'ouverture d'une procédure de sauvegarde", "2020-01-10"),
        notice(2, "Jugement arrêtant le plan de sauvegarde", "2020-09-10"),
        notice(
            3, "Jugement de conversion en redressement judiciaire de la procédure de sauvegarde", "2021-01-10"
        ),
        notice(4, "Jugement de plan de redressement", "2021-09-10"),
        notice(5, PLAN_LOST, "2023-05-10"),
        notice(6, CLOSED, "2025-05-10"),
        notice(7, "radiation", "2025-05-20", family="radiation"),
        notice(8, "Jugement de faillite personnelle", "2025-06-10"),
    ]
    stages = [
        (step.status.value, step.under_plan)
        for step in (legal_standing(life[: n + 1]) for n in range(len(life)))
    ]
    assert stages == [
        ("safeguard", False), ("safeguard", True), ("receivership", False), ("receivership", True), ("liquidation", False),
        ("closed_insolvency", False), ("closed_insolvency", False), ("closed_insolvency", False),
    ]  # fmt: skip
    end = legal_standing(life)
    assert (str(end.opened_on), str(end.struck_off_on), end.insolvent, end.review) == (
        "2020-01-03",
        "2025-05-13",
        True,
        False,
    )
    assert [(str(day), then.status.value) for day, then in legal_history(life)] == [
        ("2020-01-10", "safeguard"), ("2021-01-10", "receivership"), ("2023-05-10", "liquidation"),
        ("2025-05-10", "closed_insolvency"),
    ]  # fmt: skip
    assert legal_standing(life, date(2021, 2, 1)).status is L.RECEIVERSHIP
    assert legal_standing([]).status is L.NONE


def test_late_publication_does_not_soften_a_liquidation() -> None:
    late = notice(9, OPEN_RJ, "2024-06-10", judged="2024-01-05")
    assert legal_standing([notice(3, TO_LJ, "2024-05-20"), late]).status is L.LIQUIDATION


@pytest.mark.parametrize(
    ("name", "notices", "status", "gone"),
    [
        ("annulled", [notice(1, OPEN_RJ, "2024-01-10"),
                      notice(2, OPEN_RJ, "2024-01-20", type_=TAKEN_BACK, replaces=1)], L.NONE, {"A1", "A2"}),
        ("an annulment opens nothing", [notice(2, OPEN_RJ, "2024-01-20", type_=TAKEN_BACK, replaces=1)], L.NONE, {"A2"}),
        ("annulled without a reference", [notice(1, OPEN_RJ, "2024-01-10"),
            notice(2, OPEN_RJ, "2024-01-20", type_=TAKEN_BACK, judged=None)], L.NONE, {"A1", "A2"}),
        ("corrected to liquidation", [notice(1, OPEN_RJ, "2024-01-10"),
            notice(2, OPEN_LJ, "2024-01-20", type_=CORRECTED, replaces=1)], L.LIQUIDATION, {"A1"}),
        ("corrected to milder", [notice(1, OPEN_LJ, "2024-01-10"),
            notice(2, OPEN_RJ, "2024-01-20", type_=CORRECTED, replaces=1, judged=None)], L.RECEIVERSHIP, {"A1"}),
        ("only an address corrected", [notice(1, OPEN_RJ, "2024-01-10"),
            notice(2, None, "2024-01-20", type_=CORRECTED, replaces=1)], L.RECEIVERSHIP, {"A2"}),
        ("correction annulled", [notice(1, OPEN_RJ, "2024-01-10"),
            notice(2, OPEN_LJ, "2024-01-20", type_=CORRECTED, replaces=1),
            notice(3, OPEN_LJ, "2024-01-30", type_=TAKEN_BACK, replaces=2)], L.NONE, {"A1", "A2", "A3"}),
        ("original annulled after its correction", [notice(1, OPEN_RJ, "2024-01-10"),
            notice(2, OPEN_LJ, "2024-01-20", type_=CORRECTED, replaces=1),
            notice(3, OPEN_LJ, "2024-01-30", type_=TAKEN_BACK, replaces=1)], L.NONE, {"A1", "A2", "A3"}),
        ("earlier state returns", [notice(1, OPEN_RJ, "2023-01-10"), notice(2, TO_LJ, "2024-01-10"),
            notice(3, TO_LJ, "2024-01-20", type_=TAKEN_BACK, replaces=2)], L.RECEIVERSHIP, {"A2", "A3"}),
        ("striking-off reported back", [notice(1, "radiation", "2024-01-10", family="radiation"),
            notice(2, REPORTED, "2024-02-10", family="radiation", type_=CORRECTED, replaces=1)],
            L.NONE, {"A1"}),
        ("set aside on appeal", [notice(1, OPEN_LJ, "2024-01-10", judged="2024-01-03"),
            notice(2, "Arrêt de la cour d'appel infirmant une décision soumise à publicité", "2024-06-10",
                   text="Arrêt infirmant le jugement rendu en date du 03/01/2024")], L.NONE, {"A1"}),
        ("struck off, then liquidated", [notice(1, "radiation", "2024-01-10", family="radiation"),
            notice(2, OPEN_LJ, "2024-03-10")], L.LIQUIDATION, set()),
        ("a creditors' list of unseen proceedings",
            [notice(1, LIST_LJ, "2024-01-10")],
            L.LIQUIDATION, set()),
        ("a sale changes nothing", [notice(1, OPEN_LJ, "2024-01-10", family="vente")], L.NONE, set()),
        ("liquidation and sale of the business on one day", [notice(1, TO_LJ, "2024-01-10"),
            notice(2, "Jugement arrêtant un plan de cession", "2024-01-10")], L.LIQUIDATION, set()),
        ("conciliation does not soften", [notice(1, OPEN_RJ, "2024-01-10"),
            notice(2, "Jugement d'homologation de l'accord", "2024-02-10")], L.RECEIVERSHIP, set()),
        ("a court's misprinted year", [notice(1, OPEN_RJ, "2024-01-10"), notice(2, CLOSED, "2026-01-10", judged="2062-01-03")],
            L.CLOSED_INSOLVENCY, set()),
    ],
)  # fmt: skip
def test_corrections_annulments_and_their_like(
    name: str, notices: list[LegalNotice], status: LegalStatus, gone: set[str]
) -> None:
    for order in (notices, notices[::-1], [*notices, *notices]):  # whichever became known first, and twice
        standing = legal_standing(order)
        assert (standing.status, set(standing.withdrawn)) == (status, gone), name


NATURES = st.sampled_from([nature for nature, text, *_ in WORDS if text is None])
LIVES = st.lists(
    st.tuples(
        NATURES, st.integers(0, 1500), st.sampled_from(["collective", "collective", "radiation", "vente"])
    ),
    max_size=8,
)


@given(LIVES, st.randoms(use_true_random=False))
def test_the_order_of_hearing_does_not_matter(life: list[tuple[str, int, str]], chance: Any) -> None:
    start = date(2020, 1, 1)
    notices = [
        notice(n, nature, str(start + timedelta(days=days)), family=family)
        for n, (nature, days, family) in enumerate(life)
    ]
    shuffled = chance.sample(notices, len(notices))
    assert legal_standing(shuffled) == legal_standing(notices)
    taken_back = [
        notice(100 + n, one.nature, "2030-01-01", type_=TAKEN_BACK, replaces=n, family=one.family)
        for n, one in enumerate(notices)
        if n
    ]
    alone = legal_standing(notices[:1])
    after = legal_standing([*notices, *taken_back])
    assert (after.status, after.opened_on, after.decided_by) == (
        alone.status,
        alone.opened_on,
        alone.decided_by,
    )


def _real(data_dir: Path) -> list[dict[str, Any]]:
    issues = sorted((data_dir / "legal").glob("bodacc_pcl_*.json"))
    return [one for issue in issues for one in json.loads(issue.read_text())["annonces"]]


@pytest.mark.data
def test_every_real_notice_is_understood(data_dir: Path) -> None:
    seen: Counter[tuple[str, str | None]] = Counter()
    liquidations = strangers = 0
    for one in _real(data_dir):
        judgment = one["jugement"]
        ruling = rule(
            "collective", judgment.get("famille"), judgment.get("nature"), judgment.get("complementJugement")
        )
        seen[ruling.effect.value, ruling.target.value if ruling.target else None] += 1
        strangers += ruling.review and ruling.effect is not Effect.REVERSES
        if "résolution du plan" in judgment["nature"]:
            liquidations += (ruling.effect, ruling.target) == (Effect.CONVERTS, L.LIQUIDATION)
    assert strangers == 0
    assert liquidations == 17  # what the public rule table does not know
    opening = "opens", "liquidation"
    assert (seen[opening], seen["opens", "receivership"], seen["opens", "safeguard"]) == (266, 125, 9)
    assert (seen["converts", "liquidation"], seen["closes", None], seen["reverses", None]) == (
        87 + 17,
        345,
        3,
    )
    assert sum(seen.values()) == 1171


@pytest.mark.data
def test_where_the_real_companies_stand(data_dir: Path) -> None:
    """From each issue's notices as the portal would tell them: liquidations are caught, an annulment opens nothing."""
    from services.risk.providers.bodacc.payloads import notice_of

    by_number: dict[str, list[LegalNotice]] = {}
    expected: dict[str, str] = {}
    for one in _real(data_dir):
        numbers = one.get("numeroImmatriculation") or []
        number = (
            (numbers if isinstance(numbers, list) else [numbers])[0]["numeroIdentificationRCS"]
            if numbers
            else one["nojo"]
        )
        kind = next(iter(one["typeAnnonce"]))
        record = {
            "id": f"A{one['nojo']}", "dateparution": "2008-06-01", "typeavis": {"creation": "annonce"}.get(kind, kind),
            "familleavis": "collective", "registre": [number], "jugement": json.dumps(one["jugement"]),
            "parutionavisprecedent": json.dumps(one.get("parutionAvisPrecedent") or {}),
        }  # fmt: skip
        by_number.setdefault(number, []).append(notice_of(record))
        if kind != "annulation" and (
            "et la liquidation" in one["jugement"]["nature"] or one["jugement"]["nature"] in (OPEN_LJ, TO_LJ)
        ):
            expected[number] = "liquidation"
        if kind == "annulation":
            expected[number] = "none"
    standings = {number: legal_standing(notices) for number, notices in by_number.items()}
    wrong = {
        number: standings[number].status.value
        for number, status in expected.items()
        if standings[number].status != status
    }
    assert wrong == {} and len(expected) > 350
    assert sum(notice.judged_on is None for notices in by_number.values() for notice in notices) == 6
