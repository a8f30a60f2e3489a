"""Where a set-based statement reads its rows: a JSON parameter for a handful, a temporary table for thousands.

One statement text serves both, so that an invoice posted alone and one of ten thousand follow the same rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libs.kit.responses import json_bytes


@dataclass(frozen=True, slots=True)
class Rowset:
    """Rows of known columns. `sql` goes into FROM; `{}` in it is the number of the parameter that `args` fills, if any."""

    sql: str
    args: tuple[Any, ...] = ()

    def put_into(self, statement: str, position: int) -> str:
        """The statement with `{given}` replaced; `position` is the first parameter number still free."""
        return statement.replace("{given}", self.sql.format(position))


def inline(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Rowset:
    """A few rows (a hundred at the most: beyond, a temporary table is faster) sent with the statement itself."""
    definition = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return Rowset(f"jsonb_to_recordset(${{}}::jsonb) AS given({definition})", (json_bytes(rows).decode(),))


def temporary(table: str) -> Rowset:
    """The rows of a temporary table that has these columns under these names."""
    return Rowset(f"pg_temp.{table} AS given")


def definition(columns: Mapping[str, str]) -> str:
    """The columns as `Tx.copy_to_temp` wants them."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
