"""Promises to pay: kept, partly kept or broken by the ledger's facts, and how far a customer's word goes.

A promise is judged by value dates, with some days of grace. What is credited leaves the promise: nobody owes it any more. A
payment that arrives late in the books but was made in time corrects the judgement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

__all__ = ["GRACE_DAYS", "Judgement", "PromiseFacts", "PromiseState", "Reliability", "judge", "reliability"]

GRACE_DAYS = 2


class PromiseState(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    PARTLY = "partly"
    BROKEN = "broken"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PromiseFacts:
    """What the ledger says since a promise was made, in minor units of its currency, all zero or more.

    `owed` was open on its items when it was made. `paid` and `paid_in_time` are what payments settled on them since, the
    second by value date up to the deadline. `credited` is what credit notes and cancellations took off. `settled_in_time` is
    what the items' source says is settled without naming a payment. `before` is what earlier instalments of a plan take first.
    """

    amount: int
    promised_on: date
    owed: int
    paid: int
    paid_in_time: int
    credited: int = 0
    settled_in_time: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A promise seen on a day: what of it was paid in time, what was credited away."""

    state: PromiseState
    paid: int
    credited: int


def deadline(promised_on: date) -> date:
    """The last value date that keeps a promise."""
    return promised_on + timedelta(days=GRACE_DAYS)


def judge(facts: PromiseFacts, today: date) -> Judgement:
    """The state of a promise on a day. It is kept as soon as it is paid, and broken only after its grace."""
    due = max(0, min(facts.amount, facts.owed - facts.credited - facts.before))
    gone = facts.amount - due
    if due == 0 and facts.credited > 0:
        return Judgement(PromiseState.CANCELLED, 0, gone)
    paid = max(0, min(due, facts.paid_in_time + facts.settled_in_time - facts.before))
    if paid >= due:
        return Judgement(PromiseState.KEPT, paid, gone)
    if today <= deadline(facts.promised_on):
        return Judgement(PromiseState.OPEN, paid, gone)
    return Judgement(PromiseState.PARTLY if paid > 0 else PromiseState.BROKEN, paid, gone)


@dataclass(frozen=True, slots=True)
class Reliability:
    """How many promises came due, how they ended, and the share of what was promised that was paid in time (0 to 1, four
    decimals; None before the first came due)."""

    kept: int
    partly: int
    broken: int
    rate: Decimal | None


def reliability(judged: Iterable[tuple[PromiseState, int, int]]) -> Reliability:
    """From (state, promised less credited, paid in time) of promises of one currency; open and cancelled ones do not count."""
    ended = [one for one in judged if one[0] in {PromiseState.KEPT, PromiseState.PARTLY, PromiseState.BROKEN}]
    counts = {state: sum(1 for one in ended if one[0] is state) for state in PromiseState}
    promised = sum(due for _, due, _ in ended)
    rate = None
    if promised > 0:
        paid = Decimal(sum(paid for *_, paid in ended))
        rate = (paid / promised).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    return Reliability(
        counts[PromiseState.KEPT], counts[PromiseState.PARTLY], counts[PromiseState.BROKEN], rate
    )
