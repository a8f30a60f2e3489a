"""The dates on which cover is lost: deliveries must stop, an overdue must be notified, a claim must be filed (DOMAIN §1, §3.7).

Computed from the facts of the day, never from the last run. Disputes, promises and pauses stop no clock; a due date pushed
back moves none, for the original one counts; a payment that is returned brings the original dates back. A withdrawal of cover
makes no date at all. Dates are the last day on which the duty can be met.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from libs.contracts.money import to_minor
from services.credit.domain.insurance.claims import months_later
from services.credit.domain.insurance.insured import Item, Share
from services.credit.domain.insurance.policy_terms import Clause, Terms

Kind = Literal["stop_delivery", "notification", "foreclosure", "proof_of_debt", "turnover_declaration"]
State = Literal["running", "stopped", "missed", "foreclosed"]
Cause = Literal["overdue", "bounced_payment", "insolvency"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the dates follow from besides the items. `terms_at` gives the terms and version number of a delivery's day."""

    today: date
    currency: str
    terms_at: Callable[[date], tuple[Terms, int] | None]
    late_total: Callable[[date], int]  # unpaid and originally due by a day, minor units of `currency`
    bounced_on: date | None = None
    judged_on: date | None = None
    published_on: date | None = None
    known_on: date | None = None
    notified: Mapping[UUID, date] = field(default_factory=dict)
    claimed: frozenset[UUID] = frozenset()
    extended: Mapping[UUID, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clock:
    """A date that runs for an item. `base_on` is the day it is counted from."""

    kind: Kind
    share: Share
    due_on: date
    state: State
    clause: Clause
    version: int
    base_on: date
    cause: Cause = "overdue"


@dataclass(frozen=True, slots=True)
class Dates:
    """An item's own dates, each with the clause it follows from; None where the policy sets none."""

    stop: tuple[date, Clause | None, date, Cause] | None
    notification: tuple[date, Clause, date] | None
    foreclosure: tuple[date, Clause, date] | None
    version: int


def clocks(shares: Sequence[Share], facts: Facts) -> list[Clock]:
    """The clocks of one company under one policy: of each kind the earliest that still runs, and every claim date missed."""
    dated = [
        (share, dates_of(share.item, facts))
        for share in shares
        if share.covered or "foreclosed" in share.findings
    ]
    found: list[Clock] = []
    stops, notices, claims = [], [], []
    for share, dates in dated:
        if dates is None:
            continue
        if dates.stop is not None and dates.stop[1] is not None:
            day, clause, base, cause = dates.stop
            assert clause is not None
            state: State = "stopped" if day < facts.today else "running"
            stops.append(Clock("stop_delivery", share, day, state, clause, dates.version, base, cause))
        if (
            dates.notification is not None
            and share.item.id not in facts.notified
            and share.item.id not in facts.claimed
        ):
            day, clause, base = dates.notification
            state = "missed" if day < facts.today else "running"
            notices.append(Clock("notification", share, day, state, clause, dates.version, base))
        if dates.foreclosure is not None and share.item.id not in facts.claimed:
            day, clause, base = dates.foreclosure
            state = "foreclosed" if day < facts.today else "running"
            claims.append(Clock("foreclosure", share, day, state, clause, dates.version, base))
    found += _earliest(stops)
    found += _earliest([one for one in notices if one.state == "running"])
    found += [one for one in notices if one.state == "missed"]
    found += _earliest([one for one in claims if one.state == "running"])
    found += [one for one in claims if one.state == "foreclosed"]
    return found


def stop_of(shares: Sequence[Share], facts: Facts) -> tuple[date, Cause, UUID | None] | None:
    """The first day on which deliveries are no longer covered, why, and the item that causes it; None while nothing does."""
    stops: list[tuple[date, Cause, UUID | None]] = []
    for share in shares:
        if not share.covered:
            continue
        dates = dates_of(share.item, facts)
        if dates is not None and dates.stop is not None and dates.stop[3] == "overdue":
            stops.append((dates.stop[0] + timedelta(days=1), "overdue", share.item.id))
    if facts.bounced_on is not None:
        stops.append((facts.bounced_on, "bounced_payment", None))
    if facts.judged_on is not None:
        stops.append((facts.judged_on, "insolvency", None))
    return min(stops, key=lambda one: (one[0], str(one[2])), default=None)


def dates_of(item: Item, facts: Facts) -> Dates | None:
    """An item's dates under the version of the policy that held when it was delivered."""
    found = facts.terms_at(item.delivered_on)
    if found is None:
        return None
    terms, version = found
    stop = _stop(item, terms, facts)
    notice = _plain(item, terms, "notification", facts, stop, None)
    notified = facts.notified.get(item.id) or (notice[0] if notice else None)
    claim = _plain(item, terms, "foreclosure", facts, stop, notified)
    return Dates(stop, notice, claim, version)


def _stop(item: Item, terms: Terms, facts: Facts) -> tuple[date, Clause | None, date, Cause] | None:
    """When this item stops cover: its own clause, or at once by a bounced debit or a judgment."""
    found: list[tuple[date, Clause | None, date, Cause]] = []
    for clause in terms.clauses:
        base = _base(item, clause, facts) if clause.event == "stop_delivery" else None
        if base is not None and clause.base not in ("stop", "notification"):
            due = base + timedelta(days=clause.days)
            if not _under_threshold(clause, due, facts):
                found.append((due, clause, base, "overdue"))
    if facts.bounced_on is not None and facts.bounced_on >= item.original_due_date:
        found.append((facts.bounced_on, None, facts.bounced_on, "bounced_payment"))
    if facts.judged_on is not None:
        found.append((facts.judged_on, None, facts.judged_on, "insolvency"))
    return min(found, key=lambda one: one[0], default=None)


def _plain(
    item: Item, terms: Terms, event: str, facts: Facts,
    stop: tuple[date, Clause | None, date, Cause] | None, notified: date | None,
) -> tuple[date, Clause, date] | None:  # fmt: skip
    found = []
    for clause in terms.clauses:
        if clause.event != event:
            continue
        if clause.base == "stop":
            base = stop[0] if stop is not None else None
        elif clause.base == "notification":
            base = notified
        else:
            base = _base(item, clause, facts)
        if base is None:
            continue
        due = base + timedelta(days=clause.days)
        if not _under_threshold(clause, due, facts):
            found.append((due, clause, base))
    return min(found, key=lambda one: one[0], default=None)


def _base(item: Item, clause: Clause, facts: Facts) -> date | None:
    if clause.base == "invoice_date":
        return item.issue_date
    if clause.base == "delivery_date":
        return item.delivered_on
    if clause.base == "original_due_date":
        return facts.extended.get(item.id, item.original_due_date)
    if clause.base == "publication":
        return facts.published_on
    known = [day for day in (facts.known_on, facts.bounced_on) if day is not None]
    return min(known) if clause.base == "knowledge" and known else None


def _under_threshold(clause: Clause, due: date, facts: Facts) -> bool:
    """Nothing runs while what will be late by then is less than the clause's threshold."""
    if clause.threshold is None:
        return False
    return facts.late_total(due) < to_minor(clause.threshold, facts.currency)


def _earliest(running: Sequence[Clock]) -> list[Clock]:
    return [min(running, key=lambda one: (one.due_on, one.share.item.id))] if running else []


def proof_of_debt_by(published_on: date, *, mainland_france: bool) -> date:
    """The last day to declare a debt in collective proceedings: two months after publication, four for a creditor outside
    mainland France (C. com. R. 622-24)."""
    return months_later(published_on, 2 if mainland_france else 4)
