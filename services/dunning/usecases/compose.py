"""From what is to be said to the words and documents that say it, in the reader's language.

Two ways to write. `compose` fills a template on the facts of now; whoever sends calls it at the moment of sending. `queue` writes
down the intent to send: without words for a reminder (they are chosen when it leaves), or with words a person has seen already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.mail_message import Attachments
from libs.kit.problems import not_found
from libs.kit.responses import json_bytes
from services.dunning.channels import documents
from services.dunning.domain.facts import Contact, OpenItem
from services.dunning.domain.letters import (
    LetterFacts,
    Message,
    Sender,
    Situation,
    TemplateText,
    choose_language,
    render,
    written_by_hand,
)
from services.dunning.storage import letters
from services.dunning.usecases.house import House
from services.dunning.usecases.page_links import make_link

REMINDER = "reminder"
NOTHING_MORE = Situation()


@dataclass(frozen=True, slots=True)
class Matter:
    """What is written about: one customer's items, what they come to, whom to, and what was agreed."""

    items: tuple[OpenItem, ...]
    leader: OpenItem | None
    net: Mapping[str, int]
    contact: Contact | None
    situation: Situation = NOTHING_MORE


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready to leave. `answers_to` are the Message-IDs of its thread, oldest first."""

    channel: str
    message: Message
    attachments: Attachments = ()
    answers_to: tuple[str, ...] = ()
    about: tuple[UUID, ...] = ()


async def compose(
    tx: Tx, customer: Row, template_id: UUID, matter: Matter, house: House, *, language: str | None = None,
    linked: bool = True,
) -> Composed:  # fmt: skip
    """Fill a template for a customer, in the language asked for, else the contact's, the customer's, English. `linked`: with a
    link of its own to the customer's page, where the template shows one and the tenant has a public address for it.

    Raises 404 for a template that is not there, ForeignItemError for an item of somebody else, and 422 `font_missing` for a
    letter in a writing this installation has no font for."""
    template = await letters.template(tx, template_id)
    if template is None:
        raise not_found("template", template_id)
    texts = letters.texts_of(template)
    spoken = matter.contact.language if matter.contact else None
    chosen = choose_language([language, spoken, customer["language"]], texts)
    channel = template["channel"]
    if linked and channel in ("email", "sms") and "page_url" in texts[chosen].text:
        matter = await _with_page(tx, customer, matter, house, chosen)
    facts = await letter_facts(tx, customer, matter, house)
    message = render(texts[chosen], facts, chosen)
    return Composed(
        channel,
        message,
        await _documents(channel, texts[chosen], facts, message, chosen, house, template["attach_statement"]),
        await _thread(tx, channel, customer, matter),
        tuple(item.id for item in matter.items),
    )


async def compose_by_hand(
    tx: Tx, customer: Row, subject: str, body: str, matter: Matter, house: House, *, language: str,
    attach_statement: bool = False,
) -> Composed:  # fmt: skip
    """Words a person wrote: an e-mail with that text, every character of it shown as typed, with the statement if wanted."""
    facts = await letter_facts(tx, customer, matter, house)
    message = written_by_hand(subject, body, language)
    attachments = (
        (await documents.statement(facts, language, house.settings.brand),) if attach_statement else ()
    )
    return Composed(
        "email",
        message,
        attachments,
        await _thread(tx, "email", customer, matter),
        tuple(item.id for item in matter.items),
    )


async def letter_facts(tx: Tx, customer: Row, matter: Matter, house: House) -> LetterFacts:
    """Everything a template may show of a customer. Raises ForeignItemError for an item of somebody else."""
    unit = await tx.fetchval(
        "SELECT name FROM business_units WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, customer["business_unit_id"],
    )  # fmt: skip
    sender = house.settings.sender
    return LetterFacts(
        customer_id=customer["id"],
        customer_name=customer["name"],
        customer_number=customer["external_id"],
        contact_name=matter.contact.name if matter.contact else customer["name"],
        sender=Sender(name=unit or sender.name, email=sender.reply_to or sender.email),
        items=matter.items,
        leader=matter.leader,
        net=dict(matter.net),
        today=tx.today,
        address=address_lines(msgspec.json.decode(customer["address"])),
        situation=matter.situation,
    )


async def queue(
    tx: Tx, *, purpose: str, object_id: UUID, customer_id: UUID | None, recipients: Sequence[Mapping[str, Any]],
    house: House, not_before: datetime, channel: str = "email", cc: Sequence[Mapping[str, Any]] = (), any_hour: bool = False,
    composed: Composed | None = None, identifier: UUID | None = None,
) -> UUID:  # fmt: skip
    """Write down the intent to send, and with `composed` its words and documents; the message's id.

    A recipient is {name, email}, {name, phone} or {name, address} by channel. Answers go to the tenant's own address for them,
    plus-addressed with the message's id where the mailbox allows it."""
    identifier = identifier or new_id()
    sender = house.settings.sender
    values: dict[str, Any] = {
        "channel": channel,
        "purpose": purpose,
        "object_id": object_id,
        "customer_id": customer_id,
        "sender_name": sender.name,
        "sender_email": sender.email,
        "reply_to": answers_at(await mailbox_of(tx), identifier) or sender.reply_to,
        "recipients": json_bytes(list(recipients)).decode(),
        "cc": json_bytes(list(cc)).decode(),
        "not_before": not_before,
        "any_hour": any_hour,
    }
    if composed is not None:
        message = composed.message
        values |= {
            "channel": composed.channel, "subject": message.subject, "text": message.text, "html": message.html,
            "language": message.language, "answers_to": list(composed.answers_to), "about": list(composed.about),
        }  # fmt: skip
    await mail.write(tx, identifier, values)
    if composed is not None:
        await mail.attach(tx, identifier, composed.attachments)
    return identifier


