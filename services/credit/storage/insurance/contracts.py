"""Connections to insurers, brokers, policies and their versions as rows."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Database, Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.credit.domain.insurance.policy_terms import Terms
from services.credit.storage.insurance.rows import columns, json_text

_BY_NAME = (SortKey("name", "text"), SortKey("id", "uuid"))


async def tenant_of_connection(db: Database, connection_id: UUID) -> UUID | None:
    """Whose a connection is: a webhook names no tenant. Read over all tenants, and nothing but this."""
    async with db.system() as connection:
        found: UUID | None = await connection.fetchval(
            "SELECT tenant_id FROM insurer_connections WHERE id = $1 AND active", connection_id
        )
    return found


async def page_by_name(tx: Tx, table: str, cursor: str | None, limit: int) -> list[Row]:
    """A page of connections, brokers or policies by name."""
    statement = Statement()
    statement.where("tenant_id = {}", tx.tenant_id)
    order = keyset(statement, _BY_NAME, cursor)
    return await tx.fetch(
        f"SELECT {columns(table)}, {cursor_columns(_BY_NAME)} FROM {table} {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def active_connections(tx: Tx) -> list[Row]:
    """Connections that are in use."""
    return await tx.fetch(
        f"SELECT {columns('insurer_connections')} FROM insurer_connections WHERE tenant_id = $1 AND active ORDER BY id",
        tx.tenant_id,
    )


async def policies_of(tx: Tx, connection_id: UUID) -> list[Row]:
    """The policies behind a connection."""
    return await tx.fetch(
        f"SELECT {columns('insurance_policies')} FROM insurance_policies WHERE tenant_id = $1 AND connection_id = $2"
        " ORDER BY id",
        tx.tenant_id, connection_id,
    )  # fmt: skip


async def policies(tx: Tx, ids: Sequence[UUID] | None = None) -> dict[UUID, Row]:
    """Policies by id; None is all of them."""
    rows = await tx.fetch(
        f"SELECT {columns('insurance_policies')} FROM insurance_policies"
        " WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2))",
        tx.tenant_id, list(ids) if ids is not None else None,
    )  # fmt: skip
    return {row["id"]: row for row in rows}


async def add_version(
    tx: Tx, policy_id: UUID, effective_from: date, terms: Terms, comment: str | None, author_id: UUID | None
) -> Row:
    """A new version of a policy, numbered after the last. The caller holds the policy's lock."""
    row = await tx.fetchrow(
        "INSERT INTO policy_versions (tenant_id, policy_id, number, effective_from, terms, comment, author_id, recorded_at)"
        " SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7 FROM policy_versions"
        f" WHERE tenant_id = $1 AND policy_id = $2 RETURNING {columns('policy_versions')}",
        tx.tenant_id, policy_id, effective_from, json_text(terms.model_dump(mode="json")), comment, author_id, tx.now,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    return row


async def versions_of(tx: Tx, policy_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The versions of each policy; of two that begin on one day the later written one comes last."""
    rows = await tx.fetch(
        f"SELECT {columns('policy_versions')} FROM policy_versions WHERE tenant_id = $1 AND policy_id = ANY($2)"
        " ORDER BY policy_id, effective_from, number",
        tx.tenant_id, list(policy_ids),
    )  # fmt: skip
    found: dict[UUID, list[Row]] = {identifier: [] for identifier in policy_ids}
    for row in rows:
        found[row["policy_id"]].append(row)
    return found


def terms_of(row: Row) -> Terms:
    """The terms of a version."""
    return Terms.model_validate(msgspec.json.decode(row["terms"]))


def secrets_of(row: Row) -> list[str]:
    """The sealed webhook secrets of a connection, newest first."""
    sealed: list[str] = msgspec.json.decode(row["webhook_secrets_sealed"])
    return sealed


def object_of(text: str | None) -> Any:
    """A jsonb column's value."""
    return None if text is None else msgspec.json.decode(text)


async def connections(tx: Tx) -> list[Row]:
    """Every connection, in use or not."""
    return await tx.fetch(
        f"SELECT {columns('insurer_connections')} FROM insurer_connections WHERE tenant_id = $1 ORDER BY id",
        tx.tenant_id,
    )


async def page_of_versions(tx: Tx, policy_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A page of a policy's versions, in the order they were written."""
    keys = [SortKey("number", "integer")]
    statement = Statement()
    statement.where("tenant_id = {} AND policy_id = {}", tx.tenant_id, policy_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {columns('policy_versions')}, {cursor_columns(keys)} FROM policy_versions {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
