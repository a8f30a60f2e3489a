"""The last look before a message leaves, on the rows of now: own items only, nothing paid, disputed or paused meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from services.dunning.domain.contacts import reachable_contact
from services.dunning.domain.facts import CustomerFacts
from services.dunning.domain.moment_of_sending import (
    Planned,
    Withdrawn,
    at_the_moment,
    specific_at_the_moment,
)
from services.dunning.domain.next_action import NextAction
from services.dunning.domain.scenario import Channel, Mode, ScenarioVersion, Step
from services.dunning.domain.sending_window import SendingWindow, window_at
from services.dunning.storage import planning, scenarios
from services.dunning.usecases.house import House

_COMPANY = """
    SELECT c.id FROM customers c
     WHERE c.tenant_id = $1 AND c.company_id = (SELECT company_id FROM customers WHERE tenant_id = $1 AND id = $2)
     ORDER BY c.id
"""
#: A message to another account of the company, or about something else, that is just leaving.
_UNDER_WAY = """
    SELECT count(*) FROM mails m JOIN actions a ON a.tenant_id = m.tenant_id AND a.id = m.object_id
     WHERE m.tenant_id = $1 AND m.customer_id = ANY($2) AND m.state = 'sending' AND a.id <> $3
"""


@dataclass(frozen=True, slots=True)
class Cleared:
    """An action that may go: to whom, with which items and amounts of now, and within which hours."""

    customer: Row
    decision: NextAction
    window: SendingWindow


async def decide_again(
    tx: Tx, action: Row | Mapping[str, Any], house: House, *, hold: bool = True
) -> Cleared | Withdrawn:
    """Whether a planned action still follows from the facts. Holds the whole company, so that two accounts of it are not
    written to at once; `hold` off only asks."""
    lock = "FOR UPDATE" if hold else ""
    accounts = [
        row["id"] for row in await tx.fetch(f"{_COMPANY} {lock}", tx.tenant_id, action["customer_id"])
    ]
    in_force = await scenarios.in_force(tx)
    known = (await planning.facts_of(tx, [action["customer_id"]], in_force)).get(action["customer_id"])
    if known is None:
        return Withdrawn("archived")
    customer, facts = known
    version = in_force.of(customer)
    decision = _decide(action, facts, version, tx)
    if isinstance(decision, Withdrawn):
        return decision
    capped = version.cap_across_accounts and version.cap_days > 0 and decision.step.sends_by_itself
    if capped and await tx.fetchval(_UNDER_WAY, tx.tenant_id, accounts, action["id"]):
        return Withdrawn("frequency_cap")
    return Cleared(customer, decision, window_of(customer, version, house, tx.tenant.time_zone))


def window_of(customer: Row, version: ScenarioVersion, house: House, house_zone: str) -> SendingWindow:
    """The hours in which a customer may be written to."""
    return window_at(
        version.sending,
        zone=customer["time_zone"],
        country=customer["country"],
        house_zone=house_zone,
        house_country=house.settings.calendar_country,
    )


def _decide(
    action: Row | Mapping[str, Any], facts: CustomerFacts, version: ScenarioVersion, tx: Tx
) -> NextAction | Withdrawn:
    if action["kind"] == "scenario":
        planned = Planned(action["leader_item_id"], action["scenario_version_id"], action["position"])
        return at_the_moment(planned, facts, version, tx.today)
    step = Step(Channel(action["channel"]), Mode(action["mode"]), action["template_id"])
    contact = reachable_contact(facts.contacts, step.channel)
    wanted: frozenset[UUID] = frozenset(action["item_ids"])
    return specific_at_the_moment(wanted, step, facts, version, contact, tx.today)
