"""Money of a row: from the bytes the sender wrote to minor units, exactly."""

from decimal import Decimal, InvalidOperation

from msgspec import Raw

from libs.contracts.currencies import currency_codes, exponent
from libs.contracts.money import MAX_MINOR, MoneyError, from_minor, to_minor
from services.ledger.domain.intake.errors import RowRefused, refuse

_QUOTE = ord('"')
_POINT = ord(".")
#: Beyond this many bytes a figure cannot be an amount, whatever it says.
_LONGEST = 64
_DECIMALS = {currency: exponent(currency) for currency in currency_codes()}


def decimals_of(currency: str) -> int:
    """Decimals of a currency. Raises RowRefused `currency_unknown`."""
    decimals = _DECIMALS.get(currency)
    if decimals is None:
        raise refuse("/currency", "currency_unknown", "expected an ISO 4217 code")
    return decimals


def minor_units(raw: Raw, decimals: int, currency: str, pointer: str) -> int:
    """Minor units of an amount, text or number, in JSON's bytes. Raises RowRefused; never rounds.

    Nearly every amount of nearly every file is written with exactly the decimals of its currency: that case is done
    here with slices, everything else by the rules of `libs.contracts.money`.
    """
    text = bytes(raw)
    if text[:1] == b'"':
        text = text[1:-1]
    point = len(text) - decimals - 1
    if 0 < point < 15 and text[point] == _POINT:
        figures = text[:point] + text[point + 1 :]
        if figures.isdigit():
            return int(figures)
    return _minor_units_by_rule(bytes(raw), currency, pointer)


def _minor_units_by_rule(token: bytes, currency: str, pointer: str) -> int:
    number = decimal_of(token)
    if number is None:
        raise refuse(
            pointer, "amount_invalid", 'expected a decimal such as "1234.56": digits, one point, no grouping'
        )
    try:
        return to_minor(number, currency)
    except MoneyError as error:
        raise refuse(pointer, error.code, error.detail) from None


def decimal_of(token: bytes) -> str | Decimal | None:
    """The figure of a JSON token: a text as it stands (its form is for `to_minor` to judge), a number as a Decimal.
    None for what is neither."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    if token[:1] == b'"':
        return token[1:-1].decode("ascii")
    try:
        return Decimal(token.decode("ascii"))
    except InvalidOperation:
        return None


def check_between(minor: int, least: int, most: int, currency: str, pointer: str, code: str) -> None:
    """Raise RowRefused unless least ≤ minor ≤ most (all in minor units)."""
    if not least <= minor <= most:
        bounds = f"{from_minor(least, currency)} to {from_minor(most, currency)}"
        raise refuse(pointer, code, f"expected {currency} {bounds}")


def check_positive(minor: int, pointer: str) -> None:
    """Raise RowRefused unless the amount is above zero: the kind of a row says which way it counts, not a sign."""
    if minor <= 0:
        raise refuse(
            pointer, "amount_not_positive", "expected an amount above zero; the kind says which way it counts"
        )


__all__ = [
    "MAX_MINOR",
    "RowRefused",
    "check_between",
    "check_positive",
    "decimal_of",
    "decimals_of",
    "minor_units",
]
