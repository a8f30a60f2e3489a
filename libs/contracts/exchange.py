"""Conversion into a reporting currency, at the latest rate known for a day.

One rule for every report: convert the parts and add the converted parts. The parts of a row are its sums by
currency (and by bucket or month, where it has such columns), each rounded once; a total is the sum of its rows,
not of the page shown. So whoever adds up the rows of a report gets its total to the cent; converting the total
on its own would differ from them. Reports that are grouped differently may differ by a minor unit a row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from libs.contracts.currencies import exponent

#: 10^17 minor units times a rate of 20 digits, shifted by four decimals: nothing is rounded before the end.
_PRECISION = 60


class RateInvalid(ValueError):
    """A rate that cannot be used; the text says what was expected."""

    code = "rate_invalid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Rate:
    """1 unit of `base` buys `rate` units of `quote`, from `valid_on` on. Raises RateInvalid unless finite and
    above 0."""

    base: str
    quote: str
    rate: Decimal
    valid_on: date

    def __post_init__(self) -> None:
        if not self.rate.is_finite() or self.rate <= 0:
            raise RateInvalid("a rate must be a number above 0")
        if self.base == self.quote:
            raise RateInvalid("a rate needs two different currencies")


@dataclass(frozen=True, slots=True)
class Conversion:
    """How to turn one currency into another: multiply by `factor` (or divide, when only the inverse is
    quoted)."""

    rate: Decimal
    inverse: bool
    valid_on: date | None
    """Day of the rate; None when both currencies are the same."""


@dataclass(frozen=True, slots=True)
class Converted:
    """`total` in minor units of the reporting currency; `unconverted` minor units by currency, never part of
    it."""

    total: int
    rate_date: date | None
    """Day of the oldest rate used; None when none was needed."""
    unconverted: dict[str, int]


def find_conversion(rates: Iterable[Rate], source: str, target: str, as_of: date) -> Conversion | None:
    """The latest rate on or before `as_of` between two currencies, quoted either way; the direct one on the
    same day.

    None when there is none: an amount without a rate is shown apart, never taken at 1 and never through a
    third currency whose quotation nobody chose.
    """
    if source == target:
        return Conversion(Decimal(1), False, None)
    pairs = ((source, target), (target, source))
    known = [rate for rate in rates if rate.valid_on <= as_of and (rate.base, rate.quote) in pairs]
    latest = max(known, key=lambda rate: (rate.valid_on, rate.base == source), default=None)
    return None if latest is None else Conversion(latest.rate, latest.base != source, latest.valid_on)


def convert(amount: int, source: str, target: str, conversion: Conversion) -> int:
    """Minor units of `source` into minor units of `target`, half-even on the last minor unit.

    Exponents are the currencies' own: 100 JPY (exponent 0) at 0.0061 is 61 EUR cents. Raises KeyError for a
    code that is no ISO 4217 currency.
    """
    with localcontext() as context:
        context.prec = _PRECISION
        value = Decimal(amount) / conversion.rate if conversion.inverse else amount * conversion.rate
        scaled = value.scaleb(exponent(target) - exponent(source))
        return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def convert_all(amounts: Mapping[str, int], target: str, rates: Iterable[Rate], as_of: date) -> Converted:
    """Convert `amounts` (minor units by currency) and add them up; what has no rate is in `unconverted`."""
    known = list(rates)
    total, days, unconverted = 0, [], {}
    for currency, amount in amounts.items():
        conversion = find_conversion(known, currency, target, as_of)
        if conversion is None:
            unconverted[currency] = amount
            continue
        total += convert(amount, currency, target, conversion)
        if conversion.valid_on is not None:
            days.append(conversion.valid_on)
    return Converted(total, min(days, default=None), unconverted)
