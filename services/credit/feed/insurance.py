"""What insurance keeps of the others: items and bounced payments of the ledger, insolvencies of risk, disputes of dunning."""

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.credit.usecases.insurance.watching import watch_customers

_ITEMS = """
    INSERT INTO items (tenant_id, id, customer_id, business_unit_id, kind, direction, number, issue_date, delivery_date,
                       due_date, original_due_date, currency, amount, tax_amount, open_amount, cancelled, version)
    SELECT $1, s.id, s.customer_id, s.business_unit_id, s.kind, s.direction, coalesce(s.number, s.external_id), s.issue_date,
           s.delivery_date, s.due_date, s.original_due_date, s.currency, s.amount, s.tax_amount, s.open_amount, s.cancelled,
           s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(
           id uuid, version bigint, customer_id uuid, business_unit_id uuid, kind text, direction integer, number text,
           external_id text, issue_date date, delivery_date date, due_date date, original_due_date date, currency text,
           amount bigint, tax_amount bigint, open_amount bigint, cancelled boolean)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        customer_id = excluded.customer_id, business_unit_id = excluded.business_unit_id, kind = excluded.kind,
        direction = excluded.direction, number = excluded.number, issue_date = excluded.issue_date,
        delivery_date = excluded.delivery_date, due_date = excluded.due_date,
        original_due_date = excluded.original_due_date, currency = excluded.currency, amount = excluded.amount,
        tax_amount = excluded.tax_amount, open_amount = excluded.open_amount, cancelled = excluded.cancelled,
        version = excluded.version
      WHERE items.version < excluded.version
"""
_BOUNCED = """
    INSERT INTO bounced_payments (tenant_id, id, customer_id, reason, known_on, amount, currency, version)
    SELECT $1, s.id, s.customer_id, s.reversed_reason, s.known_on, s.amount, s.currency, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, customer_id uuid, reversed_reason text, known_on date,
                                              amount bigint, currency text)
     WHERE s.reversed_reason IN ('bounced', 'returned')
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET reason = excluded.reason, version = excluded.version
      WHERE bounced_payments.version < excluded.version
"""
_INSOLVENCIES = """
    INSERT INTO insolvencies (tenant_id, company_id, status, judged_on, published_on, known_on, version)
    SELECT $1, s.id, s.status, s.judged_on, s.published_on, s.known_on, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, status text, judged_on date, published_on date,
                                              known_on date)
     ORDER BY s.id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        status = excluded.status, judged_on = excluded.judged_on, published_on = excluded.published_on,
        known_on = CASE WHEN insolvencies.status = excluded.status THEN insolvencies.known_on ELSE excluded.known_on END,
        version = excluded.version
      WHERE insolvencies.version < excluded.version
"""
_DISPUTED = """
    INSERT INTO disputed_items (tenant_id, item_id, disputed, version)
    SELECT $1, s.id, s.category = 'dispute', s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, category text)
     ORDER BY s.id
    ON CONFLICT (tenant_id, item_id) DO UPDATE SET disputed = excluded.disputed, version = excluded.version
      WHERE disputed_items.version < excluded.version
"""


async def keep_items(tx: Tx, subjects: list[Incoming]) -> None:
    """`item.changed`."""
    await tx.execute(_ITEMS, tx.tenant_id, _rows(subjects))
    await watch_customers(tx, [UUID(str(s.data["customer_id"])) for s in subjects])


async def keep_bounced_payments(tx: Tx, subjects: list[Incoming]) -> None:
    """`payment.changed`: a debit that bounced stops cover on the day it is known."""
    bounced = [s for s in subjects if s.data["reversed_reason"] in ("bounced", "returned")]
    if bounced:
        await tx.execute(_BOUNCED, tx.tenant_id, _dated(tx, bounced))
        await watch_customers(tx, [UUID(str(s.data["customer_id"])) for s in bounced])


async def keep_insolvencies(tx: Tx, subjects: list[Incoming]) -> None:
    """`legal_status.changed`."""
    await tx.execute(_INSOLVENCIES, tx.tenant_id, _dated(tx, subjects))
    rows = await tx.fetch(
        "SELECT id FROM customers WHERE tenant_id = $1 AND company_id = ANY($2)",
        tx.tenant_id, [s.id for s in subjects],
    )  # fmt: skip
    await watch_customers(tx, [row["id"] for row in rows])


async def keep_disputes(tx: Tx, subjects: list[Incoming]) -> None:
    """`qualification.changed`: an item in dispute has a claim wait; the clocks run on."""
    await tx.execute(_DISPUTED, tx.tenant_id, _rows(subjects))


def _rows(subjects: list[Incoming]) -> str:
    rows: list[dict[str, Any]] = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    return json_bytes(rows).decode()


def _dated(tx: Tx, subjects: list[Incoming]) -> str:
    rows = [
        {"id": s.id, "version": s.version, **s.data, "known_on": _local(s.occurred_at, tx)} for s in subjects
    ]
    return json_bytes(rows).decode()


def _local(occurred_at: str, tx: Tx) -> date:
    return datetime.fromisoformat(occurred_at).astimezone(ZoneInfo(tx.tenant.time_zone)).date()
