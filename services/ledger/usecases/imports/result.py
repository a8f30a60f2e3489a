"""What an import did as a whole, added up from its batches."""

from dataclasses import dataclass, field
from typing import Any

from services.ledger.domain.intake.errors import RowError
from services.ledger.domain.intake.pipeline import Batch
from services.ledger.usecases.imports.push import SHOWN_CHANGES, Outcome
from services.ledger.usecases.imports.records import COUNTS
from services.ledger.usecases.imports.snapshots import Closing


@dataclass(slots=True)
class Result:
    """What an import did as a whole."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    rejected: dict[str, int] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    closing: Closing | None = None
    confirmed: bool = False

    def add(self, outcome: Outcome, received: int) -> None:
        """Count a batch in."""
        self.counts["received"] += received
        for name, count in outcome.counts.items():
            self.counts[name] += count
        for currency, minor in outcome.rejected.items():
            self.rejected[currency] = self.rejected.get(currency, 0) + minor
        self.errors += outcome.errors
        self.changes += outcome.changes[: SHOWN_CHANGES - len(self.changes)]

    def refuse_only(self, batch: Batch) -> None:
        """Count a batch of a held import: nothing of it is applied, but what cannot be read is known."""
        self.counts["received"] += batch.received
        self.counts["rejected"] += batch.rejected
        self.errors += batch.errors

    @property
    def diff(self) -> dict[str, Any]:
        """What a dry run shows: what would be done, what the brake would say, and the first changes."""
        braked = self.closing is not None and self.closing.reason
        return {
            "counts": self.counts,
            "held": self.closing.held if self.closing and braked else None,
            "changes": self.changes,
        }


class Rehearsed(Exception):
    """A dry run has come to its end: what it did is undone."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result
