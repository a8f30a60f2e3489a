"""Built-in alerts: edge-triggered, once a company while the condition holds.

An alert a person closed stays closed until the condition has gone and come back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.problems import Problem
from services.risk.storage import alerts


@dataclass(frozen=True, slots=True)
class Raised:
    """A condition that holds. `mark` names the occurrence: the same kind with another mark is a new alert."""

    kind: str
    company_id: UUID
    criticality: str
    evidence: dict[str, Any]
    customer_id: UUID | None = None
    mark: str = ""
    id: UUID = field(default_factory=new_id)

    @property
    def subject_id(self) -> UUID:
        """What the alert is about: the customer (collection) or the company (risk)."""
        return self.customer_id or self.company_id


async def watch(tx: Tx, kinds: Iterable[str], subjects: Sequence[UUID], raised: Iterable[Raised]) -> None:
    """Open what is raised and has no live alert; close what these subjects no longer raise. A few statements a kind."""
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in raised:
        by_kind[one.kind].append(
            {
                "id": one.id, "company_id": one.company_id, "customer_id": one.customer_id, "subject_id": one.subject_id,
                "criticality": one.criticality, "mark": one.mark, "evidence": one.evidence,
            }
        )  # fmt: skip
    opened: list[Row] = []
    closed: list[Row] = []
    for kind in kinds:
        closed += await alerts.close_overcome(tx, kind, subjects, by_kind[kind])
        opened += await alerts.open_all(tx, kind, by_kind[kind])
    await _tell(tx, opened, closed)


async def close_of_companies(tx: Tx, companies: Sequence[UUID]) -> None:
    """Companies were merged away: nothing is to be looked at there any more."""
    await _tell(tx, [], await alerts.close_of_companies(tx, companies))


async def _tell(tx: Tx, opened: list[Row], closed: list[Row]) -> None:
    tx.emit("alert.opened", [_subject(row) for row in opened])
    tx.emit("alert.closed", [_subject(row) for row in closed if not row["by_hand"]])
    if opened or closed:
        await alerts.count_anew(tx, sorted({row["company_id"] for row in (*opened, *closed)}))


async def acknowledge(tx: Tx, row: Row, user_id: UUID | None) -> Row:
    """Somebody has seen it. Raises 409 `invalid_state` for one that is not open."""
    if row["state"] != "open":
        raise Problem(409, "invalid_state", f"The alert is {row['state']}.", state=row["state"])
    return await _set(tx, row["id"], state="acknowledged", acknowledged_at=tx.now, acknowledged_by=user_id)


async def close(tx: Tx, row: Row) -> Row:
    """Close by hand. Raises 409 `invalid_state` for one that is closed."""
    if row["state"] == "closed":
        raise Problem(409, "invalid_state", "The alert is closed already.", state="closed")
    closed = await _set(tx, row["id"], state="closed", closed_at=tx.now, by_hand=True)
    tx.emit("alert.closed", [_subject(closed)])
    await alerts.count_anew(tx, [closed["company_id"]])
    return closed


async def _set(tx: Tx, identifier: UUID, **values: Any) -> Row:
    row = await alerts.update(tx, identifier, **values)
    tx.audit(f"alert_{row['state']}", "alert", identifier, after={"state": row["state"]})
    return row


def _subject(row: Row) -> Subject:
    names = ("kind", "company_id", "customer_id", "criticality", "state")
    return Subject(row["id"], row["version"], {name: row[name] for name in names})
