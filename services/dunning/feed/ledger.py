"""What dunning keeps of the ledger: customers and their open items. Whoever changes is looked at again."""

from typing import Any

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming

_CUSTOMERS = """
    INSERT INTO customers (tenant_id, id, company_id, business_unit_id, external_id, name, language, contacts, address,
                           collector_user_id, archived, look_again_on, version)
    SELECT $1, s.id, s.company_id, s.business_unit_id, s.external_id, s.name, s.language, s.contacts, s.address,
           s.collector_user_id, s.archived, $3, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, business_unit_id uuid,
           external_id text, name text, language text, contacts jsonb, address jsonb, collector_user_id uuid,
           archived boolean)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        company_id = excluded.company_id, business_unit_id = excluded.business_unit_id,
        external_id = excluded.external_id, name = excluded.name, language = excluded.language,
        contacts = excluded.contacts, address = excluded.address, collector_user_id = excluded.collector_user_id,
        archived = excluded.archived, look_again_on = excluded.look_again_on, version = excluded.version
      WHERE customers.version < excluded.version
"""
_ITEMS = """
    WITH changed AS (
        INSERT INTO items (tenant_id, id, customer_id, business_unit_id, kind, number, issue_date, due_date, currency,
                           open_amount, reference, version)
        SELECT $1, s.id, s.customer_id, s.business_unit_id, s.kind, coalesce(s.number, s.external_id, ''), s.issue_date,
               s.due_date, s.currency, s.open_amount, s.reference, s.version
          FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, customer_id uuid, business_unit_id uuid,
               kind text, number text, external_id text, issue_date date, due_date date, currency char(3),
               open_amount bigint, reference text)
         ORDER BY s.id
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            customer_id = excluded.customer_id, business_unit_id = excluded.business_unit_id, kind = excluded.kind,
            number = excluded.number, issue_date = excluded.issue_date, due_date = excluded.due_date,
            currency = excluded.currency, open_amount = excluded.open_amount, reference = excluded.reference,
            version = excluded.version
          WHERE items.version < excluded.version
        RETURNING customer_id),
    touched AS (SELECT DISTINCT customer_id FROM changed)
    UPDATE customers c SET look_again_on = $3 FROM touched t
     WHERE c.tenant_id = $1 AND c.id = t.customer_id AND (c.look_again_on IS NULL OR c.look_again_on > $3)
"""


async def keep_customers(tx: Tx, subjects: list[Incoming]) -> None:
    """`customer.changed`."""
    await tx.execute(_CUSTOMERS, tx.tenant_id, _rows(subjects), tx.today)


async def keep_items(tx: Tx, subjects: list[Incoming]) -> None:
    """`item.changed`."""
    await tx.execute(_ITEMS, tx.tenant_id, _rows(subjects), tx.today)


async def forget(tx: Tx) -> None:
    """Empty what came from the ledger, before its state is read anew; actions and mails stay."""
    for table in ("items", "customers"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)


def _rows(subjects: list[Incoming]) -> str:
    rows: list[dict[str, Any]] = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    return json_bytes(rows).decode()
