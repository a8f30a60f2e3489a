"""The last look before a message leaves: what was planned is decided again on the facts of now.

Between planning and sending an item may be paid, credited, disputed or paused. Nothing is patched: the same
rule runs again, and the planned step is done only if it is still the one that comes next.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.dunning.domain.facts import CustomerFacts
from services.dunning.domain.next_action import NextAction, Nothing, next_action
from services.dunning.domain.scenario import ScenarioVersion

__all__ = ["Planned", "Withdrawn", "at_the_moment"]


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
        return Withdrawn("too_soon")
    if now.blocked_by is not None:
        return Withdrawn(now.blocked_by)
    return now
