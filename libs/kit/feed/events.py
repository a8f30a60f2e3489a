"""Events: facts in the past tense, carrying the whole state of their subjects.

They are written in the business transaction and numbered after it (see sequencer), because commit order is not id order.
Up to 500 subjects share a row, so 10,000 imported invoices are some twenty rows and not ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit import clock, context
from libs.kit.responses import json_bytes

if TYPE_CHECKING:
    from libs.kit.db import Tx

SUBJECTS_PER_EVENT = 500

INSERT_EVENT = """
    INSERT INTO events (tenant_id, id, type, subjects, subject_count, occurred_at, recorded_at, traceparent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """The state of one object after a change. `version` rises by one a change, taken under the object's row lock."""

    id: UUID
    version: int
    data: dict[str, Any]


class EventBuffer:
    """Collects a transaction's events and writes them just before the commit, grouped by type in order of first mention."""

    def __init__(self) -> None:
        self._by_type: dict[str, list[Subject]] = {}
        #: whether the transaction left anything for the consumers; statements that write events themselves set it
        self.written = False

    def add(self, event_type: str, subjects: Iterable[Subject]) -> None:
        """Add subjects of one type."""
        self._by_type.setdefault(event_type, []).extend(subjects)

    async def write(self, tx: Tx) -> None:
        """Insert the collected events."""
        rows = []
        for event_type, subjects in self._by_type.items():
            for start in range(0, len(subjects), SUBJECTS_PER_EVENT):
                part = subjects[start : start + SUBJECTS_PER_EVENT]
                body = json_bytes(part).decode()
                rows.append(
                    (
                        tx.tenant_id,
                        new_id(),
                        event_type,
                        body,
                        len(part),
                        tx.now,
                        clock.wall(),
                        context.traceparent(),
                    )
                )
        if rows:
            await tx.executemany(INSERT_EVENT, rows)
            self.written = True
