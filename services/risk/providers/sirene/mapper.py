"""Sirene → canonical: identity, activity, size, whether the company still exists. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.risk.domain.legal.notices import LegalStatus
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import GarbageAnswer
from services.risk.providers.facts import CanonicalValue, Snapshot
from services.risk.providers.reading import at, dated, listed, text
from services.risk.providers.values import NO_DATA, activity, known, legal, snapshot

#: Bands of people employed, as INSEE codes them.
HEADCOUNT_BANDS = {
    "NN": "not an employer", "00": "0", "01": "1-2", "02": "3-5", "03": "6-9", "11": "10-19", "12": "20-49",
    "21": "50-99", "22": "100-199", "31": "200-249", "32": "250-499", "41": "500-999", "42": "1000-1999",
    "51": "2000-4999", "52": "5000-9999", "53": "10000+",
}  # fmt: skip


def unit_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The legal unit of an answer: of `/siren/…`, of `/siret/…`, or of a list of establishments."""
    unit = at(document, "uniteLegale") or at(document, "etablissement", "uniteLegale")
    unit = unit or at(document, "etablissements", 0, "uniteLegale") or at(document, "unitesLegales", 0)
    if not isinstance(unit, dict):
        raise GarbageAnswer("no legal unit in the answer")
    return unit


def map_unit(
    document: Mapping[str, Any], *, product: str, version: int, capabilities: Capabilities
) -> Snapshot:
    """A legal unit's snapshot. Periods are told newest first; the one without an end is in force."""
    unit = unit_of(document)
    period = current_period(listed(unit.get("periodesUniteLegale")))
    siren = text(unit.get("siren")) or text(at(document, "etablissements", 0, "siren"))

    def now(name: str) -> str | None:
        return text(period.get(name)) or text(unit.get(name))

    state = now("etatAdministratifUniteLegale")
    as_of = dated(unit.get("dateDernierTraitementUniteLegale"))
    values: dict[str, CanonicalValue] = {
        "name": known(now("denominationUniteLegale") or _person(unit)),
        "activity": activity(
            now("activitePrincipaleUniteLegale"),
            None,
            now("nomenclatureActivitePrincipaleUniteLegale"),
            on=as_of,
        ),
        "legal_form": known(now("categorieJuridiqueUniteLegale"), scheme="insee"),
        "headcount_band": _band(text(unit.get("trancheEffectifsUniteLegale")), unit),
        "created_on": known(dated(unit.get("dateCreationUniteLegale"))),
    }
    if state in ("A", "C"):
        values["company_active"] = known(state == "A", raw=state)
    if state == "C":
        ceased_on = ceased_since(unit, period)
        values["legal_status"] = legal(LegalStatus.CEASED, raw=state, judged_on=ceased_on)
    return snapshot(
        "sirene", product, version, capabilities, values, provider_reference=siren, as_of=as_of,
        warnings=[] if state in ("A", "C") else [f"state {state!r} is not understood"],
    )  # fmt: skip


def current_period(periods: Sequence[Any]) -> dict[str, Any]:
    """The period in force: the one without an end, else the latest."""
    known_periods = [one for one in periods if isinstance(one, dict)]
    for one in known_periods:
        if one.get("dateFin") is None:
            return one
    return max(known_periods, key=lambda one: str(one.get("dateDebut") or ""), default={})


def ceased_since(unit: Mapping[str, Any], period: Mapping[str, Any]) -> str | None:
    """The day the unit ceased: the start of a period that changed the state. A unit closed in its only period, which begins
    with its creation, does not tell when."""
    began = dated(period.get("dateDebut"))
    created = dated(unit.get("dateCreationUniteLegale"))
    changed = period.get("changementEtatAdministratifUniteLegale")
    if began is None or changed is False or (created is not None and began <= created):
        return None
    return began.isoformat()


def _band(code: str | None, unit: Mapping[str, Any]) -> CanonicalValue:
    if code is None:
        return NO_DATA
    return known(
        code, scheme="insee", label=HEADCOUNT_BANDS.get(code), category=text(unit.get("categorieEntreprise"))
    )


def _person(unit: Mapping[str, Any]) -> str | None:
    names = (text(unit.get("prenomUsuelUniteLegale")), text(unit.get("nomUniteLegale")))
    return " ".join(name for name in names if name and name != "[ND]") or None
