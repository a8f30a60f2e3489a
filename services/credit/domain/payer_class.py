"""Payer classes from best to worst, and what a company's is: the worst of its accounts'."""

from collections.abc import Iterable
from typing import Final

CLASSES: Final = ("very_good", "good", "average", "bad", "very_bad")
UNKNOWN: Final = "unknown"


def worst(classes: Iterable[str | None]) -> str:
    """The worst class that is known, else `unknown`."""
    known = [one for one in classes if one in CLASSES]
    return max(known, key=CLASSES.index, default=UNKNOWN)


def changed(before: str, after: str) -> bool:
    """Whether one known class became another; to become known is no change."""
    return UNKNOWN not in (before, after) and before != after
