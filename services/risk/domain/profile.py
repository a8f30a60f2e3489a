"""What a company's facts come to, in the reporting currency. Amounts are minor units.

Parts are converted and then added, so that totals equal the rows they are made of and the ledger's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from libs.contracts.currencies import exponent
from libs.contracts.exchange import Conversion, convert


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is owed in one currency; `credits` is never positive."""

    currency: str
    outstanding: int
    overdue: int
    credits: int
    order_book: int


@dataclass(frozen=True, slots=True)
class Sum:
    """Amounts of several currencies in one; `unconverted` had no rate and is in no figure."""

    outstanding: int
    overdue: int
    credits: int
    order_book: int
    rate_date: date | None
    unconverted: dict[str, int]


@dataclass(frozen=True, slots=True)
class LimitUse:
    """`allowed` in the reporting currency, None where no limit is in force or its currency has no rate."""

    allowed: int | None
    used_permille: int | None
    overrun: int | None


def total(parts: Iterable[Amounts], target: str, conversions: Mapping[str, Conversion]) -> Sum:
    """Convert each part and add the converted parts, so that totals equal the rows they are made of."""
    figures = [0, 0, 0, 0]
    days: list[date] = []
    unconverted: dict[str, int] = {}
    for part in parts:
        conversion = conversions.get(part.currency)
        if conversion is None:
            if part.outstanding:
                unconverted[part.currency] = part.outstanding
            continue
        amounts = (part.outstanding, part.overdue, part.credits, part.order_book)
        for place, amount in enumerate(amounts):
            same = part.currency == target
            figures[place] += amount if same else convert(amount, part.currency, target, conversion)
        if conversion.valid_on is not None:
            days.append(conversion.valid_on)
    outstanding, overdue, credits_, order_book = figures
    return Sum(outstanding, overdue, credits_, order_book, min(days, default=None), unconverted)


def limit_use(state: str, allowed: int | None, outstanding: int) -> LimitUse:
    """How much of a limit is used: a blocked company is allowed nothing; without a limit in force there is nothing to say."""
    if state == "blocked":
        allowed = 0
    elif state != "approved":
        allowed = None
    if allowed is None:
        return LimitUse(None, None, None)
    permille = max(0, outstanding) * 1000 // allowed if allowed > 0 else None
    return LimitUse(allowed, permille, max(0, outstanding - allowed))


def minor_of(value: Any, currency: str | None) -> int | None:
    """Minor units of an amount a provider sent in major units, rounded to the currency's own decimals; None when it is none."""
    if value is None or currency is None:
        return None
    try:
        return int(Decimal(str(value)).scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_EVEN))
    except (InvalidOperation, KeyError):
        return None
