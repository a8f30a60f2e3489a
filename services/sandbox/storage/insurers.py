"""What the stand-in insurer remembers."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

_COLUMNS = "id, insurer, mode, options, secret, token, behaviour"


async def play(tx: Tx, connection_id: UUID, values: dict[str, Any]) -> None:
    """Play an insurer from now on; a secret or token that is not told stays."""
    await tx.execute(
        "INSERT INTO stand_in_insurers (tenant_id, id, insurer, mode, options, secret, token, behaviour)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'normal') ON CONFLICT (tenant_id, id) DO UPDATE SET"
        " mode = excluded.mode, options = excluded.options, secret = coalesce(excluded.secret, stand_in_insurers.secret),"
        " token = coalesce(excluded.token, stand_in_insurers.token)",
        tx.tenant_id, connection_id, values["insurer"], values["mode"], json_bytes(values["options"]).decode(),
        values["secret"], values["token"],
    )  # fmt: skip


async def insurer(tx: Tx, connection_id: UUID) -> Row | None:
    """Whom we play for a connection."""
    return await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM stand_in_insurers WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        connection_id,
    )


async def behave(tx: Tx, connection_id: UUID, mode: str) -> None:
    """Answer like that from now on."""
    await tx.execute(
        "UPDATE stand_in_insurers SET behaviour = $3 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        connection_id,
        mode,
    )


async def keep_request(tx: Tx, connection_id: UUID, reference: str, body: dict[str, Any]) -> UUID:
    """Write down what was asked; asked again it is the same request."""
    identifier: UUID = await tx.fetchval(
        "INSERT INTO stand_in_requests (tenant_id, id, connection_id, reference, body, cancelled, received_at)"
        " VALUES ($1, $2, $3, $4, $5, false, $6) ON CONFLICT (tenant_id, connection_id, reference)"
        " DO UPDATE SET body = excluded.body RETURNING id",
        tx.tenant_id, new_id(), connection_id, reference, json_bytes(body).decode(), clock.wall(),
    )  # fmt: skip
    return identifier


async def cancel_request(tx: Tx, connection_id: UUID, reference: str) -> bool:
    """Forget a request; whether there was one."""
    touched = await tx.execute(
        "UPDATE stand_in_requests SET cancelled = true WHERE tenant_id = $1 AND connection_id = $2 AND reference = $3",
        tx.tenant_id, connection_id, reference,
    )  # fmt: skip
    return touched > 0


async def requests(tx: Tx, connection_id: UUID, reference: str | None = None) -> list[dict[str, Any]]:
    """What was asked, oldest first: request_id, reference, cancelled and the body's members."""
    rows = await tx.fetch(
        "SELECT id, reference, body, cancelled FROM stand_in_requests WHERE tenant_id = $1 AND connection_id = $2"
        " AND ($3::text IS NULL OR reference = $3) ORDER BY id",
        tx.tenant_id, connection_id, reference,
    )  # fmt: skip
    return [
        {**msgspec.json.decode(row["body"]), "request_id": str(row["id"]), "reference": row["reference"],
         "cancelled": row["cancelled"]}
        for row in rows
    ]  # fmt: skip


async def keep_decision(tx: Tx, connection_id: UUID, body: dict[str, Any], decided_at: datetime) -> None:
    """Write a decision down; one with this id replaces what it said."""
    await tx.execute(
        "INSERT INTO stand_in_decisions (tenant_id, id, connection_id, decision_id, body, decided_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, connection_id, decision_id)"
        " DO UPDATE SET body = excluded.body, decided_at = excluded.decided_at",
        tx.tenant_id, new_id(), connection_id, body["decision_id"], json_bytes(body).decode(), decided_at,
    )  # fmt: skip


async def decisions(tx: Tx, connection_id: UUID) -> list[dict[str, Any]]:
    """Every decision, oldest first."""
    rows = await tx.fetch(
        "SELECT body FROM stand_in_decisions WHERE tenant_id = $1 AND connection_id = $2 ORDER BY decided_at, id",
        tx.tenant_id, connection_id,
    )  # fmt: skip
    return [msgspec.json.decode(row["body"]) for row in rows]


async def keep_grade(tx: Tx, connection_id: UUID, buyer_reference: str, grade: str) -> None:
    """Grade a buyer."""
    await tx.execute(
        "INSERT INTO stand_in_grades (tenant_id, connection_id, buyer_reference, grade) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (tenant_id, connection_id, buyer_reference) DO UPDATE SET grade = excluded.grade",
        tx.tenant_id, connection_id, buyer_reference, grade,
    )  # fmt: skip


async def grades(tx: Tx, connection_id: UUID) -> list[dict[str, str]]:
    """Every buyer's grade."""
    rows = await tx.fetch(
        "SELECT buyer_reference, grade FROM stand_in_grades WHERE tenant_id = $1 AND connection_id = $2"
        " ORDER BY buyer_reference",
        tx.tenant_id, connection_id,
    )  # fmt: skip
    return [
        {"buyer_reference": row["buyer_reference"], "grade": row["grade"], "scale": "1-10"} for row in rows
    ]