def recipient(contact: Contact, channel: str, customer: Row) -> dict[str, Any]:
    """A contact as a channel reaches it."""
    if channel == "sms":
        return {"name": contact.name, "phone": contact.phone or ""}
    if channel == "letter":
        return {
            "name": contact.name,
            "address": list(address_lines(msgspec.json.decode(customer["address"]))),
        }
    return {"name": contact.name, "email": contact.email or ""}


def address_lines(address: Mapping[str, Any]) -> tuple[str, ...]:
    """A postal address line by line, empty ones left out; members with names of their own are left out too."""
    town = " ".join(str(address[part]) for part in ("postal_code", "zip", "city") if address.get(part))
    lines = [*(address.get(part) for part in ("line1", "line2", "street")), town]
    return tuple(str(line) for line in (*lines, address.get("region"), address.get("country")) if line)


async def _with_page(tx: Tx, customer: Row, matter: Matter, house: House, language: str) -> Matter:
    base, contact = house.settings.pages_url, matter.contact
    if base is None:
        return matter
    name, email = (contact.name, contact.email) if contact else ("", None)
    _, token = await make_link(tx, customer, contact_name=name, contact_email=email, language=language)
    url = f"{base.rstrip('/')}/v1/pages/{token}"
    return replace(matter, situation=replace(matter.situation, page_url=url))


async def _documents(
    channel: str, template: TemplateText, facts: LetterFacts, message: Message, language: str, house: House,
    attach_statement: bool,
) -> Attachments:  # fmt: skip
    if channel == "letter":
        return (await documents.letter(template, facts, message, house.settings.brand),)
    if channel == "email" and attach_statement and facts.items:
        return (await documents.statement(facts, language, house.settings.brand),)
    return ()


async def _thread(tx: Tx, channel: str, customer: Row, matter: Matter) -> tuple[str, ...]:
    contact, leader = matter.contact, matter.leader
    if channel != "email" or contact is None or not contact.email or leader is None:
        return ()
    return await letters.thread_of(tx, customer["id"], leader.id, contact.email)


async def mailbox_of(tx: Tx) -> Row | None:
    """Where answers are heard: the newest active mailbox with an address of its own."""
    return await tx.fetchrow(
        "SELECT address, plus_address FROM inbound_mailboxes WHERE tenant_id = $1 AND active AND address IS NOT NULL"
        " ORDER BY id DESC LIMIT 1",
        tx.tenant_id,
    )


def answers_at(mailbox: Row | None, identifier: UUID) -> str | None:
    """The address for answers to one message."""
    if mailbox is None or not mailbox["plus_address"]:
        return mailbox["address"] if mailbox else None
    local, _, domain = mailbox["address"].rpartition("@")
    return f"{local}+{identifier.hex}@{domain}"
