"""Promises to pay: made, cancelled, and judged by what the ledger says."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.problems import Problem
from libs.kit.responses import json_bytes
from services.dunning.domain.promise import GRACE_DAYS, PromiseFacts, PromiseState, judge
from services.dunning.storage import actions, situations
from services.dunning.storage.records import PLANS, PROMISES

#: How long a judgement may still be corrected by payments that arrive late in the books.
_CORRECTED_WITHIN = timedelta(days=120)
_TOLD = ("customer_id", "item_ids", "amount", "currency", "promised_on", "state")
_SETTLED = """
    coalesce((SELECT sum(a.value::bigint) FROM payments y CROSS JOIN LATERAL jsonb_each_text(y.allocations) a
      WHERE y.tenant_id = $1 AND y.customer_id = {of}.customer_id AND a.key::uuid = ANY({of}.item_ids) {also}), 0)::bigint
"""
#: What credit notes and cancellations took off a customer's debts so far, in one currency.
_CREDITED = """
    coalesce((SELECT sum(CASE WHEN i.cancelled AND i.kind <> 'credit_note' AND i.id = ANY({of}.item_ids) THEN i.amount
                              WHEN i.kind = 'credit_note' AND NOT i.cancelled THEN i.amount - abs(i.open_amount) END)
                FROM items i WHERE i.tenant_id = $1 AND i.customer_id = {of}.customer_id AND i.currency = {of}.currency
                 AND (i.kind = 'credit_note' OR i.id = ANY({of}.item_ids))), 0)::bigint
"""
_OPEN_NOW = """
    coalesce((SELECT sum(i.open_amount) FROM items i WHERE i.tenant_id = $1 AND i.id = ANY({of}.item_ids)
                 AND i.currency = {of}.currency), 0)::bigint
"""
_BASELINE = f"""
    SELECT {_OPEN_NOW.format(of="g")} AS owed, {_SETTLED.format(of="g", also="")} AS paid, {_CREDITED.format(of="g")} AS credited
      FROM (SELECT $2::uuid AS customer_id, $3::uuid[] AS item_ids, $4::text AS currency) g
"""
_IN_TIME = f"AND y.paid_on <= p.promised_on + {GRACE_DAYS}"
_FACTS = f"""
    SELECT {PROMISES.listed("p.")}, {_OPEN_NOW.format(of="p")} AS open_now,
           {_SETTLED.format(of="p", also="")} AS settled, {_SETTLED.format(of="p", also=_IN_TIME)} AS settled_in_time,
           {_CREDITED.format(of="p")} AS credited_now,
           NOT EXISTS (SELECT 1 FROM items i WHERE i.tenant_id = $1 AND i.id = ANY(p.item_ids)
                        AND i.closed_on > p.promised_on + {GRACE_DAYS}) AS closed_in_time,
           coalesce((SELECT sum(o.amount) FROM promises o WHERE o.tenant_id = $1 AND o.plan_id = p.plan_id
                        AND o.position < p.position), 0)::bigint AS before
      FROM promises p
     WHERE p.tenant_id = $1 AND p.state <> 'cancelled' AND p.promised_on >= $3 AND ($2::uuid[] IS NULL OR p.customer_id = ANY($2))
     ORDER BY p.customer_id, p.position, p.id
"""
_JUDGED = f"""
    UPDATE promises p SET state = j.state, paid_amount = j.paid, credited_amount = j.credited, judged_on = $3, updated_at = $4,
           version = p.version + 1
      FROM jsonb_to_recordset($2::jsonb) AS j(id uuid, state text, paid bigint, credited bigint)
     WHERE p.tenant_id = $1 AND p.id = j.id
 RETURNING {PROMISES.listed("p.")}
"""


async def make(
    tx: Tx, items: Sequence[Row], promised_on: date, amount: int | None, *, channel: str | None, comment: str | None,
    plan_id: UUID | None = None, position: int | None = None,
) -> Row:  # fmt: skip
    """Write down a promise on items of one customer and one currency; without an amount all that is open on them.

    A promise that was open on any of them gives way to it.
    """
    customer_id, currency = items[0]["customer_id"], items[0]["currency"]
    ids = [row["id"] for row in items]
    if plan_id is None:
        for old in await PROMISES.covering(tx, customer_id, ids, "open"):
            await _cancel(tx, old)
    baseline = await tx.fetchrow(_BASELINE, tx.tenant_id, customer_id, ids, currency)
    assert baseline is not None, "a SELECT without FROM rows answers one"
    row = await PROMISES.insert(
        tx,
        {
            "customer_id": customer_id,
            "item_ids": ids,
            "amount": baseline["owed"] if amount is None else amount,
            "currency": currency,
            "made_on": tx.today,
            "promised_on": promised_on,
            "channel": channel,
            "comment": comment,
            "state": PromiseState.OPEN.value,
            "paid_amount": 0,
            "credited_amount": 0,
            "baseline": json_bytes(dict(baseline)).decode(),
            "plan_id": plan_id,
            "position": position,
            "made_by": tx.actor.subject,
        },
    )
    announce(tx, [row])
    return row


async def cancel(tx: Tx, row: Row) -> Row:
    """Take a promise back: its items return to the scenario. Raises 409 once it came to an end."""
    if row["state"] != PromiseState.OPEN:
        raise Problem(409, "invalid_state", f"The promise is {row['state']}.", state=row["state"])
    changed = await _cancel(tx, row)
    tx.audit("promise_cancelled", "promise", row["id"], {"state": row["state"]}, {"state": "cancelled"})
    await situations.refresh_exclusions(tx, [row["customer_id"]])
    return changed


async def judge_promises(tx: Tx, day: date, customers: Sequence[UUID] | None = None) -> None:
    """Say of each promise (of some customers, or all) how it stands on a day. What is broken returns to the scenario and to the
    agenda; what turns out to have been paid in time is corrected. Judging again changes nothing."""
    rows = await tx.fetch(_FACTS, tx.tenant_id, customers, day - _CORRECTED_WITHIN)
    changes = []
    for row in rows:
        found = judge(_facts(row), day)
        if (found.state, found.paid, found.credited) != (
            row["state"],
            row["paid_amount"],
            row["credited_amount"],
        ):
            changes.append(
                {"id": row["id"], "state": found.state, "paid": found.paid, "credited": found.credited}
            )
    if not changes:
        return
    before = {row["id"]: row["state"] for row in rows}
    judged = await tx.fetch(_JUDGED, tx.tenant_id, json_bytes(changes).decode(), day, tx.now)
    announce(tx, judged)
    turned = [row for row in judged if row["state"] != before[row["id"]]]
    await _settle_plans(tx, turned)
    await situations.refresh_exclusions(tx, [row["customer_id"] for row in turned])
    await _agenda_of_broken(tx, turned, day)


def announce(tx: Tx, rows: Sequence[Row]) -> None:
    """`promise.changed`."""
    tx.emit("promise.changed", [_told(row) for row in rows])


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present state behind `promise.changed`."""
    return [_told(row) for row in await PROMISES.after(tx, after, limit)]


