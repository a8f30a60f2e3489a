"""Simulating scenarios over customers: facts of now, or the past as the ledger's feed tells it. Nothing is written or sent."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from services.dunning.domain.facts import ItemKind
from services.dunning.domain.scenario import ScenarioVersion
from services.dunning.domain.simulation import PastItem, SimulatedAction, simulate
from services.dunning.storage import planning
from services.dunning.usecases.house import House, house_of
from services.dunning.usecases.moment import window_of

_PAST = """
    SELECT id, customer_id, business_unit_id, currency, number, issue_date, due_date, amount, open_amount, kind, reference,
           closed_on, NULL::text AS excluded_by, NULL::date AS excluded_until
      FROM items WHERE tenant_id = $1 AND customer_id = ANY($2) AND NOT cancelled
       AND (closed_on IS NULL OR closed_on > $3) AND issue_date <= $4 ORDER BY customer_id, due_date, id
"""
_PAYMENTS = """
    SELECT p.customer_id, p.paid_on, a.key::uuid AS item_id, a.value::bigint AS amount
      FROM payments p CROSS JOIN LATERAL jsonb_each_text(p.allocations) a
     WHERE p.tenant_id = $1 AND p.customer_id = ANY($2) ORDER BY p.paid_on
"""
_BATCH = 500


async def run(
    tx: Tx,
    versions: Sequence[ScenarioVersion],
    customers: Sequence[UUID],
    first: date,
    last: date,
    *,
    replayed: bool,
) -> list[list[tuple[UUID, SimulatedAction]]]:
    """For each version, what it would do to each customer, by customer and day."""
    house = await house_of(tx)
    found: list[list[tuple[UUID, SimulatedAction]]] = [[] for _ in versions]
    for start in range(0, len(customers), _BATCH):
        part = list(customers[start : start + _BATCH])
        facts = await planning.facts_of(tx, part)
        past = await _past(tx, part, first, last) if replayed else {}
        for customer_id in part:
            if customer_id not in facts:
                continue
            row, known = facts[customer_id]
            if replayed:
                # The past starts without our own history: what another scenario would have done, not what this one did.
                known = replace(known, passed=(), pause=None, last_automatic_on=None, items=())
            for place, version in enumerate(versions):
                shift = _working_day(row, version, house, tx.tenant.time_zone)
                book = past.get(customer_id, ()) if replayed else None
                done = simulate(known, version, first, last, working_day=shift, past=book)
                found[place] += [(customer_id, one) for one in done]
    return found


async def _past(
    tx: Tx, customers: Sequence[UUID], first: date, last: date
) -> Mapping[UUID, Sequence[PastItem]]:
    paid: dict[UUID, list[tuple[date, int]]] = defaultdict(list)
    for row in await tx.fetch(_PAYMENTS, tx.tenant_id, list(customers)):
        paid[row["item_id"]].append((row["paid_on"], row["amount"]))
    found: dict[UUID, list[PastItem]] = defaultdict(list)
    for row in await tx.fetch(_PAST, tx.tenant_id, list(customers), first, last):
        found[row["customer_id"]].append(_past_item(row, paid.get(row["id"], [])))
    return found


def _past_item(row: Row, paid: Sequence[tuple[date, int]]) -> PastItem:
    """From its issue, less what was paid on it by value date; what its source settled without a payment ends on its last day."""
    credit = row["kind"] in (ItemKind.CREDIT_NOTE, ItemKind.PAYMENT)
    amount = -row["amount"] if credit else row["amount"]
    amounts = [(row["issue_date"], amount)]
    for on, part in paid:
        amount -= part
        amounts.append((max(on, row["issue_date"]), amount))
    if row["closed_on"] is not None:
        amounts = [one for one in amounts if one[0] < row["closed_on"]] + [(row["closed_on"], 0)]
    return PastItem(planning.item_of(row), tuple(amounts))


def _working_day(row: Row, version: ScenarioVersion, house: House, house_zone: str) -> Callable[[date], date]:
    window = window_of(row, version, house, house_zone)

    def shift(day: date) -> date:
        for _ in range(60):
            if window.works_on(day):
                break
            day += timedelta(days=1)
        return day

    return shift


def summed(done: Sequence[tuple[UUID, SimulatedAction]]) -> dict[str, Any]:
    """How many actions, to how many customers, by channel."""
    channels: dict[str, int] = defaultdict(int)
    for _, one in done:
        channels[str(one.action.step.channel)] += 1
    return {
        "actions": len(done),
        "customers": len({customer for customer, _ in done}),
        "by_channel": dict(sorted(channels.items())),
        "first_on": min((one.on for _, one in done), default=None),
        "last_on": max((one.on for _, one in done), default=None),
    }
