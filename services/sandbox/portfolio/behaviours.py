"""How buyers pay: the habits that make a portfolio look like one that people know.

Delays are whole days after the due date, negative when early.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

__all__ = ["BEHAVIOURS", "PATIENCE_DAYS", "Behaviour", "delay", "payment_day"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A habit. `share` is its weight among customers, `usual` and `spread` are days.

    `worsening` is how many days the usual delay grows over the whole history; `stops_for` the last days in
    which nothing is paid any more; `disputes` the share of invoices that are disputed.
    """

    name: str
    share: float
    usual: float
    spread: float
    worsening: float = 0.0
    stops_for: int = 0
    disputes: float = 0.01


BEHAVIOURS = (
    Behaviour("prompt", 0.50, usual=-3, spread=2),
    Behaviour("usual", 0.28, usual=1, spread=4),
    Behaviour("slow", 0.09, usual=19, spread=8, disputes=0.02),
    Behaviour("erratic", 0.045, usual=10, spread=20, disputes=0.03),
    Behaviour("going_bad", 0.035, usual=4, spread=6, worsening=40, stops_for=85, disputes=0.02),
    Behaviour("failing", 0.015, usual=10, spread=8, worsening=25, stops_for=250),
    Behaviour("disputing", 0.035, usual=7, spread=6, disputes=0.20),
)

#: A customer that has stopped paying is still delivered for so many days, then no longer.
PATIENCE_DAYS = 45


def delay(behaviour: Behaviour, elapsed: float, rng: Random) -> int:
    """Days between the due date and the intention to pay, for an invoice issued after a share `elapsed`
    (0..1) of the history. Never more than twenty days early: nobody pays an invoice before it was looked
    at."""
    usual = behaviour.usual + behaviour.worsening * max(0.0, elapsed - 0.4) / 0.6
    return max(-20, round(rng.gauss(usual, behaviour.spread)))


def payment_day(wanted: date, run_days: tuple[int, ...]) -> date:
    """The first working day on or after `wanted` on which the customer pays its suppliers.

    `run_days` are days of the month (payment runs); without any, every working day will do.
    """
    day = wanted
    while run_days and day.day not in run_days:
        day += timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day
