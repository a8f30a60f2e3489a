"""Telling risk that something about a company should be looked at: its alert opens while the condition is raised."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from libs.contracts.events.state import alert_condition_id
from libs.kit.db import Tx
from services.credit.storage import conditions


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether something holds of a company. `facts` is the evidence as people read it: amounts are decimal strings."""

    kind: str
    company_id: UUID
    raised: bool
    criticality: Literal["information", "warning", "critical"]
    facts: dict[str, Any]


async def settle_conditions(tx: Tx, stated: Sequence[Condition]) -> None:
    """Say which conditions hold now; only what changed since they were last said is told (`alert_condition.changed`)."""
    rows = [
        {
            "id": alert_condition_id(one.kind, one.company_id),
            "kind": one.kind,
            "company_id": one.company_id,
            "criticality": one.criticality,
            "raised": one.raised,
            "facts": one.facts,
        }
        for one in stated
    ]
    if rows:
        tx.emit(
            "alert_condition.changed", [conditions.subject(row) for row in await conditions.settle(tx, rows)]
        )
