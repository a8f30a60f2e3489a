"""Planning: facts -> pure rule -> rows. Some hundred customers a transaction, in a fixed number of statements.

What was planned and no longer follows from the facts (another leader, paid meanwhile) is withdrawn; what still follows is
left alone; running it again writes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from services.dunning.domain.facts import CustomerFacts
from services.dunning.domain.next_action import NextAction, Nothing, next_action
from services.dunning.domain.scenario import Mode, ScenarioVersion
from services.dunning.domain.sending_window import SendingWindow
from services.dunning.storage import actions, planning
from services.dunning.usecases.compose import REMINDER, queue, recipient
from services.dunning.usecases.house import House

BATCH = 500
DELIVERY_FAILED = "delivery_failed"


@dataclass
class Outcome:
    """What planning some customers came to."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def skip(self, customer_id: UUID, code: str) -> None:
        """Nothing is done for a customer, and why."""
        self.counts["skipped"] += 1
        self.lines.append(
            {"customer_id": customer_id, "outcome": "skipped", "code": code, "action_id": None, "plan": None}
        )


async def plan_customers(
    tx: Tx, customers: Sequence[UUID], version: ScenarioVersion, as_of: date, house: House,
    *, run_id: UUID | None = None, send_now: bool = False, dry_run: bool = False,
) -> Outcome:  # fmt: skip
    """Plan what is due for these customers on a day. A dry run writes nothing."""
    if not dry_run:
        await planning.lock_customers(tx, customers)
    facts = await planning.facts_of(tx, customers)
    live = await planning.live_actions(tx, customers)
    outcome = Outcome()
    fresh: list[tuple[dict[str, Any], NextAction]] = []
    again: dict[UUID, date | None] = {}
    for customer_id in customers:
        if customer_id not in facts:
            again[customer_id] = None
            continue
        row, known = facts[customer_id]
        decision = next_action(known, version, as_of)
        stale = [one for one in live[customer_id] if not _still_follows(one, decision, version)]
        if not dry_run:
            await actions.cancel(tx, stale, _why(decision))
        kept = [one for one in live[customer_id] if one not in stale]
        again[customer_id] = _decide(outcome, row, known, decision, kept, as_of, fresh, version, run_id)
    if not dry_run:
        written = {one["id"] for one in await actions.insert(tx, [planned for planned, _ in fresh])}
        await _queue_mails(tx, [pair for pair in fresh if pair[0]["id"] in written], house, send_now=send_now)
        await planning.look_again(tx, again)
    return outcome


def _decide(
    outcome: Outcome, row: Row, known: CustomerFacts, decision: NextAction | Nothing, kept: list[Row], as_of: date,
    fresh: list[tuple[dict[str, Any], NextAction]], version: ScenarioVersion, run_id: UUID | None,
) -> date | None:  # fmt: skip
    """Count one customer, add its action to `fresh` if there is a new one; the day to look again."""
    if isinstance(decision, Nothing):
        outcome.skip(known.customer_id, str(decision.reason))
        return decision.look_again_on
    if decision.due_on > as_of:
        capped = known.last_automatic_on is not None and decision.step.sends_by_itself
        late = decision.leader.days_late(as_of) >= decision.nominal_days
        outcome.skip(known.customer_id, "frequency_cap" if capped and late else "nothing_due")
        return decision.look_again_on
    if kept:
        outcome.skip(known.customer_id, "already_planned")
        return None
    planned = _action(row, decision, version, run_id)
    fresh.append((planned, decision))
    name = "to_confirm" if planned["state"] == "to_confirm" else "planned"
    outcome.counts[name] += 1
    if planned["state"] == "blocked":
        outcome.counts["blocked"] += 1
    plan = {
        "channel": planned["channel"],
        "state": planned["state"],
        "due_on": planned["due_on"],
        "leader_item_id": planned["leader_item_id"],
        "item_ids": planned["item_ids"],
        "net": {code: from_minor(amount, code) for code, amount in planned["net"].items()},
        "reason": planned["reason"],
    }
    line = {
        "customer_id": known.customer_id,
        "outcome": name,
        "code": planned["reason"],
        "action_id": planned["id"],
    }
    outcome.lines.append({**line, "plan": plan})
    return None


def _action(row: Row, decision: NextAction, version: ScenarioVersion, run_id: UUID | None) -> dict[str, Any]:
    step, contact = decision.step, decision.contact
    state = "to_confirm" if step.mode is Mode.TO_CONFIRM else "due"
    shown = {"name": contact.name, "email": contact.email, "phone": contact.phone} if contact else None
    return {
        "id": new_id(),
        "customer_id": row["id"],
        "channel": step.channel,
        "mode": step.mode,
        "state": "blocked" if decision.blocked_by else state,
        "due_on": decision.due_on,
        "leader_item_id": decision.leader.id,
        "item_ids": [item.id for item in decision.items],
        "net": decision.net,
        "scenario_id": version.scenario_id,
        "scenario_version_id": version.id,
        "position": decision.position,
        "nominal_days": decision.nominal_days,
        "template_id": step.template_id,
        "contact": shown,
        "reason": decision.blocked_by,
        "assignee_user_id": row["collector_user_id"],
        "run_id": run_id,
        "mail_id": new_id() if _leaves_by_itself(decision) else None,
    }


def _leaves_by_itself(decision: NextAction) -> bool:
    return decision.step.sends_by_itself and decision.blocked_by is None


async def _queue_mails(
    tx: Tx, fresh: list[tuple[dict[str, Any], NextAction]], house: House, *, send_now: bool
) -> None:
    opening = tx.now if send_now else _window(tx, house).next_opening(tx.now)
    for planned, decision in fresh:
        if planned["mail_id"] is None:
            continue
        await queue_mail(
            tx,
            planned["mail_id"],
            planned["id"],
            planned["customer_id"],
            decision,
            house,
            opening,
            any_hour=send_now,
        )


async def queue_mail(
    tx: Tx, mail_id: UUID, action_id: UUID, customer_id: UUID, decision: NextAction, house: House,
    not_before: datetime, *, any_hour: bool = False,
) -> None:  # fmt: skip
    """Write down the intent to send; the words are chosen when it leaves."""
    assert decision.contact is not None, "without a contact the action is blocked"
    channel = str(decision.step.channel)
    customer = await tx.fetchrow(
        "SELECT address FROM customers WHERE tenant_id = $1 AND id = $2", tx.tenant_id, customer_id
    )
    assert customer is not None, "its facts were read before"
    await queue(
        tx, purpose=REMINDER, object_id=action_id, customer_id=customer_id, channel=channel, house=house,
        recipients=[recipient(decision.contact, channel, customer)], not_before=not_before, any_hour=any_hour,
        identifier=mail_id,
    )  # fmt: skip


def _window(tx: Tx, house: House) -> SendingWindow:
    return house.window(tx.tenant.time_zone)


def _still_follows(live: Row, decision: NextAction | Nothing, version: ScenarioVersion) -> bool:
    if isinstance(decision, Nothing):
        return False
    same = live["leader_item_id"] == decision.leader.id and live["position"] == decision.position
    if same and live["reason"] == DELIVERY_FAILED:
        return True  # an address that refuses is for a person to mend, not for tomorrow's run to try again
    blocked_before, blocked_now = live["state"] == "blocked", decision.blocked_by is not None
    return bool(same and live["scenario_version_id"] == version.id and blocked_before == blocked_now)


def _why(decision: NextAction | Nothing) -> str:
    return str(decision.reason) if isinstance(decision, Nothing) else "overtaken"
