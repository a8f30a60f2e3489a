"""The rule at the heart of dunning: from a customer's facts and its scenario, what comes next and when.

The decision is a function of facts at a date, never of "the last run plus n": running a day twice decides
the same, and a run that was missed changes nothing but the day on which a step is done.

- The *leader item* drives: the oldest claimable debt. When it is paid or excluded the next oldest takes
over, from its own first step.
- Progress is counted on the leader's own time line. Steps are taken one after the other: a step done late
keeps its interval to the next, so that after an outage a customer gets one message and not the backlog.
(Kill Bill jumps to the most severe state instead; a customer should not get the final notice before the
polite one.)
- An automatic message waits until the cap's window since the last one has passed, whichever item led then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.dunning.domain.contacts import reachable_contact
from services.dunning.domain.facts import Contact, CustomerFacts, OpenItem, Passed
from services.dunning.domain.netting import Pot, pots, seniority
from services.dunning.domain.scenario import Channel, ScenarioVersion, Step, nominal_days

__all__ = ["NextAction", "Nothing", "Reason", "blocked_by", "next_action"]


class Reason(StrEnum):
    """Why nothing comes next for a customer."""

    NOTHING_OPEN = "nothing_open"
    ALL_EXCLUDED = "all_excluded"
    BELOW_MINIMUM = "below_minimum"
    PAUSED = "paused"
    NO_STEPS = "no_steps"
    SCENARIO_FINISHED = "scenario_finished"


@dataclass(frozen=True, slots=True)
class Nothing:
    """No action. `look_again_on` is the first day on which time alone may change that; None: only an event
    can."""

    reason: Reason
    look_again_on: date | None = None


@dataclass(frozen=True, slots=True)
class NextAction:
    """The next step. `due_on` may lie in the past: the step is late and is done today.

    `items` are what is claimed and the credits set against it, oldest first, all of the customer; `net` what
    they come to, in minor units by currency. `blocked_by` says what a person must mend before it can be done.
    `look_again_on` is the first day on which time alone may call for another decision. `capped` says that it waits
    for the cap's window and not for its own day.
    """

    leader: OpenItem
    step: Step
    position: int
    nominal_days: int
    due_on: date
    items: tuple[OpenItem, ...]
    net: dict[str, int]
    contact: Contact | None
    blocked_by: str | None
    look_again_on: date
    capped: bool = False


def next_action(facts: CustomerFacts, version: ScenarioVersion, as_of: date) -> NextAction | Nothing:
    """What comes next for a customer under a scenario, seen on `as_of`."""
    if not version.steps:
        return Nothing(Reason.NO_STEPS)
    if facts.pause is not None and facts.pause.holds_on(as_of):
        until = facts.pause.until
        return Nothing(Reason.PAUSED, until + timedelta(days=1) if until else None)
    sorted_pots = pots(facts.items, version, as_of)
    worth = [pot for pot in sorted_pots if pot.worth_claiming(as_of, version.minimums.get(pot.currency, 0))]
    turning = _turning_day(facts, [pot for pot in sorted_pots if pot not in worth], as_of)
    if not worth:
        return Nothing(_why_nothing(facts, as_of), turning)
    leader = min((pot.debts[0] for pot in worth), key=seniority)
    upcoming = _upcoming_step(leader, facts.passed, version)
    if upcoming is None:
        return Nothing(Reason.SCENARIO_FINISHED, turning)
    position, placed, due_on = upcoming
    step = version.steps[position]
    own_day = due_on
    if step.sends_by_itself and facts.last_automatic_on is not None:
        due_on = max(due_on, facts.last_automatic_on + timedelta(days=version.cap_days))
    contact = reachable_contact(facts.contacts, step.channel)
    return NextAction(
        leader=leader,
        step=step,
        position=position,
        nominal_days=placed,
        due_on=due_on,
        items=_shown(worth, max(as_of, due_on)),
        net=_nets(worth, max(as_of, due_on)),
        contact=contact,
        blocked_by=blocked_by(step.channel, contact, facts),
        look_again_on=min(due_on, turning) if turning else due_on,
        capped=due_on > max(own_day, as_of),
    )


def _upcoming_step(
    leader: OpenItem, passed: Iterable[Passed], version: ScenarioVersion
) -> tuple[int, int, date] | None:
    """Position, nominal days and due date of the first step that is not behind the leader; None when all
    are."""
    placed = nominal_days(version.steps)
    behind = [step for step in passed if step.leader_item_id == leader.id]
    if not behind:
        return 0, placed[0], leader.due_date + timedelta(days=placed[0])
    last = max(behind, key=lambda step: (step.nominal_days, step.on, step.position))
    position = _position_after(behind, last, placed, version)
    if position is None:
        return None
    interval = timedelta(days=max(0, placed[position] - last.nominal_days))
    due_on = last.on + interval
    if version.steps[position].offset_days is not None:
        due_on = max(due_on, leader.due_date + timedelta(days=placed[position]))
    return position, placed[position], due_on


def _position_after(
    behind: list[Passed], last: Passed, placed: tuple[int, ...], version: ScenarioVersion
) -> int | None:
    """Under the version that was being run, the step after the last one; under any other, the first step
    further along the leader's time line: what was said under the old scenario is not said again under the
    new one."""
    same = [step.position for step in behind if step.scenario_version_id == version.id]
    for position, days in enumerate(placed):
        if position in same:
            continue
        further = days > last.nominal_days
        same_day = bool(same) and days == last.nominal_days and position > max(same)
        if further or same_day:
            return position
    return None


def _turning_day(facts: CustomerFacts, unworthy: list[Pot], as_of: date) -> date | None:
    """The first day after `as_of` on which an exclusion ends or a pot below its minimum grows."""
    days = [
        item.exclusion.until + timedelta(days=1)
        for item in facts.items
        if item.exclusion is not None and item.exclusion.until is not None and item.excluded_on(as_of)
    ]
    days += [day for pot in unworthy if (day := pot.grows_on(as_of)) is not None and day > as_of]
    return min(days, default=None)


def _why_nothing(facts: CustomerFacts, as_of: date) -> Reason:
    debts = [item for item in facts.items if item.open_minor > 0]
    if not debts:
        return Reason.NOTHING_OPEN
    if all(item.excluded_on(as_of) for item in debts):
        return Reason.ALL_EXCLUDED
    return Reason.BELOW_MINIMUM


def _shown(worth: list[Pot], day: date) -> tuple[OpenItem, ...]:
    shown = [item for pot in worth for item in (*pot.claimed(day), *pot.credits)]
    return tuple(sorted(shown, key=seniority))


def _nets(worth: list[Pot], day: date) -> dict[str, int]:
    nets: dict[str, int] = {}
    for pot in worth:
        nets[pot.currency] = nets.get(pot.currency, 0) + pot.net(day)
    return nets


def blocked_by(channel: Channel, contact: Contact | None, facts: CustomerFacts) -> str | None:
    """What a person must mend before a customer can be reached over a channel; None when nothing."""
    if channel is Channel.LETTER:
        return None if facts.postal_address else "no_address"
    if channel in {Channel.EMAIL, Channel.SMS} and contact is None:
        return "no_contact"
    return None
