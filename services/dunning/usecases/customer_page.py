"""The customer's page: links that lead to it, what it shows, and what customers say on it."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from libs.kit.responses import json_bytes
from libs.kit.runtime import Runtime
from services.dunning.domain.facts import CustomerFacts
from services.dunning.domain.pages.html import CHOICES, Page
from services.dunning.domain.replies.mail import Enclosure
from services.dunning.domain.replies.rules import Kind, Proposal
from services.dunning.storage import links, planning, replies
from services.dunning.usecases.hear import say_on_page
from services.dunning.usecases.house import house_of
from services.dunning.usecases.page_links import KIND


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who came by a link that holds: whose items it shows, and the transaction of that tenant."""

    tx: Tx
    link: Row
    customer: Row
    facts: CustomerFacts


class LinkClosed(Exception):
    """A link that has expired or was revoked; `language` is its reader's."""

    def __init__(self, language: str) -> None:
        super().__init__("expired or revoked")
        self.language = language


async def revoke(tx: Tx, link: Row) -> Row:
    """End a link: from now on its page says so."""
    tx.audit("link_revoked", KIND, link["id"])
    return await links.revoke(tx, link["id"])


@asynccontextmanager
async def visit(runtime: Runtime, token: str) -> AsyncIterator[Visit]:
    """Open the door behind a token, in a transaction of its tenant. Raises 404 for a token nobody was given, LinkClosed for one
    that no longer holds. What is committed inside is told to the other services."""
    led = await replies.led_to(runtime.db, token, KIND)
    if led is None:
        raise Problem(404, "not_found", "There is no page behind this link.")
    tenant = await runtime.tenant(led[0])
    async with runtime.db.transaction(tenant) as tx:
        link = await links.get(tx, led[1])
        if link is None:
            raise Problem(404, "not_found", "There is no page behind this link.")
        if link["revoked_at"] is not None or link["expires_at"] <= clock.wall():
            raise LinkClosed(link["language"])
        known = (await planning.facts_of(tx, [link["customer_id"]])).get(link["customer_id"])
        if known is None:
            raise LinkClosed(link["language"])
        await links.used(tx, link["id"])
        yield Visit(tx, link, *known)
    await runtime.ring(tx)


async def show(found: Visit, notice: str | None = None) -> Page:
    """What the page shows: the customer's open items, oldest first."""
    house = await house_of(found.tx)
    items = sorted(found.facts.items, key=lambda item: (item.due_date, item.number))
    return Page(
        language=found.link["language"],
        sender=house.settings.brand.name or house.settings.sender.name,
        customer=found.customer["name"],
        account=found.customer["external_id"],
        items=items,
        today=found.tx.today,
        notice=notice,
    )


async def say(
    found: Visit,
    kind: str,
    item_ids: Sequence[UUID],
    day: date | None,
    comment: str,
    files: Sequence[Enclosure],
) -> Row | None:
    """An answer given on the page waits for a person like any reply; None when the very same was given before. Raises 422 for
    items that are not this customer's open ones, an unknown kind, and a promise without a day from today on."""
    if kind not in CHOICES:
        raise invalid("/kind", "kind_unknown", f"expected one of {', '.join(CHOICES)}")
    own = {item.id for item in found.facts.items}
    wanted = list(dict.fromkeys(item_ids))
    if not wanted or not own.issuperset(wanted):
        raise invalid("/item_ids", "item_unknown", "expected open items of this page")
    if kind == "promise" and (day is None or day < found.tx.today):
        raise invalid("/date", "day_missing", "expected the day of payment, today or later")
    proposal = Proposal(
        Kind(kind), "said on the customer's page", day if kind in ("promise", "already_paid") else None
    )
    contact = found.link["contact_name"], (found.link["contact_email"] or "")
    parts = [
        found.link["id"],
        kind,
        wanted,
        day,
        comment,
        [hashlib.sha256(one.content).hexdigest() for one in files],
    ]
    fingerprint = hashlib.sha256(json_bytes(parts)).digest()
    return await say_on_page(
        found.tx, found.customer["id"], contact, [proposal], wanted, comment[:4000], list(files), fingerprint
    )
