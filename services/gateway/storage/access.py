"""Tenants, business units, users and keys as rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

TENANT_COLUMNS = "tenant_id, name, status, time_zone, currency, sandbox, frozen_at, settings, version"
UNIT_COLUMNS = "id, code, name, main, created_at, updated_at, version"
USER_COLUMNS = "id, name, email, roles, perimeter, external_subject, active, created_at, updated_at, version"
KEY_COLUMNS = "id, name, scopes, user_id, expires_at, revoked_at, created_at, updated_at, version"

_KEY_HOLDER = """
    SELECT k.digest, k.scopes, k.expires_at, k.revoked_at, k.user_id,
           u.roles, u.perimeter, u.active AS user_active,
           t.name, t.status, t.time_zone, t.currency, t.sandbox, t.frozen_at,
           (SELECT id FROM business_units b WHERE b.tenant_id = k.tenant_id AND b.main) AS main_business_unit_id
      FROM api_keys k
      JOIN tenants t ON t.tenant_id = k.tenant_id
      LEFT JOIN users u ON u.tenant_id = k.tenant_id AND u.id = k.user_id
     WHERE k.tenant_id = $1 AND k.id = $2
"""

_PERSON = """
    SELECT u.id AS user_id, u.roles, u.perimeter,
           t.name, t.status, t.time_zone, t.currency, t.sandbox, t.frozen_at,
           (SELECT id FROM business_units b WHERE b.tenant_id = t.tenant_id AND b.main) AS main_business_unit_id
      FROM tenants t
      JOIN users u ON u.tenant_id = t.tenant_id AND u.external_subject = $2 AND u.active
     WHERE t.tenant_id = $1 AND t.status = 'active'
"""

_ORIGINS = """
    SELECT tenant_id, array(SELECT jsonb_array_elements_text(settings -> 'cors_origins')) AS origins FROM tenants
     WHERE status = 'active' AND jsonb_typeof(settings -> 'cors_origins') = 'array'
"""


async def insert_tenant(tx: Tx, name: str, time_zone: str, currency: str, frozen_at: datetime | None) -> None:
    """Write a tenant's row; sandbox tenants have a frozen clock."""
    await tx.execute(
        "INSERT INTO tenants (tenant_id, name, status, time_zone, currency, sandbox, frozen_at, settings, version)"
        " VALUES ($1, $2, 'active', $3, $4, $5, $6, '{}', 1)",
        tx.tenant_id, name, time_zone, currency, frozen_at is not None, frozen_at,
    )  # fmt: skip


async def tenant(tx: Tx, *, lock: bool = False) -> Row | None:
    """The transaction's tenant."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(f"SELECT {TENANT_COLUMNS} FROM tenants WHERE tenant_id = $1{tail}", tx.tenant_id)


async def update_tenant(tx: Tx, **values: Any) -> Row:
    """Set columns of the transaction's tenant, raise its version, return the row."""
    names = list(values)
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, start=2))
    row = await tx.fetchrow(
        f"UPDATE tenants SET {sets}, version = version + 1 WHERE tenant_id = $1 RETURNING {TENANT_COLUMNS}",
        tx.tenant_id, *values.values(),
    )  # fmt: skip
    assert row is not None, "the tenant of a transaction exists"
    return row


def tenant_state(row: Row) -> dict[str, Any]:
    """The state `tenant.changed` carries."""
    names = ("name", "status", "time_zone", "currency", "sandbox", "frozen_at")
    return {**{name: row[name] for name in names}, "settings": msgspec.json.decode(row["settings"])}


async def insert_unit(tx: Tx, identifier: UUID, code: str, name: str, *, main: bool) -> Row | None:
    """A business unit; None when the code is taken."""
    return await tx.fetchrow(
        "INSERT INTO business_units (tenant_id, id, code, name, main, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $6, 1) ON CONFLICT DO NOTHING RETURNING {UNIT_COLUMNS}",
        tx.tenant_id, identifier, code, name, main, tx.now,
    )  # fmt: skip


async def units(tx: Tx, perimeter: Sequence[UUID] | None, cursor: str | None, limit: int) -> list[Row]:
    """The business units a caller may see, by code; one more than `limit` when there is another page."""
    keys = [SortKey("code", "text")]
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    if perimeter is not None:
        statement.where("id = ANY({})", list(perimeter))
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {UNIT_COLUMNS}, {cursor_columns(keys)} FROM business_units {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )


async def unit_by_code(tx: Tx, code: str) -> Row | None:
    """A business unit by the caller's code."""
    return await tx.fetchrow(
        f"SELECT {UNIT_COLUMNS} FROM business_units WHERE tenant_id = $1 AND code = $2", tx.tenant_id, code
    )


async def unit(tx: Tx, identifier: UUID) -> Row | None:
    """A business unit."""
    return await tx.fetchrow(
        f"SELECT {UNIT_COLUMNS} FROM business_units WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        identifier,
    )


