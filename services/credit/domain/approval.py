"""Who decides a credit limit.

A request goes to the first level with authority over its amount: levels are tried from the lowest ceiling up, ceilings are
inclusive, and nobody decides on their own request, so a level whose only member is the requester is passed over
(rulings of DOMAIN §1).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
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


#: Without levels, whoever holds the scope credit:approve decides, except the requester.
OPEN_STEP = Step("approvers", ())


def plan_route(levels: Sequence[Level], amount: int, requester: UUID, routing: Routing) -> list[Step]:
    """The decisions a request over `amount` needs, in order. Raises NobodyDecides.

    first_with_authority: the first able level alone; all_below: every level up to it; all_above_requester: those of them
    that stand above the requester's own level.
    """
    if not levels:
        return [OPEN_STEP]
    rising = sorted(levels, key=lambda level: (level.ceiling is None, level.ceiling or 0))
    able = [level for level in rising if level.ceiling is None or amount <= level.ceiling]
    if not able:
        raise NobodyDecides("above_top_level", "No level of the approval policy reaches this amount.")
    last = next((level for level in able if _others(level, requester)), None)
    if last is None:
        raise NobodyDecides("no_approver", "Nobody but the requester could decide this amount.")
    if routing == "first_with_authority":
        return [_step(last, requester)]
    upto = rising[: rising.index(last) + 1]
    if routing == "all_above_requester":
        own = max((place for place, level in enumerate(rising) if requester in level.user_ids), default=-1)
        upto = [level for level in upto if rising.index(level) > own or level is last]
    return [_step(level, requester) for level in upto if _others(level, requester)]


def may_decide(step: Step, user_id: UUID) -> bool:
    """Whether a person who holds the right to approve stands in the step."""
    return not step.user_ids or user_id in step.user_ids


def _others(level: Level, requester: UUID) -> Collection[UUID]:
    return [user for user in level.user_ids if user != requester]


def _step(level: Level, requester: UUID) -> Step:
    return Step(level.name, tuple(_others(level, requester)))
