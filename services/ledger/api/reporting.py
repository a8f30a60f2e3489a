"""What the reports share: their currency, its rates, and what had none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from libs.contracts.exchange import Conversion, convert
from libs.contracts.money import AmountText, from_minor
from libs.kit.db import Tx
from services.ledger.storage.currency_factors import conversions_into


class Unconverted(BaseModel):
    """An amount without an exchange rate: in no other figure."""

    currency: str = Field(examples=["USD"])
    amount: AmountText


@dataclass(frozen=True, slots=True)
class Target:
    """The currency a report is in, and how others get there."""

    currency: str
    conversions: Mapping[str, Conversion]

    def convert(self, amount: int, currency: str) -> int | None:
        """Minor units of the target; None without a rate."""
        if currency == self.currency:
            return amount
        conversion = self.conversions.get(currency)
        return None if conversion is None else convert(amount, currency, self.currency, conversion)

    def rate_date(self, currencies: Iterable[str]) -> date | None:
        """Day of the oldest rate used for these currencies; None when none was needed."""
        days = [self.conversions[one].valid_on for one in currencies if one in self.conversions]
        return min((day for day in days if day is not None), default=None)

    def text(self, amount: int) -> str:
        """The decimal string of an amount of the target."""
        return from_minor(amount, self.currency)


async def target_of(tx: Tx, as_of: date, only: str | None) -> Target:
    """The reporting currency with the latest rates on or before a day, or the one currency a report is limited to."""
    if only is not None:
        return Target(only, {})
    return Target(tx.tenant.currency, await conversions_into(tx, tx.tenant.currency, as_of))


def unconverted(amounts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The public list of what had no rate."""
    return [
        {"currency": code, "amount": from_minor(amount, code)} for code, amount in sorted(amounts.items())
    ]
