"""What to do next, for whom, and why: an order of work that a person can check line by line.

The measure is the money that will still be missing two weeks from now if nobody does anything: for each late item its amount
times the share of this customer's items that, as late as it is now, were still unpaid two weeks later. A customer without a
history of its own is judged by the whole portfolio's, which fades as its own grows. Broken promises and proceedings weigh
on top, a contact of the last days takes off: somebody is at it already. Nothing is learnt behind a curtain and nothing is random:
the same facts give the same order.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from uuid import UUID

__all__ = [
    "HORIZON_DAYS",
    "Advice",
    "Case",
    "Delays",
    "LateItem",
    "Reason",
    "Suggestion",
    "advise",
    "still_unpaid",
]

#: Two weeks: how far ahead a week's work is felt.
HORIZON_DAYS = 14
#: How many items of its own a customer needs before its own history counts as much as the portfolio's.
_PRIOR_ITEMS = 5
_RECENT_DAYS = 4
_BROKEN_WEIGHT, _MOST_BROKEN = Decimal("0.25"), 2
_PROCEEDINGS_WEIGHT = Decimal("1.5")
_RECENT_WEIGHT = Decimal("0.5")
_LONG_LATE = 30
_CENT = Decimal("0.01")
_SHARE = Decimal("0.0001")


class Advice(StrEnum):
    """What is suggested."""

    DECLARE_CLAIM = "declare_claim"
    MEND_CONTACT = "mend_contact"
    FOLLOW_UP_PROMISE = "follow_up_promise"
    CONFIRM_MESSAGE = "confirm_message"
    CALL = "call"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Delays:
    """How late items were paid, in days after their due date (negative: before it), sorted."""

    days: Sequence[int] = ()

    def beyond(self, days: int) -> int:
        """How many were still unpaid after so many days."""
        return len(self.days) - bisect_right(self.days, days)


@dataclass(frozen=True, slots=True)
class LateItem:
    """An item past its due date that may be claimed; `amount` in major units."""

    number: str
    amount: Decimal
    currency: str
    days_late: int


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one customer. `answered` counts, by channel, contacts and those a payment followed within ten days."""

    customer_id: UUID
    late: tuple[LateItem, ...]
    delays: Delays = Delays()
    broken_promises: int = 0
    in_proceedings: bool = False
    reachable: bool = True
    waiting_to_confirm: bool = False
    last_contact_on: date | None = None
    answered: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact that decided: a stable code, and its figures as a person can look them up."""

    code: str
    facts: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to do for a customer. `at_stake` is the money expected to be missing still, weighed; it orders the list."""

    customer_id: UUID
    advice: Advice
    channel: str
    at_stake: Decimal
    reasons: tuple[Reason, ...]


def still_unpaid(own: Delays, portfolio: Delays, days_late: int) -> Decimal:
    """The share (0 to 1) of items as late as this that were still unpaid two weeks later."""
    reached, stayed = own.beyond(days_late), own.beyond(days_late + HORIZON_DAYS)
    known, remained = portfolio.beyond(days_late), portfolio.beyond(days_late + HORIZON_DAYS)
    usual = Decimal(remained + 1) / (known + 2)
    return (stayed + _PRIOR_ITEMS * usual) / (reached + _PRIOR_ITEMS)


def advise(case: Case, portfolio: Delays, today: date) -> Suggestion:
    """The next best action for a customer with something late."""
    missing = sum(
        (item.amount * still_unpaid(case.delays, portfolio, item.days_late) for item in case.late), Decimal(0)
    )
    oldest = max(case.late, key=lambda item: (item.days_late, item.number))
    reasons = [
        Reason("amount_late", {**_amounts(case.late), "items": len(case.late)}),
        Reason("oldest_item", {"number": oldest.number, "days_late": oldest.days_late}),
        _behaviour(case.delays, portfolio, oldest.days_late),
    ]
    weight = Decimal(1)
    if case.broken_promises:
        weight += _BROKEN_WEIGHT * min(case.broken_promises, _MOST_BROKEN)
        reasons.append(Reason("broken_promises", {"count": case.broken_promises}))
    if case.in_proceedings:
        weight *= _PROCEEDINGS_WEIGHT
        reasons.append(Reason("collective_proceedings", {}))
    if case.last_contact_on is not None and (today - case.last_contact_on).days <= _RECENT_DAYS:
        weight *= _RECENT_WEIGHT
        reasons.append(Reason("contacted_recently", {"on": case.last_contact_on.isoformat()}))
    advice, channel, why = _what(case, oldest.days_late)
    at_stake = (missing * weight).quantize(_CENT, ROUND_HALF_EVEN)
    return Suggestion(case.customer_id, advice, channel, at_stake, (*reasons, *why))


def _what(case: Case, days_late: int) -> tuple[Advice, str, tuple[Reason, ...]]:
    if case.in_proceedings:
        return Advice.DECLARE_CLAIM, "task", ()
    if not case.reachable:
        return Advice.MEND_CONTACT, "task", (Reason("no_contact", {}),)
    if case.broken_promises:
        return Advice.FOLLOW_UP_PROMISE, "call", ()
    if case.waiting_to_confirm:
        return Advice.CONFIRM_MESSAGE, "email", (Reason("message_waits", {}),)
    worked = _channel_that_worked(case.answered)
    if worked is not None:
        channel, tried, paid = worked
        why = Reason("channel_worked", {"channel": channel, "contacts": tried, "paid_within_ten_days": paid})
        return (Advice.CALL if channel == "call" else Advice.WRITE), channel, (why,)
    if days_late > _LONG_LATE:
        return Advice.CALL, "call", (Reason("long_late", {"days_late": days_late}),)
    return Advice.WRITE, "email", ()


def _channel_that_worked(answered: Mapping[str, tuple[int, int]]) -> tuple[str, int, int] | None:
    """The channel after which money came most often, where it was tried twice at least and worked once."""
    tried = [
        (Decimal(paid) / count, count, channel)
        for channel, (count, paid) in answered.items()
        if count > 1 and paid
    ]
    if not tried:
        return None
    _, count, channel = max(tried)
    return channel, count, answered[channel][1]


def _behaviour(own: Delays, portfolio: Delays, days_late: int) -> Reason:
    share = still_unpaid(own, portfolio, days_late).quantize(_SHARE, ROUND_HALF_EVEN)
    reached = own.beyond(days_late)
    facts: dict[str, str | int] = {
        "share_still_unpaid": str(share),
        "within_days": HORIZON_DAYS,
        "own_items_as_late": reached,
        "own_still_unpaid": own.beyond(days_late + HORIZON_DAYS),
    }
    return Reason("usual_behaviour", facts)


def _amounts(late: Sequence[LateItem]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for item in late:
        sums[item.currency] = sums.get(item.currency, Decimal(0)) + item.amount
    return {currency: str(amount) for currency, amount in sorted(sums.items())}
