"""Where items stand: their status, who resolves them, and what holds them out of the scenario."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.dunning.domain.promise import GRACE_DAYS

COLUMNS = (
    "item_id, customer_id, status_code, category, status_on, date, follow_up_on, amount, comment, resolution_owner_id,"
    " excluded_by, excluded_until, updated_at, version"
)
_TOLD = ("status_code", "category", "follow_up_on", "resolution_owner_id", "comment", "excluded_by")
#: What holds an item out, the strongest reason first. A specific action that is only proposed holds nothing.
_HOLDS = f"""
    SELECT unnest(item_ids) AS item_id, customer_id, 'dispute' AS code, NULL::date AS until, 1 AS rank
      FROM disputes WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = 'open'
    UNION ALL
    SELECT item_id, customer_id, 'litigation', NULL, 2
      FROM situations WHERE tenant_id = $1 AND customer_id = ANY($2) AND category = 'litigation'
    UNION ALL
    SELECT unnest(item_ids), customer_id, 'handed_over', NULL, 3
      FROM hand_overs WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = 'open'
    UNION ALL
    SELECT unnest(item_ids), customer_id, 'payment_plan', NULL, 4
      FROM payment_plans WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = 'open'
    UNION ALL
    SELECT unnest(item_ids), customer_id, 'promise', promised_on + {GRACE_DAYS}, 5
      FROM promises WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = 'open' AND plan_id IS NULL
    UNION ALL
    SELECT unnest(item_ids), customer_id, 'specific_action', NULL, 6
      FROM actions WHERE tenant_id = $1 AND customer_id = ANY($2) AND kind = 'specific_action'
       AND state IN ('to_confirm', 'due', 'blocked')
"""
_REFRESH = f"""
    WITH best AS (
        SELECT DISTINCT ON (item_id) item_id, customer_id, code, until FROM ({_HOLDS}) holds
         ORDER BY item_id, rank, until DESC),
    made AS (
        INSERT INTO situations (tenant_id, item_id, customer_id, excluded_by, excluded_until, updated_at, version)
        SELECT $1, item_id, customer_id, code, until, $3, 1 FROM best b
         WHERE NOT EXISTS (SELECT 1 FROM situations s WHERE s.tenant_id = $1 AND s.item_id = b.item_id)
         ORDER BY item_id
        RETURNING {COLUMNS}),
    changed AS (
        UPDATE situations s
           SET excluded_by = b.code, excluded_until = b.until, updated_at = $3, version = s.version + 1
          FROM (SELECT o.item_id, b.code, b.until FROM situations o LEFT JOIN best b USING (item_id)
                 WHERE o.tenant_id = $1 AND o.customer_id = ANY($2)) b
         WHERE s.tenant_id = $1 AND s.item_id = b.item_id
           AND (s.excluded_by IS DISTINCT FROM b.code OR s.excluded_until IS DISTINCT FROM b.until)
        RETURNING {", ".join(f"s.{name.strip()}" for name in COLUMNS.split(","))})
    SELECT * FROM made UNION ALL SELECT * FROM changed
"""
_QUALIFY = f"""
    INSERT INTO situations (tenant_id, item_id, customer_id, status_code, category, status_on, date, follow_up_on, amount,
                            comment, resolution_owner_id, updated_at, version)
    SELECT $1, i.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1 FROM unnest($2::uuid[]) AS i(id) ORDER BY i.id
    ON CONFLICT (tenant_id, item_id) DO UPDATE SET
        customer_id = excluded.customer_id, status_code = excluded.status_code, category = excluded.category,
        status_on = excluded.status_on, date = excluded.date, follow_up_on = excluded.follow_up_on,
        amount = excluded.amount, comment = excluded.comment,
        resolution_owner_id = coalesce(excluded.resolution_owner_id, situations.resolution_owner_id),
        updated_at = excluded.updated_at, version = situations.version + 1
    RETURNING {COLUMNS}
