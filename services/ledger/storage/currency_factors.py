"""What a minor unit of each currency weighs in minor units of another, for weighing and ordering; and, for figures over many
rows, conversion in SQL to the same minor unit as `libs.contracts.exchange.convert`."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from libs.contracts.currencies import exponent
from libs.contracts.exchange import Conversion, find_conversion
from libs.kit.db import Tx
from services.ledger.storage import exchange_rates


async def conversions_into(tx: Tx, target: str, as_of: date) -> dict[str, Conversion]:
    """How each currency of the tenant's balances gets into the target at the latest rate on or before a day."""
    rows = await tx.fetch("SELECT DISTINCT currency FROM balances WHERE tenant_id = $1", tx.tenant_id)
    currencies = [row["currency"] for row in rows if row["currency"] != target]
    rates = await exchange_rates.latest(tx, target, currencies, as_of)
    found = {one: find_conversion(rates, one, target, as_of) for one in currencies}
    return {one: way for one, way in found.items() if way is not None}


def factors_of(target: str, conversions: dict[str, Conversion]) -> dict[str, Decimal]:
    """The weights, the target's own included."""
    found = {target: Decimal(1)}
    for currency, conversion in conversions.items():
        rate = 1 / conversion.rate if conversion.inverse else conversion.rate
        found[currency] = rate.scaleb(exponent(target) - exponent(currency))
    return found


#: Relation f(currency, rate, inverse, shift); see `rates_of`.
RATES = "unnest({}::text[], {}::numeric[], {}::boolean[], {}::numeric[]) AS f(currency, rate, inverse, shift)"
#: Thirty decimals: a quotient by a rate of twelve decimals never comes so near to a half without being one.
_EXACT = "CASE WHEN f.inverse THEN ({amount} * f.shift)::numeric(60, 30) / f.rate ELSE {amount} * f.shift * f.rate END"
_HALF_EVEN = (
    "round({v}) - CASE WHEN abs({v} - trunc({v})) = 0.5 AND mod(trunc({v}), 2) = 0 THEN sign({v}) ELSE 0 END"
)


def rates_of(target: str, conversions: Mapping[str, Conversion]) -> tuple[list[Any], ...]:
    """The parameters of RATES: how each currency but the target is turned into it."""
    ways = list(conversions.items())
    return (
        [currency for currency, _ in ways],
        [way.rate for _, way in ways],
        [way.inverse for _, way in ways],
        [Decimal(1).scaleb(exponent(target) - exponent(currency)) for currency, _ in ways],
    )


def converted(amount: str) -> str:
    """SQL: minor units of the target for bigint minor units of the currency that `f` of RATES is of, half-even; where there is
    no `f`, the amount as it is."""
    exact = _EXACT.format(amount=amount)
    return (
        f"CASE WHEN {amount} = 0 OR f.rate IS NULL THEN {amount} ELSE {_HALF_EVEN.format(v=f'({exact})')} END"
    )


async def factors_into(tx: Tx, target: str, as_of: date) -> dict[str, Decimal]:
    """Both in one."""
    return factors_of(target, await conversions_into(tx, target, as_of))
