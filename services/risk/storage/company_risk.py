"""What counts of all that providers say about a company, and what insurers' grades are."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

_WRITE = """
    WITH written AS (
    INSERT INTO company_risk (tenant_id, company_id, "values", by_provider, legal_status, legal_kind, judged_on,
                              published_on, privileges_rose_on, score_fall, created_at, updated_at, version)
    SELECT $1, s.company_id, s."values", s.by_provider, s.legal_status, s.legal_kind, s.judged_on, s.published_on,
           s.privileges_rose_on, s.score_fall, $3, $3, 1
      FROM jsonb_to_recordset($2::jsonb) AS s(company_id uuid, "values" jsonb, by_provider jsonb, legal_status text,
           legal_kind text, judged_on date, published_on date, privileges_rose_on date, score_fall jsonb)
     ORDER BY s.company_id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        "values" = excluded."values", by_provider = excluded.by_provider, legal_status = excluded.legal_status,
        legal_kind = excluded.legal_kind, judged_on = excluded.judged_on, published_on = excluded.published_on,
        privileges_rose_on = excluded.privileges_rose_on, score_fall = excluded.score_fall,
        updated_at = excluded.updated_at, version = company_risk.version + 1
      WHERE (company_risk."values", company_risk.by_provider, company_risk.legal_status, company_risk.judged_on,
             company_risk.published_on, company_risk.privileges_rose_on, company_risk.score_fall)
            IS DISTINCT FROM (excluded."values", excluded.by_provider, excluded.legal_status, excluded.judged_on,
             excluded.published_on, excluded.privileges_rose_on, excluded.score_fall)
    RETURNING company_id, version, old."values" IS DISTINCT FROM new."values" AS moved,
              coalesce(old.legal_status, 'none') IS DISTINCT FROM coalesce(new.legal_status, 'none') AS legal_moved)
    SELECT company_id, version, moved, legal_moved FROM written
"""
_GRADES = """
    INSERT INTO insurer_grades (tenant_id, company_id, insurer, policy_id, grade, scale, graded_on, told_at, version)
    SELECT $1, s.company_id, s.insurer, s.policy_id, s.grade, s.scale, s.graded_on, $3, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(company_id uuid, insurer text, policy_id uuid, grade text, scale jsonb,
                                              graded_on date, version bigint)
     ORDER BY s.company_id, s.insurer
    ON CONFLICT (tenant_id, company_id, insurer) DO UPDATE SET
        policy_id = excluded.policy_id, grade = excluded.grade, scale = excluded.scale, graded_on = excluded.graded_on,
        told_at = excluded.told_at, version = excluded.version
      WHERE insurer_grades.version < excluded.version
         OR (insurer_grades.policy_id <> excluded.policy_id
             AND coalesce(insurer_grades.graded_on, '-infinity') <= coalesce(excluded.graded_on, '-infinity'))
    RETURNING company_id, insurer, grade, scale, graded_on, old.grade AS former, old.scale AS former_scale,
              old.graded_on AS former_on
"""


async def write(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Write what counts; the companies for which anything is another than before, and whether values or status moved."""
    return await tx.fetch(_WRITE, tx.tenant_id, json_bytes(list(rows)).decode(), tx.now)


async def keep_grades(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Write grades that are newer, and what they were before."""
    return await tx.fetch(_GRADES, tx.tenant_id, json_bytes(list(rows)).decode(), tx.now)


async def grades_of(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """Insurers' grades of companies, the newest first."""
    return await tx.fetch(
        "SELECT company_id, insurer, policy_id, grade, scale, graded_on, told_at FROM insurer_grades"
        " WHERE tenant_id = $1 AND company_id = ANY($2) ORDER BY company_id, graded_on DESC NULLS LAST, insurer",
        tx.tenant_id,
        list(companies),
    )


async def of_companies(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """What counts, of each of these companies that has something."""
    return await tx.fetch(
        'SELECT company_id, "values", by_provider, legal_status, legal_kind, judged_on, published_on, privileges_rose_on,'
        " score_fall, version FROM company_risk WHERE tenant_id = $1 AND company_id = ANY($2)",
        tx.tenant_id,
        list(companies),
    )


async def with_falls(tx: Tx) -> list[UUID]:
    """Companies whose score fell lately: whether it still counts depends on the day."""
    rows = await tx.fetch(
        "SELECT company_id FROM company_risk WHERE tenant_id = $1 AND score_fall IS NOT NULL", tx.tenant_id
    )
    return [row["company_id"] for row in rows]


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Row]:
    """A page of all companies, for a reader that rebuilds."""
    return await tx.fetch(
        'SELECT company_id, "values", by_provider, legal_status, legal_kind, judged_on, published_on, version'
        " FROM company_risk WHERE tenant_id = $1 AND ($2::uuid IS NULL OR company_id > $2) ORDER BY company_id LIMIT $3",
        tx.tenant_id,
        after,
        limit,
    )
