"""What dunning says of items: their qualification, and the promise, dispute and next action that count for each.

Every write applies only what is newer, in order of id, and for all subjects of a call in one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.paging import Statement
from libs.kit.responses import json_bytes

#: What is known of an item, as JSON, or null; $1 is the tenant. A subquery: PostgreSQL asks it after it has sorted and cut, so
#: once a row that is shown.
SHOWN = """
    (SELECT json_build_object('status_code', f.status_code, 'follow_up_on', f.follow_up_on,
                              'resolution_owner', f.resolution_owner_id, 'excluded_by', f.excluded_by, 'promise', f.promise,
                              'dispute', f.dispute, 'next_action', f.next_action)
       FROM item_facts f WHERE f.tenant_id = $1 AND f.item_id = {item}) AS facts
"""
_HAS = "EXISTS (SELECT FROM item_facts f WHERE f.tenant_id = i.tenant_id AND f.item_id = i.id AND {})"

_QUALIFY = """
    INSERT INTO item_facts (tenant_id, item_id, status_code, follow_up_on, resolution_owner_id, excluded_by, version, disputed)
    SELECT $1, q.id, q.status_code, q.follow_up_on, q.resolution_owner_id, q.excluded_by, q.version, false
      FROM jsonb_to_recordset($2::jsonb) AS q (id uuid, version bigint, status_code text, follow_up_on date,
                                               resolution_owner_id uuid, excluded_by text)
     ORDER BY q.id
    ON CONFLICT (tenant_id, item_id) DO UPDATE SET
        status_code = excluded.status_code, follow_up_on = excluded.follow_up_on,
        resolution_owner_id = excluded.resolution_owner_id, excluded_by = excluded.excluded_by, version = excluded.version
     WHERE item_facts.version < excluded.version
"""
_KEEP = """
    INSERT INTO dunning_objects (tenant_id, id, kind, live, day, facts, version)
    SELECT $1, o.id, o.kind, o.live, o.day, o.facts, o.version
      FROM jsonb_to_recordset($2::jsonb) AS o (id uuid, version bigint, kind text, live boolean, day date, facts jsonb)
     ORDER BY o.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        live = excluded.live, day = excluded.day, facts = excluded.facts, version = excluded.version
     WHERE dunning_objects.version < excluded.version
 RETURNING id
"""
_UNLINK = """
    DELETE FROM dunning_object_items WHERE tenant_id = $1 AND object_id = ANY($2) RETURNING item_id
"""
_LINK = """
    INSERT INTO dunning_object_items (tenant_id, object_id, item_id)
    SELECT DISTINCT $1::uuid, l.object_id, l.item_id FROM unnest($2::uuid[], $3::uuid[]) AS l (object_id, item_id)
     ORDER BY l.object_id, l.item_id
"""
#: Of several promises and disputes the living one counts, else the latest; of actions the next one due.
_CHOOSE = """
    INSERT INTO item_facts (tenant_id, item_id, version, promise, promised_on, dispute, disputed, next_action)
    SELECT $1, t.item_id, 0, p.facts, p.day, d.facts, coalesce(d.live, false), a.facts
      FROM (SELECT DISTINCT item_id FROM unnest($2::uuid[]) AS u (item_id)) t
      LEFT JOIN LATERAL ({of_kind} AND o.kind = 'promise' ORDER BY o.live DESC, o.id DESC LIMIT 1) p ON true
      LEFT JOIN LATERAL ({of_kind} AND o.kind = 'dispute' ORDER BY o.live DESC, o.id DESC LIMIT 1) d ON true
      LEFT JOIN LATERAL ({of_kind} AND o.kind = 'action' ORDER BY o.day, o.id LIMIT 1) a ON true
     ORDER BY t.item_id
    ON CONFLICT (tenant_id, item_id) DO UPDATE SET
        promise = excluded.promise, promised_on = excluded.promised_on, dispute = excluded.dispute,
        disputed = excluded.disputed, next_action = excluded.next_action
""".format(
    of_kind="SELECT o.facts, o.live, o.day FROM dunning_object_items l"
    " JOIN dunning_objects o ON o.tenant_id = l.tenant_id AND o.id = l.object_id"
    " WHERE l.tenant_id = $1 AND l.item_id = t.item_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFilter:
    """Which items to list by what dunning says of them; what is empty or None narrows nothing."""

    status_codes: Sequence[str] = ()
    resolution_owners: Sequence[UUID] = ()
    excluded_by: Sequence[str] = ()
    excluded: bool | None = None
    disputed: bool | None = None
    promised_from: date | None = None
    promised_to: date | None = None
    follow_up_from: date | None = None
    follow_up_to: date | None = None


def narrow(wanted: Statement, facts: FactFilter) -> None:
    """Add the conditions to a list of items `i`. A day that is not known is within no bounds."""
    for column, values in (
        ("status_code", facts.status_codes),
        ("resolution_owner_id", facts.resolution_owners),
        ("excluded_by", facts.excluded_by),
    ):
        if values:
            wanted.where(_HAS.format(f"f.{column} = ANY({{}})"), list(values))
    for condition, whether in (
        ("f.excluded_by IS NOT NULL", facts.excluded),
        ("f.disputed", facts.disputed),
    ):
        if whether is not None:
            wanted.where(("" if whether else "NOT ") + _HAS.format(condition))
    for bound, day in (
        ("f.promised_on >= {}", facts.promised_from),
        ("f.promised_on <= {}", facts.promised_to),
        ("f.follow_up_on >= {}", facts.follow_up_from),
        ("f.follow_up_on <= {}", facts.follow_up_to),
    ):
        if day is not None:
            wanted.where(_HAS.format(bound), day)


async def qualify(tx: Tx, qualifications: Sequence[dict[str, Any]]) -> None:
    """Take over qualifications (id of the item, version, status_code, follow_up_on, resolution_owner_id, excluded_by)."""
    await tx.execute(_QUALIFY, tx.tenant_id, json_bytes(qualifications).decode())


async def keep(tx: Tx, objects: Sequence[dict[str, Any]]) -> None:
    """Take over objects (id, version, kind, live, day, facts, item_ids: the items they count for, none when they no longer
    count) and choose anew what each of their items shows."""
    rows = await tx.fetch(_KEEP, tx.tenant_id, json_bytes(objects).decode())
    newer = {UUID(int=row["id"].int) for row in rows}
    links = [(each["id"], item) for each in objects if each["id"] in newer for item in each["item_ids"]]
    left = await tx.fetch(_UNLINK, tx.tenant_id, list(newer))
    named, items = [one for one, _ in links], [UUID(str(item)) for _, item in links]
    await tx.execute(_LINK, tx.tenant_id, named, items)
    await tx.execute(_CHOOSE, tx.tenant_id, [*(row["item_id"] for row in left), *items])


async def distrust(tx: Tx) -> None:
    """Before dunning's state is read anew: what it no longer names is forgotten, whatever it says next wins."""
    for table in ("dunning_object_items", "dunning_objects", "item_facts"):
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tx.tenant_id)
