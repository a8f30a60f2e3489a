"""What of a company's outstanding is covered by others, and what is left: real and potential risk (DOMAIN §3.6). Pure.

Amounts are minor units of the reporting currency, already converted cover by cover.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

LAYERS = ("permanent", "temporary", "topup", "discretionary", "non_named")
_NAMED = ("permanent", "temporary", "topup")


@dataclass(frozen=True, slots=True)
class Cover:
    """One cover; `first` and `last` are the first and the last day that count, None is open."""

    layer: str
    amount: int | None
    first: date | None
    last: date | None
    conditions: str | None = None

    def counts_on(self, day: date) -> bool:
        """Whether it is in force."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is in force: by layer (None: never told of), altogether, until when, and on what conditions."""

    layers: Mapping[str, int | None]
    total: int
    expires_at: date | None
    conditions: str | None


@dataclass(frozen=True, slots=True)
class Risk:
    """real = outstanding - guarantees - other guarantees; potential adds the order book. Signed; the positive part of real is
    uncovered, the negative part is spare cover."""

    real: int
    potential: int


def coverage(covers: Iterable[Cover], day: date) -> Coverage:
    """The layers in force on a day. Named layers add up; without one, the discretionary limit counts, else non-named cover."""
    told = list(covers)
    live = [cover for cover in told if cover.counts_on(day) and cover.amount]
    layers: dict[str, int | None] = dict.fromkeys(LAYERS, 0 if told else None)
    for cover in live:
        layer = cover.layer if cover.layer in LAYERS else "topup"  # a named layer of a kind we do not know
        layers[layer] = (layers[layer] or 0) + (cover.amount or 0)
    named = sum(layers[layer] or 0 for layer in _NAMED)
    total = named or layers["discretionary"] or layers["non_named"] or 0
    ends = [cover.last for cover in live if cover.last is not None]
    terms = sorted({cover.conditions for cover in live if cover.conditions})
    return Coverage(layers, total, min(ends, default=None), "; ".join(terms) or None)


def risk_of(outstanding: int, order_book: int, guaranteed: int, other: int) -> Risk:
    """Real and potential risk."""
    real = outstanding - guaranteed - other
    return Risk(real, real + order_book)
