"""What a company owes, from the copies of the ledger's balances."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Rate, convert_all
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from services.credit.domain.limit_state import Usage

_BY_CURRENCY = """
    SELECT c.company_id, r.currency, sum(r.outstanding) AS outstanding, sum(r.order_book) AS order_book
      FROM customers c
      JOIN exposures e ON e.tenant_id = c.tenant_id AND e.customer_id = c.id
     CROSS JOIN LATERAL jsonb_to_recordset(e.rows) AS r(currency text, outstanding bigint, order_book bigint)
     WHERE c.tenant_id = $1 AND c.company_id = ANY($2)
     GROUP BY 1, 2
"""
_RATES = """
    SELECT DISTINCT ON (base, quote) base, quote, rate, valid_on FROM exchange_rates
     WHERE tenant_id = $1 AND valid_on <= $2 AND (base = ANY($3) OR quote = ANY($3)) ORDER BY base, quote, valid_on DESC
"""
_COMPANY = """
    SELECT id, name, country, registration_number, merged_into_id FROM companies WHERE tenant_id = $1 AND id = $2
"""
_IN_SIGHT = """
    SELECT $3::uuid[] IS NULL OR EXISTS (
        SELECT 1 FROM customers WHERE tenant_id = $1 AND company_id = $2 AND business_unit_id = ANY($3))
"""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A company's exposure in `currency`, minor units; what had no rate stands apart and in no figure."""

    currency: str
    outstanding: int
    order_book: int
    rate_date: date | None
    unconverted: dict[str, int]


async def exposures_of(tx: Tx, company_currencies: dict[UUID, str]) -> dict[UUID, Exposure]:
    """The exposure of each company, converted into the currency asked for it."""
    companies = list(company_currencies)
    amounts: dict[UUID, list[Row]] = {company: [] for company in companies}
    for row in await tx.fetch(_BY_CURRENCY, tx.tenant_id, companies):
        amounts[row["company_id"]].append(row)
    rates = await rates_among(tx, sorted(set(company_currencies.values())))
    return {
        company: _exposure(amounts[company], company_currencies[company], rates, tx.today)
        for company in companies
    }


async def rates_into(tx: Tx, target: str) -> list[Rate]:
    """Today's latest rates from or to a currency."""
    return await rates_among(tx, [target])


async def company(tx: Tx, identifier: UUID) -> Row | None:
    """A company as the ledger last described it."""
    return await tx.fetchrow(_COMPANY, tx.tenant_id, identifier)


async def company_of_customer(tx: Tx, customer_id: UUID, perimeter: Sequence[UUID] | None) -> UUID | None:
    """The company behind a customer in the perimeter."""
    company_id: UUID | None = await tx.fetchval(
        "SELECT company_id FROM customers WHERE tenant_id = $1 AND id = $2"
        " AND ($3::uuid[] IS NULL OR business_unit_id = ANY($3))",
        tx.tenant_id, customer_id, perimeter,
    )  # fmt: skip
    return company_id


async def in_sight(tx: Tx, company_id: UUID, perimeter: Sequence[UUID] | None) -> bool:
    """Whether a company has a customer in one of the caller's business units."""
    return bool(await tx.fetchval(_IN_SIGHT, tx.tenant_id, company_id, perimeter))


def present_exposure(exposure: Exposure, usage: Usage) -> dict[str, Any]:
    """The public object of an exposure."""
    currency = exposure.currency
    return {
        "currency": currency,
        "outstanding": from_minor(exposure.outstanding, currency),
        "order_book": from_minor(exposure.order_book, currency),
        "used_percent": None if usage.used_percent is None else str(usage.used_percent),
        "exceeded_by": from_minor(usage.exceeded_by, currency),
        "rate_date": exposure.rate_date,
        "unconverted": [
            {"currency": other, "outstanding": from_minor(amount, other)}
            for other, amount in sorted(exposure.unconverted.items())
        ],
    }


async def rates_among(tx: Tx, currencies: list[str]) -> list[Rate]:
    """Today's latest rates from or to some currencies."""
    rows = await tx.fetch(_RATES, tx.tenant_id, tx.today, currencies)
    return [Rate(row["base"], row["quote"], row["rate"], row["valid_on"]) for row in rows]


def _exposure(rows: list[Row], currency: str, rates: list[Rate], day: date) -> Exposure:
    outstanding = convert_all(
        {row["currency"]: int(row["outstanding"]) for row in rows}, currency, rates, day
    )
    orders = convert_all({row["currency"]: int(row["order_book"]) for row in rows}, currency, rates, day)
    unconverted = {
        name: amount
        for name, amount in outstanding.unconverted.items()
        if amount or orders.unconverted.get(name)
    }
    return Exposure(currency, outstanding.total, orders.total, outstanding.rate_date, unconverted)
