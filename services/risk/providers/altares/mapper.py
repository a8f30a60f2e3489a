"""Altares → canonical. Pure. Recommended credit, Paydex and privileges stand where a contract's documentation says: a field map
brings them; without one they are not supplied."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.risk.domain.legal.notices import LegalStatus
from services.risk.domain.legal.wording import plain_words
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.facts import CanonicalValue, HistoricValue, Snapshot
from services.risk.providers.field_map import FieldMap, read
from services.risk.providers.reading import dated, integer, listed, number, text
from services.risk.providers.values import (
    HUNDRED,
    NO_DATA,
    TWENTY,
    activity,
    known,
    legal,
    money,
    score,
    snapshot,
)

_PROCEEDINGS = (
    ("liquidation", LegalStatus.LIQUIDATION),
    ("redressement", LegalStatus.RECEIVERSHIP),
    ("sauvegarde", LegalStatus.SAFEGUARD),
)
_CEASED = frozenset((7, 9))


def map_company(
    parts: Mapping[str, Mapping[str, Any]],
    *,
    product: str,
    version: int,
    capabilities: Capabilities,
    field_map: FieldMap,
    failed: Sequence[str] = (),
) -> Snapshot:
    """`parts`: the infos of identity, score and history that could be had, an empty one where Altares has no figures."""
    identity, rating, past = (parts.get(name) or {} for name in ("identity", "score", "history"))
    history = _history(past)
    values, warnings = _identity(identity) if "identity" in parts else ({}, [])
    values |= _rating(rating, history)
    for name, rule in field_map.items():
        document = parts.get(rule.part or "identity")
        if document is not None:
            found, warning = read(name, rule, document)
            values |= found
            warnings += [warning] if warning else []
    as_of = values["score"].as_of if "score" in values else None
    return snapshot(
        "altares", product, version, capabilities, values, provider_reference=text(identity.get("siren")), as_of=as_of,
        history=history, failed=failed, warnings=warnings,
    )  # fmt: skip


def _identity(identity: Mapping[str, Any]) -> tuple[dict[str, CanonicalValue], list[str]]:
    status, warnings = proceedings(identity.get("procedureCollective")), []
    state = integer(identity.get("etat"))
    if status is LegalStatus.OTHER_PROCEEDING:
        warnings.append(
            f"procedureCollective {text(identity.get('procedureCollective'))!r} is not understood"
        )
    if status is LegalStatus.NONE and state in _CEASED:  # insolvency says more than having ceased
        status = LegalStatus.CEASED
    label = text(identity.get("etatLabel"))
    active = NO_DATA
    if state == 1 or state in _CEASED:
        active = known(state == 1, raw=state, label=label)
    elif state is not None:
        active = CanonicalValue(state="no_data", raw=str(state), detail={"label": label} if label else {})
        warnings.append(f"etat {state} is not understood")
    months = integer(identity.get("dureeDernierBilan")) or None
    closed_on = dated(identity.get("dateDernierBilan"))
    return {
        "name": known(text(identity.get("raisonSociale"))),
        "activity": activity(text(identity.get("naf5EntreCode")), text(identity.get("naf5EntreLibelle"))),
        "legal_form": known(text(identity.get("formeJuridiqueCode")), scheme="insee", label=text(identity.get("formeJuridique"))),
        "turnover": money(
            number(identity.get("chiffreAffaire")), "EUR", raw=identity.get("chiffreAffaire"), as_of=closed_on, months=months,
            fiscal_year_end=closed_on.isoformat() if closed_on else None, currency_assumed=True,
        ),
        "headcount": known(integer(identity.get("effectif"))),
        "created_on": known(dated(identity.get("dateCreation"))),
        "company_active": active,
        "legal_status": legal(status, raw=identity.get("procedureCollective") or "", review=True if warnings else None),
    }, warnings  # fmt: skip


def proceedings(raw: Any) -> LegalStatus:
    """NEANT, empty or nil is none; words that are not known are proceedings all the same."""
    words = plain_words(text(raw))
    if words in ("", "neant", "aucune", "non"):
        return LegalStatus.NONE
    return next((status for mark, status in _PROCEEDINGS if mark in words), LegalStatus.OTHER_PROCEEDING)


def _rating(rating: Mapping[str, Any], history: Sequence[HistoricValue]) -> dict[str, CanonicalValue]:
    as_of = dated(rating.get("dateValeur"))
    current = _score(rating, as_of)
    if current is NO_DATA and history:
        current = history[-1].value
    found = {"score": current}
    sector = number(rating.get("scoreSectorielCent"))
    twentieth = number(rating.get("scoreSectorielVingt"))
    if sector is not None or twentieth is not None:
        found["sector_score"] = (
            score(sector, HUNDRED, as_of=as_of) if sector is not None else score(twentieth, TWENTY)
        )
    if text(rating.get("niveauRisque")):
        found["grade"] = known(text(rating.get("niveauRisque")), as_of=as_of)
    return found


def _score(row: Mapping[str, Any], as_of: Any) -> CanonicalValue:
    """0–100 where it is told, else 0–20."""
    cent, vingt = number(row.get("scoreCent")), number(row.get("scoreVingt"))
    if cent is not None:
        return score(cent, HUNDRED, as_of=as_of, kind="solvency", out_of_twenty=_plain(vingt))
    return score(vingt, TWENTY, as_of=as_of, kind="solvency")


def _history(past: Mapping[str, Any]) -> list[HistoricValue]:
    rows = [row for row in listed(past.get("scoreList")) if isinstance(row, dict)]
    found = [
        HistoricValue("score", value, as_of)
        for row in rows
        if (as_of := dated(row.get("dateValeur"))) is not None
        and (value := _score(row, as_of)).state == "known"
    ]
    return sorted(found, key=lambda row: row.as_of)


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
