"""The present state behind risk's events, for a consumer that rebuilds."""

from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.risk.storage import company_risk, monitorings
from services.risk.usecases.canonical import data_state, legal_state


async def provider_data(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """What providers say, a subject a company."""
    return [
        Subject(row["company_id"], row["version"], data_state(_choice(row)))
        for row in await company_risk.states(tx, after, limit)
    ]


async def legal_statuses(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """Legal statuses, a subject a company."""
    return [
        Subject(row["company_id"], row["version"], legal_state(_choice(row)))
        for row in await company_risk.states(tx, after, limit)
    ]


async def monitored(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """Memberships."""
    names = ("company_id", "provider", "state")
    return [
        Subject(
            row["id"],
            row["version"],
            {**{name: row[name] for name in names}, "provider_connection_id": row["connection_id"]},
        )
        for row in await monitorings.states(tx, after, limit)
    ]


def _choice(row: Row) -> dict[str, Any]:
    return {**dict(row), "values": msgspec.json.decode(row["values"])}
