"""The covers of companies, with the terms they stand under, ready for the rules."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from services.credit.domain.insurance.cover import Buyer, Layered
from services.credit.domain.insurance.policy_terms import Terms
from services.credit.domain.insurance.secured import as_guarantees
from services.credit.domain.insurance.timeline import Period, Timeline
from services.credit.domain.security import Guarantee
from services.credit.storage.insurance import contracts, covers

_BUYERS = """
    SELECT c.id, c.country, i.status, i.judged_on, i.published_on, i.known_on,
           (SELECT CASE WHEN count(DISTINCT u.buyer_kind) = 1 THEN min(u.buyer_kind) ELSE 'private' END
              FROM customers u WHERE u.tenant_id = c.tenant_id AND u.company_id = c.id) AS kind
      FROM companies c
      LEFT JOIN insolvencies i ON i.tenant_id = c.tenant_id AND i.company_id = c.id
     WHERE c.tenant_id = $1 AND c.id = ANY($2)
"""
_SOUND = frozenset({"none", "unknown", "ceased"})


@dataclass(frozen=True, slots=True)
class Insolvency:
    """Collective proceedings: dates of the judgment, of its publication, and of the day we knew."""

    status: str
    judged_on: date
    published_on: date | None
    known_on: date


@dataclass(frozen=True, slots=True)
class Insured:
    """What one policy says of one company."""

    policy: Row
    versions: list[tuple[date, Terms]]
    numbers: list[tuple[date, int]]
    layers: list[Layered]
    buyer: Buyer
    insolvency: Insolvency | None


async def insured_companies(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, list[Insured]]:
    """Every policy with covers, by company."""
    found: dict[UUID, list[Insured]] = {company: [] for company in companies}
    by_company = await covers.covers_of(tx, companies)
    rows = [row for one in by_company.values() for row in one]
    policies = await contracts.policies(tx, list({row["policy_id"] for row in rows})) if rows else {}
    versions = await contracts.versions_of(tx, list(policies))
    buyers = await buyers_of(tx, companies)
    for company, known in by_company.items():
        for policy_id in sorted({row["policy_id"] for row in known}):
            buyer, insolvency = buyers.get(company, (Buyer(), None))
            dated = versions[policy_id]
            layers = [layered(row) for row in known if row["policy_id"] == policy_id]
            found[company].append(
                Insured(
                    policies[policy_id],
                    [(row["effective_from"], contracts.terms_of(row)) for row in dated],
                    [(row["effective_from"], row["number"]) for row in dated],
                    layers,
                    buyer,
                    insolvency,
                )
            )
    return found


def ending(one: Insured, covers_lost: Collection[UUID], day: date) -> Insured:
    """The same, if some covers were cancelled with effect of a day: what was delivered before keeps them."""
    return replace(
        one, layers=[cut(layer, day) if layer.cover_id in covers_lost else layer for layer in one.layers]
    )


def cut(layer: Layered, day: date) -> Layered:
    """A layer worth nothing from a day on."""
    kept = [
        replace(period, ends_on=min(period.ends_on or date.max, day - timedelta(days=1)))
        for period in layer.line.periods
        if period.starts_on < day
    ]
    if kept:
        worth = replace(kept[-1].worth, amount=0, status="cancelled")
        kept.append(Period(day, None, worth))
    return replace(layer, line=Timeline(tuple(kept), frozenset()))


async def buyers_of(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, tuple[Buyer, Insolvency | None]]:
    """What policies ask about companies, and their collective proceedings."""
    found = {}
    for row in await tx.fetch(_BUYERS, tx.tenant_id, list(companies)):
        insolvency = None
        if row["status"] is not None and row["status"] not in _SOUND:
            judged = row["judged_on"] or row["published_on"] or row["known_on"]
            insolvency = Insolvency(row["status"], judged, row["published_on"], row["known_on"])
        adverse = insolvency.known_on if insolvency else None
        found[row["id"]] = (Buyer(row["country"], row["kind"] or "private", adverse), insolvency)
    return found


def layered(row: Row) -> Layered:
    """A cover's row for the rules."""
    evidence = msgspec.json.decode(row["evidence"]) if row["evidence"] else None
    dated = date.fromisoformat(evidence["dated_on"]) if evidence else None
    return Layered(row["id"], row["layer"], covers.timeline_of(row), dated)


async def cover_guarantees(tx: Tx, companies: Sequence[UUID], day: date) -> dict[UUID, list[Guarantee]]:
    """What insurers' covers secure from a day on, by company: the part of a limit that needs no other approval."""
    found: dict[UUID, list[Guarantee]] = {company: [] for company in companies}
    for company, policies in (await insured_companies(tx, companies)).items():
        for one in policies:
            found[company] += as_guarantees(one.layers, one.versions, one.buyer, one.policy["currency"], day)
    return found