async def rename_unit(tx: Tx, identifier: UUID, name: str) -> Row:
    """Give a business unit another name."""
    row = await tx.fetchrow(
        "UPDATE business_units SET name = $3, updated_at = $4, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {UNIT_COLUMNS}",
        tx.tenant_id, identifier, name, tx.now,
    )  # fmt: skip
    assert row is not None, "the unit was read before"
    return row


async def known_units(tx: Tx, identifiers: Sequence[UUID]) -> set[UUID]:
    """Which of these business units exist."""
    rows = await tx.fetch(
        "SELECT id FROM business_units WHERE tenant_id = $1 AND id = ANY($2)", tx.tenant_id, identifiers
    )
    return {row["id"] for row in rows}


async def insert_user(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row | None:
    """A user; None when the e-mail address or the external subject is taken."""
    return await tx.fetchrow(
        "INSERT INTO users (tenant_id, id, name, email, roles, perimeter, external_subject, active,"
        " created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $8, 1)"
        f" ON CONFLICT DO NOTHING RETURNING {USER_COLUMNS}",
        tx.tenant_id, identifier, values["name"], values["email"], values["roles"], values["perimeter"],
        values["external_subject"], tx.now,
    )  # fmt: skip


async def user(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A user."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = $1 AND id = $2{tail}", tx.tenant_id, identifier
    )


async def user_by_subject(tx: Tx, subject: str) -> Row | None:
    """A user by the `sub` of the tenant's identity provider."""
    return await tx.fetchrow(
        f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = $1 AND external_subject = $2",
        tx.tenant_id,
        subject,
    )


async def update_user(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """Set members of a user."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE users SET {sets}, updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {USER_COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the user was read before"
    return row


async def insert_key(
    tx: Tx, identifier: UUID, name: str, digest: bytes, scopes: Sequence[str], user_id: UUID | None,
    expires_at: datetime | None,
) -> Row:  # fmt: skip
    """A key, by the digest of its text."""
    row = await tx.fetchrow(
        "INSERT INTO api_keys (tenant_id, id, name, digest, scopes, user_id, expires_at, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1) RETURNING {KEY_COLUMNS}",
        tx.tenant_id, identifier, name, digest, list(scopes), user_id, expires_at, tx.now,
    )  # fmt: skip
    assert row is not None, "an insert without a conflict clause returns its row"
    return row


async def key(tx: Tx, identifier: UUID) -> Row | None:
    """A key without its digest."""
    return await tx.fetchrow(
        f"SELECT {KEY_COLUMNS} FROM api_keys WHERE tenant_id = $1 AND id = $2", tx.tenant_id, identifier
    )


async def revoke_key(tx: Tx, identifier: UUID) -> bool:
    """End a key; False when there is none that is alive."""
    return bool(
        await tx.execute(
            "UPDATE api_keys SET revoked_at = $3, updated_at = $3, version = version + 1"
            " WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tx.tenant_id, identifier, tx.now,
        )
    )  # fmt: skip


async def listed_origins(connection: Any) -> list[tuple[UUID, list[str]]]:
    """(tenant, CORS origins) of every active tenant that has listed some."""
    rows = await connection.fetch(_ORIGINS)
    return [(row["tenant_id"], row["origins"]) for row in rows]


async def claim_directory(tx: Tx, kind: str, token_hash: bytes | None) -> bool:
    """Let a hash (and nothing else of this kind) lead to the transaction's tenant, or nothing at all (None). False when it
    leads to another tenant. The table has no tenant of its own, hence no row-level security: its owner is asked for here."""
    await tx.execute("DELETE FROM directory WHERE owner_tenant_id = $1 AND kind = $2", tx.tenant_id, kind)
    if token_hash is None:
        return True
    return bool(
        await tx.execute(
            "INSERT INTO directory (token_hash, owner_tenant_id, kind, object_id) VALUES ($1, $2, $3, $2)"
            " ON CONFLICT DO NOTHING",
            token_hash, tx.tenant_id, kind,
        )
    )  # fmt: skip


async def tenant_in_directory(connection: Any, kind: str, hashes: Sequence[bytes]) -> UUID | None:
    """The tenant that one of these hashes leads to."""
    found: UUID | None = await connection.fetchval(
        "SELECT owner_tenant_id FROM directory WHERE token_hash = ANY($1) AND kind = $2 ORDER BY token_hash LIMIT 1",
        list(hashes),
        kind,
    )
    return found


async def person(tx: Tx, subject: str) -> Row | None:
    """Everything needed to decide whether a person of the tenant's own identity provider may enter, in one statement."""
    return await tx.fetchrow(_PERSON, tx.tenant_id, subject)


async def key_holder(tx: Tx, key_id: UUID) -> Row | None:
    """Everything needed to decide whether a key holds and what it may do, in one statement."""
    return await tx.fetchrow(_KEY_HOLDER, tx.tenant_id, key_id)
