"""Who decides a credit limit.

A request goes to the first level with authority over its amount: levels are tried from the lowest ceiling up, ceilings are
inclusive, and nobody decides on their own request, so a level whose only member is the requester is passed over
(rulings of DOMAIN §1).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Routing = Literal["first_with_authority", "all_below", "all_above_requester"]
Decision = Literal["approved", "rejected"]


class NobodyDecides(Exception):
    """No level can take the request. `code`: above_top_level or no_approver."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Level:
    """People who may decide up to `ceiling`, in minor units of the request's currency, inclusive; None is without end."""

    name: str
    ceiling: int | None
    user_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One decision a request needs. No `user_ids`: anybody who holds the right to approve."""

    level: str
    user_ids: tuple[UUID, ...]
    decided_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Delegation:
    """`delegate` decides in the name of `user` from the one day to the other, both inclusive."""

    user: UUID
    delegate: UUID
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Turn:
    """The step a person may decide now, and for whom where it is not their own."""

    position: int
    on_behalf_of: UUID | None


#: Without levels, whoever holds the scope credit:approve decides, except the requester.
OPEN_STEP = Step("approvers", ())


def plan_route(
    levels: Sequence[Level], amount: int, requester: UUID, routing: Routing, *, require_all: bool = False
) -> list[Step]:
    """The decisions a request over `amount` needs, in order. Raises NobodyDecides.

    first_with_authority: the first able level alone; all_below: every level up to it; all_above_requester: those of them
    that stand above the requester's own level. Of the people of a level one suffices, unless `require_all` asks each of them.
    """
    if not levels:
        return [OPEN_STEP]
    rising = _rising(levels)
    able = [level for level in rising if level.ceiling is None or amount <= level.ceiling]
    if not able:
        raise NobodyDecides("above_top_level", "No level of the approval policy reaches this amount.")
    last = next((level for level in able if _others(level, requester)), None)
    if last is None:
        raise NobodyDecides("no_approver", "Nobody but the requester could decide this amount.")
    chosen = [last]
    if routing != "first_with_authority":
        chosen = rising[: rising.index(last) + 1]
    if routing == "all_above_requester":
        own = max((place for place, level in enumerate(rising) if requester in level.user_ids), default=-1)
        chosen = [level for level in chosen if rising.index(level) > own or level is last]
    return [step for level in chosen for step in _steps(level, requester, require_all=require_all)]


def next_level_up(
    levels: Sequence[Level], above: str, requester: UUID, *, require_all: bool = False
) -> list[Step]:
    """The decisions of the first level above the one named that somebody but the requester stands in; empty at the top."""
    rising = _rising(levels)
    names = [level.name for level in rising]
    if above not in names:
        return []
    for level in rising[names.index(above) + 1 :]:
        if _others(level, requester):
            return _steps(level, requester, require_all=require_all)
    return []


def stand_ins(delegations: Sequence[Delegation], day: date) -> dict[UUID, set[UUID]]:
    """Whom each delegate stands in for on a day."""
    found: dict[UUID, set[UUID]] = {}
    for one in delegations:
        if one.start <= day <= one.end:
            found.setdefault(one.delegate, set()).add(one.user)
    return found


def turn_of(
    route: Sequence[Step], user_id: UUID, standing_in: Mapping[UUID, Collection[UUID]]
) -> Turn | None:
    """The undecided step of the present level that a person may decide, their own before somebody else's.

    Nobody decides twice at one level, be it once in their own name and once in another's.
    """
    position = next((place for place, step in enumerate(route) if step.decided_by is None), None)
    if position is None:
        return None
    level = route[position].level
    peers = [place for place, step in enumerate(route) if step.level == level]
    if any(route[place].decided_by == user_id for place in peers):
        return None
    waiting = [place for place in peers if route[place].decided_by is None]
    for place in waiting:
        if may_decide(route[place], user_id):
            return Turn(place, None)
    for place in waiting:
        absent = [user for user in route[place].user_ids if user in standing_in.get(user_id, ())]
        if absent:
            return Turn(place, absent[0])
    return None


def may_decide(step: Step, user_id: UUID) -> bool:
    """Whether a person who holds the right to approve stands in the step."""
    return not step.user_ids or user_id in step.user_ids


def _rising(levels: Sequence[Level]) -> list[Level]:
    return sorted(levels, key=lambda level: (level.ceiling is None, level.ceiling or 0))


def _others(level: Level, requester: UUID) -> Collection[UUID]:
    return [user for user in level.user_ids if user != requester]


def _steps(level: Level, requester: UUID, *, require_all: bool) -> list[Step]:
    others = tuple(_others(level, requester))
    if require_all:
        return [Step(level.name, (user,)) for user in others]
    return [Step(level.name, others)] if others else []
