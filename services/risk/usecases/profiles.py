"""Profiles: one row a company, joined anew whenever one of its facts changes.

Set-based: some thousand companies in five statements, whatever their number. Conversion is done here and not in SQL,
because PostgreSQL rounds halves away from zero and the ledger rounds them to even: a report has to agree to the cent.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Conversion, Rate, convert, find_conversion
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from services.risk.domain.profile import Amounts, LimitUse, limit_use, total
from services.risk.usecases.alerts import watch_limits

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
    INSERT INTO company_profiles (tenant_id, company_id, name, country, registration_number, segment, group_id, currency,
        outstanding, overdue, credits, order_book, unconverted, rate_date, limit_state, limit_amount, limit_original,
        limit_currency, limit_valid_until, limit_used_permille, overrun, pending_request_id, payer_class, open_alerts,
        created_at, updated_at, version)
    SELECT $1, p.company_id, p.name, p.country, p.registration_number, p.segment, p.group_id, p.currency, p.outstanding,
           p.overdue, p.credits, p.order_book, p.unconverted, p.rate_date, p.limit_state, p.limit_amount, p.limit_original,
           p.limit_currency, p.limit_valid_until, p.limit_used_permille, p.overrun, p.pending_request_id, p.payer_class,
           0, $3, $3, 1
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
"""
_GONE = """
    DELETE FROM company_profiles WHERE tenant_id = $1 AND company_id = ANY($2) AND NOT company_id = ANY($3)
"""
_LOCK = "SELECT id FROM companies WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"
_EVERY = 5_000


async def join_anew(tx: Tx, companies: Iterable[UUID]) -> None:
    """Write the profiles of these companies from the facts of this transaction, and open or close their alerts."""
    wanted = sorted(set(companies))
    for start in range(0, len(wanted), _EVERY):
        await _join_some(tx, wanted[start : start + _EVERY])


async def join_all_anew(tx: Tx) -> None:
    """Write every profile of the tenant: rates or the reporting currency changed, or a day passed."""
    rows = await tx.fetch("SELECT id FROM companies WHERE tenant_id = $1", tx.tenant_id)
    await join_anew(tx, [row["id"] for row in rows])


async def _join_some(tx: Tx, companies: list[UUID]) -> None:
    # Several feeds write at once: whoever joins must see what the other has committed, so they take turns a company.
    await tx.fetch(_LOCK, tx.tenant_id, companies)
    facts = await tx.fetch(_FACTS, tx.tenant_id, companies)
    amounts: dict[UUID, list[Amounts]] = defaultdict(list)
    for row in await tx.fetch(_AMOUNTS, tx.tenant_id, companies):
        figures = (row["outstanding"], row["overdue"], row["credits"], row["order_book"])
        amounts[row["company_id"]].append(Amounts(row["currency"], *figures))
    people = {row["company_id"]: row for row in await tx.fetch(_CUSTOMERS, tx.tenant_id, companies)}
    currency = tx.tenant.currency
    used = {part.currency for parts in amounts.values() for part in parts}
    conversions = await _conversions(
        tx, currency, used | {row["limit_currency"] for row in facts if row["limit_currency"]}
    )
    profiles = [
        _profile(row, amounts[row["id"]], people.get(row["id"]), currency, conversions) for row in facts
    ]
    await tx.execute(_WRITE, tx.tenant_id, json_bytes(profiles).decode(), tx.now)
    await tx.execute(_GONE, tx.tenant_id, companies, [row["id"] for row in facts])
    await watch_limits(tx, companies)


async def _conversions(tx: Tx, target: str, currencies: Iterable[str]) -> dict[str, Conversion]:
    rows = await tx.fetch(_RATES, tx.tenant_id, tx.today, target)
    rates = [Rate(row["base"], row["quote"], row["rate"], row["valid_on"]) for row in rows]
    found = {source: find_conversion(rates, source, target, tx.today) for source in currencies}
    return {source: conversion for source, conversion in found.items() if conversion is not None}


def _profile(
    facts: Row, amounts: list[Amounts], people: Row | None, currency: str, conversions: dict[str, Conversion]
) -> dict[str, Any]:
    owed = total(amounts, currency, conversions)
    state = facts["state"] or "none"
    allowed = _limit_in(facts, currency, conversions)
    use: LimitUse = limit_use(state, allowed, owed.outstanding)
    return {
        "company_id": facts["id"],
        "name": facts["name"],
        "country": facts["country"],
        "registration_number": facts["registration_number"],
        "segment": people["segment"] if people else None,
        "group_id": facts["group_id"],
        "currency": currency,
        "outstanding": owed.outstanding,
        "overdue": owed.overdue,
        "credits": owed.credits,
        "order_book": owed.order_book,
        "unconverted": owed.unconverted,
        "rate_date": owed.rate_date,
        "limit_state": state,
        "limit_amount": allowed,
        "limit_original": facts["amount"],
        "limit_currency": facts["limit_currency"],
        "limit_valid_until": facts["valid_until"],
        "limit_used_permille": use.used_permille,
        "overrun": use.overrun,
        "pending_request_id": facts["pending_request_id"],
        "payer_class": people["payer_class"] if people else None,
    }


def _limit_in(facts: Row, currency: str, conversions: dict[str, Conversion]) -> int | None:
    if facts["amount"] is None:
        return None
    conversion = conversions.get(facts["limit_currency"])
    return (
        None
        if conversion is None
        else convert(facts["amount"], facts["limit_currency"], currency, conversion)
    )
