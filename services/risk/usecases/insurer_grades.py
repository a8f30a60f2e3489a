"""Insurers' grades as one more source of what is known of a company: kept, with their history."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from services.risk.storage import company_risk, snapshots
from services.risk.usecases.canonical import INSURER_GRADE, choose_anew, grade_value

SOURCE = "insurer"


async def keep(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write grades that are newer, a line of history where one is another than before, and choose anew."""
    written = await company_risk.keep_grades(tx, rows)
    await snapshots.write_changes(tx, [_change(tx, row) for row in written if row["grade"] != row["former"]])
    await choose_anew(tx, {row["company_id"] for row in written})


def _change(tx: Tx, row: Row) -> dict[str, Any]:
    now = grade_value(row)
    former = {
        "insurer": row["insurer"],
        "grade": row["former"],
        "scale": row["former_scale"],
        "graded_on": row["former_on"],
    }
    return {
        "id": new_id(), "connection_id": None, "company_id": row["company_id"], "provider": SOURCE,
        "product": row["insurer"], "field": INSURER_GRADE, "old": None if row["former"] is None else grade_value(former),
        "new": now, "as_of": row["graded_on"], "on_day": min(row["graded_on"] or tx.today, tx.today),
        "fetched_at": tx.now, "origin": "told", "snapshot_id": None,
    }  # fmt: skip