def _told(row: Row) -> Subject:
    return Subject(row["id"], row["version"], {name: row[name] for name in _TOLD})


async def _cancel(tx: Tx, row: Row) -> Row:
    changed = await PROMISES.update(tx, row["id"], state=PromiseState.CANCELLED.value)
    announce(tx, [changed])
    return changed


def _facts(row: Row) -> PromiseFacts:
    baseline: dict[str, int] = msgspec.json.decode(row["baseline"])
    paid = max(0, row["settled"] - baseline["paid"])
    gone = max(0, baseline["owed"] - row["open_now"])
    unexplained = max(0, gone - paid)
    credited = min(unexplained, max(0, row["credited_now"] - baseline["credited"]))
    settled_by_source = unexplained - credited
    in_time = row["judged_on"] is None or row["closed_in_time"] or row["state"] == PromiseState.KEPT
    return PromiseFacts(
        amount=row["amount"],
        promised_on=row["promised_on"],
        owed=baseline["owed"],
        paid=paid,
        paid_in_time=max(0, row["settled_in_time"] - baseline["paid"]),
        credited=credited,
        settled_in_time=settled_by_source if in_time else 0,
        before=row["before"],
    )


async def _settle_plans(tx: Tx, turned: Sequence[Row]) -> None:
    """A plan is broken with its first missed instalment, and kept with its last."""
    plans = sorted({row["plan_id"] for row in turned if row["plan_id"] is not None})
    if not plans:
        return
    found = await tx.fetch(
        "SELECT plan_id, bool_or(state IN ('broken', 'partly')) AS missed, bool_and(state = 'kept') AS kept FROM promises"
        " WHERE tenant_id = $1 AND plan_id = ANY($2) AND state <> 'cancelled' GROUP BY plan_id ORDER BY plan_id",
        tx.tenant_id, plans,
    )  # fmt: skip
    for row in found:
        state = "broken" if row["missed"] else "kept" if row["kept"] else "open"
        await PLANS.update(tx, row["plan_id"], state=state)


async def _agenda_of_broken(tx: Tx, turned: Sequence[Row], day: date) -> None:
    """Somebody calls about a broken promise, unless another action follows it already; a correction takes the call back."""
    broken = [row for row in turned if row["state"] in (PromiseState.BROKEN, PromiseState.PARTLY)]
    mended = [row["id"] for row in turned if row["state"] in (PromiseState.KEPT, PromiseState.CANCELLED)]
    calls = await tx.fetch(
        f"SELECT {actions.COLUMNS} FROM actions WHERE tenant_id = $1 AND kind = 'broken_promise' AND promise_id = ANY($2)"
        " AND state IN ('proposed', 'to_confirm', 'due', 'blocked')",
        tx.tenant_id, mended,
    )  # fmt: skip
    await actions.cancel(tx, calls, "promise_kept")
    rows = await tx.fetch(
        "SELECT p.id, p.customer_id, c.collector_user_id, array_agg(i.id ORDER BY i.due_date, i.id) AS item_ids,"
        "       sum(i.open_amount)::bigint AS owed, p.currency"
        "  FROM promises p JOIN customers c ON c.tenant_id = $1 AND c.id = p.customer_id"
        "  JOIN items i ON i.tenant_id = $1 AND i.id = ANY(p.item_ids) AND i.open_amount <> 0"
        " WHERE p.tenant_id = $1 AND p.id = ANY($2)"
        "   AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.tenant_id = $1 AND a.customer_id = p.customer_id"
        "         AND (a.promise_id = p.id AND a.kind = 'broken_promise' OR a.kind = 'specific_action'"
        "              AND a.item_ids && p.item_ids AND a.state IN ('to_confirm', 'due', 'blocked')))"
        " GROUP BY p.id, p.customer_id, p.currency, c.collector_user_id ORDER BY p.id",
        tx.tenant_id, [row["id"] for row in broken],
    )  # fmt: skip
    await actions.insert(tx, [_call(row, day) for row in rows])


def _call(row: Row, day: date) -> dict[str, Any]:
    return {
        "id": new_id(),
        "customer_id": row["customer_id"],
        "kind": "broken_promise",
        "channel": "call",
        "mode": "manual",
        "state": "due",
        "due_on": day,
        "item_ids": row["item_ids"],
        "net": {row["currency"]: row["owed"]},
        "reason": "promise_broken",
        "promise_id": row["id"],
        "assignee_user_id": row["collector_user_id"],
    }
