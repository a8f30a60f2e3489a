"""Credit checks and the exposure they reserve, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes

CHECK_COLUMNS = (
    "id, company_id, customer_id, amount, currency, expected_date, checkpoint, order_external_id, decision, rules, evidence,"
    " waived, ttl, reservation_id, released_by, released_at, released_until, release_comment, created_at, updated_at, version"
)
RESERVATION_COLUMNS = (
    "id, company_id, check_id, order_external_id, amount, currency, state, expires_at, ended_at, created_at, updated_at,"
    " version"
)
_VALUES = (
    "company_id", "customer_id", "amount", "currency", "expected_date", "checkpoint", "order_external_id", "decision",
    "rules", "evidence", "waived", "ttl", "reservation_id",
)  # fmt: skip
#: An order that is in the order book already counts there: only what its reservation holds beyond that is added.
_RESERVED = """
    SELECT r.currency, sum(greatest(0, r.amount - coalesce(o.remaining, 0)))::bigint AS amount
      FROM credit_reservations r
      LEFT JOIN LATERAL (
            SELECT sum(remaining) AS remaining FROM open_orders o
             WHERE o.tenant_id = r.tenant_id AND o.company_id = r.company_id AND o.external_id = r.order_external_id
               AND o.currency = r.currency) o ON true
     WHERE r.tenant_id = $1 AND r.company_id = $2 AND r.state = 'live' AND r.expires_at > $3
       AND ($4::text IS NULL OR r.order_external_id IS DISTINCT FROM $4)
     GROUP BY r.currency
"""
_ORDERED = """
    SELECT currency, sum(remaining)::bigint AS amount FROM open_orders
     WHERE tenant_id = $1 AND company_id = $2 AND external_id = $3 GROUP BY currency
"""
#: What somebody let pass for this order (or, where an order has no key, for this company), up to the amount they saw.
_WAIVED = """
    SELECT rule->>'code' AS code
      FROM credit_checks c CROSS JOIN LATERAL jsonb_array_elements(c.rules) AS rule
     WHERE c.tenant_id = $1 AND c.company_id = $2 AND c.released_until >= $3
       AND c.order_external_id IS NOT DISTINCT FROM $4 AND c.currency = $5 AND c.amount >= $6
       AND NOT (rule->>'passed')::boolean
"""


@dataclass(frozen=True, slots=True)
class CheckFilter:
    """Which checks; None is every one."""

    company_id: UUID | None
    decisions: Sequence[str] | None
    order_external_id: str | None
    perimeter: Sequence[UUID] | None


async def lock_company(tx: Tx, company_id: UUID) -> None:
    """Let nobody else check the same company until this transaction ends: two orders must not see the same headroom."""
    await tx.fetchval(
        "SELECT true FROM companies WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
        tx.tenant_id,
        company_id,
    )


async def reserved(tx: Tx, company_id: UUID, but_order: str | None) -> dict[str, int]:
    """Live reservations of a company by currency, minor units, without those of an order."""
    rows = await tx.fetch(_RESERVED, tx.tenant_id, company_id, tx.now, but_order)
    return {row["currency"]: row["amount"] for row in rows}


async def in_order_book(tx: Tx, company_id: UUID, order_external_id: str) -> dict[str, int]:
    """What of an order stands in the order book already, by currency."""
    rows = await tx.fetch(_ORDERED, tx.tenant_id, company_id, order_external_id)
    return {row["currency"]: row["amount"] for row in rows}


async def waived_codes(
    tx: Tx, company_id: UUID, order_external_id: str | None, currency: str, amount: int
) -> set[str]:
    """Rules that a release lets pass today."""
    rows = await tx.fetch(_WAIVED, tx.tenant_id, company_id, tx.today, order_external_id, currency, amount)
    return {row["code"] for row in rows}


async def insert_check(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """Write a check down."""
    names = ", ".join(_VALUES)
    places = ", ".join(f"${number}" for number in range(4, 4 + len(_VALUES)))
    given = [
        json_bytes(values[name]).decode() if name in ("rules", "evidence") else values[name]
        for name in _VALUES
    ]
    row = await tx.fetchrow(
        f"INSERT INTO credit_checks (tenant_id, id, created_at, updated_at, version, {names})"
        f" VALUES ($1, $2, $3, $3, 1, {places}) RETURNING {CHECK_COLUMNS}",
        tx.tenant_id, identifier, tx.now, *given,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    return row


async def check(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A check."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {CHECK_COLUMNS} FROM credit_checks WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id,
        identifier,
    )


async def update_check(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """Set members of a check."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE credit_checks SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"
        f" RETURNING {CHECK_COLUMNS}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the check was locked before"
    return row


