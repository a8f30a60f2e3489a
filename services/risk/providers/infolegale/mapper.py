"""Infolegale → canonical. Pure. The score is taken for 0–20, as its one known client uses it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from services.risk.domain.legal.notices import INSOLVENT, Effect, LegalNotice, LegalStatus, Ruling
from services.risk.domain.legal.standing import legal_standing
from services.risk.domain.legal.wording import plain_words, rule
from services.risk.providers.bodacc.mapper import legal_value
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.facts import CanonicalValue, Snapshot
from services.risk.providers.reading import at, dated, integer, listed, number, text
from services.risk.providers.values import NO_DATA, TWENTY, activity, known, legal, money, score, snapshot

SOURCE = "infolegale"
#: Codes of events that belong to collective proceedings.
_PROCEEDINGS = re.compile(r"(50[0-4]\d|5[1-5]\d\d|59\d\d|31\d\d|632\d)\Z")
_COLOURS = {"vert": LegalStatus.NONE, "orange": LegalStatus.NONE, "noir": LegalStatus.CEASED}


def map_company(
    parts: Mapping[str, Mapping[str, Any]],
    *,
    product: str,
    version: int,
    capabilities: Capabilities,
    failed: Sequence[str] = (),
) -> Snapshot:
    """`parts`: the contents of score, identity and notices that could be had."""
    rating = at(parts.get("score"), "scoreInfo")
    values: dict[str, CanonicalValue] = {}
    if "score" in parts:
        rating = rating if isinstance(rating, dict) else {}
        values["score"] = score(number(rating.get("score")), TWENTY, kind="solvency", scale_assumed=True)
        credit = rating.get("credit")
        values["recommended_credit"] = money(number(credit), "EUR", raw=credit, currency_assumed=True)
    identity = at(parts.get("identity"), "identity")
    colour = ""
    if isinstance(identity, dict):
        colour = plain_words(text(at(identity, "indiceRisque", "indice")))
        values |= _identity(identity, colour)
    notices = None
    if "notices" in parts:
        notices = tuple(_notices(parts["notices"]))
    if isinstance(identity, dict):
        values["legal_status"] = _legal(colour, notices)
    return snapshot(
        "infolegale", product, version, capabilities, values, failed=failed, notices=notices,
        provider_reference=text(at(identity, "siren")),
        warnings=[f"event {n.nature!r} is not understood" for n in notices or () if n.ruling.review],
    )  # fmt: skip


def _identity(identity: Mapping[str, Any], colour: str) -> dict[str, CanonicalValue]:
    finances = at(identity, "finances") or {}
    closed_on = dated(at(finances, "dateCloture"))
    turnover = at(finances, "chiffreAffaires")
    return {
        "name": known(text(identity.get("raisonSociale"))),
        "activity": activity(text(identity.get("naf")), text(identity.get("activite"))),
        "legal_form": known(text(identity.get("formeJuridique")), scheme="infolegale"),
        "created_on": known(dated(identity.get("dateCreation")) or dated(identity.get("dateCreation"), "fr")),
        "risk_class": known(colour or None),
        "company_active": NO_DATA if not colour else known(colour != "noir", raw=colour),
        "turnover": money(
            number(turnover), "EUR", raw=turnover, as_of=closed_on, currency_assumed=True,
            fiscal_year_end=closed_on.isoformat() if closed_on else None,
        ),
    }  # fmt: skip


def _legal(colour: str, notices: tuple[LegalNotice, ...] | None) -> CanonicalValue:
    """Red says that there are proceedings, the notices say which; insolvency says more than having ceased."""
    standing = legal_standing(notices) if notices else None
    if standing is not None and standing.status in INSOLVENT:
        return legal_value(standing)
    if colour == "rouge":
        return legal(LegalStatus.OTHER_PROCEEDING, raw=colour, review=True)
    return legal(_COLOURS.get(colour, LegalStatus.UNKNOWN), raw=colour)


def _notices(content: Mapping[str, Any]) -> list[LegalNotice]:
    found = []
    for one in listed(at(content, "annonces", "annonce")):
        for position, event in enumerate(listed(at(one, "evenement"))):
            published = dated(at(one, "dateParution")) or dated(at(one, "dateParution"), "fr")
            if published is None or not text(at(one, "adID")):
                continue
            code, label = integer(at(event, "codeEvenement")), text(at(event, "labelEvenement"))
            judged = dated(at(event, "dateDecision")) or dated(at(event, "dateDecision"), "fr")
            found.append(
                LegalNotice(
                    source=SOURCE, source_id=f"{text(at(one, 'adID'))}:{position}", published_on=published, judged_on=judged,
                    family=text(at(one, "categorie")) or "", nature=label, ruling=_ruling(code, label),
                )
            )  # fmt: skip
    return found


def _ruling(code: int | None, label: str | None) -> Ruling:
    """The label's words; a code of proceedings whose words say nothing still means proceedings."""
    if code is None or not _PROCEEDINGS.match(str(code)):
        return Ruling(Effect.NEUTRAL)
    understood = rule("collective", None, label)
    if understood.effect is Effect.NEUTRAL and understood.review:
        return Ruling(Effect.NEUTRAL, LegalStatus.OTHER_PROCEEDING, review=True)
    return understood
