"""Profiles: one row a company, joined anew whenever one of its facts changes.

Set-based: some thousand companies in a dozen statements, whatever their number. Conversion is done here and not in SQL,
because PostgreSQL rounds halves away from zero and the ledger rounds them to even: a report has to agree to the cent.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.exchange import Conversion, convert
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from services.risk.domain.conditions import BUILT_IN, conditions_of
from services.risk.domain.covering import Cover, coverage, risk_of
from services.risk.domain.profile import Amounts, limit_use, minor_of, total
from services.risk.storage import company_risk, monitored
from services.risk.storage import profiles as rows_of
from services.risk.storage.alerts import count_anew
from services.risk.usecases.alerts import Raised, watch

_EVERY = 5_000
_MONEY = ("recommended_credit", "turnover", "privileges_amount")


@dataclass(slots=True)
class _Known:
    """Everything a company's profile is joined from, besides its own row."""

    amounts: list[Amounts] = field(default_factory=list)
    people: Row | None = None
    covers: list[Row] = field(default_factory=list)
    clock: Row | None = None
    said: dict[str, Any] | None = None
    age: tuple[bool, Any] | None = None


async def join_anew(tx: Tx, companies: Iterable[UUID]) -> None:
    """Write the profiles of these companies from the facts of this transaction, and open or close their alerts."""
    wanted = sorted(set(companies))
    for start in range(0, len(wanted), _EVERY):
        await _join_some(tx, wanted[start : start + _EVERY])


async def join_all_anew(tx: Tx) -> None:
    """Write every profile of the tenant: rates or the reporting currency changed, or a day passed."""
    await join_anew(tx, await rows_of.all_companies(tx))


async def _join_some(tx: Tx, companies: list[UUID]) -> None:
    await rows_of.lock(tx, companies)
    facts = await rows_of.facts(tx, companies)
    known = await _known(tx, companies)
    conversions = await rows_of.conversions(tx, tx.tenant.currency, _currencies(facts, known))
    connected = await rows_of.has_connections(tx)
    profiles = [_profile(tx, row, known[row["id"]], conversions, connected=connected) for row in facts]
    fresh = await rows_of.write(tx, profiles)
    await rows_of.remove_others(tx, companies, [row["id"] for row in facts])
    raised = [
        Raised(one.kind, profile["company_id"], one.criticality, one.evidence, mark=one.mark)
        for profile in profiles
        for one in conditions_of(_figures(profile, known), known[profile["company_id"]].said)
    ]
    await watch(tx, BUILT_IN, companies, raised)
    if fresh:
        await count_anew(tx, fresh)


async def _known(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, _Known]:
    known: dict[UUID, _Known] = defaultdict(_Known)
    for row in await rows_of.amounts(tx, companies):
        figures = (row["outstanding"], row["overdue"], row["credits"], row["order_book"])
        known[row["company_id"]].amounts.append(Amounts(row["currency"], *figures))
    for row in await rows_of.customers(tx, companies):
        known[row["company_id"]].people = row
    for row in await rows_of.covers(tx, companies):
        known[row["company_id"]].covers.append(row)
    for company, row in (await rows_of.clocks(tx, companies)).items():
        known[company].clock = row
    for row in await company_risk.of_companies(tx, companies):
        parts = {name: msgspec.json.decode(row[name]) for name in ("values", "by_provider")}
        fall = None if row["score_fall"] is None else msgspec.json.decode(row["score_fall"])
        known[row["company_id"]].said = {**dict(row), **parts, "score_fall": fall}
    for company, age in (await monitored.ages(tx, companies)).items():
        known[company].age = age
    return known


def _currencies(facts: Sequence[Row], known: Mapping[UUID, _Known]) -> set[str]:
    used = {row["limit_currency"] for row in facts if row["limit_currency"]}
    for one in known.values():
        used |= {part.currency for part in one.amounts} | {row["currency"] for row in one.covers}
        if one.said is not None:
            used |= {one.said["values"][name]["currency"] for name in _MONEY} - {None}
    return used