async def insert_reservation(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """Hold exposure until an instant."""
    row = await tx.fetchrow(
        "INSERT INTO credit_reservations (tenant_id, id, company_id, check_id, order_external_id, amount, currency, state,"
        " expires_at, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 'live', $8, $9, $9, 1)"
        f" RETURNING {RESERVATION_COLUMNS}",
        tx.tenant_id, identifier, values["company_id"], values["check_id"], values["order_external_id"], values["amount"],
        values["currency"], values["expires_at"], tx.now,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    return row


async def reservation(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A reservation."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {RESERVATION_COLUMNS} FROM credit_reservations WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id, identifier,
    )  # fmt: skip


async def reservations_by_id(tx: Tx, identifiers: Sequence[UUID]) -> list[Row]:
    """Some reservations."""
    return await tx.fetch(
        f"SELECT {RESERVATION_COLUMNS} FROM credit_reservations WHERE tenant_id = $1 AND id = ANY($2)",
        tx.tenant_id, list(identifiers),
    )  # fmt: skip


async def end_reservation(tx: Tx, identifier: UUID, state: str) -> Row:
    """Consume or release a reservation."""
    row = await tx.fetchrow(
        "UPDATE credit_reservations SET state = $3, ended_at = $4, updated_at = $4, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {RESERVATION_COLUMNS}",
        tx.tenant_id, identifier, state, tx.now,
    )  # fmt: skip
    assert row is not None, "the reservation was locked before"
    return row


async def release_order(tx: Tx, company_id: UUID, order_external_id: str) -> None:
    """End what an order held before: a new reservation takes its place."""
    await tx.execute(
        "UPDATE credit_reservations SET state = 'released', ended_at = $4, updated_at = $4, version = version + 1"
        " WHERE tenant_id = $1 AND company_id = $2 AND order_external_id = $3 AND state = 'live'",
        tx.tenant_id, company_id, order_external_id, tx.now,
    )  # fmt: skip


async def end_overdue(tx: Tx, now: datetime) -> None:
    """Write down that reservations have run out; they stopped counting at their instant."""
    await tx.execute(
        "UPDATE credit_reservations SET state = 'expired', ended_at = expires_at, updated_at = $2, version = version + 1"
        " WHERE tenant_id = $1 AND state = 'live' AND expires_at <= $2",
        tx.tenant_id, now,
    )  # fmt: skip


async def checks(tx: Tx, wanted: CheckFilter, cursor: str | None, limit: int) -> list[Row]:
    """Checks, newest first."""
    statement = Statement()
    statement.where("k.tenant_id = {}", tx.tenant_id)
    if wanted.decisions:
        statement.where("k.decision = ANY({})", list(wanted.decisions))
    if wanted.order_external_id is not None:
        statement.where("k.order_external_id = {}", wanted.order_external_id)
    return await _listed(tx, "credit_checks", CHECK_COLUMNS, statement, wanted, cursor, limit)


async def reservations(
    tx: Tx, wanted: CheckFilter, states: Sequence[str] | None, cursor: str | None, limit: int
) -> list[Row]:
    """Reservations, newest first; one whose time has run out is `expired`."""
    statement = Statement()
    statement.where("k.tenant_id = {}", tx.tenant_id)
    if states:
        present = (
            "CASE WHEN k.state = 'live' AND k.expires_at <= {} THEN 'expired' ELSE k.state END = ANY({})"
        )
        statement.where(present, tx.now, list(states))
    if wanted.order_external_id is not None:
        statement.where("k.order_external_id = {}", wanted.order_external_id)
    return await _listed(tx, "credit_reservations", RESERVATION_COLUMNS, statement, wanted, cursor, limit)


async def _listed(
    tx: Tx,
    table: str,
    columns: str,
    statement: Statement,
    wanted: CheckFilter,
    cursor: str | None,
    limit: int,
) -> list[Row]:
    keys = [SortKey("k.created_at", "timestamptz", descending=True), SortKey("k.id", "uuid", descending=True)]
    if wanted.company_id is not None:
        statement.where("k.company_id = {}", wanted.company_id)
    if wanted.perimeter is not None:
        statement.where(
            "EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = k.tenant_id AND u.company_id = k.company_id"
            " AND u.business_unit_id = ANY({}))",
            list(wanted.perimeter),
        )
    order = keyset(statement, keys, cursor)
    names = ", ".join(f"k.{name.strip()}" for name in columns.split(","))
    return await tx.fetch(
        f"SELECT {names}, {cursor_columns(keys)} FROM {table} k {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )
