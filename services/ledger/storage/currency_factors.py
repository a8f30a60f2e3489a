"""What a minor unit of each currency weighs in minor units of another: for weighing and ordering, never for figures."""

from datetime import date
from decimal import Decimal

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


async def factors_into(tx: Tx, target: str, as_of: date) -> dict[str, Decimal]:
    """Both in one."""
    return factors_of(target, await conversions_into(tx, target, as_of))
