"""What a reader hands on: a run of rows, numbered from 1 through the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.ledger.domain.intake.errors import RowRefused

#: Rows are read in blocks of about this many bytes: large enough for speed, small enough that a bad row costs little.
BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows read at once: row models and their numbers in the file."""

    numbers: Sequence[int]
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that could not be read, and why."""

    row: int
    refusal: RowRefused


Run = Decoded | Refused
