"""Actions as rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.responses import json_bytes

COLUMNS = (
    "id, customer_id, kind, channel, mode, state, due_on, leader_item_id, item_ids, net, scenario_id, scenario_version_id,"
    " position, nominal_days, template_id, contact, reason, outcome, comment, qualification_id, promise_id,"
    " assignee_user_id, run_id, mail_id, done_on, done_by, created_at, updated_at, version"
)
#: Members of an action to write, and how they are read from JSON.
_WRITTEN = {
    "id": "uuid", "customer_id": "uuid", "kind": "text", "channel": "text", "mode": "text", "state": "text",
    "due_on": "date", "leader_item_id": "uuid", "item_ids": "uuid[]", "net": "jsonb", "scenario_id": "uuid",
    "scenario_version_id": "uuid", "position": "int", "nominal_days": "int", "template_id": "uuid", "contact": "jsonb",
    "reason": "text", "comment": "text", "qualification_id": "uuid", "promise_id": "uuid", "assignee_user_id": "uuid",
    "run_id": "uuid", "mail_id": "uuid",
}  # fmt: skip
_INSERT = f"""
    INSERT INTO actions (tenant_id, {", ".join(_WRITTEN)}, created_at, updated_at, version)
    SELECT $1, {", ".join(f"a.{name}" for name in _WRITTEN)}, $3, $3, 1
      FROM jsonb_to_recordset($2::jsonb) AS a({", ".join(f"{name} {cast}" for name, cast in _WRITTEN.items())})
     ORDER BY a.customer_id
    ON CONFLICT DO NOTHING
    RETURNING {COLUMNS}
"""
_TOLD = ("customer_id", "kind", "channel", "state", "due_on", "leader_item_id", "item_ids")


async def insert(tx: Tx, planned: list[dict[str, Any]]) -> list[Row]:
    """Write actions, leaving out those that were planned before; the ones written."""
    if not planned:
        return []
    rows = await tx.fetch(_INSERT, tx.tenant_id, _json_rows(planned), tx.now)
    announce(tx, rows)
    return rows


async def cancel(tx: Tx, actions: Sequence[Row], reason: str) -> None:
    """Withdraw actions that were planned, and the mails that wait for them."""
    if not actions:
        return
    ids = [row["id"] for row in actions]
    rows = await tx.fetch(
        "UPDATE actions SET state = 'cancelled', reason = $3, updated_at = $4, version = version + 1"
        f" WHERE tenant_id = $1 AND id = ANY($2) RETURNING {COLUMNS}",
        tx.tenant_id, ids, reason, tx.now,
    )  # fmt: skip
    await tx.execute(
        "UPDATE mails SET state = 'cancelled', error = $3, updated_at = $4, version = version + 1"
        " WHERE tenant_id = $1 AND object_id = ANY($2) AND state = 'queued'",
        tx.tenant_id, ids, reason, tx.now,
    )  # fmt: skip
    announce(tx, rows)


async def get(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """An action."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM actions WHERE tenant_id = $1 AND id = $2{tail}", tx.tenant_id, identifier
    )


async def update(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """Set members of an action."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE actions SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"
        f" RETURNING {COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the action was read before"
    announce(tx, [row])
    return row


def announce(tx: Tx, rows: Sequence[Row]) -> None:
    """`action.changed`."""
    tx.emit("action.changed", [_told(row) for row in rows])


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present state behind `action.changed`."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM actions WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    return [_told(row) for row in rows]


def _told(row: Row) -> Subject:
    return Subject(row["id"], row["version"], {name: row[name] for name in _TOLD})


def _json_rows(planned: list[dict[str, Any]]) -> str:
    """jsonb_to_recordset reads a uuid[] from an array literal, not from a JSON array."""
    texts = [
        {
            **row,
            "kind": row.get("kind", "scenario"),
            "item_ids": "{" + ",".join(map(str, row["item_ids"])) + "}",
        }
        for row in planned
    ]
    return json_bytes(texts).decode()


def decoded(row: Row, column: str) -> Any:
    """A jsonb column's value."""
    return None if row[column] is None else msgspec.json.decode(row[column])
