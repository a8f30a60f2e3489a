"""Covers as guarantees of a limit: what stays in force over a stretch of days, whatever steps there are in between."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.credit.domain.insurance.cover import Buyer, Layered, lines_on
from services.credit.domain.insurance.policy_terms import Terms, version_for
from services.credit.domain.security import Guarantee

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """An amount from a day on, until the next step."""

    starts_on: date
    amount: int


def slices(steps: Sequence[Step]) -> Iterable[tuple[int, date, date | None]]:
    """A staircase as flat slices (amount, first day, last day): those that last from a to b add up to the least between."""
    start = 0
    while start < len(steps):
        if steps[start].amount <= 0:
            start += 1
            continue
        end = start
        while end < len(steps) and steps[end].amount > 0:
            end += 1
        run = steps[start:end]
        least = min(step.amount for step in run)
        yield least, run[0].starts_on, steps[end].starts_on - _DAY if end < len(steps) else None
        above = [Step(step.starts_on, step.amount - least) for step in run]
        tail = [Step(steps[end].starts_on, 0)] if end < len(steps) else []
        yield from slices([*above, *tail])
        start = end


def as_guarantees(
    layers: Sequence[Layered], versions: list[tuple[date, Terms]], buyer: Buyer, currency: str, day: date
) -> list[Guarantee]:
    """What the layers of one policy secure from `day` on. An announced withdrawal or expiry ends a slice."""
    changes = {period.starts_on for one in layers for period in one.line.periods}
    changes |= {start for start, _ in versions}
    days = [day, *sorted(change for change in changes if change > day)]
    found = []
    for one in layers:
        steps = [Step(at, _counted(layers, versions, buyer, currency, one, at)) for at in days]
        worth = one.line.on(day) or (one.line.periods[-1].worth if one.line.periods else None)
        unit = worth.currency if worth else currency
        evidence = one.layer != "dcl" or one.evidence_on is not None
        found += [
            Guarantee("cover", one.cover_id, one.layer, amount, unit, start, end, evidence)
            for amount, start, end in slices(steps)
        ]
    return found


def _counted(
    layers: Sequence[Layered],
    versions: list[tuple[date, Terms]],
    buyer: Buyer,
    currency: str,
    one: Layered,
    day: date,
) -> int:
    terms = version_for(versions, day)
    if terms is None:
        return 0
    lines = lines_on(layers, terms, buyer, currency, day)
    return next((line.counted for line in lines if line.cover_id == one.cover_id), 0)
