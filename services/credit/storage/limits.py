"""Limits, their requests and their history as rows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes

REQUEST_COLUMNS = (
    "id, company_id, amount, currency, valid_from, valid_until, temporary, reason, documents, state, requested_by,"
    " previous_amount, previous_currency, unsecured_amount, guarantees_considered, proposals, exposure_at_request, route,"
    " expires_at, decided_at, created_at, updated_at, version"
)
LIMIT_COLUMNS = (
    "company_id, state, amount, currency, valid_from, valid_until, request_id, pending_request_id, needs_review, reason,"
    " authorised_unsecured, unvalidated_since, hold_reason, hold_until, held_by, held_at, created_at, updated_at, version"
)
_REQUEST_VALUES = (
    "company_id", "amount", "currency", "valid_from", "valid_until", "temporary", "reason", "documents", "state",
    "requested_by", "previous_amount", "previous_currency", "unsecured_amount", "guarantees_considered", "proposals",
    "exposure_at_request", "route", "expires_at", "decided_at",
)  # fmt: skip
_JSON = frozenset({"documents", "guarantees_considered", "proposals", "exposure_at_request", "route"})
_NEW_LIMIT = """
    INSERT INTO limits (tenant_id, company_id, state, needs_review, created_at, updated_at, version)
    VALUES ($1, $2, 'none', false, $3, $3, 0) ON CONFLICT DO NOTHING
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


async def limits_of(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """The limits of some companies; those without one are not named."""
    return await tx.fetch(
        f"SELECT {LIMIT_COLUMNS} FROM limits WHERE tenant_id = $1 AND company_id = ANY($2) ORDER BY company_id",
        tx.tenant_id, list(companies),
    )  # fmt: skip


async def lock_limits(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """The limits of some companies, locked in order of company."""
    return await tx.fetch(
        f"SELECT {LIMIT_COLUMNS} FROM limits WHERE tenant_id = $1 AND company_id = ANY($2) ORDER BY company_id FOR UPDATE",
        tx.tenant_id, list(companies),
    )  # fmt: skip


async def change_limit(tx: Tx, company_id: UUID, **changes: Any) -> Row:
    """Set members of a company's limit, which begins to exist with the first."""
    await tx.execute(_NEW_LIMIT, tx.tenant_id, company_id, tx.now)
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(changes, start=4))
    row = await tx.fetchrow(
        f"UPDATE limits SET {sets}updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND company_id = $2 RETURNING {LIMIT_COLUMNS}",
        tx.tenant_id, company_id, tx.now, *changes.values(),
    )  # fmt: skip
    assert row is not None, "it was made a moment ago"
    return row


async def companies_ending_between(tx: Tx, first: date, last: date) -> list[UUID]:
    """Companies whose limit or hold had its last day the day before a day between the two."""
    rows = await tx.fetch(
        "SELECT company_id FROM limits WHERE tenant_id = $1"
        " AND ((state = 'approved' AND valid_until + 1 BETWEEN $2 AND $3)"
        "   OR (hold_reason IS NOT NULL AND hold_until + 1 BETWEEN $2 AND $3)) ORDER BY company_id",
        tx.tenant_id, first, last,
    )  # fmt: skip
    return [row["company_id"] for row in rows]


async def companies_released_on(tx: Tx, first: date, last: date) -> list[UUID]:
    """Companies whose hold had its last day the day before a day between the two."""
    rows = await tx.fetch(
        "SELECT company_id FROM limits WHERE tenant_id = $1 AND hold_reason IS NOT NULL AND hold_until + 1 BETWEEN $2 AND $3",
        tx.tenant_id, first, last,
    )  # fmt: skip
    return [row["company_id"] for row in rows]


async def with_amount(tx: Tx) -> list[UUID]:
    """Every company with a limit that was approved once."""
    rows = await tx.fetch(
        "SELECT company_id FROM limits WHERE tenant_id = $1 AND amount IS NOT NULL ORDER BY company_id",
        tx.tenant_id,
    )
    return [row["company_id"] for row in rows]


async def touch_limits(tx: Tx, companies: Sequence[UUID]) -> None:
    """Give limits a new version: the day changed what they are worth."""
    await tx.execute(
        "UPDATE limits SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND company_id = ANY($2)",
        tx.tenant_id, list(companies), tx.now,
    )  # fmt: skip


async def add_history(
    tx: Tx,
    company_id: UUID,
    event: str,
    row: Mapping[str, Any] | Row,
    *,
    user_id: UUID | None,
    comment: str | None,
    request_id: UUID | None,
    state: str | None = None,
) -> None:
    """Append what happened to a limit; nothing is ever changed or taken away here. `state` where the row does not say it."""
    await tx.execute(
        "INSERT INTO limit_history (tenant_id, company_id, id, event, state, amount, currency, valid_from, valid_until,"
        " request_id, user_id, comment, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        tx.tenant_id, company_id, new_id(), event, state or row["state"], row["amount"], row["currency"], row["valid_from"],
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
    names = ", ".join(_REQUEST_VALUES)
    places = ", ".join(f"${number}" for number in range(4, 4 + len(_REQUEST_VALUES)))
    given = [_json(values[name]) if name in _JSON else values[name] for name in _REQUEST_VALUES]
    return await tx.fetchrow(
        f"INSERT INTO limit_requests (tenant_id, id, created_at, updated_at, version, {names})"
        f" VALUES ($1, $2, $3, $3, 1, {places}) ON CONFLICT DO NOTHING RETURNING {REQUEST_COLUMNS}",
        tx.tenant_id, identifier, tx.now, *given,
    )  # fmt: skip


async def update_request(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """Set members of a request."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    given = [_json(value) if name in _JSON else value for name, value in values.items()]
    row = await tx.fetchrow(
        f"UPDATE limit_requests SET {sets}, updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {REQUEST_COLUMNS}",
        tx.tenant_id, identifier, tx.now, *given,
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


async def pending_of(tx: Tx, companies: Sequence[UUID]) -> list[Row]:
    """The pending requests of some companies, locked."""
    return await tx.fetch(
        f"SELECT {REQUEST_COLUMNS} FROM limit_requests WHERE tenant_id = $1 AND company_id = ANY($2) AND state = 'pending'"
        " ORDER BY id FOR UPDATE",
        tx.tenant_id, list(companies),
    )  # fmt: skip


def route_of(row: Row) -> list[dict[str, Any]]:
    """The steps of a request's route, with the decisions taken."""
    steps: list[dict[str, Any]] = msgspec.json.decode(row["route"])
    return steps


def _json(value: Any) -> str:
    return json_bytes(value).decode()
