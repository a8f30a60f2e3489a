"""What a scenario would do over a while: the same rule as the real run's, on facts that nothing leaves.

Each action is taken to be done on the day it is due, a message on the customer's next working day. What customers would pay is
not guessed: a simulation of the future shows the longest course, a replay of the past stops where the ledger says they paid.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.dunning.domain.facts import CustomerFacts, OpenItem, Passed
from services.dunning.domain.next_action import NextAction, next_action
from services.dunning.domain.scenario import ScenarioVersion

__all__ = ["PastItem", "SimulatedAction", "items_on", "simulate"]

_MOST_ACTIONS = 400


@dataclass(frozen=True, slots=True)
class SimulatedAction:
    """An action as it would be done on a day."""

    on: date
    action: NextAction


@dataclass(frozen=True, slots=True)
class PastItem:
    """An item over time: what was open on it from a day on, in minor units, signed; before its first day it did not exist."""

    item: OpenItem
    amounts: tuple[tuple[date, int], ...]

    def open_on(self, day: date) -> int:
        """Zero before it was issued and once it was settled."""
        amount = 0
        for since, value in self.amounts:
            if since > day:
                break
            amount = value
        return amount


def items_on(past: Iterable[PastItem], day: date) -> tuple[OpenItem, ...]:
    """The items that were open on a day, with what was open on them then."""
    return tuple(replace(one.item, open_minor=amount) for one in past if (amount := one.open_on(day)) != 0)


def simulate(
    facts: CustomerFacts,
    version: ScenarioVersion,
    first: date,
    last: date,
    *,
    working_day: Callable[[date], date],
    past: Sequence[PastItem] | None = None,
) -> list[SimulatedAction]:
    """Every action from `first` to `last`, in order. With `past` the items are those of each day, else they stay as they are.

    `working_day` moves a day on which no message leaves to the next on which one does.
    """
    done: list[SimulatedAction] = []
    turns = sorted({since for one in past or () for since, _ in one.amounts})
    known, day = facts, first
    while day <= last and len(done) < _MOST_ACTIONS:
        if past is not None:
            known = replace(known, items=items_on(past, day))
        decision = next_action(known, version, day)
        if isinstance(decision, NextAction) and decision.due_on <= day:
            on = working_day(day) if decision.step.channel.is_message else day
            if on > last:
                break
            if on > day:
                day = on  # decided again on that day: what is paid meanwhile is not asked for
                continue
            done.append(SimulatedAction(day, decision))
            known = _after(known, decision, version, day)
            continue
        day = _next_day(day, decision.look_again_on, turns)
    return done


def _after(facts: CustomerFacts, decision: NextAction, version: ScenarioVersion, day: date) -> CustomerFacts:
    passed = Passed(decision.leader.id, version.id, decision.position, decision.nominal_days, day)
    left = decision.step.channel.is_message and decision.step.mode != "manual"
    return replace(
        facts, passed=(*facts.passed, passed), last_automatic_on=day if left else facts.last_automatic_on
    )


def _next_day(day: date, look_again_on: date | None, turns: Sequence[date]) -> date:
    """The next day on which anything may differ."""
    ahead = [one for one in turns if one > day][:1]
    if look_again_on is not None and look_again_on > day:
        ahead.append(look_again_on)
    return min(ahead, default=date.max - timedelta(days=1))
