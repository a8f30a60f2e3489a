"""Groups of companies: who belongs to whom, and who stands on top.

A group is a tree; a company without a parent is the top of its own. Parents are given as a mapping over every company of
the groups concerned, so the rules need nothing but that mapping.
"""

from collections.abc import Mapping
from uuid import UUID

from services.ledger.domain.errors import StateConflict

Parents = Mapping[UUID, UUID | None]


class GroupCycle(StateConflict):
    """A company cannot stand above itself."""

    code = "group_cycle"


def attach(parents: Parents, child: UUID, parent: UUID | None) -> dict[UUID, UUID | None]:
    """Put a company under another, or (None) on its own. Raises GroupCycle when the parent is the company or below it."""
    above = parent
    while above is not None:
        if above == child:
            raise GroupCycle("the parent belongs to the company itself")
        above = parents[above]
    return {**parents, child: parent}


def absorb(parents: Parents, ended: UUID, survivor: UUID) -> dict[UUID, UUID | None]:
    """Let a company end in another: what stood below it stands below the survivor, which takes its place if it was there."""
    changed = dict(parents)
    if _is_below(parents, survivor, ended):
        changed[survivor] = parents[ended]
    for company, parent in parents.items():
        if parent == ended and company != survivor:
            changed[company] = survivor
    changed[ended] = None
    return changed


def tops(parents: Parents) -> dict[UUID, UUID]:
    """The topmost company of each; its own top where it has no parent."""
    found: dict[UUID, UUID] = {}
    for company in parents:
        path = [company]
        while path[-1] not in found and (parent := parents[path[-1]]) is not None:
            path.append(parent)
        top = found.get(path[-1], path[-1])
        found.update(dict.fromkeys(path, top))
    return found


def _is_below(parents: Parents, company: UUID, above: UUID) -> bool:
    current: UUID | None = company
    while current is not None:
        if current == above:
            return True
        current = parents[current]
    return False
