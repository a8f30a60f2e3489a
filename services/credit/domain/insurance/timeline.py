"""What an insurer's decisions make of one layer of cover, day by day.

The timeline is a function of the set of decisions: they are put in the order of (decided_at, sequence) whatever order they
came in, so that a late, repeated or overtaken message changes nothing. Each decision rewrites the days from its first day
on; an older one can therefore never revive what a newer one ended.

Two companies that became one bring a line of decisions each. Day by day the lower of two that are worth something holds, or
the one that is; what is decided after the merger acts on both. A difference is reported like a tie.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from services.credit.domain.insurance.vocabulary import ENDS, GRANTS, Layer, Product, Status, layer_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tranche:
    """Part of a grant, minor units. `second` is Atradius' second amount, which ends by itself: a temporary one."""

    kind: str
    amount: int
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Decision:
    """An insurer's decision as far as cover goes; amounts in minor units of its currency.

    `effective_from` is the first day that counts. `withdrawal_date` is the first day without cover.
    """

    id: UUID
    product: Product
    status: Status
    decided_at: datetime
    sequence: int
    effective_from: date
    currency: str
    amount: int | None = None
    percent: Decimal | None = None
    expires_at: date | None = None
    withdrawal_date: date | None = None
    tranches: tuple[Tranche, ...] = ()
    merged_from: UUID | None = None
    merged_at: datetime | None = None

    @property
    def rank(self) -> tuple[datetime, int]:
        """The insurer's own order."""
        return self.decided_at, self.sequence


@dataclass(frozen=True, slots=True)
class Worth:
    """What a layer is worth on a day; `status` and `decision_id` say why. No amount is zero."""

    amount: int
    currency: str
    percent: Decimal | None
    status: Status
    decision_id: UUID


