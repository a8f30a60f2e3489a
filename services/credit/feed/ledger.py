"""What credit keeps of the ledger: companies, who their customers are, and what they owe."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.credit.usecases.merge_companies import merge_companies
from services.credit.usecases.payers import payer_classes, review_changed_payers
from services.credit.usecases.stated_limits import put_stated_limits_in_force
from services.credit.usecases.watch import watch_limits

_COMPANIES = """
    INSERT INTO companies (tenant_id, id, name, country, registration_number, merged_into_id, version)
    SELECT $1, s.id, s.name, s.country, s.registration_number, s.merged_into_id, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, name text, country text, registration_number text,
                                              merged_into_id uuid)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        name = excluded.name, country = excluded.country, registration_number = excluded.registration_number,
        merged_into_id = excluded.merged_into_id, version = excluded.version
      WHERE companies.version < excluded.version
"""
_CUSTOMERS = """
    INSERT INTO customers (tenant_id, id, company_id, business_unit_id, payer_profile, buyer_kind, prepaid, version)
    SELECT $1, s.id, s.company_id, s.business_unit_id, nullif(s.payer_profile, 'null'), coalesce(s.buyer_kind, 'private'),
           coalesce(s.prepaid, false), s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, business_unit_id uuid,
                                              payer_profile jsonb, buyer_kind text, prepaid boolean)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        company_id = excluded.company_id, business_unit_id = excluded.business_unit_id,
        payer_profile = excluded.payer_profile, buyer_kind = excluded.buyer_kind, prepaid = excluded.prepaid,
        version = excluded.version
      WHERE customers.version < excluded.version
"""
_EXPOSURES = """
    INSERT INTO exposures (tenant_id, customer_id, rows, version)
    SELECT $1, s.id, s.rows, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, rows jsonb)
     ORDER BY s.id
    ON CONFLICT (tenant_id, customer_id) DO UPDATE SET rows = excluded.rows, version = excluded.version
      WHERE exposures.version < excluded.version
"""
_RATES = """
    INSERT INTO exchange_rates (tenant_id, base, quote, valid_on, rate, version)
    SELECT $1, s.base, s.quote, s.valid_on, s.rate, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(version bigint, base char(3), quote char(3), valid_on date, rate numeric)
     ORDER BY s.base, s.quote, s.valid_on
    ON CONFLICT (tenant_id, base, quote, valid_on) DO UPDATE SET rate = excluded.rate, version = excluded.version
      WHERE exchange_rates.version < excluded.version
"""


async def keep_companies(tx: Tx, subjects: list[Incoming]) -> None:
    """`company.changed`."""
    await tx.execute(_COMPANIES, tx.tenant_id, _rows(subjects))


async def keep_customers(tx: Tx, subjects: list[Incoming]) -> None:
    """`customer.changed`: an account's payer profile comes with it."""
    customers = [subject.id for subject in subjects]
    before = await payer_classes(tx, customers)
    await tx.execute(_CUSTOMERS, tx.tenant_id, _rows(subjects))
    await review_changed_payers(tx, before, await payer_classes(tx, customers))


async def keep_exposures(tx: Tx, subjects: list[Incoming]) -> None:
    """`balance.changed`: what is owed moved, and with it how much of a limit is used."""
    await tx.execute(_EXPOSURES, tx.tenant_id, _rows(subjects))
    companies = {UUID(str(subject.data["company_id"])) for subject in subjects}
    await watch_limits(tx, sorted(companies))


async def keep_rates(tx: Tx, subjects: list[Incoming]) -> None:
    """`rate.changed`."""
    await tx.execute(_RATES, tx.tenant_id, _rows(subjects))


async def take_stated_limits(tx: Tx, subjects: list[Incoming]) -> None:
    """`limit.stated`: limits that were decided elsewhere are in force."""
    await put_stated_limits_in_force(tx, subjects)


async def follow_mergers(tx: Tx, subjects: list[Incoming]) -> None:
    """`company.merged`: the limit and its history go to the company that stays."""
    for subject in subjects:
        await merge_companies(tx, subject.id, subject.data["into_id"])


async def forget(tx: Tx) -> None:
    """Empty what came from the ledger, before its state is read anew. Companies stay: limits stand on them."""
    for table in ("exposures", "customers", "exchange_rates", "open_orders", "items", "bounced_payments"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)
    await tx.execute("UPDATE companies SET version = 0 WHERE tenant_id = $1", tx.tenant_id)


def _rows(subjects: Iterable[Incoming]) -> str:
    rows: list[dict[str, Any]] = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    return json_bytes(rows).decode()
