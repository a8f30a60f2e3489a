"""Sending what was planned: claimed first, decided again on the facts of now, then handed over, then written down."""

from typing import Any
from uuid import UUID

import msgspec
import structlog

from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.dunning.domain.letters import (
    LetterFacts,
    Message,
    Sender,
    TemplateText,
    choose_language,
    render,
)
from services.dunning.domain.moment_of_sending import Planned, Withdrawn, at_the_moment
from services.dunning.domain.next_action import NextAction
from services.dunning.storage import actions, planning
from services.dunning.usecases.house import House, house_of
from services.dunning.usecases.plan import DELIVERY_FAILED

log = structlog.get_logger(__name__)
JOB = "send_mails"
_BATCH = 50
_OPEN = "SELECT DISTINCT tenant_id FROM mails WHERE state IN ('queued', 'sending')"


async def send_due(runtime: Runtime, tenant_id: str) -> None:
    """The job: send everything whose time has come for a tenant."""
    tenant = await runtime.tenant(UUID(tenant_id))
    await send_all_due(runtime, tenant)


async def send_all_due(runtime: Runtime, tenant: Tenant) -> int:
    """Send what is due, the ledger's newest facts read first; the number handed over. Raises 503 `ledger_behind`."""
    await mark_lost(runtime, tenant)
    sent = 0
    tried: set[UUID] = set()
    while True:
        async with runtime.db.transaction(tenant, readonly=True) as tx:
            due = [one for one in await mail.next_due(tx, _BATCH) if one not in tried]
        if not due:
            return sent
        await runtime.feed.require_fresh("ledger", tenant.id)
        for identifier in due:
            tried.add(identifier)
            sent += await _send_one(runtime, tenant, identifier)


async def sweep(runtime: Runtime) -> None:
    """Nudge tenants that have mail waiting, and give up on mail whose sender never came back."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_OPEN)
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), job_id=f"{JOB}:{row['tenant_id']}")


async def mark_lost(runtime: Runtime, tenant: Tenant) -> None:
    """A mail that was claimed and never settled may have left: from now on a person has to look."""
    async with runtime.db.transaction(tenant) as tx:
        for identifier in await mail.lost(tx):
            row = await mail.settle(tx, identifier, "unknown", "the process that sent it died")
            if row is not None:
                await _write_down(tx, row)


async def _send_one(runtime: Runtime, tenant: Tenant, identifier: UUID) -> int:
    async with runtime.db.transaction(tenant) as tx:
        claimed = await _claim(tx, identifier)
        house = await house_of(tx)
    if claimed is None:
        return 0
    transport = mail.transport_of(runtime.settings, tenant.id, house.settings)
    outcome, error = await mail.send(transport, claimed, msgspec.json.decode(claimed["recipients"]))
    async with runtime.db.transaction(tenant) as tx:
        row = await mail.settle(tx, identifier, outcome, error)
        if row is not None:
            await _write_down(tx, row)
    if error:
        log.warning("mail_not_sent", mail=str(identifier), outcome=outcome, error=error)
    return int(outcome == "sent")


async def _claim(tx: Tx, identifier: UUID) -> Row | None:
    """Lock, look again, choose the words, claim. None when somebody else has it or it is withdrawn or put off."""
    queued = await mail.lock_queued(tx, identifier)
    if queued is None:
        return None
    action = await actions.get(tx, queued["object_id"], lock=True)
    assert action is not None, "a reminder's mail belongs to an action"
    house = await house_of(tx)
    window = house.window(tx.tenant.time_zone)
    if not queued["any_hour"] and not window.is_open(tx.now):
        await mail.put_off(tx, identifier, window.next_opening(tx.now))
        return None
    facts = await planning.facts_of(tx, [action["customer_id"]])
    version = await planning.default_version(tx)
    planned = Planned(action["leader_item_id"], action["scenario_version_id"], action["position"])
    if action["customer_id"] not in facts or action["state"] != "due":
        decision: NextAction | Withdrawn = Withdrawn("no_longer_planned")
    else:
        decision = at_the_moment(planned, facts[action["customer_id"]][1], version, tx.today)
    if isinstance(decision, Withdrawn):
        await actions.cancel(tx, [action], str(decision.code))
        await planning.look_again(tx, {action["customer_id"]: tx.today})
        return None
    row = facts[action["customer_id"]][0]
    message = await write_message(tx, row, decision, action["template_id"], house)
    await actions.update(
        tx,
        action["id"],
        item_ids=[item.id for item in decision.items],
        net=msgspec.json.encode(decision.net).decode(),
    )
    return await mail.claim(tx, identifier, message.subject, message.text, message.html, message.language)


async def write_message(
    tx: Tx, customer: Row, decision: NextAction, template_id: UUID, house: House
) -> Message:
    """The words of a reminder, in the contact's language, else the customer's, else English."""
    texts = await tx.fetchval(
        "SELECT texts FROM templates WHERE tenant_id = $1 AND id = $2", tx.tenant_id, template_id
    )
    available = {tag: TemplateText(**text) for tag, text in msgspec.json.decode(texts).items()}
    contact = decision.contact
    language = choose_language([contact.language if contact else None, customer["language"]], available)
    return render(available[language], await letter_facts(tx, customer, decision, house), language)


async def letter_facts(tx: Tx, customer: Row, decision: NextAction, house: House) -> LetterFacts:
    """Everything a template may show of a customer. Raises ForeignItemError for an item of somebody else."""
    unit = await tx.fetchval(
        "SELECT name FROM business_units WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        customer["business_unit_id"],
    )
    return LetterFacts(
        customer_id=customer["id"],
        customer_name=customer["name"],
        customer_number=customer["external_id"],
        contact_name=decision.contact.name if decision.contact else customer["name"],
        sender=Sender(name=unit or house.settings.sender.name, email=house.settings.sender.email),
        items=decision.items,
        leader=decision.leader,
        net=decision.net,
        today=tx.today,
    )


async def _write_down(tx: Tx, row: Row) -> None:
    """What became of the mail becomes what became of its action. What may have gone counts as gone: never a second letter."""
    action = await actions.get(tx, row["object_id"], lock=True)
    assert action is not None, "a reminder's mail belongs to an action"
    if row["state"] in ("sent", "unknown"):
        changed = await actions.update(tx, action["id"], state="done", outcome=row["state"], done_on=tx.today)
        if row["state"] == "sent":
            _announce(tx, row, changed)
    elif row["state"] == "failed":
        await actions.update(tx, action["id"], state="blocked", reason=DELIVERY_FAILED, outcome=row["error"])
    if row["state"] != "queued":
        await planning.look_again(tx, {action["customer_id"]: tx.today})


def _announce(tx: Tx, row: Row, action: Row) -> None:
    recipients: list[dict[str, Any]] = msgspec.json.decode(row["recipients"])
    state = {
        "customer_id": row["customer_id"],
        "channel": "email",
        "subject": row["subject"],
        "to": [one["email"] for one in recipients],
        "item_ids": action["item_ids"],
        "sent_at": row["sent_at"],
    }
    tx.emit("message.sent", [Subject(row["id"], row["version"], state)])
