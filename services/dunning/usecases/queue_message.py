"""Writing down the intent to send a message for an action."""

from datetime import datetime
from uuid import UUID

from libs.kit.db import Tx
from services.dunning.domain.facts import Contact
from services.dunning.domain.next_action import NextAction
from services.dunning.usecases.compose import REMINDER, queue, recipient
from services.dunning.usecases.house import House


async def queue_mail(
    tx: Tx, mail_id: UUID, action_id: UUID, customer_id: UUID, decision: NextAction, house: House,
    not_before: datetime, *, any_hour: bool = False,
) -> None:  # fmt: skip
    """Write down the intent to send; the words are chosen when it leaves. A letter reaches a customer nobody is named at."""
    channel = str(decision.step.channel)
    customer = await tx.fetchrow(
        "SELECT name, address FROM customers WHERE tenant_id = $1 AND id = $2", tx.tenant_id, customer_id
    )
    assert customer is not None, "its facts were read before"
    contact = decision.contact or Contact(customer_id, customer["name"], "other")
    await queue(
        tx, purpose=REMINDER, object_id=action_id, customer_id=customer_id, channel=channel, house=house,
        recipients=[recipient(contact, channel, customer)], not_before=not_before, any_hour=any_hour, identifier=mail_id,
    )  # fmt: skip