@dataclass(frozen=True, slots=True)
class Period:
    """Days of equal worth, both inclusive; no `ends_on` is without end."""

    starts_on: date
    ends_on: date | None
    worth: Worth

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The periods of one layer, rising, without overlap, and the decisions that contradict each other."""

    periods: tuple[Period, ...]
    tied: frozenset[UUID]

    def on(self, day: date) -> Worth | None:
        """The worth on a day, None before anything was decided."""
        return next((period.worth for period in self.periods if period.holds(day)), None)


_Steps = tuple[tuple[date, Worth], ...]


def layers_touched(decision: Decision) -> frozenset[Layer]:
    """The layers a decision acts on. A refused top-up or temporary touches neither the primary nor a discretionary limit."""
    touched = {layer_of(decision.product)}
    if decision.product == "permanent_plus_temporary" and decision.status in ENDS:
        touched.add("temporary")
    for tranche in decision.tranches:
        touched.add("permanent" if tranche.kind == "permanent" else "temporary")
    return frozenset(layer for layer in touched if layer is not None)


def timeline(layer: Layer, decisions: Iterable[Decision]) -> Timeline:
    """The days of one layer. In a tie of (decided_at, sequence) the more restrictive holds, and the tie is reported."""
    relevant = sorted((d for d in decisions if layer in layers_touched(d)), key=lambda d: (d.rank, d.id))
    steps: _Steps = ()
    tied: set[UUID] = set()
    for line in _lines(relevant):
        own, contradicting = _line(layer, line)
        tied |= contradicting | _differing(steps, own)
        steps = _together(steps, own)
    return Timeline(tuple(_periods(steps)), frozenset(tied))


def _lines(relevant: Sequence[Decision]) -> Iterable[list[Decision]]:
    """The decisions about each of the companies that are one today, with those that came after its merger."""
    origins = {d.merged_from: d.merged_at for d in relevant}
    for origin, merged_at in sorted(origins.items(), key=lambda one: (one[0] is not None, str(one[0]))):
        yield [
            d
            for d in relevant
            if d.merged_from == origin or (merged_at is not None and d.decided_at > merged_at)
        ]


def _line(layer: Layer, relevant: Iterable[Decision]) -> tuple[_Steps, set[UUID]]:
    steps: _Steps = ()
    tied: set[UUID] = set()
    for _, group in groupby(relevant, key=lambda d: d.rank):
        rivals = list(group)
        outcomes = [_apply(steps, layer, rival) for rival in rivals]
        if len({_facts(outcome) for outcome in outcomes}) > 1:
            tied.update(rival.id for rival in rivals)
        steps = outcomes[0]
        for outcome in outcomes[1:]:
            steps = _lower(steps, outcome)
    return steps, tied


def _together(first: _Steps, second: _Steps) -> _Steps:
    """Day by day the lower of two that are worth something, or the one that is: a cover that ended cuts no other."""
    steps: list[tuple[date, Worth]] = []
    for day in sorted({start for start, _ in (*first, *second)}):
        known = [worth for worth in (_on(first, day), _on(second, day)) if worth is not None]
        living = [worth for worth in known if worth.amount]
        steps.append((day, min(living or known, key=_restriction)))
    return tuple(steps)


def _differing(first: _Steps, second: _Steps) -> set[UUID]:
    """The decisions behind days on which two lines are both worth something, and not the same."""
    found: set[UUID] = set()
    for day in {start for start, _ in (*first, *second)}:
        one, other = _on(first, day), _on(second, day)
        if one and other and one.amount and other.amount and _restriction(one) != _restriction(other):
            found |= {one.decision_id, other.decision_id}
    return found


def _apply(steps: _Steps, layer: Layer, decision: Decision) -> _Steps:
    if decision.status in GRANTS:
        return _grant(steps, layer, decision)
    if decision.status in ENDS:
        return _from(steps, decision.effective_from, _nothing(decision))
    if decision.status == "withdrawal_announced" and decision.withdrawal_date is not None:
        if decision.amount is not None:
            steps = _from(steps, decision.effective_from, _worth(decision, decision.amount))
        return _from(steps, decision.withdrawal_date, _nothing(decision))
    if decision.status == "increase_refused_cover_unchanged" and decision.amount is not None:
        known = _on(steps, decision.effective_from)
        if known is None:  # the insurer tells of a cover that we have not heard of before
            return _grant(steps, layer, decision)
    return steps


def _grant(steps: _Steps, layer: Layer, decision: Decision) -> _Steps:
    parts = [
        tranche for tranche in decision.tranches if (tranche.kind == "permanent") == (layer == "permanent")
    ]
    if not parts:
        amount = decision.amount or 0
        if decision.tranches:  # all of it is in the other layer
            amount = max(0, amount - sum(tranche.amount for tranche in decision.tranches))
        return _span(steps, decision, amount, decision.effective_from, decision.expires_at)
    for part in sorted(parts, key=lambda tranche: (tranche.starts_on or date.min, tranche.amount)):
        starts = part.starts_on or decision.effective_from
        steps = _span(steps, decision, part.amount, starts, part.ends_on or decision.expires_at)
    return steps


def _span(steps: _Steps, decision: Decision, amount: int, starts: date, ends: date | None) -> _Steps:
    if ends is not None and ends < starts:
        return _from(steps, starts, _nothing(decision))
    steps = _from(steps, starts, _worth(decision, amount))
    return steps if ends is None else _from(steps, ends + _DAY, _nothing(decision, "expired"))


def _from(steps: _Steps, day: date, worth: Worth) -> _Steps:
    return (*(step for step in steps if step[0] < day), (day, worth))


def _on(steps: _Steps, day: date) -> Worth | None:
    return next((worth for start, worth in reversed(steps) if start <= day), None)


def _lower(first: _Steps, second: _Steps) -> _Steps:
    """Day by day the smaller of two; days before anything was decided count as undecided, the other one holds there."""
    days = sorted({start for start, _ in (*first, *second)})
    steps: list[tuple[date, Worth]] = []
    for day in days:
        rivals = [worth for worth in (_on(first, day), _on(second, day)) if worth is not None]
        steps.append((day, min(rivals, key=_restriction)))
    return tuple(steps)


def _restriction(worth: Worth) -> tuple[int, Decimal, str]:
    """Smaller is more restrictive; nothing in it depends on the order in which messages came."""
    return worth.amount, Decimal(100) if worth.percent is None else worth.percent, worth.status


def _facts(steps: _Steps) -> tuple[tuple[date, int, str, Decimal | None], ...]:
    return tuple((day, worth.amount, worth.currency, worth.percent) for day, worth in steps)


def _periods(steps: Sequence[tuple[date, Worth]]) -> Iterable[Period]:
    for place, (start, worth) in enumerate(steps):
        following = steps[place + 1][0] - _DAY if place + 1 < len(steps) else None
        yield Period(start, following, worth)


def _worth(decision: Decision, amount: int) -> Worth:
    return Worth(amount, decision.currency, decision.percent, decision.status, decision.id)


def _nothing(decision: Decision, status: Status | None = None) -> Worth:
    if status is None and decision.status not in ENDS:
        status = "withdrawn"
    return Worth(0, decision.currency, decision.percent, status or decision.status, decision.id)
