"""What credit keeps of risk and dunning: provider facts, grades, and why somebody pays late."""

from typing import Any

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming

_FACTS = """
    INSERT INTO provider_facts (tenant_id, company_id, fields, version)
    SELECT $1, s.id, s.fields, s.version FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, fields jsonb)
     ORDER BY s.id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET fields = excluded.fields, version = excluded.version
      WHERE provider_facts.version < excluded.version
"""
_GRADES = """
    INSERT INTO internal_grades (tenant_id, company_id, grade, points, version)
    SELECT $1, s.id, s.grade, s.points, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, grade text, points text)
     ORDER BY s.id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        grade = excluded.grade, points = excluded.points, version = excluded.version
      WHERE internal_grades.version < excluded.version
"""
_TROUBLES = """
    INSERT INTO payment_troubles (tenant_id, id, customer_id, cause, open, version)
    SELECT $1, s.id, s.customer_id, s.cause, s.open, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, customer_id uuid, cause text, open boolean)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET cause = excluded.cause, open = excluded.open, version = excluded.version
      WHERE payment_troubles.version < excluded.version
"""


async def keep_provider_facts(tx: Tx, subjects: list[Incoming]) -> None:
    """`provider_data.changed`."""
    await tx.execute(_FACTS, tx.tenant_id, _json([{"fields": s.data["fields"], **_of(s)} for s in subjects]))


async def keep_grades(tx: Tx, subjects: list[Incoming]) -> None:
    """`grade.changed`."""
    rows = [{"grade": s.data["grade"], "points": s.data["points"], **_of(s)} for s in subjects]
    await tx.execute(_GRADES, tx.tenant_id, _json(rows))


async def keep_disputes(tx: Tx, subjects: list[Incoming]) -> None:
    """`dispute.changed`."""
    rows = [
        {
            "customer_id": s.data["customer_id"],
            "cause": f"dispute:{s.data['kind']}",
            "open": s.data["state"] == "open",
            **_of(s),
        }
        for s in subjects
    ]
    await tx.execute(_TROUBLES, tx.tenant_id, _json(rows))


async def keep_promises(tx: Tx, subjects: list[Incoming]) -> None:
    """`promise.changed`: one that was broken says something about the payer."""
    rows = [
        {
            "customer_id": s.data["customer_id"],
            "cause": "broken_promise" if s.data["state"] in ("broken", "partly") else None,
            "open": False,
            **_of(s),
        }
        for s in subjects
    ]
    await tx.execute(_TROUBLES, tx.tenant_id, _json(rows))


async def forget_risk(tx: Tx) -> None:
    """Empty what came from risk, before its state is read anew."""
    for table in ("provider_facts", "internal_grades", "insolvencies"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)


async def forget_dunning(tx: Tx) -> None:
    """Empty what came from dunning, before its state is read anew."""
    for table in ("payment_troubles", "disputed_items"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)


def _of(subject: Incoming) -> dict[str, Any]:
    return {"id": subject.id, "version": subject.version}


def _json(rows: list[dict[str, Any]]) -> str:
    return json_bytes(rows).decode()
