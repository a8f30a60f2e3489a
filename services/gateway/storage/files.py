"""Files: their bytes once a tenant, by SHA-256, in chunks; their names as often as they were sent."""

from collections.abc import AsyncIterator
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx

COLUMNS = "id, sha256, name, media_type, size, created_at, version"
CHUNK = 1 << 20


async def find_same(tx: Tx, digest: bytes, name: str) -> Row | None:
    """A file with these bytes and this name."""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM files WHERE tenant_id = $1 AND sha256 = $2 AND name = $3 ORDER BY id LIMIT 1",
        tx.tenant_id, digest, name,
    )  # fmt: skip


async def insert(tx: Tx, digest: bytes, name: str, media_type: str, body: bytes) -> Row:
    """Keep a file."""
    await tx.executemany(
        "INSERT INTO file_chunks (tenant_id, sha256, number, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [
            (tx.tenant_id, digest, number, body[start : start + CHUNK])
            for number, start in enumerate(range(0, len(body), CHUNK))
        ],
    )
    row = await tx.fetchrow(
        "INSERT INTO files (tenant_id, id, sha256, name, media_type, size, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1) RETURNING {COLUMNS}",
        tx.tenant_id, new_id(), digest, name, media_type, len(body), tx.now,
    )  # fmt: skip
    assert row is not None, "an insert without a conflict clause returns its row"
    return row


async def find(tx: Tx, identifier: UUID) -> Row | None:
    """A file without its bytes."""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM files WHERE tenant_id = $1 AND id = $2", tx.tenant_id, identifier
    )


async def chunks(tx: Tx, digest: bytes, size: int) -> AsyncIterator[bytes]:
    """The bytes of a file, a chunk at a time."""
    for number in range(-(-size // CHUNK)):
        yield await tx.fetchval(
            "SELECT body FROM file_chunks WHERE tenant_id = $1 AND sha256 = $2 AND number = $3",
            tx.tenant_id, digest, number,
        )  # fmt: skip
