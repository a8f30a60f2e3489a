"""Planning: facts -> pure rule -> rows. Some hundred customers a transaction, in a fixed number of statements.

What was planned and no longer follows from the facts (another leader, paid meanwhile) is withdrawn; what still follows is
left alone; running it again writes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
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
from services.dunning.storage.scenarios import Scenarios
from services.dunning.usecases.house import House
from services.dunning.usecases.moment import window_of
from services.dunning.usecases.queue_message import Wanted, queue_messages

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


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new action, whom it is for, and the decision it came from."""

    customer: Row
    action: dict[str, Any]
    decision: NextAction
    version: ScenarioVersion


async def plan_customers(
    tx: Tx, customers: Sequence[UUID], in_force: Scenarios, as_of: date, house: House,
    *, run_id: UUID | None = None, send_now: bool = False, dry_run: bool = False,
) -> Outcome:  # fmt: skip
    """Plan what is due for these customers on a day. A dry run writes nothing."""
    if not dry_run:
        await planning.lock_customers(tx, customers)
    facts = await planning.facts_of(tx, customers, in_force)
    live = await planning.live_actions(tx, customers)
    waiting = await planning.companies_to_be_written_to(tx, [row["company_id"] for row, _ in facts.values()])
    outcome = Outcome()
    fresh: list[Fresh] = []
    stale: dict[str, list[Row]] = defaultdict(list)
    again: dict[UUID, date | None] = {}
    for customer_id in customers:
        if customer_id not in facts:
            again[customer_id] = None
            continue
        row, known = facts[customer_id]
        version = in_force.of(row)
        decision = next_action(known, version, as_of)
        kept = []
        for one in live[customer_id]:
            if _still_follows(one, decision, version):
                kept.append(one)
            else:
                stale[_why(decision)].append(one)
        if version.cap_across_accounts and version.cap_days and isinstance(decision, NextAction):
            decision = _after_another_account(decision, row, waiting, as_of)
        planned = _decide(outcome, row, known, decision, kept, as_of, version, run_id)
        again[customer_id] = planned if planned is None or isinstance(planned, date) else None
        if isinstance(planned, Fresh):
            fresh.append(planned)
            if planned.action["mail_id"] is not None:
                waiting.setdefault(row["company_id"], customer_id)
    if not dry_run:
        for reason, withdrawn in stale.items():
            await actions.cancel(tx, withdrawn, reason)
        written = {one["id"] for one in await actions.insert(tx, [one.action for one in fresh])}
        await _queue_mails(
            tx, [one for one in fresh if one.action["id"] in written], house, send_now=send_now
        )
        await planning.look_again(tx, again)
    return outcome


async def withdraw_overtaken(tx: Tx, customer_id: UUID, in_force: Scenarios, as_of: date) -> None:
    """Withdraw what was planned for a customer and no longer follows from the facts, without planning anything new."""
    known = (await planning.facts_of(tx, [customer_id], in_force)).get(customer_id)
    if known is None:
        return
    version = in_force.of(known[0])
    decision = next_action(known[1], version, as_of)
    live = (await planning.live_actions(tx, [customer_id]))[customer_id]
    stale = [one for one in live if not _still_follows(one, decision, version)]
    await actions.cancel(tx, stale, _why(decision))


def _after_another_account(
    decision: NextAction, row: Row, waiting: dict[UUID, UUID], as_of: date
) -> NextAction:
    """A message that would leave by itself waits when another account of the company is about to get one."""
    other = waiting.get(row["company_id"])
    if other is None or other == row["id"] or not decision.step.sends_by_itself or decision.due_on > as_of:
        return decision
    tomorrow = as_of + timedelta(days=1)
    return replace(decision, due_on=tomorrow, look_again_on=tomorrow, capped=True)


def _decide(
    outcome: Outcome, row: Row, known: CustomerFacts, decision: NextAction | Nothing, kept: list[Row], as_of: date,
    version: ScenarioVersion, run_id: UUID | None,
) -> Fresh | date | None:  # fmt: skip
    """Count one customer: the action it gets, or the day to look again."""
    if isinstance(decision, Nothing):
        outcome.skip(known.customer_id, str(decision.reason))
        return decision.look_again_on
    if kept:
        outcome.skip(known.customer_id, "already_planned")
        return decision.look_again_on if decision.look_again_on > as_of else None
    if decision.due_on > as_of:
        outcome.skip(known.customer_id, "frequency_cap" if decision.capped else "nothing_due")
        return decision.look_again_on
    planned = _action(row, decision, version, run_id)
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
    return Fresh(row, planned, decision, version)


def _action(row: Row, decision: NextAction, version: ScenarioVersion, run_id: UUID | None) -> dict[str, Any]:
    step, contact = decision.step, decision.contact
    state = "to_confirm" if step.mode is Mode.TO_CONFIRM else "due"
    shown = {"name": contact.name, "email": contact.email, "phone": contact.phone} if contact else None
    return {
        "id": new_id(),
        "customer_id": row["id"],
        "kind": "scenario",
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
        "assignee_user_id": step.assignee_user_id or row["collector_user_id"],
        "run_id": run_id,
        "mail_id": new_id() if _leaves_by_itself(decision) else None,
    }


def _leaves_by_itself(decision: NextAction) -> bool:
    return decision.step.sends_by_itself and decision.blocked_by is None


async def _queue_mails(tx: Tx, fresh: list[Fresh], house: House, *, send_now: bool) -> None:
    openings: dict[SendingWindow, datetime] = {}
    wanted = []
    for one in fresh:
        if one.action["mail_id"] is None:
            continue
        window = window_of(one.customer, one.version, house, tx.tenant.time_zone)
        if window not in openings:
            openings[window] = tx.now if send_now else window.next_opening(tx.now)
        wanted.append(
            Wanted(
                one.action["mail_id"],
                one.action["id"],
                one.customer,
                one.decision,
                openings[window],
                send_now,
            )
        )
    await queue_messages(tx, wanted, house)


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
