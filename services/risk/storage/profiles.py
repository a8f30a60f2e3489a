"""Profiles: what is known of companies, read for joining, and the joined rows written."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Conversion, Rate, find_conversion
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

#: Every joined column and its type.
COLUMNS = {
    "name": "text", "country": "text", "registration_number": "text", "segment": "text", "group_id": "uuid",
    "currency": "char(3)", "outstanding": "bigint", "overdue": "bigint", "credits": "bigint", "order_book": "bigint",
    "cover_permanent": "bigint", "cover_temporary": "bigint", "cover_topup": "bigint", "cover_discretionary": "bigint",
    "cover_non_named": "bigint", "cover_expires_at": "date", "cover_conditions": "text", "other_guarantees": "bigint",
    "real_risk": "bigint", "potential_risk": "bigint", "provider_state": "text", "score": "bigint", "paydex": "bigint",
    "privileges_amount": "bigint", "legal_status": "text", "trend": "text", "turnover": "bigint", "activity": "text",
    "recommended_credit": "bigint", "recommended_minus_outstanding": "bigint", "recommended_minus_limit": "bigint",
    "provider_values": "jsonb", "by_provider": "jsonb", "insurer_grade": "text", "next_clock": "jsonb",
    "next_clock_on": "date", "next_review_on": "date", "stale": "boolean", "by_currency": "jsonb",
    "unconverted": "jsonb", "rate_date": "date",
    "limit_state": "text", "limit_amount": "bigint", "limit_original": "bigint", "limit_currency": "char(3)",
    "limit_valid_until": "date", "limit_used_permille": "bigint", "overrun": "bigint", "pending_request_id": "uuid",
    "payer_class": "text",
}  # fmt: skip
_NAMES = ", ".join(COLUMNS)
_TYPED = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
_TAKEN = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)

_FACTS = """
    SELECT c.id, c.name, c.country, c.registration_number, c.group_id,
           l.state, l.amount, l.currency AS limit_currency, l.valid_until, l.pending_request_id, l.next_review_on
      FROM companies c
      LEFT JOIN limits l ON l.tenant_id = c.tenant_id AND l.company_id = c.id
     WHERE c.tenant_id = $1 AND c.id = ANY($2) AND c.merged_into_id IS NULL
"""
_AMOUNTS = """
    SELECT b.company_id, r.currency, sum(r.outstanding)::bigint AS outstanding, sum(r.overdue)::bigint AS overdue,
           sum(r.credits)::bigint AS credits, sum(r.order_book)::bigint AS order_book
      FROM balances b
     CROSS JOIN LATERAL jsonb_to_recordset(b.rows)
           AS r(currency text, outstanding bigint, overdue bigint, credits bigint, order_book bigint)
     WHERE b.tenant_id = $1 AND b.company_id = ANY($2)
     GROUP BY 1, 2
"""
_CUSTOMERS = """
    SELECT company_id, CASE WHEN count(DISTINCT segment) = 1 THEN min(segment) END AS segment, max(payer_class) AS payer_class
      FROM customers WHERE tenant_id = $1 AND company_id = ANY($2) GROUP BY 1
"""
_COVERS = """
    SELECT company_id, layer, amount, currency, effective_from, expires_at, conditions FROM covers
     WHERE tenant_id = $1 AND company_id = ANY($2)
    UNION ALL
    SELECT company_id, NULL, amount, currency, valid_from, valid_to, NULL FROM other_guarantees
     WHERE tenant_id = $1 AND company_id = ANY($2)
"""
_CLOCKS = """
    SELECT DISTINCT ON (company_id) company_id, kind, ends_on, item_id FROM clocks
     WHERE tenant_id = $1 AND company_id = ANY($2) AND ends_on >= $3 ORDER BY company_id, ends_on, id
"""
_RATES = """
    SELECT DISTINCT ON (base, quote) base, quote, rate, valid_on FROM exchange_rates
     WHERE tenant_id = $1 AND valid_on <= $2 AND (base = $3 OR quote = $3) ORDER BY base, quote, valid_on DESC
