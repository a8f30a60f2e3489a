"""D&B → canonical. Pure. `{}` is how D&B says that it has nothing; class 1 is best, percentile 100 is best."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.risk.domain.legal.notices import LegalStatus
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import GarbageAnswer
from services.risk.providers.facts import CanonicalValue, Scale, Snapshot
from services.risk.providers.field_map import resolve
from services.risk.providers.reading import at, dated, integer, listed, number, text
from services.risk.providers.values import NO_DATA, activity, known, legal, money, paydex, score, snapshot

PERCENTILE = Scale(Decimal(1), Decimal(100))


def map_organization(
    document: Mapping[str, Any],
    *,
    product: str,
    version: int,
    capabilities: Capabilities,
    paydex_pointer: str,
) -> Snapshot:
    """A company's data blocks."""
    organization = at(document, "organization")
    if not isinstance(organization, dict):
        raise GarbageAnswer("no organization in the answer")
    assessment = at(organization, "dnbAssessment") or {}
    failure, rating = at(assessment, "failureScore") or {}, at(assessment, "standardRating") or {}
    advised = at(assessment, "creditLimitRecommendation") or {}
    limit = at(advised, "maximumRecommendedLimit") or {}
    as_of = dated(failure.get("scoreDate")) or dated(rating.get("scoreDate"))
    events = at(organization, "legalEvents")
    values: dict[str, CanonicalValue] = {
        "name": known(text(organization.get("primaryName"))),
        "score": score(number(failure.get("nationalPercentile")), PERCENTILE, as_of=as_of, kind="failure"),
        "risk_class": known(
            text(failure.get("classScore")), as_of=as_of, better="low", label=text(failure.get("classScoreDescription"))
        ),
        "delinquency_score": score(
            number(at(assessment, "delinquencyScore", "nationalPercentile")), PERCENTILE, kind="delinquency",
        ),
        "grade": known(_rating(rating), as_of=dated(rating.get("scoreDate"))),
        "recommended_credit": money(
            number(limit.get("value")), text(limit.get("currency")), raw=limit.get("value"),
            as_of=dated(advised.get("assessmentDate")),
        ),
        "activity": activity(text(at(organization, "primaryIndustryCode", "usSicV4")), nomenclature="usSicV4"),
        **paydex(integer(resolve(organization, paydex_pointer))),
        **_legal(events if isinstance(events, dict) else {}),
    }  # fmt: skip
    return snapshot(
        "dnb",
        product,
        version,
        capabilities,
        values,
        provider_reference=text(organization.get("duns")),
        as_of=as_of,
    )


def _rating(rating: Mapping[str, Any]) -> str | None:
    """ "3A2": financial strength and risk segment, told apart or together."""
    strength, segment = text(rating.get("financialStrength")), text(rating.get("riskSegment"))
    return f"{strength}{segment}" if strength and segment else text(rating.get("rating"))


def _legal(events: Mapping[str, Any]) -> dict[str, CanonicalValue]:
    """Flags without amounts, counts or kinds: an open bankruptcy is some proceeding."""
    bankrupt, liens = events.get("hasOpenBankruptcy"), events.get("hasOpenLiens")
    found = {"legal_status": NO_DATA, "privileges_present": NO_DATA}
    if isinstance(bankrupt, bool):
        status = LegalStatus.OTHER_PROCEEDING if bankrupt else LegalStatus.NONE
        found["legal_status"] = legal(status, raw=str(bankrupt).lower())
    if isinstance(liens, bool):
        found["privileges_present"] = known(liens, raw=str(liens).lower())
    return found


def registration_numbers(organization: Mapping[str, Any]) -> list[str]:
    """All numbers, the preferred one first."""
    rows = [row for row in listed(organization.get("registrationNumbers")) if isinstance(row, dict)]
    rows.sort(key=lambda row: row.get("isPreferredRegistrationNumber") is not True)
    return [number for row in rows if (number := text(row.get("registrationNumber")))]
