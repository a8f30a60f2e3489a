"""Creditsafe → canonical. Pure. Numbers come as text in one place and as numbers in another; "Not rated" is no number."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import GarbageAnswer
from services.risk.providers.facts import CanonicalValue, Scale, Snapshot
from services.risk.providers.field_map import FieldMap, read
from services.risk.providers.reading import at, dated, number, text
from services.risk.providers.values import NO_DATA, activity, known, money, score, snapshot

_ACTIVE = {"active": True, "nonactive": False}


def map_report(
    document: Mapping[str, Any],
    *,
    product: str,
    version: int,
    capabilities: Capabilities,
    better: Literal["high", "low"],
    pod_unit: Literal["share", "percent"],
    field_map: FieldMap,
) -> Snapshot:
    """A company's report. `better`: the good end of the provider's own value, which differs by country; `pod_unit`: how the
    probability of default is written, which the documentation leaves open."""
    report = at(document, "report")
    if not isinstance(report, dict):
        raise GarbageAnswer("no report in the answer")
    summary, rating = (
        at(report, "companySummary") or {},
        at(report, "creditScore", "currentCreditRating") or {},
    )
    as_of = dated(at(report, "creditScore", "latestRatingChangeDate"))
    status = (text(at(summary, "companyStatus", "status")) or "").lower()
    limit = at(rating, "creditLimit") or at(report, "creditScore", "currentContractLimit") or {}
    turnover = at(summary, "latestTurnoverFigure") or {}
    values: dict[str, CanonicalValue] = {
        "name": known(text(summary.get("businessName"))),
        "risk_class": known(text(rating.get("commonValue")), as_of=as_of, label=text(rating.get("commonDescription"))),
        "score": _score(rating, better, as_of),
        "recommended_credit": _limit(limit, as_of),
        "pd_12m": _pod(rating.get("pod"), pod_unit),
        "activity": activity(
            text(at(summary, "mainActivity", "code")), text(at(summary, "mainActivity", "description")),
            text(at(summary, "mainActivity", "classification")),
        ),
        "turnover": money(number(turnover.get("value")), text(turnover.get("currency")), raw=turnover.get("value")),
    }  # fmt: skip
    if status in _ACTIVE:  # not active is not insolvent
        values["company_active"] = known(_ACTIVE[status], raw=status)
    warnings = []
    for name, rule in field_map.items():
        found, warning = read(name, rule, report, as_of=as_of)
        values |= found
        warnings += [warning] if warning else []
    return snapshot(
        "creditsafe", product, version, capabilities, values, provider_reference=text(report.get("companyId")), as_of=as_of,
        warnings=warnings,
    )  # fmt: skip


def _score(rating: Mapping[str, Any], better: Literal["high", "low"], as_of: Any) -> CanonicalValue:
    provider = at(rating, "providerValue") or {}
    raw, low, high = (number(provider.get(name)) for name in ("value", "minValue", "maxValue"))
    if raw is None:
        return CanonicalValue(state="no_data", raw=text(provider.get("value")))
    scale = Scale(low if low is not None else Decimal(0), high if high is not None else Decimal(100), better)
    return score(raw, scale, as_of=as_of, kind="solvency")


def _limit(limit: Mapping[str, Any], as_of: Any) -> CanonicalValue:
    """A text such as "No limit" is neither zero nor infinity: no data, with the words kept."""
    amount = number(limit.get("value"))
    if amount is None:
        return CanonicalValue(state="no_data", raw=text(limit.get("value")))
    return money(amount, text(limit.get("currency")), raw=limit.get("value"), as_of=as_of)


def _pod(value: Any, unit: Literal["share", "percent"]) -> CanonicalValue:
    raw = number(value)
    if raw is None:
        return NO_DATA
    share = raw / 100 if unit == "percent" else raw
    return known(share, raw=raw) if 0 <= share <= 1 else CanonicalValue(state="no_data", raw=str(raw))