"""


async def get(tx: Tx, item_id: UUID, *, lock: bool = False) -> Row | None:
    """An item's situation; None when nobody ever spoke about it."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM situations WHERE tenant_id = $1 AND item_id = $2{tail}", tx.tenant_id, item_id
    )


async def qualify(tx: Tx, customer_id: UUID, item_ids: Sequence[UUID], values: Mapping[str, Any]) -> None:
    """Give items a status. `values`: status_code, category, date, follow_up_on, amount, comment, resolution_owner_id."""
    rows = await tx.fetch(
        _QUALIFY, tx.tenant_id, list(item_ids), customer_id, values["status_code"], values["category"], tx.today,
        values["date"], values["follow_up_on"], values["amount"], values["comment"], values["resolution_owner_id"], tx.now,
    )  # fmt: skip
    announce(tx, rows)


async def set_owner(tx: Tx, item_id: UUID, customer_id: UUID, owner_id: UUID | None) -> Row:
    """Name who resolves an item, whatever its status."""
    row = await tx.fetchrow(
        "INSERT INTO situations (tenant_id, item_id, customer_id, resolution_owner_id, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (tenant_id, item_id) DO UPDATE SET"
        " resolution_owner_id = excluded.resolution_owner_id, updated_at = excluded.updated_at,"
        f" version = situations.version + 1 RETURNING {COLUMNS}",
        tx.tenant_id, item_id, customer_id, owner_id, tx.now,
    )  # fmt: skip
    assert row is not None, "an upsert returns its row"
    announce(tx, [row])
    return row


async def refresh_exclusions(tx: Tx, customers: Sequence[UUID]) -> None:
    """Say anew, from the objects as they are, what holds these customers' items out; whoever changes is looked at again."""
    rows = await tx.fetch(_REFRESH, tx.tenant_id, list(customers), tx.now)
    announce(tx, rows)
    await tx.execute(
        "UPDATE customers SET look_again_on = $3 WHERE tenant_id = $1 AND id = ANY($2)"
        " AND (look_again_on IS NULL OR look_again_on > $3)",
        tx.tenant_id, sorted(set(customers)), tx.today,
    )  # fmt: skip


def announce(tx: Tx, rows: Sequence[Row]) -> None:
    """`qualification.changed`."""
    tx.emit("qualification.changed", [_told(row) for row in rows])


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present state behind `qualification.changed`."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM situations WHERE tenant_id = $1 AND ($2::uuid IS NULL OR item_id > $2)"
        " ORDER BY item_id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    return [_told(row) for row in rows]


def _told(row: Row) -> Subject:
    return Subject(row["item_id"], row["version"], {name: row[name] for name in _TOLD})


async def open_items(tx: Tx, item_ids: Sequence[UUID]) -> list[Row]:
    """The items of these ids, open or not, with their customer's perimeter."""
    return await tx.fetch(
        "SELECT i.id, i.customer_id, i.business_unit_id, i.number, i.due_date, i.issue_date, i.currency, i.open_amount,"
        " i.kind, i.reference, c.business_unit_id AS customer_unit_id FROM items i JOIN customers c"
        " ON c.tenant_id = i.tenant_id AND c.id = i.customer_id WHERE i.tenant_id = $1 AND i.id = ANY($2)"
        " ORDER BY i.due_date, i.id",
        tx.tenant_id, list(item_ids),
    )  # fmt: skip


async def history(tx: Tx, item_id: UUID) -> list[Row]:
    """Every qualification of an item, newest first."""
    return await tx.fetch(
        "SELECT q.id, q.status_code, q.category, q.date, q.follow_up_on, q.comment, q.resolution_owner_id, q.next_kind,"
        " q.message_id, q.action_id, q.promise_id, q.dispute_id, q.qualified_on, q.qualified_by, q.created_at,"
        " q.updated_at, m.open_amount, m.amount, m.currency"
        " FROM qualification_items m JOIN qualifications q ON q.tenant_id = m.tenant_id AND q.id = m.qualification_id"
        " WHERE m.tenant_id = $1 AND m.item_id = $2 ORDER BY q.id DESC",
        tx.tenant_id, item_id,
    )  # fmt: skip
