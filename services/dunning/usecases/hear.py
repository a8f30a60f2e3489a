"""Hearing an answer: whose it is, to which message, what it may mean. A person decides; only a bounce settles itself."""

import hashlib
from dataclasses import asdict
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from services.dunning.domain.replies.mail import Enclosure, Heard, read
from services.dunning.domain.replies.rules import Proposal, mentioned, propose
from services.dunning.storage import actions, letters, planning, replies
from services.dunning.usecases.plan import DELIVERY_FAILED
from services.dunning.usecases.qualify import Answer, check, qualify


async def hear(tx: Tx, raw: bytes, source: str) -> Row | None:
    """Keep an incoming mail; None when it was heard before. Raises 422 `mail_invalid` for what is no mail."""
    try:
        heard = read(raw)
    except ValueError:
        raise invalid("", "mail_invalid", "expected a mail as of RFC 5322, with a sender") from None
    answered = await replies.message_answered(tx, heard.answers_to, heard.plus_ids)
    message, how = answered or (None, None)
    customer_id = message["customer_id"] if message else None
    if customer_id is None and not heard.bounces:
        customer_id = await replies.customer_of_address(tx, heard.sender_email)
        how = "sender_address" if customer_id else None
    kind = "bounce" if heard.bounces else "automatic" if heard.automatic else "reply"
    proposals = (
        [] if heard.bounces else propose(heard.subject, heard.text, tx.today, automatic=heard.automatic)
    )
    values = {
        "source": source,
        "fingerprint": _fingerprint(heard, raw),
        "kind": kind,
        "customer_id": customer_id,
        "mail_id": message["id"] if message else None,
        "threaded_by": how,
        "sender_email": heard.sender_email,
        "sender_name": heard.sender_name,
        "subject": heard.subject,
        "text": heard.text,
        "header_id": heard.header_id,
        "proposals": [_shown(one) for one in proposals],
        "item_ids": await _items(tx, heard, customer_id, message),
        "state": "settled" if heard.bounces else "open",
    }
    row = await replies.insert_reply(tx, values, heard.enclosures)
    if row is not None and heard.bounces:
        await _bounced(tx, heard, message)
    return row


async def say_on_page(
    tx: Tx, customer_id: UUID, contact: tuple[str, str], proposals: list[Proposal], item_ids: list[UUID], text: str,
    enclosures: list[Enclosure], fingerprint: bytes,
) -> Row | None:  # fmt: skip
    """What a customer says on its own page: like a reply, but the customer says itself what it means."""
    values = {
        "source": "page", "fingerprint": fingerprint, "kind": "reply", "customer_id": customer_id, "mail_id": None,
        "threaded_by": "page", "sender_name": contact[0], "sender_email": contact[1], "subject": "", "text": text,
        "header_id": None, "proposals": [_shown(one) for one in proposals], "item_ids": item_ids, "state": "open",
    }  # fmt: skip
    return await replies.insert_reply(tx, values, enclosures)


async def accept(tx: Tx, row: Row, answer: Answer, perimeter: Any, user_id: UUID | None) -> Row:
    """Make of a reply what a person says it means: its items are qualified. Raises 409 `invalid_state`, and what qualifying
    raises."""
    _require_open(row)
    found = await check(tx, answer, perimeter)
    if row["customer_id"] is not None and found.customer["id"] != row["customer_id"]:
        raise invalid("/item_ids", "item_of_another_customer", "expected items of the customer who wrote")
    done = await qualify(tx, found, row["mail_id"])
    decided = await replies.decide(
        tx, row["id"], "accepted",
        {
            "decision": {"status_code": answer.status_code, "date": answer.day},
            "by": user_id,
            "qualification_id": done["id"],
            "customer_id": found.customer["id"],
        },
    )  # fmt: skip
    tx.audit("reply_accepted", "reply", row["id"], None, {"qualification_id": done["id"]})
    return decided


async def dismiss(tx: Tx, row: Row, reason: str | None, user_id: UUID | None) -> Row:
    """A person has read it, and nothing follows. Raises 409 `invalid_state`."""
    _require_open(row)
    tx.audit("reply_dismissed", "reply", row["id"], None, {"reason": reason})
    return await replies.decide(tx, row["id"], "dismissed", {"decision": {"reason": reason}, "by": user_id})


def _require_open(row: Row) -> None:
    if row["state"] != "open":
        raise Problem(409, "invalid_state", f"The reply is {row['state']} already.", state=row["state"])


def _fingerprint(heard: Heard, raw: bytes) -> bytes:
    """The same mail through webhook and IMAP is one: its Message-ID and words tell, not its transport headers."""
    if heard.header_id is None:
        return hashlib.sha256(raw).digest()
    return hashlib.sha256(f"{heard.header_id}\n{heard.sender_email}\n{heard.text}".encode()).digest()


async def _items(tx: Tx, heard: Heard, customer_id: UUID | None, message: Row | None) -> list[UUID]:
    """The items an answer speaks of: those it names, else those of the message it answers to."""
    if customer_id is None:
        return []
    known = await replies.open_numbers(tx, customer_id)
    named = set(mentioned(heard.text, [row["number"] for row in known]))
    if named:
        return [row["id"] for row in known if row["number"] in named]
    still_open = {row["id"] for row in known}
    return [one for one in message["about"] if one in still_open] if message else []


async def _bounced(tx: Tx, heard: Heard, message: Row | None) -> None:
    """Only of a message of ours is a bounce believed, and only for an address it went to: anybody can write a report."""
    if message is None:
        return
    written_to = {
        letters.folded("email", one.get("email", "")) for one in actions.decoded(message, "recipients")
    }
    for one in heard.bounces:
        if one.recipient not in written_to:
            continue
        came_back = await replies.mark_bounced(tx, message["id"], f"not delivered ({one.status})")
        if one.permanent:
            await letters.block(tx, "email", one.recipient, "bounced", one.status, message["id"])
        if came_back is not None and came_back["purpose"] == "reminder":
            action = await actions.get(tx, came_back["object_id"], lock=True)
            if action is not None and action["state"] == "done":
                await actions.update(
                    tx, action["id"], state="blocked", reason=DELIVERY_FAILED, outcome=f"bounced {one.status}", done_on=None
                )  # fmt: skip
                await planning.look_again(tx, {action["customer_id"]: tx.today})


def _shown(proposal: Proposal) -> dict[str, Any]:
    return {**asdict(proposal), "kind": proposal.kind.value, "category": proposal.category}
