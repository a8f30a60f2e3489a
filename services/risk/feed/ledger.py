"""What risk keeps of the ledger; each handler joins the profiles it touches anew, in the same transaction."""

from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.risk.storage import mergers
from services.risk.usecases.alerts import close_of_companies
from services.risk.usecases.canonical import choose_anew
from services.risk.usecases.profiles import join_all_anew, join_anew

_COMPANIES = """
    INSERT INTO companies (tenant_id, id, name, country, registration_number, vat_number, group_id, merged_into_id,
                           version)
    SELECT $1, s.id, s.name, s.country, s.registration_number, s.vat_number, s.group_id, s.merged_into_id, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, name text, country text, registration_number text,
                                              vat_number text, group_id uuid, merged_into_id uuid)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        name = excluded.name, country = excluded.country, registration_number = excluded.registration_number,
        vat_number = excluded.vat_number, group_id = excluded.group_id, merged_into_id = excluded.merged_into_id,
        version = excluded.version
      WHERE companies.version < excluded.version
    RETURNING id
"""
_CUSTOMERS = """
    INSERT INTO customers (tenant_id, id, company_id, business_unit_id, external_id, name, segment, collector_user_id,
                           payer_class, version)
    SELECT $1, s.id, s.company_id, s.business_unit_id, s.external_id, s.name, s.segment, s.collector_user_id,
           s.payer_profile->>'class', s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, business_unit_id uuid,
           external_id text, name text, segment text, collector_user_id uuid, payer_profile jsonb)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        company_id = excluded.company_id, business_unit_id = excluded.business_unit_id,
        external_id = excluded.external_id, name = excluded.name, segment = excluded.segment,
        collector_user_id = excluded.collector_user_id, payer_class = excluded.payer_class, version = excluded.version
      WHERE customers.version < excluded.version
    RETURNING id, company_id, old.company_id AS former_id
"""
_BALANCES = """
    INSERT INTO balances (tenant_id, customer_id, company_id, rows, version)
    SELECT $1, s.id, coalesce(c.company_id, s.company_id), s.rows, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, rows jsonb)
      LEFT JOIN customers c ON c.tenant_id = $1 AND c.id = s.id
     ORDER BY s.id
    ON CONFLICT (tenant_id, customer_id) DO UPDATE SET rows = excluded.rows, version = excluded.version
      WHERE balances.version < excluded.version
    RETURNING company_id
"""
_FOLLOW = """
    UPDATE balances b SET company_id = c.company_id FROM customers c
     WHERE b.tenant_id = $1 AND b.customer_id = ANY($2) AND c.tenant_id = $1 AND c.id = b.customer_id
       AND b.company_id <> c.company_id
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
    rows = await tx.fetch(_COMPANIES, tx.tenant_id, _rows(subjects))
    await join_anew(tx, [row["id"] for row in rows])


async def keep_customers(tx: Tx, subjects: list[Incoming]) -> None:
    """`customer.changed`: a customer that moved to another company takes its balance along."""
    rows = await tx.fetch(_CUSTOMERS, tx.tenant_id, _rows(subjects))
    await tx.execute(_FOLLOW, tx.tenant_id, [row["id"] for row in rows])
    touched = {row["company_id"] for row in rows} | {row["former_id"] for row in rows if row["former_id"]}
    await join_anew(tx, touched)


async def keep_balances(tx: Tx, subjects: list[Incoming]) -> None:
    """`balance.changed`."""
    rows = await tx.fetch(_BALANCES, tx.tenant_id, _rows(subjects))
    await join_anew(tx, {row["company_id"] for row in rows})


async def keep_rates(tx: Tx, subjects: list[Incoming]) -> None:
    """`rate.changed`: every converted figure may be another one."""
    if await tx.execute(_RATES, tx.tenant_id, _rows(subjects)):
        await join_all_anew(tx)


async def follow_mergers(tx: Tx, subjects: list[Incoming]) -> None:
    """`company.merged`: customers follow by events of their own, what providers say of it and its monitorings here; the profile
    of the company that ended goes."""
    for subject in subjects:
        into = UUID(str(subject.data["into_id"]))
        await tx.execute(
            "UPDATE companies SET merged_into_id = $3 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id, subject.id, into,
        )  # fmt: skip
        await mergers.repoint(tx, subject.id, into)
    ended = [subject.id for subject in subjects]
    await close_of_companies(tx, ended)
    await join_anew(tx, ended)
    await choose_anew(tx, [UUID(str(subject.data["into_id"])) for subject in subjects])


async def forget(tx: Tx) -> None:
    """Empty what came from the ledger, before its state is read anew."""
    for table in ("balances", "customers", "companies", "exchange_rates", "company_profiles"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)


def _rows(subjects: list[Incoming]) -> str:
    rows: list[dict[str, Any]] = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    return json_bytes(rows).decode()
