"""Subjects that a consumer could not apply: counted, parked after five failures, replayed by hand."""

from typing import Any
from uuid import UUID

import msgspec

from libs.kit import clock
from libs.kit.db import Tx
from libs.kit.metrics import FEED_PARKED
from libs.kit.service import Incoming

MAX_ATTEMPTS = 5

_RECORD = """
    INSERT INTO feed_failures (tenant_id, producer, event_type, subject_id, subject, attempts, parked, error, failed_at)
    VALUES ($1, $2, $3, $4, $5, 1, false, $6, $7)
    ON CONFLICT (tenant_id, producer, event_type, subject_id) DO UPDATE SET
        attempts = feed_failures.attempts + 1, parked = feed_failures.attempts + 1 >= $8, subject = excluded.subject,
        error = excluded.error, failed_at = excluded.failed_at
    RETURNING parked
"""


async def record(tx: Tx, producer: str, event_type: str, subject: Incoming, error: Exception) -> bool:
    """Count a failure; True when the subject is parked and the rest may go on."""
    body = msgspec.json.encode(subject).decode()
    parked: bool = await tx.fetchval(
        _RECORD,
        tx.tenant_id,
        producer,
        event_type,
        subject.id,
        body,
        repr(error)[:500],
        clock.wall(),
        MAX_ATTEMPTS,
    )
    if parked:
        FEED_PARKED.labels(producer, event_type).inc()
    return parked


async def clear(tx: Tx, producer: str) -> None:
    """Forget failures that were overcome; what is parked stays until it is replayed."""
    await tx.execute(
        "DELETE FROM feed_failures WHERE tenant_id = $1 AND producer = $2 AND NOT parked",
        tx.tenant_id,
        producer,
    )


async def parked(tx: Tx) -> list[dict[str, Any]]:
    """What stands parked, oldest first."""
    rows = await tx.fetch(
        "SELECT producer, event_type, subject_id, attempts, error, failed_at FROM feed_failures"
        " WHERE tenant_id = $1 AND parked ORDER BY failed_at, subject_id LIMIT 200",
        tx.tenant_id,
    )
    return [dict(row) for row in rows]


async def take_parked(tx: Tx) -> list[tuple[str, str, Incoming]]:
    """Producer, event type and subject of everything parked, oldest first, locked until the transaction ends."""
    rows = await tx.fetch(
        "SELECT producer, event_type, subject FROM feed_failures"
        " WHERE tenant_id = $1 AND parked ORDER BY failed_at, subject_id FOR UPDATE",
        tx.tenant_id,
    )
    return [
        (row["producer"], row["event_type"], msgspec.json.decode(row["subject"], type=Incoming))
        for row in rows
    ]


async def forget(tx: Tx, producer: str, event_type: str, subject_id: UUID) -> None:
    """A parked subject went well."""
    await tx.execute(
        "DELETE FROM feed_failures WHERE tenant_id = $1 AND producer = $2 AND event_type = $3 AND subject_id = $4",
        tx.tenant_id,
        producer,
        event_type,
        subject_id,
    )
