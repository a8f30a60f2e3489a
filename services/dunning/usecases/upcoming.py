"""What a customer's scenario will do next, seen from today, even when nothing may happen yet."""

from dataclasses import replace
from datetime import date

from libs.kit.db import Row, Tx
from services.dunning.domain.facts import CustomerFacts
from services.dunning.domain.next_action import NextAction, Nothing, next_action
from services.dunning.domain.scenario import ScenarioVersion
from services.dunning.storage import planning, scenarios

_HOPS = 24


def upcoming(facts: CustomerFacts, version: ScenarioVersion, today: date) -> NextAction | Nothing:
    """The next action as it would come if nothing else happened: what ends by itself (a pause, a promise, an item that is not
    yet worth a reminder) is waited for. Nothing only where time alone brings no action."""
    day = today
    decision = next_action(facts, version, day)
    for _ in range(_HOPS):
        if (
            isinstance(decision, NextAction)
            or decision.look_again_on is None
            or decision.look_again_on <= day
        ):
            break
        day = decision.look_again_on
        decision = next_action(facts, version, day)
    # A step that is late is done on the first day on which it may be.
    return (
        replace(decision, due_on=max(decision.due_on, day)) if isinstance(decision, NextAction) else decision
    )


async def of_customer(tx: Tx, customer: Row) -> NextAction | Nothing | None:
    """The same from the rows of now; None for an archived customer."""
    in_force = await scenarios.in_force(tx)
    known = (await planning.facts_of(tx, [customer["id"]], in_force)).get(customer["id"])
    return None if known is None else upcoming(known[1], in_force.of(known[0]), tx.today)
