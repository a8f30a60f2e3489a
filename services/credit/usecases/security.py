"""Which guarantees count for a limit, in the limit's currency."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Rate, convert, find_conversion
from libs.contracts.money import from_minor
from libs.kit.db import Tx
from services.credit.domain.security import Considered, Guarantee, standing_of
from services.credit.storage import exposure, security


async def considered(
    tx: Tx, wanted: Mapping[UUID, str], start: date, end: date | None
) -> dict[UUID, list[Considered]]:
    """The guarantees of each company and what of each counts from `start` to `end` (None: for ever), in the currency wanted."""
    found = await security.guarantees_on(tx, list(wanted), tx.today)
    foreign = {
        code for company, code in wanted.items() if any(one.currency != code for one in found[company])
    }
    rates = await exposure.rates_among(tx, sorted(foreign)) if foreign else []
    last = end or date.max
    return {
        company: [_counted(one, code, start, last, rates, tx.today) for one in found[company]]
        for company, code in wanted.items()
    }


async def considered_for(
    tx: Tx, company_id: UUID, currency: str, start: date, end: date | None
) -> list[Considered]:
    """`considered` for one company."""
    return (await considered(tx, {company_id: currency}, start, end))[company_id]


def _counted(
    guarantee: Guarantee, currency: str, start: date, end: date, rates: Sequence[Rate], today: date
) -> Considered:
    standing = standing_of(guarantee, start, end)
    if standing != "counted":
        return Considered(guarantee, 0, standing)
    conversion = find_conversion(rates, guarantee.currency, currency, today)
    if conversion is None:
        return Considered(guarantee, 0, "rate_missing")
    return Considered(
        guarantee, convert(guarantee.amount, guarantee.currency, currency, conversion), "counted"
    )


def present_considered(all_considered: Sequence[Considered], currency: str) -> list[dict[str, Any]]:
    """The public list: every guarantee that was looked at, what of it counts, and why nothing does."""
    return [
        {
            "source": one.guarantee.source,
            "id": one.guarantee.id,
            "layer": one.guarantee.layer,
            "amount": from_minor(one.guarantee.amount, one.guarantee.currency),
            "currency": one.guarantee.currency,
            "valid_from": one.guarantee.valid_from,
            "valid_to": one.guarantee.valid_to,
            "counted_amount": from_minor(one.counted, currency),
            "standing": one.standing,
        }
        for one in all_considered
    ]
