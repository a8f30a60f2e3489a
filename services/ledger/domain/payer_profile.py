"""How a customer pays: average delay and average payment duration over six rolling months, and the class they
earn.

`delay = sum(amount * (paid - due)) / sum(amount)`, duration the same from the issue date (My DSO Manager).
Each partial payment counts with its own date. Measured twice, on what was paid and on what is paid or still
open and overdue, because who stops paying altogether would otherwise keep the profile of better days; the
class is the worse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Protocol
from uuid import UUID

from services.ledger.domain.errors import InvalidRequest
from services.ledger.domain.months import add_months

WINDOW_MONTHS = 6
UNKNOWN = "unknown"


class ThresholdsInvalid(InvalidRequest):
    code = "payer_thresholds_invalid"


class Means(StrEnum):
    """How an invoice, or a part of it, left the ledger."""

    PAYMENT = "payment"
    SOURCE = "source"
    """The ERP said it is settled (`settled_by_source`) without saying how: taken as paid."""
    CREDIT_NOTE = "credit_note"
    WRITE_OFF = "write_off"


#: A credit note or a write-off is nobody's payment: its date says nothing about how the customer pays.
PAID = frozenset({Means.PAYMENT, Means.SOURCE})


@dataclass(frozen=True, slots=True)
class Settlement:
    """A part of an invoice settled on a day. `amount` positive, in minor units of one currency for all."""

    item_id: UUID
    amount: int
    issued_on: date
    due_on: date
    settled_on: date
    means: Means


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice as of the profile's day. `open_amount` positive, same currency as the settlements."""

    item_id: UUID
    open_amount: int
    issued_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class PayerThresholds:
    """Classes from best to worst: `(name, most days of average delay)`, inclusive and rising, then the last
    name.

    Raises ThresholdsInvalid when the days do not rise or a name comes twice.
    """

    steps: tuple[tuple[str, Decimal], ...] = (
        ("very_good", Decimal(0)),
        ("good", Decimal(7)),
        ("average", Decimal(15)),
        ("bad", Decimal(30)),
    )
    worst: str = "very_bad"

    def __post_init__(self) -> None:
        days = [limit for _, limit in self.steps]
        if any(low >= high for low, high in pairwise(days)):
            raise ThresholdsInvalid(
                "the days of the payer classes must rise from the best class to the worst"
            )
        if len({*self.names, UNKNOWN}) != len(self.names) + 1:
            raise ThresholdsInvalid(f"each payer class needs a name of its own, other than {UNKNOWN}")

    @property
    def names(self) -> tuple[str, ...]:
        return (*(name for name, _ in self.steps), self.worst)

    def class_of(self, average_delay: Decimal) -> str:
        """The best class whose limit the delay does not exceed."""
        return next((name for name, limit in self.steps if average_delay <= limit), self.worst)


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """`minimum_invoices` and `minimum_amount` (minor units) below which nothing is concluded;
    `ignore_early` counts a payment before the due date as on time."""

    thresholds: PayerThresholds = PayerThresholds()
    minimum_invoices: int = 3
    minimum_amount: int = 0
    ignore_early: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Days weighted by amount (None where there is nothing to weigh), from `invoices` distinct invoices."""

    average_delay: Decimal | None
    average_duration: Decimal | None
    invoices: int
    amount: int
    payer_class: str
    """`unknown` below the minimum."""


@dataclass(frozen=True, slots=True)
class PayerProfile:
    paid_only: Behaviour
    with_open_overdue: Behaviour
    payer_class: str
    """The worse of the two; of one alone where the other is unknown."""
    trend: Decimal | None
    """Average delay, paid only, of the window less that of the window before: positive is getting slower.
    None where either window is below the minimum."""


class _Dated(Protocol):
    """What both facts share: what is weighed."""

    @property
    def item_id(self) -> UUID: ...
    @property
    def issued_on(self) -> date: ...
    @property
    def due_on(self) -> date: ...


@dataclass(frozen=True, slots=True)
class _Weighed:
    fact: _Dated
    amount: int
    until: date


def payer_profile(
    settlements: Iterable[Settlement],
    open_invoices: Iterable[OpenInvoice],
    as_of: date,
    rules: ProfileRules = ProfileRules(),
) -> PayerProfile:
    """Profile of one customer or company at `as_of`, from its invoices only (credit notes have no delay)."""
    paid = [_Weighed(s, s.amount, s.settled_on) for s in settlements if s.means in PAID and s.amount > 0]
    window_start = add_months(as_of, -WINDOW_MONTHS)
    recent = _settled_between(paid, window_start, as_of)
    earlier = _settled_between(paid, add_months(as_of, -2 * WINDOW_MONTHS), window_start)
    overdue = [
        _Weighed(i, i.open_amount, as_of) for i in open_invoices if i.open_amount > 0 and i.due_on < as_of
    ]
    paid_only = _behaviour(recent, rules)
    with_overdue = _behaviour([*recent, *overdue], rules)
    return PayerProfile(
        paid_only=paid_only,
        with_open_overdue=with_overdue,
        payer_class=_worse(paid_only.payer_class, with_overdue.payer_class, rules.thresholds),
        trend=_trend(paid_only, _behaviour(earlier, rules)),
    )


def _settled_between(paid: Sequence[_Weighed], after: date, until: date) -> list[_Weighed]:
    """Half-open: a settlement belongs to one window only."""
    return [weighed for weighed in paid if after < weighed.until <= until]


def _behaviour(weighed: Sequence[_Weighed], rules: ProfileRules) -> Behaviour:
    amount = sum(w.amount for w in weighed)
    invoices = len({w.fact.item_id for w in weighed})
    if not amount:
        return Behaviour(None, None, 0, 0, UNKNOWN)
    floor = 0 if rules.ignore_early else None
    delay = Decimal(sum(w.amount * _days(w.fact.due_on, w.until, floor) for w in weighed)) / amount
    duration = Decimal(sum(w.amount * _days(w.fact.issued_on, w.until) for w in weighed)) / amount
    enough = invoices >= rules.minimum_invoices and amount >= rules.minimum_amount
    return Behaviour(
        delay, duration, invoices, amount, rules.thresholds.class_of(delay) if enough else UNKNOWN
    )


def _days(start: date, end: date, floor: int | None = None) -> int:
    days = (end - start).days
    return days if floor is None else max(floor, days)


def _worse(first: str, second: str, thresholds: PayerThresholds) -> str:
    known = [name for name in (first, second) if name != UNKNOWN]
    return max(known, key=thresholds.names.index, default=UNKNOWN)


def _trend(now: Behaviour, before: Behaviour) -> Decimal | None:
    if (
        UNKNOWN in (now.payer_class, before.payer_class)
        or now.average_delay is None
        or before.average_delay is None
    ):
        return None
    return now.average_delay - before.average_delay
