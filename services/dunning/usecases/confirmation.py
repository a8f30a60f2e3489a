"""The message that confirms a qualification: to the customer, or to somebody inside the house, pre-filled from what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from services.dunning.domain.contacts import reachable_contact
from services.dunning.domain.facts import Contact, OpenItem
from services.dunning.domain.letters import Situation
from services.dunning.domain.netting import seniority
from services.dunning.domain.scenario import Channel
from services.dunning.domain.statuses import Category
from services.dunning.storage import planning, statuses
from services.dunning.usecases.compose import Composed, Matter, compose, compose_by_hand, queue, recipient
from services.dunning.usecases.house import house_of
from services.dunning.usecases.qualify import Qualifying

CONFIRMATION = "confirmation"
#: The library's words for a customer, by what it answered; anything else is confirmed with the statement.
_WORDS = {Category.PROMISE: "promise_confirmation", Category.DISPUTE: "dispute_acknowledgement"}
_TO_COLLEAGUE = "status_notice"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asked for; None and empty: what is usual. `subject` and `body` go together and replace the template."""

    contact_ids: Sequence[UUID] = ()
    user_ids: Sequence[UUID] = ()
    cc: Sequence[str] = ()
    template_id: UUID | None = None
    subject: str | None = None
    body: str | None = None
    attach_statement: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """A confirmation with its words, and whom it goes to."""

    composed: Composed
    to: Sequence[Mapping[str, Any]]
    cc: Sequence[Mapping[str, Any]]


async def write(tx: Tx, found: Qualifying, wishes: Wishes) -> Ready:
    """The confirmation as it would leave. Raises 422 for somebody who cannot be written to, 409 `no_contact`."""
    known = await planning.facts_of(tx, [found.customer["id"]])
    if found.customer["id"] not in known:
        raise Problem(409, "customer_archived", "The customer is archived: nothing is sent to it.")
    customer, facts = known[found.customer["id"]]
    contacts = _contacts(facts.contacts, wishes)
    users = await _users(tx, wishes.user_ids)
    contact = contacts[0] if contacts else None
    matter = _matter(found, facts.items, contact, customer["language"])
    house = await house_of(tx)
    language = (contact.language if contact else None) or customer["language"]
    if wishes.subject is not None and wishes.body is not None:
        composed = await compose_by_hand(
            tx, customer, wishes.subject, wishes.body, matter, house, language=language,
            attach_statement=wishes.attach_statement,
        )  # fmt: skip
    else:
        template_id = wishes.template_id or await _usual(tx, found, to_customer=bool(contacts))
        composed = await compose(tx, customer, template_id, matter, house)
    to = [recipient(one, "email", customer) for one in contacts]
    to += [{"name": row["name"], "email": row["email"]} for row in users]
    return Ready(composed, to, [{"name": "", "email": one} for one in wishes.cc])


async def send(tx: Tx, found: Qualifying, ready: Ready, qualification_id: UUID) -> UUID:
    """Write down the intent to send it now, whatever the hour: a person asked. The message's id."""
    return await queue(
        tx, purpose=CONFIRMATION, object_id=qualification_id, customer_id=found.customer["id"], recipients=ready.to,
        house=await house_of(tx), not_before=tx.now, cc=ready.cc, any_hour=True, composed=ready.composed,
    )  # fmt: skip


def _contacts(known: Sequence[Contact], wishes: Wishes) -> list[Contact]:
    if not wishes.contact_ids:
        if wishes.user_ids:
            return []
        usual = reachable_contact(known, Channel.EMAIL)
        if usual is None:
            raise Problem(
                409,
                "no_contact",
                "The customer has nobody who may be written to: name user_ids, or leave it out.",
            )
        return [usual]
    by_id = {contact.id: contact for contact in known}
    for place, one in enumerate(wishes.contact_ids):
        pointer = f"/confirmation/contact_ids/{place}"
        if one not in by_id:
            raise invalid(
                pointer, "contact_unknown", "expected the id of a contact of this customer: see the preview"
            )
        if not by_id[one].email or by_id[one].blacklisted:
            raise invalid(
                pointer,
                "contact_unreachable",
                "expected a contact with an e-mail address that is not blocked",
            )
    return [by_id[one] for one in wishes.contact_ids]


async def _users(tx: Tx, user_ids: Sequence[UUID]) -> list[Row]:
    rows = await tx.fetch(
        "SELECT id, name, email FROM users WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id",
        tx.tenant_id,
        list(user_ids),
    )
    missing = set(user_ids) - {row["id"] for row in rows}
    for place, one in enumerate(user_ids):
        if one in missing:
            raise invalid(f"/confirmation/user_ids/{place}", "user_unknown", "expected the id of a user")
    return rows


def _matter(found: Qualifying, items: Sequence[OpenItem], contact: Contact | None, language: str) -> Matter:
    ids = {item["id"] for item in found.items}
    own = tuple(sorted((item for item in items if item.id in ids), key=seniority))
    net: dict[str, int] = {}
    for item in own:
        net[item.currency] = net.get(item.currency, 0) + item.open_minor
    debts = [item for item in own if item.open_minor > 0]
    spoken = (contact.language if contact else None) or language
    promised = found.status.category is Category.PROMISE
    single = len(net) == 1
    currency = next(iter(net), "")
    situation = Situation(
        status=statuses.label_of(found.status_row, spoken),
        comment=found.answer.comment or "",
        promise_on=found.day if promised else None,
        promise_minor=(found.amount or net[currency]) if promised and single else None,
        promise_currency=currency if promised and single else "",
        dispute=statuses.label_of(found.status_row, spoken)
        if found.status.category is Category.DISPUTE
        else "",
    )
    return Matter(own, debts[0] if debts else None, net, contact, situation)


async def _usual(tx: Tx, found: Qualifying, *, to_customer: bool) -> UUID:
    code = _WORDS.get(found.status.category, "statement") if to_customer else _TO_COLLEAGUE
    identifier: UUID | None = await tx.fetchval(
        "SELECT id FROM templates WHERE tenant_id = $1 AND code = $2", tx.tenant_id, code
    )
    if identifier is None:
        raise invalid(
            "/confirmation/template_id", "missing", "expected a template: the usual one was taken away"
        )
    return identifier
