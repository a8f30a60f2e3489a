"""How a message would read for a customer now, without sending it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from services.dunning.domain.contacts import reachable_contact
from services.dunning.domain.facts import OpenItem
from services.dunning.domain.letters import Situation
from services.dunning.domain.scenario import Channel
from services.dunning.storage import planning
from services.dunning.usecases.compose import Matter, compose
from services.dunning.usecases.house import house_of


async def preview(
    tx: Tx, template: Row, customer_id: UUID, perimeter: Sequence[UUID] | None, *, language: str | None,
    item_ids: Sequence[UUID] | None, comment: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The rendered message. Raises 404 for a customer out of sight, 409 `nothing_to_claim`, 422 for items of somebody else."""
    known = (await planning.facts_of(tx, [customer_id])).get(customer_id)
    if known is None or (perimeter is not None and known[0]["business_unit_id"] not in perimeter):
        raise not_found("customer", customer_id)
    customer, facts = known
    items = chosen_items(facts.items, item_ids)
    if not items:
        raise Problem(409, "nothing_to_claim", "This customer has no open item.", reason="nothing_open")
    channel = Channel(template["channel"])
    contact = reachable_contact(facts.contacts, channel)
    matter = matter_of(items, contact, Situation(comment=comment or ""))
    house = await house_of(tx)
    composed = await compose(tx, customer, template["id"], matter, house, language=language, linked=False)
    message = composed.message
    return {
        "channel": composed.channel, "language": message.language, "subject": message.subject, "text": message.text,
        "html": message.html, "attachments": [one.filename for one in composed.attachments],
    }  # fmt: skip


def matter_of(items: Sequence[OpenItem], contact: Any, situation: Situation) -> Matter:
    """A customer's items as what is written about: the oldest debt leads, amounts add up by currency."""
    ordered = tuple(sorted(items, key=lambda item: (item.due_date, item.number)))
    net: dict[str, int] = {}
    for item in ordered:
        net[item.currency] = net.get(item.currency, 0) + item.open_minor
    debts = [item for item in ordered if item.open_minor > 0]
    return Matter(ordered, debts[0] if debts else None, net, contact, situation)


def chosen_items(items: Sequence[OpenItem], wanted: Sequence[UUID] | None) -> list[OpenItem]:
    """The items wanted, all of them for None. Raises 422 for one that is not open with this customer."""
    if wanted is None:
        return list(items)
    by_id = {item.id: item for item in items}
    for place, identifier in enumerate(wanted):
        if identifier not in by_id:
            raise invalid(f"/item_ids/{place}", "item_unknown", "expected an open item of this customer")
    return [by_id[identifier] for identifier in dict.fromkeys(wanted)]
