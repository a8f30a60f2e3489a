"""What a company's limit is worth on a day, and how much of it is used. Amounts in minor units of the limit's currency."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

State = Literal["none", "pending", "approved", "not_validated", "expired", "blocked"]
Color = Literal["red", "orange", "green"]

_COLORS: dict[State, Color] = {
    "none": "red",
    "pending": "orange",
    "approved": "green",
    "not_validated": "red",
    "expired": "red",
    "blocked": "red",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as decided: `decided` is approved or not_validated, None where nothing was ever decided.

    `held`: deliveries are on hold. `unvalidated`: a guarantee fell below what was approved. `temporary`: what comes on top of
    `amount` on the day looked at.
    """

    decided: State | None
    amount: int | None
    valid_until: date | None
    pending: bool
    held: bool = False
    unvalidated: bool = False
    temporary: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """`used_percent` has one decimal, None without a limit above zero; `exceeded_by` is never negative."""

    used_percent: Decimal | None
    exceeded_by: int


def state_on(limit: Limit, day: date) -> State:
    """The state on a day: `valid_until` is the last day that counts; a hold outranks everything; zero is a limit, not "none"."""
    if limit.held:
        return "blocked"
    if limit.decided == "approved":
        if limit.valid_until is not None and limit.valid_until < day:
            return "expired"
        return "not_validated" if limit.unvalidated else "approved"
    if limit.pending:
        return "pending"
    return limit.decided or "none"


def allowed_on(limit: Limit, day: date) -> int | None:
    """What a company may owe on a day: its limit and what is on top of it; zero on hold, None where no limit is in force."""
    total = None if limit.amount is None else limit.amount + limit.temporary
    return effective(state_on(limit, day), total)


def color_of(state: State, *, pending: bool) -> Color:
    """Red: not validated or refused; orange: waiting; green: validated. A good limit stays green while another is asked."""
    color = _COLORS[state]
    return "orange" if pending and color == "red" and state != "blocked" else color


def usage_of(exposure: int, effective_limit: int | None) -> Usage:
    """How much of a limit an exposure uses. Without a limit in force nothing is allowed: all of the exposure exceeds it."""
    if effective_limit is None:
        return Usage(None, max(0, exposure))
    percent = None
    if effective_limit > 0:
        percent = (Decimal(max(0, exposure)) * 100 / effective_limit).quantize(
            Decimal("0.1"), rounding=ROUND_HALF_EVEN
        )
    return Usage(percent, max(0, exposure - effective_limit))


def effective(state: State, amount: int | None) -> int | None:
    """The amount allowed in a state: an approved limit's own, zero for a blocked company, None where there is no limit."""
    if state == "blocked":
        return 0
    return amount if state == "approved" else None
