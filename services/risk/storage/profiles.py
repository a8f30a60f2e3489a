"""Profiles: what is known of companies, read for joining, and the joined rows written."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Conversion, Rate, find_conversion
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

_FACTS = """
    SELECT c.id, c.name, c.country, c.registration_number, c.group_id,
           l.state, l.amount, l.currency AS limit_currency, l.valid_until, l.pending_request_id
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
_RATES = """
    SELECT DISTINCT ON (base, quote) base, quote, rate, valid_on FROM exchange_rates
     WHERE tenant_id = $1 AND valid_on <= $2 AND (base = $3 OR quote = $3) ORDER BY base, quote, valid_on DESC
"""
_WRITE = """
    WITH written AS (
    INSERT INTO company_profiles (tenant_id, company_id, name, country, registration_number, segment, group_id, currency,
        outstanding, overdue, credits, order_book, unconverted, rate_date, limit_state, limit_amount, limit_original,
        limit_currency, limit_valid_until, limit_used_permille, overrun, pending_request_id, payer_class, open_alerts,
        critical, created_at, updated_at, version)
    SELECT $1, p.company_id, p.name, p.country, p.registration_number, p.segment, p.group_id, p.currency, p.outstanding,
           p.overdue, p.credits, p.order_book, p.unconverted, p.rate_date, p.limit_state, p.limit_amount, p.limit_original,
           p.limit_currency, p.limit_valid_until, p.limit_used_permille, p.overrun, p.pending_request_id, p.payer_class,
           0, false, $3, $3, 1
      FROM jsonb_to_recordset($2::jsonb) AS p(company_id uuid, name text, country text, registration_number text,
           segment text, group_id uuid, currency char(3), outstanding bigint, overdue bigint, credits bigint,
           order_book bigint, unconverted jsonb, rate_date date, limit_state text, limit_amount bigint,
           limit_original bigint, limit_currency char(3), limit_valid_until date, limit_used_permille bigint,
           overrun bigint, pending_request_id uuid, payer_class text)
     ORDER BY p.company_id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        name = excluded.name, country = excluded.country, registration_number = excluded.registration_number,
        segment = excluded.segment, group_id = excluded.group_id, currency = excluded.currency,
        outstanding = excluded.outstanding, overdue = excluded.overdue, credits = excluded.credits,
        order_book = excluded.order_book, unconverted = excluded.unconverted, rate_date = excluded.rate_date,
        limit_state = excluded.limit_state, limit_amount = excluded.limit_amount,
        limit_original = excluded.limit_original, limit_currency = excluded.limit_currency,
        limit_valid_until = excluded.limit_valid_until, limit_used_permille = excluded.limit_used_permille,
        overrun = excluded.overrun, pending_request_id = excluded.pending_request_id,
        payer_class = excluded.payer_class, updated_at = excluded.updated_at, version = company_profiles.version + 1
    RETURNING company_id, old.company_id IS NULL AS fresh)
    SELECT company_id FROM written WHERE fresh
"""
_GONE = """
    DELETE FROM company_profiles WHERE tenant_id = $1 AND company_id = ANY($2) AND NOT company_id = ANY($3)
"""
_LOCK = "SELECT id FROM companies WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"


async def all_companies(tx: Tx) -> list[UUID]:
    """Every company of the tenant."""
    rows = await tx.fetch("SELECT id FROM companies WHERE tenant_id = $1", tx.tenant_id)
    return [row["id"] for row in rows]


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
