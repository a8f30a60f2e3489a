"""Values of canonical fields as they are kept, and what happens to them: merged, compared, chosen among providers. Pure.

A value is a dict: state, value, raw, scale, normalised, currency, as_of, detail; a value carried over from an earlier answer,
because this time it could not be had, says when it was fetched (`fetched_at`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID

Value = Mapping[str, Any]
Rule = Literal["priority", "latest", "worst"]

NOT_SUPPLIED: Value = {
    "state": "not_supplied", "value": None, "raw": None, "scale": None, "normalised": None, "currency": None,
    "as_of": None, "detail": {},
}  # fmt: skip
#: Of values nobody knows, the one that says most: that it could not be had is no proof that there is none.
_SAYS_MOST = {"known": 0, "error": 1, "no_data": 2, "not_supplied": 3}
#: From the best to the worst that can be said of a company.
SEVERITY = {
    "none": 0, "unknown": 1, "conciliation": 2, "safeguard": 3, "other_proceeding": 4, "receivership": 5, "ceased": 6,
    "closed_insolvency": 7, "liquidation": 8,
}  # fmt: skip
#: Collective proceedings, and how they end badly.
PROCEEDINGS = frozenset(("safeguard", "receivership", "liquidation", "closed_insolvency", "other_proceeding"))
DEFAULT_RULES: Mapping[str, Rule] = {"legal_status": "worst"}


@dataclass(frozen=True, slots=True)
class Record:
    """What one connection knows of a company; `checked_at` is when it last answered, `stale_after` how long that counts."""

    connection_id: UUID | None
    provider: str
    product: str
    priority: int
    values: Mapping[str, Value]
    as_of: date | None
    checked_at: datetime
    stale_after: timedelta


def merged(fresh: Mapping[str, Value], former: Mapping[str, Value], checked_at: datetime) -> dict[str, Value]:
    """What came now, and where a part could not be had, what was known before: silence is no news.

    `checked_at`: when the former values were last confirmed.
    """
    return {
        name: {"fetched_at": checked_at.isoformat(), **former[name]}
        if value["state"] == "error" and former.get(name, NOT_SUPPLIED)["state"] == "known"
        else value
        for name, value in fresh.items()
    }


def changed(former: Mapping[str, Value], now: Mapping[str, Value]) -> dict[str, tuple[Value | None, Value]]:
    """Fields that say something else than before: (old, new). Dates, spelling and scale marks of the same value are no change.

    A first value has no old one; a field first seen without a value is no change.
    """
    found: dict[str, tuple[Value | None, Value]] = {}
    for name, value in now.items():
        old = former.get(name)
        if old is None:
            if value["state"] == "known":
                found[name] = (None, value)
        elif essence(old) != essence(value):
            found[name] = (old, value)
    return found


def essence(value: Value) -> tuple[Any, ...]:
    """What makes two values the same."""
    return value["state"], value["value"], value["currency"], value["scale"]


def chosen(
    records: Sequence[Record], rules: Mapping[str, Rule], better: Mapping[str, str | None]
) -> dict[str, dict[str, Any]]:
    """One value a field: the rule's choice among those who know it, else the most telling absence, with its origin."""
    ordered = sorted(records, key=lambda record: (record.priority, record.provider))
    return {name: _choose(name, ordered, rules, better) for name in better}


def _choose(
    name: str, records: Sequence[Record], rules: Mapping[str, Rule], better: Mapping[str, str | None]
) -> dict[str, Any]:
    offers = [(record, record.values[name]) for record in records if name in record.values]
    if not offers:
        return _told_by(None, NOT_SUPPLIED)
    known = [offer for offer in offers if offer[1]["state"] == "known"]
    if not known:
        return _told_by(*min(offers, key=lambda offer: _SAYS_MOST[offer[1]["state"]]))
    rule = rules.get(name, DEFAULT_RULES.get(name, "priority"))
    if rule == "latest":
        return _told_by(*max(known, key=lambda offer: (_date(*offer), offer[0].checked_at)))
    if rule == "worst":
        return _told_by(*_worst(name, known, better[name]))
    return _told_by(*known[0])


def _worst(name: str, offers: Sequence[tuple[Record, Value]], better: str | None) -> tuple[Record, Value]:
    """The worst news; where values cannot be compared (two currencies, texts) the first by priority."""
    if name == "legal_status":
        return max(offers, key=lambda offer: SEVERITY.get(offer[1]["value"], 1))
    figures = [(_figure(value), (record, value)) for record, value in offers]
    if (
        better is None
        or len({value["currency"] for _, value in offers}) > 1
        or any(f is None for f, _ in figures)
    ):
        return offers[0]
    pick = min if better == "high" else max
    return pick(figures, key=lambda pair: pair[0])[1]  # type: ignore[arg-type, return-value]


def _figure(value: Value) -> Decimal | None:
    try:
        return Decimal(str(value["normalised"] if value["normalised"] is not None else value["value"]))
    except InvalidOperation:
        return None


def _date(record: Record, value: Value) -> str:
    return value["as_of"] or (record.as_of.isoformat() if record.as_of else "")


def _told_by(record: Record | None, value: Value) -> dict[str, Any]:
    if record is None:
        return {
            **value,
            "provider": None,
            "provider_connection_id": None,
            "fetched_at": None,
            "stale_from": None,
        }
    fetched = datetime.fromisoformat(value["fetched_at"]) if "fetched_at" in value else record.checked_at
    return {
        **value,
        "provider": record.provider,
        "provider_connection_id": str(record.connection_id) if record.connection_id else None,
        "as_of": value["as_of"] or (record.as_of.isoformat() if record.as_of else None),
        "fetched_at": fetched.isoformat(),
        "stale_from": (fetched + record.stale_after + timedelta(days=1)).date().isoformat(),
    }


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """A normalised score (0–100, 100 best) and the day it is of."""

    on: date
    value: Decimal


def trend_of(
    points: Iterable[ScorePoint], today: date, *, days: int = 180, dead_band: Decimal = Decimal(2)
) -> str:
    """up, stable or down: the last score against the one before it within `days`; within the dead band it is stable.

    unknown with fewer than two.
    """
    recent = sorted((p for p in points if (today - p.on).days <= days), key=lambda p: p.on)
    if len(recent) < 2:
        return "unknown"
    moved = recent[-1].value - recent[-2].value
    return "stable" if abs(moved) <= dead_band else "up" if moved > 0 else "down"


#: A fall by so many points of 100 within so many days is news.
FALL_POINTS = Decimal(10)
FALL_DAYS = 90


def fall_of(points: Iterable[ScorePoint], today: date) -> tuple[ScorePoint, ScorePoint] | None:
    """The best score of the last 90 days (or the one in force when they began) and the present one, when it lies ten or more
    points below; else None."""
    ordered = sorted(points, key=lambda p: p.on)
    if not ordered:
        return None
    begin = today - timedelta(days=FALL_DAYS)
    before = [p for p in ordered if p.on < begin]
    window = before[-1:] + [p for p in ordered if p.on >= begin]
    highest, last = max(window, key=lambda p: (p.value, p.on)), ordered[-1]
    return (highest, last) if highest.value - last.value >= FALL_POINTS else None