def _profile(
    tx: Tx, facts: Row, known: _Known, conversions: Mapping[str, Conversion], *, connected: bool
) -> dict[str, Any]:
    currency = tx.tenant.currency
    owed = total(known.amounts, currency, conversions)
    state = facts["state"] or "none"
    allowed = _converted(facts["amount"], facts["limit_currency"], currency, conversions)
    use = limit_use(state, allowed, owed.outstanding)
    insured = coverage(
        [
            Cover(
                row["layer"], _converted(row["amount"], row["currency"], currency, conversions), row["effective_from"],
                row["expires_at"], row["conditions"],
            )
            for row in known.covers
            if row["layer"] is not None
        ],
        tx.today,
    )  # fmt: skip
    other = _other(tx, known.covers, conversions)
    risk = risk_of(owed.outstanding, owed.order_book, insured.total, other or 0)
    return {
        "company_id": facts["id"],
        "name": facts["name"],
        "country": facts["country"],
        "registration_number": facts["registration_number"],
        "segment": known.people["segment"] if known.people else None,
        "group_id": facts["group_id"],
        "currency": currency,
        "outstanding": owed.outstanding,
        "overdue": owed.overdue,
        "credits": owed.credits,
        "order_book": owed.order_book,
        **{f"cover_{layer}": amount for layer, amount in insured.layers.items()},
        "cover_expires_at": insured.expires_at,
        "cover_conditions": insured.conditions,
        "other_guarantees": other,
        "real_risk": risk.real,
        "potential_risk": risk.potential,
        **_said(known, currency, conversions, owed.outstanding, use.allowed, connected=connected),
        "next_clock": None
        if known.clock is None
        else {"kind": known.clock["kind"], "date": known.clock["ends_on"], "item_id": known.clock["item_id"]},
        "next_clock_on": known.clock["ends_on"] if known.clock else None,
        "next_review_on": facts["next_review_on"],
        "stale": known.age is not None and known.age[0],
        "by_currency": _by_currency(known.amounts, currency),
        "unconverted": owed.unconverted,
        "rate_date": owed.rate_date,
        "limit_state": state,
        "limit_amount": allowed,
        "limit_original": facts["amount"],
        "limit_currency": facts["limit_currency"],
        "limit_valid_until": facts["valid_until"],
        "limit_used_permille": use.used_permille,
        "overrun": use.overrun,
        "pending_request_id": facts["pending_request_id"],
        "payer_class": known.people["payer_class"] if known.people else None,
    }


def _said(
    known: _Known,
    currency: str,
    conversions: Mapping[str, Conversion],
    outstanding: int,
    allowed: int | None,
    *,
    connected: bool,
) -> dict[str, Any]:
    """The provider's columns: money in the reporting currency, scores normalised; null without a known value."""
    if known.said is None:
        state = "not_connected" if not connected else "not_monitored" if known.age is None else "awaited"
        return {"provider_state": state}
    values = known.said["values"]
    plain = {name: value["value"] if value["state"] == "known" else None for name, value in values.items()}
    money = {
        name: _converted(
            minor_of(plain[name], values[name]["currency"]), values[name]["currency"], currency, conversions
        )
        for name in _MONEY
    }
    advised = money["recommended_credit"]
    score = values["score"]
    normalised = score["normalised"] if score["state"] == "known" else None
    shown = (
        "score",
        "recommended_credit",
        "turnover",
        "privileges_amount",
        "privileges_count",
        "portal_url",
        "activity",
    )
    return {
        "provider_state": "known",
        "score": None if normalised is None else int(Decimal(normalised) * 100),
        "paydex": plain["paydex"],
        "legal_status": plain["legal_status"],
        "trend": plain["trend"],
        "activity": plain["activity"],
        **money,
        "recommended_minus_outstanding": None if advised is None else advised - outstanding,
        "recommended_minus_limit": None if advised is None or allowed is None else advised - allowed,
        "provider_values": {name: values[name] for name in shown},
        "by_provider": known.said["by_provider"],
        "insurer_grade": plain["insurer_grade"],
    }


def _by_currency(amounts: Sequence[Amounts], currency: str) -> dict[str, list[int]] | None:
    """What totals over many companies are made of: they convert each currency's sum once, as the ledger's do."""
    if all(part.currency == currency for part in amounts):
        return None
    return {
        part.currency: [part.outstanding, part.overdue, part.credits, part.order_book] for part in amounts
    }


def _other(tx: Tx, covers: Sequence[Row], conversions: Mapping[str, Conversion]) -> int | None:
    """Bank guarantees, deposits …: those valid today; None where none was ever told of."""
    told = [row for row in covers if row["layer"] is None]
    if not told:
        return None
    live = [
        row for row in told if Cover("other", 1, row["effective_from"], row["expires_at"]).counts_on(tx.today)
    ]
    return sum(
        _converted(row["amount"], row["currency"], tx.tenant.currency, conversions) or 0 for row in live
    )


def _converted(
    amount: int | None, source: str | None, target: str, conversions: Mapping[str, Conversion]
) -> int | None:
    """An amount in the reporting currency; None without a rate."""
    if amount is None or source is None:
        return None
    conversion = conversions.get(source)
    return None if conversion is None else convert(amount, source, target, conversion)


def _figures(profile: Mapping[str, Any], known: Mapping[UUID, _Known]) -> dict[str, Any]:
    """What the built-in conditions look at, and show."""
    currency = profile["currency"]
    names = ("outstanding", "limit_amount", "overrun")
    shown = {name: None if profile[name] is None else from_minor(profile[name], currency) for name in names}
    age = known[profile["company_id"]].age if profile["stale"] else None
    return {
        "overrun": profile["overrun"],
        "stale": profile["stale"],
        "heard_at": age[1] if age else None,
        "shown": {"currency": currency, **shown},
    }
