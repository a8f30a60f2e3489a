"""Conditions that are raised while something should be looked at; risk keeps the alerts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.responses import json_bytes

_COLUMNS = "id, kind, company_id, criticality, raised, since, facts, version"
#: Only edges are written: a condition that was never raised leaves no row, one that stays raised keeps its day and its facts.
_SETTLE = f"""
    INSERT INTO alert_conditions AS c (tenant_id, id, kind, company_id, criticality, raised, since, facts, version)
    SELECT $1, s.id, s.kind, s.company_id, s.criticality, s.raised, $3, s.facts, 1
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, kind text, company_id uuid, criticality text, raised boolean,
                                              facts jsonb)
     WHERE s.raised OR EXISTS (SELECT 1 FROM alert_conditions k WHERE k.tenant_id = $1 AND k.id = s.id)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        raised = excluded.raised, since = excluded.since, criticality = excluded.criticality, facts = excluded.facts,
        version = c.version + 1
      WHERE c.raised <> excluded.raised
    RETURNING {_COLUMNS}
"""


async def settle(tx: Tx, stated: Sequence[dict[str, Any]]) -> list[Row]:
    """Write down which conditions hold now (id, kind, company_id, criticality, raised, facts); those that changed."""
    return await tx.fetch(_SETTLE, tx.tenant_id, json_bytes(stated).decode(), tx.today)


def subject(row: Row) -> Subject:
    """`alert_condition.changed`."""
    names = ("kind", "company_id", "criticality", "raised", "since")
    facts = msgspec.json.decode(row["facts"])
    return Subject(
        row["id"],
        row["version"],
        {**{name: row[name] for name in names}, "customer_id": None, "facts": facts},
    )


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `alert_condition.changed`, in order of id."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM alert_conditions WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    return [subject(row) for row in rows]
