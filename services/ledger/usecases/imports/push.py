"""What was asked with an import, and what a batch of it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.kit.db import Actor
from services.ledger.domain.intake.columns import RowDefaults
from services.ledger.domain.intake.control import Control, control_of
from services.ledger.domain.intake.dialects import read_dialect
from services.ledger.domain.intake.errors import RowError
from services.ledger.domain.intake.mappings import read_mapping
from services.ledger.domain.intake.pipeline import Intake, open_intake
from services.ledger.domain.snapshot import Scope
from services.ledger.storage.journal import Touched

Mode = Literal["delta", "snapshot"]
#: Of how many changes a dry run shows the details.
SHOWN_CHANGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """An import as it was asked for. `perimeter`: the business units its rows may name, None is all; `dialect` and `mapping`
    as JSON objects; `control_sum` as the query wrote it. `newcomers`: by key, columns of customers that
    a document describes, should they have to be made."""

    id: UUID
    kind: str
    mode: Mode
    media_type: str
    business_unit_id: UUID
    actor: Actor
    source: str | None = None
    taken_at: datetime | None = None
    dry_run: bool = False
    create_customers: bool = False
    control_count: int | None = None
    control_sum: str | None = None
    dialect: dict[str, Any] | None = None
    mapping: dict[str, Any] | None = None
    perimeter: tuple[UUID, ...] | None = None
    newcomers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def is_snapshot(self) -> bool:
        """Whether it closes what it does not name."""
        return self.mode == "snapshot"

    @property
    def scope(self) -> Scope:
        """What a snapshot speaks of."""
        assert self.source is not None and self.taken_at is not None, "checked before a snapshot is taken in"
        return Scope(self.business_unit_id, self.source, self.taken_at, self.kind)

    def control(self) -> Control | None:
        """The control totals given beside the file. Raises ImportFailed `control_invalid`."""
        if self.control_count is None and self.control_sum is None:
            return None
        return control_of(self.control_count, self.control_sum)

    def intake(self) -> Intake:
        """A fresh reader of its bytes. Raises ImportFailed, DialectInvalid."""
        return open_intake(
            self.kind,
            self.media_type,
            defaults=RowDefaults(self.business_unit_id, self.source),
            dialect=None if self.dialect is None else read_dialect(self.dialect),
            mapping=None if self.mapping is None else read_mapping(self.mapping),
        )


@dataclass(slots=True)
class Outcome:
    """What became of a batch's rows.

    `refused` counts the rows that were not taken, `errors` name why; `rejected` sums up the signed minor units of those that
    only the ledger refused, by currency; `changes` the first changes, for a dry run.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    closed: int = 0
    refused: int = 0
    errors: list[RowError] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    touched: Touched = field(default_factory=Touched)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def reject(
        self, row: int, pointer: str, code: str, detail: str, currency: str = "", amount: int = 0
    ) -> None:
        """Name a row that is not taken, for one reason, with the signed minor units it stated."""
        self.refused += 1
        self.errors.append(RowError(row, pointer, code, detail))
        if currency:
            self.rejected[currency] = self.rejected.get(currency, 0) + amount

    @property
    def counts(self) -> dict[str, int]:
        """The figures an import shows, but for the rows received."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "closed": self.closed,
            "rejected": self.refused,
        }

    def show(self, change: str, external_id: str, **details: Any) -> None:
        """Note a change for the diff."""
        if len(self.changes) < SHOWN_CHANGES:
            shown = {"before": None, "after": None, **details}
            self.changes.append({"change": change, "external_id": external_id, **shown})


Records = Sequence[tuple[Any, ...]]
