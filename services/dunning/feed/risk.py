"""What dunning keeps of risk: collective proceedings, which stop reminders, grades, and the scenarios its rules assign."""

from uuid import UUID

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.dunning.storage import scenarios as scenario_rows
from services.dunning.usecases import scenarios

_STATUSES = """
    INSERT INTO company_risks (tenant_id, company_id, legal_status, judged_on, status_version, grade_version)
    SELECT $1, s.id, s.status, coalesce(s.judged_on, s.published_on), s.version, 0
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, status text, judged_on date, published_on date)
     ORDER BY s.id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        legal_status = excluded.legal_status, judged_on = excluded.judged_on, status_version = excluded.status_version
      WHERE company_risks.status_version < excluded.status_version
"""
_GRADES = """
    INSERT INTO company_risks (tenant_id, company_id, grade, status_version, grade_version)
    SELECT $1, s.id, s.grade, 0, s.version FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, grade text)
     ORDER BY s.id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET grade = excluded.grade, grade_version = excluded.grade_version
      WHERE company_risks.grade_version < excluded.grade_version
"""
_RELOOK = """
    UPDATE customers SET look_again_on = $3 WHERE tenant_id = $1 AND company_id = ANY($2)
       AND (look_again_on IS NULL OR look_again_on > $3)
"""


async def keep_legal_statuses(tx: Tx, subjects: list[Incoming]) -> None:
    """`legal_status.changed`: what is owed from before a judgment is asked of nobody any more."""
    await tx.execute(_STATUSES, tx.tenant_id, _rows(subjects))
    await tx.execute(_RELOOK, tx.tenant_id, [s.id for s in subjects], tx.today)


async def keep_grades(tx: Tx, subjects: list[Incoming]) -> None:
    """`grade.changed`."""
    await tx.execute(_GRADES, tx.tenant_id, _rows(subjects))


async def keep_assignments(tx: Tx, subjects: list[Incoming]) -> None:
    """`assignment.changed` of kind scenario: a rule's choice, unless somebody chose by hand here."""
    for subject in subjects:
        if subject.data["kind"] != "scenario" or not subject.data["value"]:
            continue
        present = await scenarios.assignment(tx, subject.id)
        if present is not None and present["manual"] and not subject.data["manual"]:
            continue
        row = await scenario_rows.get(tx, UUID(str(subject.data["value"])))
        if row is None or row["archived"] or (present is not None and present["scenario_id"] == row["id"]):
            continue
        reason = "rule" if subject.data["rule_id"] else None
        await scenarios.assign(tx, subject.id, row["id"], manual=bool(subject.data["manual"]), reason=reason)


def _rows(subjects: list[Incoming]) -> str:
    return json_bytes([{"id": s.id, "version": s.version, **s.data} for s in subjects]).decode()
