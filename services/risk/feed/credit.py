"""What risk keeps of credit: limits, covers, other guarantees, clocks, insurers' grades."""

from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.risk.storage import alert_conditions
from services.risk.usecases import insurer_grades
from services.risk.usecases.profiles import join_all_anew, join_anew

_LIMITS = """
    INSERT INTO limits (tenant_id, company_id, state, amount, currency, valid_until, pending_request_id, next_review_on, version)
    SELECT $1, s.id, s.state, s.amount, s.currency, s.valid_until, s.pending_request_id, s.next_review_on, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, state text, amount bigint, currency char(3),
                                              valid_until date, pending_request_id uuid, next_review_on date)
     ORDER BY s.id
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        state = excluded.state, amount = excluded.amount, currency = excluded.currency,
        valid_until = excluded.valid_until, pending_request_id = excluded.pending_request_id,
        next_review_on = excluded.next_review_on, version = excluded.version
      WHERE limits.version < excluded.version
    RETURNING company_id
"""


_COVERS = """
    INSERT INTO covers (tenant_id, id, company_id, policy_id, layer, amount, currency, effective_from, expires_at, conditions,
                        version)
    SELECT $1, s.id, s.company_id, s.policy_id, s.layer, s.amount, s.currency, s.effective_from, s.expires_at, s.conditions,
           s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, policy_id uuid, layer text,
           amount bigint, currency char(3), effective_from date, expires_at date, conditions text)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        company_id = excluded.company_id, policy_id = excluded.policy_id, layer = excluded.layer,
        amount = excluded.amount, currency = excluded.currency, effective_from = excluded.effective_from,
        expires_at = excluded.expires_at, conditions = excluded.conditions, version = excluded.version
      WHERE covers.version < excluded.version
    RETURNING company_id, old.company_id AS former_id
"""
_OTHERS = """
    INSERT INTO other_guarantees (tenant_id, id, company_id, kind, amount, currency, valid_from, valid_to, version)
    SELECT $1, s.id, s.company_id, s.kind, s.amount, s.currency, s.valid_from, s.valid_to, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, kind text, amount bigint,
           currency char(3), valid_from date, valid_to date)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        company_id = excluded.company_id, kind = excluded.kind, amount = excluded.amount, currency = excluded.currency,
        valid_from = excluded.valid_from, valid_to = excluded.valid_to, version = excluded.version
      WHERE other_guarantees.version < excluded.version
    RETURNING company_id, old.company_id AS former_id
"""
_CLOCKS = """
    INSERT INTO clocks (tenant_id, id, company_id, kind, ends_on, item_id, version)
    SELECT $1, s.id, s.company_id, s.kind, s.ends_on, s.item_id, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, kind text, ends_on date, item_id uuid)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        company_id = excluded.company_id, kind = excluded.kind, ends_on = excluded.ends_on, item_id = excluded.item_id,
        version = excluded.version
      WHERE clocks.version < excluded.version
    RETURNING company_id, old.company_id AS former_id
"""
#: A clock in one of these states runs towards its date; in any other it has been met, missed or stopped.
_RUNNING = frozenset(("running", "open", "approaching", "due"))


async def keep_limits(tx: Tx, subjects: list[Incoming]) -> None:
    """`limit.changed`."""
    changed = await tx.fetch(_LIMITS, tx.tenant_id, _rows(subjects))
    await join_anew(tx, [row["company_id"] for row in changed])


async def keep_covers(tx: Tx, subjects: list[Incoming]) -> None:
    """`cover.changed`; a cover that ended comes with amount 0 and the day it ended."""
    await _join(tx, await tx.fetch(_COVERS, tx.tenant_id, _rows(subjects)))


async def keep_other_guarantees(tx: Tx, subjects: list[Incoming]) -> None:
    """`other_guarantee.changed`."""
    await _join(tx, await tx.fetch(_OTHERS, tx.tenant_id, _rows(subjects)))


async def keep_clocks(tx: Tx, subjects: list[Incoming]) -> None:
    """`clock.approaching`; a policy's own clocks (turnover declarations) are no company's."""
    rows = [
        {
            "id": subject.id, "version": subject.version, "company_id": subject.data["company_id"],
            "kind": subject.data["kind"], "item_id": subject.data.get("item_id"),
            "ends_on": subject.data["date"] if subject.data.get("state", "running") in _RUNNING else None,
        }
        for subject in subjects
        if subject.data["company_id"] is not None
    ]  # fmt: skip
    await _join(tx, await tx.fetch(_CLOCKS, tx.tenant_id, json_bytes(rows).decode()))


async def keep_insurer_grades(tx: Tx, subjects: list[Incoming]) -> None:
    """`insurer_grade.changed`: one more source of a company's risk."""
    await insurer_grades.keep(
        tx,
        [
            {
                **subject.data,
                "company_id": subject.data.get("company_id") or subject.id,
                "version": subject.version,
            }
            for subject in subjects
        ],
    )


async def forget(tx: Tx) -> None:
    """Empty what came from credit, before its state is read anew."""
    await alert_conditions.doubt(tx, "credit")
    for table in ("limits", "covers", "other_guarantees", "clocks"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)
    await tx.execute("UPDATE insurer_grades SET version = 0 WHERE tenant_id = $1", tx.tenant_id)
    await join_all_anew(tx)


async def _join(tx: Tx, rows: list[Row]) -> None:
    await join_anew(
        tx, {row["company_id"] for row in rows} | {row["former_id"] for row in rows if row["former_id"]}
    )


def _rows(subjects: list[Incoming]) -> str:
    return json_bytes([{"id": s.id, "version": s.version, **s.data} for s in subjects]).decode()
