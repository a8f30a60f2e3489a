"""Money: decimal strings on the wire, bigint minor units inside, never a float in between.

1234.56 EUR is ``"1234.56"`` in JSON and ``123456`` in the database. A figure with more decimals than its
currency has is an error, not something to round: an ERP that sends 10.005 EUR has a defect its owner wants to know.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from libs.contracts.currencies import exponent

#: bigint minor units hold 9.2e18; one order of magnitude is left for sums.
MAX_MINOR = 10**17
_PLAIN = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,10})?\Z")


class MoneyError(ValueError):
    """An amount that cannot be held exactly. `code` is stable: amount_invalid, amount_too_precise, amount_too_large,
    currency_unknown."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def to_minor(value: str | int | Decimal, currency: str) -> int:
    """Minor units of an amount given in major units. Raises MoneyError; never rounds."""
    try:
        digits = exponent(currency)
    except KeyError:
        raise MoneyError("currency_unknown", f"{currency!r} is not an ISO 4217 currency") from None
    if isinstance(value, str):
        if not _PLAIN.match(value):
            raise MoneyError(
                "amount_invalid", 'expected a decimal such as "1234.56": digits, one point, no grouping'
            )
        amount = Decimal(value)
    else:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            raise MoneyError("amount_invalid", "expected a decimal number") from None
        if not amount.is_finite():
            raise MoneyError("amount_invalid", "expected a finite decimal number")
        if abs(amount.adjusted()) > 30:
            raise MoneyError("amount_too_large", f"no amount may exceed {from_minor(MAX_MINOR, currency)}")
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value():
        raise MoneyError("amount_too_precise", f"{currency} has {digits} decimals")
    if abs(minor) > MAX_MINOR:
        raise MoneyError("amount_too_large", f"no amount may exceed {from_minor(MAX_MINOR, currency)}")
    return int(minor)


def from_minor(minor: int, currency: str) -> str:
    """The decimal string of an amount in minor units, with the currency's own decimals: 5 JPY is "5", 5 EUR cents "0.05"."""
    digits = exponent(currency)
    sign, magnitude = ("-", -minor) if minor < 0 else ("", minor)
    if digits == 0:
        return f"{sign}{magnitude}"
    whole, rest = divmod(magnitude, 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}"


class _AmountSchema:
    """Accepts a decimal string or a JSON number (read as Decimal by the strict JSON loader); keeps a Decimal."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "format": "decimal",
            "pattern": r"^[+-]?\d{1,20}(\.\d{1,10})?$",
            "examples": ["1234.56"],
        }

    @staticmethod
    def _validate(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal | float):
            raise ValueError('expected a decimal string such as "1234.56"')
        text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
        if not _PLAIN.match(text):
            raise ValueError('expected a decimal such as "1234.56": digits, one point, no grouping')
        return Decimal(text)


#: An amount in a request body, in major units. Its currency stands beside it; `to_minor` checks the decimals.
Amount = Annotated[Decimal, _AmountSchema]

#: An amount in an answer: already the exact decimal string.
AmountText = Annotated[str, WithJsonSchema({"type": "string", "format": "decimal", "examples": ["1234.56"]})]
