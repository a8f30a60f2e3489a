"""Statuses as rows."""

from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from services.dunning.domain.scenario import Channel, Mode
from services.dunning.domain.statuses import NATIVE_LABELS, Category, Status

COLUMNS = (
    "id, code, category, labels, default_days, action_template_id, action_channel, mode, dispute_kind, active, created_at,"
    " updated_at, version"
)


async def everyone(tx: Tx, *, active: bool | None = None) -> list[Row]:
    """All statuses, by category and code."""
    return await tx.fetch(
        f"SELECT {COLUMNS} FROM statuses WHERE tenant_id = $1 AND ($2::boolean IS NULL OR active = $2)"
        " ORDER BY category, code",
        tx.tenant_id, active,
    )  # fmt: skip


async def get(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A status by its id."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM statuses WHERE tenant_id = $1 AND id = $2{tail}", tx.tenant_id, identifier
    )


async def by_code(tx: Tx, code: str) -> Row | None:
    """A status by its code."""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM statuses WHERE tenant_id = $1 AND code = $2", tx.tenant_id, code
    )


async def insert(tx: Tx, values: dict[str, Any]) -> Row | None:
    """Write a status; None when its code is taken."""
    return await tx.fetchrow(
        "INSERT INTO statuses (tenant_id, id, code, category, labels, default_days, action_template_id, action_channel, mode,"
        " dispute_kind, active, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 1) ON CONFLICT DO NOTHING"
        f" RETURNING {COLUMNS}",
        tx.tenant_id, new_id(), values["code"], values["category"], json_bytes(values["labels"]).decode(),
        values["default_days"], values["action_template_id"], values["action_channel"], values["mode"],
        values["dispute_kind"], values["active"], tx.now,
    )  # fmt: skip


async def update(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """Set members of a status."""
    stored = {
        name: json_bytes(value).decode() if name == "labels" else value for name, value in values.items()
    }
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(stored, start=4))
    row = await tx.fetchrow(
        f"UPDATE statuses SET {sets}updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"
        f" RETURNING {COLUMNS}",
        tx.tenant_id, identifier, tx.now, *stored.values(),
    )  # fmt: skip
    assert row is not None, "the status was read before"
    return row


async def delete(tx: Tx, identifier: UUID, code: str) -> bool:
    """Delete a status nothing was ever qualified with; whether it was."""
    return bool(
        await tx.execute(
            "DELETE FROM statuses WHERE tenant_id = $1 AND id = $2 AND NOT EXISTS"
            " (SELECT 1 FROM qualifications q WHERE q.tenant_id = $1 AND q.status_code = $3)",
            tx.tenant_id,
            identifier,
            code,
        )
    )


async def start_with_natives(tx: Tx) -> None:
    """One status a category, in all languages."""
    for category, labels in NATIVE_LABELS.items():
        values = {
            "code": category.value,
            "category": category.value,
            "labels": labels,
            "default_days": 7,
            "action_template_id": None,
            "action_channel": None,
            "mode": Mode.MANUAL.value,
            "dispute_kind": "other" if category is Category.DISPUTE else None,
            "active": True,
        }
        await insert(tx, values)


def status_of(row: Row) -> Status:
    """The rule of a status."""
    return Status(
        code=row["code"],
        category=Category(row["category"]),
        default_days=row["default_days"],
        mode=Mode(row["mode"]),
        action_template_id=row["action_template_id"],
        action_channel=Channel(row["action_channel"]) if row["action_channel"] else None,
        dispute_kind=row["dispute_kind"],
    )


def label_of(row: Row, language: str) -> str:
    """A status's label in a language, else its base language, English, any."""
    labels: dict[str, str] = msgspec.json.decode(row["labels"])
    for tag in (language, language.split("-")[0], "en"):
        if tag in labels:
            return labels[tag]
    return next(iter(labels.values()), row["code"])
