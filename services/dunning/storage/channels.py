"""How a tenant's channels are set up, as rows."""

from typing import Any

from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

_COLUMNS = "channel, config, secret_sealed, created_at, updated_at, version"


async def get(tx: Tx, channel: str) -> Row | None:
    """A channel's set-up."""
    return await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM message_channels WHERE tenant_id = $1 AND channel = $2",
        tx.tenant_id,
        channel,
    )


async def put(tx: Tx, channel: str, config: dict[str, Any], sealed: str | None) -> Row:
    """Set a channel up; without a new secret the old one stays."""
    row = await tx.fetchrow(
        "INSERT INTO message_channels (tenant_id, channel, config, secret_sealed, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $5, 1) ON CONFLICT (tenant_id, channel) DO UPDATE SET config = excluded.config,"
        " secret_sealed = coalesce(excluded.secret_sealed, message_channels.secret_sealed), updated_at = excluded.updated_at,"
        f" version = message_channels.version + 1 RETURNING {_COLUMNS}",
        tx.tenant_id, channel, json_bytes(config).decode(), sealed, tx.now,
    )  # fmt: skip
    assert row is not None
    return row


async def remove(tx: Tx, channel: str) -> bool:
    """Take a channel's set-up away; whether there was one."""
    return bool(
        await tx.execute(
            "DELETE FROM message_channels WHERE tenant_id = $1 AND channel = $2", tx.tenant_id, channel
        )
    )
