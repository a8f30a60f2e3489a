"""Writing rows by their members' names: column names are ours, values are bound."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from services.credit.storage.tables import METADATA


def json_text(value: Any) -> str:
    """A value for a jsonb column."""
    return json_bytes(value).decode()


@cache
def columns(table: str, alias: str = "") -> str:
    """Every declared column but the tenant's, for a select list."""
    prefix = f"{alias}." if alias else ""
    names = METADATA.tables[table].columns.keys()
    return ", ".join(f"{prefix}{name}" for name in names if name != "tenant_id")


async def insert(
    tx: Tx, table: str, identifier: UUID, values: Mapping[str, Any], *, tail: str = ""
) -> Row | None:
    """A new object with its stamps, version 1; None where `tail` (ON CONFLICT DO NOTHING) let it be."""
    names = list(values)
    places = ", ".join(f"${place}" for place in range(4, len(names) + 4))
    return await tx.fetchrow(
        f"INSERT INTO {table} (tenant_id, id, created_at, updated_at, version, {', '.join(names)})"
        f" VALUES ($1, $2, $3, $3, 1, {places}) {tail} RETURNING {columns(table)}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip


async def update(tx: Tx, table: str, identifier: UUID, **values: Any) -> Row:
    """Set members of an object that is there; its version rises."""
    sets = "".join(f", {name} = ${place}" for place, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE {table} SET updated_at = $3, version = version + 1{sets} WHERE tenant_id = $1 AND id = $2"
        f" RETURNING {columns(table)}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, f"{table} {identifier} was read before"
    return row


async def one(tx: Tx, table: str, identifier: UUID, *, lock: bool = False) -> Row | None:
    """An object by its id."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {columns(table)} FROM {table} WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id,
        identifier,
    )
