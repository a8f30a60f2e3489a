"""Which credit paid which debit, how much and since when."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes
from services.ledger.domain.allocation import AllocationPair
from services.ledger.domain.journal import Entry, EntryKind

_INSERT = """
    INSERT INTO allocations (tenant_id, id, credit_item_id, debit_item_id, amount, currency, allocated_on, created_at,
                             updated_at, version)
    SELECT $1, a.id, a.credit_item_id, a.debit_item_id, a.amount, a.currency, a.allocated_on, $2, $2, 1
      FROM jsonb_to_recordset($3::jsonb) AS a(id uuid, credit_item_id uuid, debit_item_id uuid, amount bigint,
                                              currency char(3), allocated_on date)
"""
_REVERSE = """
    UPDATE allocations a
       SET reversed_on = r.reversed_on, reversal_reason = $5, updated_at = $2, version = version + 1
      FROM unnest($3::uuid[], $4::date[]) AS r(id, reversed_on)
     WHERE a.tenant_id = $1 AND a.id = r.id
"""
_OF_ITEM = """
    SELECT a.id, a.credit_item_id, a.debit_item_id, a.amount, a.currency, a.allocated_on, a.reversed_on, a.reversal_reason,
           a.created_at, a.updated_at, credit.kind AS credit_kind, credit.number AS credit_number,
           credit.external_id AS credit_external_id, debit.number AS debit_number, debit.external_id AS debit_external_id
"""
_SIDES = """
      FROM allocations a
      JOIN items credit ON credit.tenant_id = a.tenant_id AND credit.id = a.credit_item_id
      JOIN items debit ON debit.tenant_id = a.tenant_id AND debit.id = a.debit_item_id
"""
_KEYS = [SortKey("a.id", "uuid")]
_LIVE = """
    SELECT id, credit_item_id, debit_item_id FROM allocations
     WHERE tenant_id = $1 AND credit_item_id = $2 AND ($3::uuid IS NULL OR id = $3) AND reversed_on IS NULL
"""
_PAIRS = """
    SELECT a.id AS allocation_id, e.item_id = a.credit_item_id AS of_credit, e.id, e.kind, e.amount, e.effective_on,
           e.recorded_at, e.reverses
      FROM allocations a
      JOIN entries e ON e.tenant_id = a.tenant_id AND e.item_id IN (a.credit_item_id, a.debit_item_id)
                    AND e.allocation_id = a.id AND e.kind = $3
     WHERE a.tenant_id = $1 AND a.id = ANY($2)
"""


async def insert(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Record allocations: id, credit_item_id, debit_item_id, amount (positive minor units), currency, allocated_on."""
    await tx.execute(_INSERT, tx.tenant_id, tx.now, json_bytes(rows).decode())


async def reverse(tx: Tx, reversals: Sequence[tuple[UUID, date]], reason: str | None) -> None:
    """Mark allocations as taken back, each from its day on."""
    ids, days = [each[0] for each in reversals], [each[1] for each in reversals]
    await tx.execute(_REVERSE, tx.tenant_id, tx.now, ids, days, reason)


async def of_item(tx: Tx, item_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A page of the allocations on either side of which an item stands, oldest first, those taken back too."""
    wanted = Statement()
    wanted.where("a.tenant_id = {}", tx.tenant_id)
    wanted.where("a.credit_item_id = {} OR a.debit_item_id = {}", item_id, item_id)
    order = keyset(wanted, _KEYS, cursor)
    statement = f"{_OF_ITEM}, {cursor_columns(_KEYS)} {_SIDES} {wanted.clause()} {order} LIMIT {limit + 1:d}"
    return await tx.fetch(statement, *wanted.params)


async def get(tx: Tx, credit_item_id: UUID, allocation_id: UUID) -> Row | None:
    """An allocation of a credit, whether it lives or was taken back."""
    return await tx.fetchrow(
        "SELECT id, debit_item_id FROM allocations WHERE tenant_id = $1 AND credit_item_id = $2 AND id = $3",
        tx.tenant_id, credit_item_id, allocation_id,
    )  # fmt: skip


async def live(tx: Tx, credit_item_id: UUID, allocation_id: UUID | None = None) -> list[Row]:
    """What a credit pays now (or one allocation of it): id, credit_item_id, debit_item_id."""
    return await tx.fetch(_LIVE, tx.tenant_id, credit_item_id, allocation_id)


async def pairs_of(tx: Tx, allocation_ids: Sequence[UUID]) -> dict[UUID, AllocationPair]:
    """The two `allocated` entries of each allocation."""
    sides: dict[UUID, dict[bool, Entry]] = {identifier: {} for identifier in allocation_ids}
    for row in await tx.fetch(_PAIRS, tx.tenant_id, list(allocation_ids), EntryKind.ALLOCATED.value):
        sides[row["allocation_id"]][row["of_credit"]] = Entry(
            id=row["id"],
            kind=EntryKind(row["kind"]),
            amount=row["amount"],
            effective_on=row["effective_on"],
            recorded_at=row["recorded_at"],
            reverses=row["reverses"],
        )
    return {identifier: AllocationPair(both[True], both[False]) for identifier, both in sides.items()}
