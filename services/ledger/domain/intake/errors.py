"""What can be wrong with an import: one row, or the whole file."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Fault", "ImportFailed", "RowError", "RowRefused", "Stated"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend in a row: a JSON pointer into it, a stable code, and what was expected (never the value)."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class RowError:
    """A fault and where it stands: `row` counts the rows of the file from 1, header and blank lines left out."""

    row: int
    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Stated:
    """The signed amount a refused row states, in major units: it was received, so control totals count it."""

    currency: str
    amount: Decimal


class RowRefused(Exception):
    """This row cannot be taken; the others can. `key` is its external_id, where that much can be read."""

    def __init__(self, faults: Sequence[Fault], stated: Stated | None = None, key: str | None = None) -> None:
        super().__init__("; ".join(f"{fault.pointer} {fault.code}" for fault in faults))
        self.faults = tuple(faults)
        self.stated = stated
        self.key = key


class ImportFailed(Exception):
    """The file as a whole cannot be trusted: nothing of it may be applied. `code` is stable, `detail` says what was
    expected."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def refuse(pointer: str, code: str, detail: str) -> RowRefused:
    """A refusal for a single fault."""
    return RowRefused([Fault(pointer, code, detail)])
