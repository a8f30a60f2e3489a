"""Writing down the intent to send messages for actions; the words are chosen when they leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from services.dunning.domain.facts import Contact
from services.dunning.domain.next_action import NextAction
from services.dunning.usecases.compose import REMINDER, answers_at, mailbox_of, recipient
from services.dunning.usecases.house import House


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message for an action: from when on, and whether sending hours count."""

    mail_id: UUID
    action_id: UUID
    customer: Row
    decision: NextAction
    not_before: datetime
    any_hour: bool = False


async def queue_messages(tx: Tx, wanted: Sequence[Wanted], house: House) -> None:
    """Write many down at once."""
    if wanted:
        mailbox = await mailbox_of(tx)
        await mail.write_many(tx, [(one.mail_id, _intent(one, mailbox, house)) for one in wanted])


def _intent(one: Wanted, mailbox: Row | None, house: House) -> dict[str, Any]:
    channel, customer, sender = str(one.decision.step.channel), one.customer, house.settings.sender
    # A letter reaches a customer nobody is named at.
    contact = one.decision.contact or Contact(customer["id"], customer["name"], "other")
    return {
        "channel": channel,
        "purpose": REMINDER,
        "object_id": one.action_id,
        "customer_id": customer["id"],
        "sender_name": sender.name,
        "sender_email": sender.email,
        "reply_to": answers_at(mailbox, one.mail_id) or sender.reply_to,
        "recipients": json_bytes([recipient(contact, channel, customer)]).decode(),
        "not_before": one.not_before,
        "any_hour": one.any_hour,
    }
