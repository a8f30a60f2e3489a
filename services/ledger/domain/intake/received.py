"""What a file holds, before anything is done with it: how many rows, and how much in each currency."""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

from libs.contracts.currencies import exponent
from libs.contracts.money import MoneyError, to_minor
from services.ledger.domain.intake.errors import Stated

#: Sums of refused amounts may be longer than the 28 digits decimal keeps by default.
_EXACT = Context(prec=60)


class Received:
    """Running totals over the rows received, refused ones included: a control total is the sender's own count, and the
    sender does not know what will be refused. `unread` counts the refused rows whose amount could not be read."""

    def __init__(self) -> None:
        self.rows = 0
        self.unread = 0
        self._minor: dict[str, int] = {}
        self._refused: dict[str, Decimal] = {}

    def add_records(self, sums: Mapping[str, int]) -> None:
        """Add signed minor units by currency."""
        for currency, minor in sums.items():
            self._minor[currency] = self._minor.get(currency, 0) + minor

    def add_refused(self, stated: Stated | None) -> None:
        """Add what a refused row states, exactly, be it more precise than its currency allows."""
        if stated is None:
            self.unread += 1
        else:
            self._refused[stated.currency] = _EXACT.add(
                self._refused.get(stated.currency, Decimal(0)), stated.amount
            )

    def refuse_record(self, currency: str, minor: int) -> None:
        """Count an amount that was added with the records as refused instead."""
        self._minor[currency] -= minor
        self.add_refused(Stated(currency, _EXACT.scaleb(Decimal(minor), -exponent(currency))))

    def sums(self) -> dict[str, Decimal]:
        """Signed sum by currency in major units, exact."""
        sums = {
            currency: _EXACT.scaleb(Decimal(minor), -exponent(currency))
            for currency, minor in self._minor.items()
        }
        for currency, amount in self._refused.items():
            sums[currency] = _EXACT.add(sums.get(currency, Decimal(0)), amount)
        return sums

    def refused_sums(self) -> dict[str, Decimal]:
        """The refused rows' share of `sums`."""
        return dict(self._refused)


def stated_amount(values: Mapping[str, Any], *, credit: bool = False) -> Stated | None:
    """The signed amount and currency of a row read from JSON, if both can be: text or number, of a size money has."""
    amount, currency = values.get("amount"), values.get("currency")
    if (
        not isinstance(currency, str)
        or isinstance(amount, bool)
        or not isinstance(amount, str | int | Decimal)
    ):
        return None
    try:
        to_minor(amount, currency)
    except MoneyError as error:
        if error.code != "amount_too_precise":
            return None
    figure = Decimal(amount)
    return Stated(currency, figure.copy_negate() if credit else figure)
