"""What dunning keeps of the ledger: customers and their open items. Whoever changes is looked at again."""

from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.dunning.domain.time_zones import zone_of
from services.dunning.usecases.promises import judge_promises
from services.dunning.usecases.specific import end_of_settled

_CUSTOMERS = """
    INSERT INTO customers (tenant_id, id, company_id, business_unit_id, external_id, name, language, contacts, address,
                           country, time_zone, collector_user_id, archived, look_again_on, version)
    SELECT $1, s.id, s.company_id, s.business_unit_id, s.external_id, s.name, s.language, s.contacts, s.address,
           s.country, s.time_zone, s.collector_user_id, s.archived, $3, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, business_unit_id uuid,
           external_id text, name text, language text, contacts jsonb, address jsonb, country char(2),
           time_zone text, collector_user_id uuid, archived boolean)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        company_id = excluded.company_id, business_unit_id = excluded.business_unit_id,
        external_id = excluded.external_id, name = excluded.name, language = excluded.language,
        contacts = excluded.contacts, address = excluded.address, country = excluded.country, time_zone = excluded.time_zone,
        collector_user_id = excluded.collector_user_id,
        archived = excluded.archived, look_again_on = excluded.look_again_on, version = excluded.version
      WHERE customers.version < excluded.version
"""
_ITEMS = """
    WITH changed AS (
        INSERT INTO items (tenant_id, id, customer_id, business_unit_id, kind, number, issue_date, due_date, currency,
                           amount, open_amount, reference, closed_on, cancelled, version)
        SELECT $1, s.id, s.customer_id, s.business_unit_id, s.kind, coalesce(s.number, s.external_id, ''), s.issue_date,
               s.due_date, s.currency, s.amount, s.open_amount, s.reference, s.closed_on, coalesce(s.cancelled, false),
               s.version
          FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, customer_id uuid, business_unit_id uuid,
               kind text, number text, external_id text, issue_date date, due_date date, currency char(3),
               amount bigint, open_amount bigint, reference text, closed_on date, cancelled boolean)
         ORDER BY s.id
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            customer_id = excluded.customer_id, business_unit_id = excluded.business_unit_id, kind = excluded.kind,
            number = excluded.number, issue_date = excluded.issue_date, due_date = excluded.due_date,
            currency = excluded.currency, amount = excluded.amount, open_amount = excluded.open_amount,
            reference = excluded.reference, closed_on = excluded.closed_on, cancelled = excluded.cancelled,
            version = excluded.version
          WHERE items.version < excluded.version
        RETURNING customer_id),
    touched AS (SELECT DISTINCT customer_id FROM changed)
    UPDATE customers c SET look_again_on = $3 FROM touched t
     WHERE c.tenant_id = $1 AND c.id = t.customer_id AND (c.look_again_on IS NULL OR c.look_again_on > $3)
"""
#: Of these customers, those to whom something was agreed that a payment may settle.
_AGREED = """
    SELECT customer_id FROM promises WHERE tenant_id = $1 AND customer_id = ANY($2) AND state <> 'cancelled'
    UNION
    SELECT customer_id FROM actions WHERE tenant_id = $1 AND customer_id = ANY($2)
       AND kind IN ('specific_action', 'broken_promise') AND state IN ('proposed', 'to_confirm', 'due', 'blocked')
"""
_ASSIGNED = """
    UPDATE customers c SET scenario_id = a.scenario_id FROM scenario_assignments a
     WHERE c.tenant_id = $1 AND c.id = ANY($2) AND a.tenant_id = $1 AND a.customer_id = c.id
       AND c.scenario_id IS DISTINCT FROM a.scenario_id
"""
_PAYMENTS = """
    INSERT INTO payments (tenant_id, id, customer_id, currency, paid_on, allocations, version)
    SELECT $1, s.id, s.customer_id, s.currency, s.paid_on, s.allocated, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, customer_id uuid, currency char(3), paid_on date,
           allocated jsonb)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        customer_id = excluded.customer_id, currency = excluded.currency, paid_on = excluded.paid_on,
        allocations = excluded.allocations, version = excluded.version
      WHERE payments.version < excluded.version
"""


async def keep_customers(tx: Tx, subjects: list[Incoming]) -> None:
    """`customer.changed`."""
    rows = [{"id": s.id, "version": s.version, **s.data, **_place(s.data)} for s in subjects]
    await tx.execute(_CUSTOMERS, tx.tenant_id, json_bytes(rows).decode(), tx.today)
    ids = [s.id for s in subjects]
    await tx.execute(_ASSIGNED, tx.tenant_id, ids)


async def keep_items(tx: Tx, subjects: list[Incoming]) -> None:
    """`item.changed`."""
    await tx.execute(_ITEMS, tx.tenant_id, _rows(subjects), tx.today)
    await _settle_agreements(tx, subjects)


async def keep_payments(tx: Tx, subjects: list[Incoming]) -> None:
    """`payment.changed`: what each payment settled, and on which value date."""
    rows = [
        {
            "id": s.id,
            "version": s.version,
            **{name: s.data[name] for name in ("customer_id", "currency", "paid_on")},
            "allocated": _allocated(s.data),
        }
        for s in subjects
    ]
    await tx.execute(_PAYMENTS, tx.tenant_id, json_bytes(rows).decode())
    await _settle_agreements(tx, subjects)


async def forget(tx: Tx) -> None:
    """Empty what came from the ledger, before its state is read anew; actions and mails stay."""
    for table in ("items", "payments", "customers"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)


async def _settle_agreements(tx: Tx, subjects: list[Incoming]) -> None:
    """Promises are kept, and actions about settled items are over, as soon as the ledger says so."""
    touched = sorted({UUID(str(s.data["customer_id"])) for s in subjects})
    customers = [row["customer_id"] for row in await tx.fetch(_AGREED, tx.tenant_id, touched)]
    if customers:
        await judge_promises(tx, tx.today, customers)
        await end_of_settled(tx, customers)


def _place(customer: dict[str, Any]) -> dict[str, Any]:
    country = (customer.get("address") or {}).get("country")
    named = (customer.get("custom_fields") or {}).get("time_zone")
    return {"country": country, "time_zone": zone_of(country, named)}


def _allocated(payment: dict[str, Any]) -> dict[str, int]:
    if payment.get("reversed_reason"):
        return {}
    settled: dict[str, int] = {}
    for one in payment["allocations"]:
        settled[one["item_id"]] = settled.get(one["item_id"], 0) + one["amount"]
    return settled


def _rows(subjects: list[Incoming]) -> str:
    rows: list[dict[str, Any]] = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    return json_bytes(rows).decode()
