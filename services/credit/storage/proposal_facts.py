"""What proposals are computed from, read for one company."""

from datetime import date
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

#: Invoices less credit notes of a year, and how long the invoices had to be paid, weighed by amount.
_SALES = """
    SELECT i.currency, sum(i.direction * i.amount)::bigint AS sales,
           sum(i.amount) FILTER (WHERE i.kind = 'invoice')::bigint AS invoiced,
           sum(i.amount::numeric * (i.original_due_date - i.issue_date)) FILTER (WHERE i.kind = 'invoice') AS amount_days
      FROM items i JOIN customers u ON u.tenant_id = i.tenant_id AND u.id = i.customer_id
     WHERE i.tenant_id = $1 AND u.company_id = $2 AND i.kind IN ('invoice', 'credit_note') AND NOT i.cancelled
       AND i.issue_date > $3 AND i.issue_date <= $4
     GROUP BY i.currency
"""
_PEAKS = """
    SELECT month, currency, clean_peak FROM exposure_peaks WHERE tenant_id = $1 AND company_id = $2 AND month > $3
"""
#: A month's peak is the most that was owed on a day on which nothing was overdue, in each currency.
_KEEP_PEAKS = """
    WITH owed AS (
        SELECT c.company_id, r.currency, sum(r.outstanding)::bigint AS outstanding,
               sum(sum(r.overdue)) OVER (PARTITION BY c.company_id) AS overdue
          FROM customers c
          JOIN exposures e ON e.tenant_id = c.tenant_id AND e.customer_id = c.id
         CROSS JOIN LATERAL jsonb_to_recordset(e.rows) AS r(currency char(3), outstanding bigint, overdue bigint)
         WHERE c.tenant_id = $1
         GROUP BY c.company_id, r.currency)
    INSERT INTO exposure_peaks AS p (tenant_id, company_id, month, currency, clean_peak)
    SELECT $1, company_id, date_trunc('month', $2::date), currency, outstanding FROM owed
     WHERE outstanding > 0 AND overdue = 0 ORDER BY company_id, currency
    ON CONFLICT (tenant_id, company_id, month, currency) DO UPDATE SET clean_peak = excluded.clean_peak
      WHERE p.clean_peak < excluded.clean_peak
"""


async def sales(tx: Tx, company_id: UUID, after: date, until: date) -> list[Row]:
    """Sales and terms of a company by currency, `after` left out."""
    return await tx.fetch(_SALES, tx.tenant_id, company_id, after, until)


async def clean_peaks(tx: Tx, company_id: UUID, after: date) -> list[Row]:
    """The clean peaks of the months after a day, by currency."""
    return await tx.fetch(_PEAKS, tx.tenant_id, company_id, after)


async def keep_peaks(tx: Tx, day: date) -> None:
    """Note for every company what it owes on `day`, if nothing of it is overdue and it is the most of its month."""
    await tx.execute(_KEEP_PEAKS, tx.tenant_id, day)


async def policy(tx: Tx, *, lock: bool = False) -> Row | None:
    """The tenant's proposal policy; None before it was ever set."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT policy, updated_at, version FROM proposal_policies WHERE tenant_id = $1{tail}", tx.tenant_id
    )


async def keep_policy(tx: Tx, value: dict[str, Any]) -> Row:
    """Set the proposal policy."""
    row = await tx.fetchrow(
        "INSERT INTO proposal_policies (tenant_id, policy, created_at, updated_at, version) VALUES ($1, $2, $3, $3, 1)"
        " ON CONFLICT (tenant_id) DO UPDATE SET policy = excluded.policy, updated_at = excluded.updated_at,"
        " version = proposal_policies.version + 1 RETURNING policy, updated_at, version",
        tx.tenant_id, json_bytes(value).decode(), tx.now,
    )  # fmt: skip
    assert row is not None, "an upsert returns its row"
    return row
