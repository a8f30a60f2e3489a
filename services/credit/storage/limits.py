"""Limits, their requests and their history as rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

REQUEST_COLUMNS = (
    "id, company_id, amount, currency, valid_until, temporary, reason, documents, state, requested_by, previous_amount,"
    " previous_currency, unsecured_amount, exposure_at_request, route, expires_at, decided_at, created_at, updated_at, version"
)
LIMIT_COLUMNS = (
    "company_id, state, amount, currency, valid_from, valid_until, request_id, pending_request_id, needs_review, reason,"
    " created_at, updated_at, version"
)
_UPSERT_LIMIT = f"""
    INSERT INTO limits (tenant_id, company_id, state, amount, currency, valid_from, valid_until, request_id,
                        pending_request_id, needs_review, reason, created_at, updated_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 1)
    ON CONFLICT (tenant_id, company_id) DO UPDATE SET
        state = excluded.state, amount = excluded.amount, currency = excluded.currency, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, request_id = excluded.request_id,
        pending_request_id = excluded.pending_request_id, needs_review = excluded.needs_review, reason = excluded.reason,
        updated_at = excluded.updated_at, version = limits.version + 1
    RETURNING {LIMIT_COLUMNS}
"""


async def policy(tx: Tx, *, lock: bool = False) -> Row | None:
    """The tenant's approval policy; None before it was ever set."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT policy, created_at, updated_at, version FROM approval_policies WHERE tenant_id = $1{tail}",
        tx.tenant_id,
    )


async def keep_policy(tx: Tx, value: dict[str, Any]) -> Row:
    """Set the approval policy."""
    row = await tx.fetchrow(
        "INSERT INTO approval_policies (tenant_id, policy, created_at, updated_at, version) VALUES ($1, $2, $3, $3, 1)"
        " ON CONFLICT (tenant_id) DO UPDATE SET policy = excluded.policy, updated_at = excluded.updated_at,"
        " version = approval_policies.version + 1 RETURNING policy, created_at, updated_at, version",
        tx.tenant_id, json_bytes(value).decode(), tx.now,
    )  # fmt: skip
    assert row is not None, "an upsert returns its row"
    return row


async def limit(tx: Tx, company_id: UUID, *, lock: bool = False) -> Row | None:
    """The limit of a company, as decided; None where nothing was ever asked."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {LIMIT_COLUMNS} FROM limits WHERE tenant_id = $1 AND company_id = $2{tail}",
        tx.tenant_id,
        company_id,
    )


async def keep_limit(tx: Tx, company_id: UUID, values: dict[str, Any]) -> Row:
    """Write a company's limit; `values` holds every column but the keys and stamps."""
    row = await tx.fetchrow(
        _UPSERT_LIMIT, tx.tenant_id, company_id, values["state"], values["amount"], values["currency"],
        values["valid_from"], values["valid_until"], values["request_id"], values["pending_request_id"],
        values["needs_review"], values["reason"], tx.now,
    )  # fmt: skip
    assert row is not None, "an upsert returns its row"
    return row


async def add_history(
    tx: Tx,
    company_id: UUID,
    event: str,
    row: Row,
    *,
    user_id: UUID | None,
    comment: str | None,
    request_id: UUID | None,
) -> None:
    """Append what happened to a limit; nothing is ever changed or taken away here."""
    await tx.execute(
        "INSERT INTO limit_history (tenant_id, company_id, id, event, state, amount, currency, valid_from, valid_until,"
        " request_id, user_id, comment, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        tx.tenant_id, company_id, new_id(), event, row["state"], row["amount"], row["currency"], row["valid_from"],
        row["valid_until"], request_id, user_id, comment, tx.now,
    )  # fmt: skip


async def request(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A limit request."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {REQUEST_COLUMNS} FROM limit_requests WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id,
        identifier,
    )


async def insert_request(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row | None:
    """A new request; None while the company has another one pending."""
    return await tx.fetchrow(
        "INSERT INTO limit_requests (tenant_id, id, company_id, amount, currency, valid_until, temporary, reason,"
        " documents, state, requested_by, previous_amount, previous_currency, unsecured_amount, exposure_at_request,"
        " route, expires_at, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, $11, $12, $13, $14, $15, $16, $17, $17, 1)"
        f" ON CONFLICT DO NOTHING RETURNING {REQUEST_COLUMNS}",
        tx.tenant_id, identifier, values["company_id"], values["amount"], values["currency"], values["valid_until"],
        values["temporary"], values["reason"], _json(values["documents"]), values["requested_by"],
        values["previous_amount"], values["previous_currency"], values["unsecured_amount"],
        _json(values["exposure_at_request"]), _json(values["route"]), values["expires_at"], tx.now,
    )  # fmt: skip


async def update_request(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """Set members of a request."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE limit_requests SET {sets}, updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {REQUEST_COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the request was locked before"
    return row


async def pending_requests_due(tx: Tx, now: datetime) -> Sequence[UUID]:
    """Pending requests whose time has run out."""
    rows = await tx.fetch(
        "SELECT id FROM limit_requests WHERE tenant_id = $1 AND state = 'pending' AND expires_at <= $2 ORDER BY id",
        tx.tenant_id, now,
    )  # fmt: skip
    return [row["id"] for row in rows]


def route_of(row: Row) -> list[dict[str, Any]]:
    """The steps of a request's route, with the decisions taken."""
    steps: list[dict[str, Any]] = msgspec.json.decode(row["route"])
    return steps


def _json(value: Any) -> str:
    return json_bytes(value).decode()
