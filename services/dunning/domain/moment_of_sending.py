"""The last look before a message leaves: what was planned is decided again on the facts of now.

Between planning and sending an item may be paid, credited, disputed or paused. Nothing is patched: the same
rule runs again, and the planned step is done only if it is still the one that comes next.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.dunning.domain.facts import Contact, CustomerFacts
from services.dunning.domain.netting import seniority
from services.dunning.domain.next_action import NextAction, Nothing, blocked_by, next_action
from services.dunning.domain.scenario import ScenarioVersion, Step

__all__ = ["Planned", "Withdrawn", "at_the_moment", "specific_at_the_moment"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A step as it was planned: which item led, under which version, at which position."""

    leader_item_id: UUID
    scenario_version_id: UUID
    position: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The planned step is not done. `code` says why: a Reason, what blocks it, or what changed."""

    code: str


def at_the_moment(
    planned: Planned, facts: CustomerFacts, version: ScenarioVersion, as_of: date
) -> NextAction | Withdrawn:
    """The planned step with the items and amounts of now, or why it is withdrawn. `as_of` is the customer's
    day."""
    if planned.scenario_version_id != version.id:
        return Withdrawn("scenario_changed")
    now = next_action(facts, version, as_of)
    if isinstance(now, Nothing):
        return Withdrawn(now.reason)
    if now.leader.id != planned.leader_item_id:
        return Withdrawn("leader_changed")
    if now.position != planned.position:
        return Withdrawn("already_done")
    if now.due_on > as_of:
        return Withdrawn("frequency_cap" if now.capped else "too_soon")
    if now.blocked_by is not None:
        return Withdrawn(now.blocked_by)
    return now


#: What else holds items out than the action that follows them up. The promise it may follow does not: it is why it exists.
_FOLLOWED = frozenset({"specific_action", "promise", "payment_plan"})


def specific_at_the_moment(
    item_ids: frozenset[UUID],
    step: Step,
    facts: CustomerFacts,
    version: ScenarioVersion,
    contact: Contact | None,
    as_of: date,
) -> NextAction | Withdrawn:
    """A specific action with what is left of its items: those still owed that nothing else holds out.

    Unused credits are not set against it: it is about these items and no others. The frequency cap and pauses hold for it too.
    """
    if facts.pause is not None and facts.pause.holds_on(as_of):
        return Withdrawn("paused")
    own = [item for item in facts.items if item.id in item_ids]
    if not own:
        return Withdrawn("nothing_open")
    free = [
        item
        for item in own
        if not item.excluded_on(as_of) or (item.exclusion is not None and item.exclusion.code in _FOLLOWED)
    ]
    debts = sorted((item for item in free if item.open_minor > 0), key=seniority)
    if not debts:
        return Withdrawn("all_excluded" if any(item.open_minor > 0 for item in own) else "nothing_open")
    net: dict[str, int] = {}
    for item in free:
        net[item.currency] = net.get(item.currency, 0) + item.open_minor
    if all(amount <= 0 for amount in net.values()):
        return Withdrawn("below_minimum")
    last = facts.last_automatic_on
    if step.sends_by_itself and last is not None and last + timedelta(days=version.cap_days) > as_of:
        return Withdrawn("frequency_cap")
    blocked = blocked_by(step.channel, contact, facts)
    if blocked is not None:
        return Withdrawn(blocked)
    return NextAction(
        leader=debts[0],
        step=step,
        position=0,
        nominal_days=0,
        due_on=as_of,
        items=tuple(sorted(free, key=seniority)),
        net=net,
        contact=contact,
        blocked_by=None,
        look_again_on=as_of,
    )