"""
_WRITE = f"""
    WITH written AS (
    INSERT INTO company_profiles (tenant_id, company_id, {_NAMES}, open_alerts, critical, created_at, updated_at, version)
    SELECT $1, p.company_id, {", ".join(f"p.{name}" for name in COLUMNS)}, 0, false, $3, $3, 1
      FROM jsonb_to_recordset($2::jsonb) AS p(company_id uuid, {_TYPED})
     ORDER BY p.company_id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET {_TAKEN}, updated_at = excluded.updated_at,
        version = company_profiles.version + 1
    RETURNING company_id, old.company_id IS NULL AS fresh)
    SELECT company_id FROM written WHERE fresh
"""
_GONE = """
    DELETE FROM company_profiles WHERE tenant_id = $1 AND company_id = ANY($2) AND NOT company_id = ANY($3)
"""
_LOCK = "SELECT id FROM companies WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"
#: Facts that begin or end with the day: covers, guarantees, clocks.
_TURNING = """
    SELECT company_id FROM covers WHERE tenant_id = $1 AND (effective_from = $2 OR expires_at = $2 - 1)
    UNION SELECT company_id FROM other_guarantees WHERE tenant_id = $1 AND (valid_from = $2 OR valid_to = $2 - 1)
    UNION SELECT company_id FROM clocks WHERE tenant_id = $1 AND ends_on = $2 - 1
"""


async def all_companies(tx: Tx) -> list[UUID]:
    """Every company of the tenant."""
    rows = await tx.fetch("SELECT id FROM companies WHERE tenant_id = $1", tx.tenant_id)
    return [row["id"] for row in rows]


async def rates_begin(tx: Tx, day: date) -> bool:
    """Whether an exchange rate counts from this day on."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM exchange_rates WHERE tenant_id = $1 AND valid_on = $2)",
            tx.tenant_id,
            day,
        )
    )


async def turning(tx: Tx) -> list[UUID]:
    """Companies for which something begins to count today, or no longer counts."""
    return [row["company_id"] for row in await tx.fetch(_TURNING, tx.tenant_id, tx.today)]


async def lock(tx: Tx, companies: Sequence[UUID]) -> None:
    """Several feeds write at once: whoever joins must see what the other has committed, so they take turns a company."""
    await tx.fetch(_LOCK, tx.tenant_id, companies)


async def facts(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """Names and limits of those that have not been merged away."""
    return await tx.fetch(_FACTS, tx.tenant_id, companies)


async def amounts(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """What is owed, a row a company and currency."""
    return await tx.fetch(_AMOUNTS, tx.tenant_id, companies)


async def customers(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """What the customers of each company have in common."""
    return await tx.fetch(_CUSTOMERS, tx.tenant_id, companies)


async def covers(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """Covers, and (without a layer) other guarantees."""
    return await tx.fetch(_COVERS, tx.tenant_id, companies)


async def clocks(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, Row]:
    """The cover clock of each company that ends first, today or later."""
    return {row["company_id"]: row for row in await tx.fetch(_CLOCKS, tx.tenant_id, companies, tx.today)}


async def has_connections(tx: Tx) -> bool:
    """Whether the tenant has connected any provider."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM provider_connections WHERE tenant_id = $1)", tx.tenant_id
        )
    )


async def conversions(tx: Tx, target: str, currencies: Iterable[str]) -> dict[str, Conversion]:
    """How each of these currencies becomes the target today; those without a rate are left out."""
    rows = await tx.fetch(_RATES, tx.tenant_id, tx.today, target)
    rates = [Rate(row["base"], row["quote"], row["rate"], row["valid_on"]) for row in rows]
    found = {source: find_conversion(rates, source, target, tx.today) for source in currencies}
    return {source: conversion for source, conversion in found.items() if conversion is not None}


async def write(tx: Tx, profiles: list[dict[str, Any]]) -> list[UUID]:
    """Insert or replace profiles; the companies that had none before."""
    rows = await tx.fetch(_WRITE, tx.tenant_id, json_bytes(profiles).decode(), tx.now)
    return [row["company_id"] for row in rows]


async def remove_others(tx: Tx, companies: Sequence[UUID], kept: Sequence[UUID]) -> None:
    """Remove the profiles of those companies that are not among the kept."""
    await tx.execute(_GONE, tx.tenant_id, companies, kept)
