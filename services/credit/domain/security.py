"""What secures a limit: covers of insurers and other guarantees, and the part that stays without one.

unsecured = max(0, limit − insurers' guarantees − other guarantees) (DOMAIN §3.5). A guarantee counts for a limit only if it is
in force from the first to the last day looked at, and does not end by a withdrawal already announced (DOMAIN §1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Standing = Literal["counted", "not_yet_in_force", "ends_too_early", "no_evidence", "rate_missing"]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """Something that pays when the buyer does not. `amount` in minor units of `currency`; dates inclusive, None without end.

    `layer`: permanent, temporary, topup, dcl, non_named for an insurer's cover, else the kind of the other guarantee.
    """

    source: Literal["cover", "other_guarantee"]
    id: UUID
    layer: str
    amount: int
    currency: str
    valid_from: date
    valid_to: date | None
    has_evidence: bool = True


@dataclass(frozen=True, slots=True)
class Considered:
    """A guarantee and what of it counts, in minor units of the limit's currency, with the reason where nothing does."""

    guarantee: Guarantee
    counted: int
    standing: Standing


def standing_of(guarantee: Guarantee, start: date, end: date) -> Standing:
    """Whether a guarantee counts from `start` to `end`, both inclusive."""
    if not guarantee.has_evidence:
        return "no_evidence"
    if guarantee.valid_from > start:
        return "not_yet_in_force"
    if guarantee.valid_to is not None and guarantee.valid_to < end:
        return "ends_too_early"
    return "counted"


def secured_by(considered: Iterable[Considered]) -> int:
    """All that counts, minor units."""
    return sum(one.counted for one in considered)


def unsecured(amount: int, considered: Sequence[Considered]) -> int:
    """The part of a limit that no guarantee secures; never negative."""
    return max(0, amount - secured_by(considered))
