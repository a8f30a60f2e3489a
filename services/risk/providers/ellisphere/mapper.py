"""Ellisphere → canonical. Pure.

Only what stands inside `assessmentData` is the company's: before it the document explains its scale with the same tags. And
inside it, what stands within `history` is past.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from lxml import etree

from services.risk.domain.legal.notices import Effect, LegalNotice, LegalStatus, NoticeType, Ruling
from services.risk.domain.legal.standing import legal_standing
from services.risk.domain.legal.wording import rule
from services.risk.providers.bodacc.mapper import legal_value
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import GarbageAnswer
from services.risk.providers.facts import CanonicalValue, HistoricValue, Scale, Snapshot
from services.risk.providers.reading import dated, each, first, integer, local, number, text, words
from services.risk.providers.values import NO_DATA, TEN, activity, known, legal, money, score, snapshot

SOURCE = "ellisphere"
_SCALE = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*\Z")


def map_report(
    response: etree._Element, *, product: str, version: int, capabilities: Capabilities
) -> Snapshot:
    """A risk report."""
    report = first(response, "report")
    if report is None:
        raise GarbageAnswer("no report in the answer")
    company = first(report, "company")
    assessment = first(report, "assessmentData")
    standard, sector = _rating(assessment, "standard"), _rating(assessment, "sector")
    as_of = _date(standard, "lastupdate")
    opinion = first(report, "creditOpinion")
    notices = _notices(report)
    state = None if company is None else _attribute(first(company, "currentStatus"), "type")
    values: dict[str, CanonicalValue] = {
        "name": known(words(company, "name")),
        "score": _score(standard, as_of),
        "sector_score": _score(sector, _date(sector, "lastupdate")),
        "risk_class": known(
            text(_own(standard, "value", "riskclass")),
            as_of=as_of,
            label=text(_own(standard, "comment", "riskclass")),
        ),
        "recommended_credit": money(number(words(opinion, "upTo")), "EUR", raw=words(opinion, "upTo")),
        "recommended_credit_ceiling": money(
            number(words(opinion, "limit")), "EUR", raw=words(opinion, "limit")
        ),
        "activity": activity(_attribute(None if company is None else first(company, "activity"), "code")),
        "headcount": known(integer(words(company, "numberOfEmployees"))),
        "created_on": known(_date(None if company is None else first(company, "foundation"), "creation")),
        "company_active": NO_DATA if state is None else known(state == "active", raw=state),
        "legal_status": _legal(notices, state),
        **_privileges(first(report, "defaultsModule")),
    }
    register = next(
        (one.text for one in each(report, "company", "id") if one.get("type") == "register"), None
    )
    return snapshot(
        "ellisphere", product, version, capabilities, values, provider_reference=text(register), as_of=as_of,
        notices=notices, history=_history(standard),
        warnings=[f"event {n.nature!r} is not understood" for n in notices if n.ruling.review],
    )  # fmt: skip


def _legal(notices: Sequence[LegalNotice], state: str | None) -> CanonicalValue:
    """Insolvency says more than having ceased."""
    standing = legal_standing(notices)
    if standing.status is LegalStatus.NONE and state not in (None, "active"):
        return legal(LegalStatus.CEASED, raw=state)
    return legal_value(standing)


def _rating(assessment: etree._Element | None, kind: str) -> etree._Element | None:
    if assessment is None:
        return None
    return next((one for one in each(assessment, "score") if one.get("type") == kind), None)


def _own(rating: etree._Element | None, name: str, kind: str) -> str | None:
    """A current value of a rating: a direct child, never one inside `history`."""
    found = _node(rating, name, kind)
    return None if found is None else found.text


def _node(parent: etree._Element | None, name: str, kind: str) -> etree._Element | None:
    if parent is None:
        return None
    return next((one for one in parent if local(one) == name and one.get("type") == kind), None)


def _score(rating: etree._Element | None, as_of: date | None) -> CanonicalValue:
    node = _node(rating, "value", "score")
    raw = None if node is None else number(node.text)
    if node is None or raw is None:
        return NO_DATA
    return score(raw, _scale(node), as_of=as_of, kind="solvency")


def _scale(node: etree._Element) -> Scale:
    match = _SCALE.match(node.get("scale") or "")
    return Scale(Decimal(match[1]), Decimal(match[2])) if match and match[1] != match[2] else TEN


def _history(rating: etree._Element | None) -> list[HistoricValue]:
    found = []
    for past in each(rating, "history") if rating is not None else ():
        node, as_of = _node(past, "value", "score"), _date(past, "effective")
        raw = None if node is None else number(node.text)
        if node is not None and raw is not None and as_of is not None:
            found.append(
                HistoricValue("score", score(raw, _scale(node), as_of=as_of, kind="solvency"), as_of)
            )
    return sorted(found, key=lambda row: row.as_of)


def _privileges(module: etree._Element | None) -> dict[str, CanonicalValue]:
    """Counts, social and tax apart; no amounts."""
    social = integer(
        _attribute(None if module is None else first(module, "socialSecurityPrivileges"), "count")
    )
    tax = integer(_attribute(None if module is None else first(module, "treasuryTaxPrivileges"), "count"))
    if social is None and tax is None:
        return {}
    count = (social or 0) + (tax or 0)
    return {
        "privileges_social_count": known(social),
        "privileges_tax_count": known(tax),
        "privileges_count": known(count),
        "privileges_present": known(count > 0),
    }


def _notices(report: etree._Element) -> tuple[LegalNotice, ...]:
    """Events, those that speak of proceedings understood by their words; a red one that is not understood asks for a reader."""
    found: list[LegalNotice] = []
    for position, event in enumerate(each(report, "event")):
        said, day = words(event, "description"), _date(event, "effective")
        if said is None or day is None:
            continue
        ruling = rule("collective", None, said)
        severity = words(event, "severity")
        if ruling.effect is Effect.NEUTRAL and severity != "RED":
            ruling = Ruling(Effect.NEUTRAL)
        found.append(
            LegalNotice(
                source=SOURCE, source_id=f"{day}:{position}", published_on=day, judged_on=day, type=NoticeType.INITIAL,
                family=(severity or "event").lower(), nature=said, ruling=ruling,
            )
        )  # fmt: skip
    return tuple(found)


def _date(parent: etree._Element | None, kind: str) -> date | None:
    node = _node(parent, "date", kind)
    return None if node is None else dated(node.text)


def _attribute(node: etree._Element | None, name: str) -> str | None:
    return None if node is None else text(node.get(name))


def candidates(
    response: etree._Element,
) -> list[tuple[str, str | None, str, str | None, str | None, str | None]]:
    """Establishments of a search: (Ellisphere's id, SIREN, name, address, postcode, town)."""
    found = []
    for one in response.iter():
        if local(one) != "establishment":
            continue
        ids = {child.get("type"): text(child.text) for child in each(one, "id")}
        address = first(one, "address")
        source = ids.get("src")
        if source:
            found.append((
                source, ids.get("register"), words(one, "name") or source, words(address, "addressLine"),
                words(address, "cityCode"), words(address, "cityName"),
            ))  # fmt: skip
    return found


def members(response: etree._Element) -> Sequence[str]:
    """SIRENs of a list."""
    return [
        number
        for one in response.iter()
        if local(one) == "listItem"
        for child in each(one, "id")
        if child.get("type") == "register" and (number := text(child.text))
    ]
