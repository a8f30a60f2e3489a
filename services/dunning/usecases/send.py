"""Sending what was planned: claimed first, decided again on the facts of now, then handed over, then written down."""

from typing import Any
from uuid import UUID

import msgspec
import structlog

from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.pdf import PdfFailed
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.dunning.domain.letters import TemplateInvalidError
from services.dunning.domain.moment_of_sending import Withdrawn
from services.dunning.storage import actions
from services.dunning.usecases.compose import REMINDER, Matter, compose
from services.dunning.usecases.deliver import deliver, withdrawn_recipients
from services.dunning.usecases.house import house_of
from services.dunning.usecases.moment import decide_again
from services.dunning.usecases.plan import DELIVERY_FAILED
from services.dunning.usecases.specific import finished, withdraw

log = structlog.get_logger(__name__)
JOB = "send_mails"
_BATCH = 50
NO_CONTACT = "no_contact"
CANNOT_BE_WRITTEN = "cannot_be_written"
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
    outcome, error = await deliver(runtime, tenant, house, claimed)
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
    if queued["purpose"] != REMINDER:
        return await claim_as_written(tx, queued)
    action = await actions.get(tx, queued["object_id"], lock=True)
    assert action is not None, "a reminder's mail belongs to an action"
    house = await house_of(tx)
    cleared = (
        await decide_again(tx, action, house) if action["state"] == "due" else Withdrawn("no_longer_planned")
    )
    if isinstance(cleared, Withdrawn):
        await withdraw(tx, action, str(cleared.code))
        return None
    if not queued["any_hour"] and not cleared.window.is_open(tx.now):
        await mail.put_off(tx, identifier, cleared.window.next_opening(tx.now))
        return None
    if await withdrawn_recipients(tx, queued):
        await withdraw(tx, action, NO_CONTACT)
        return None
    row, decision = cleared.customer, cleared.decision
    matter = Matter(decision.items, decision.leader, decision.net, decision.contact)
    try:
        composed = await compose(tx, row, action["template_id"], matter, house)
    except (Problem, PdfFailed, TemplateInvalidError) as fault:
        # A template a person must mend, a font that is missing: an end state with its reason, not a job that fails for ever.
        await mail.cancel(tx, identifier, CANNOT_BE_WRITTEN)
        await actions.update(
            tx, action["id"], state="blocked", reason=CANNOT_BE_WRITTEN, outcome=str(fault)[:500]
        )
        return None
    message = composed.message
    await actions.update(
        tx,
        action["id"],
        item_ids=[item.id for item in decision.items],
        net=msgspec.json.encode(decision.net).decode(),
    )
    return await mail.claim(
        tx, identifier, message.subject, message.text, message.html, message.language,
        attachments=composed.attachments, answers_to=composed.answers_to, about=composed.about,
    )  # fmt: skip


async def claim_as_written(tx: Tx, queued: Row) -> Row | None:
    """Claim a message whose words a person has seen already: a confirmation, a statement. One to nobody who may be written to
    is given up."""
    if await withdrawn_recipients(tx, queued):
        await mail.cancel(tx, queued["id"], NO_CONTACT)
        return None
    return await mail.claim(
        tx, queued["id"], queued["subject"], queued["text"], queued["html"], queued["language"],
        answers_to=queued["answers_to"],
    )  # fmt: skip


async def _write_down(tx: Tx, row: Row) -> None:
    """What became of the mail becomes what became of its action. What may have gone counts as gone: never a second letter."""
    if row["purpose"] != REMINDER:
        if row["state"] == "sent":
            _announce(tx, row, row["about"])
        return
    action = await actions.get(tx, row["object_id"], lock=True)
    assert action is not None, "a reminder's mail belongs to an action"
    if row["state"] in ("sent", "unknown"):
        changed = await actions.update(tx, action["id"], state="done", outcome=row["state"], done_on=tx.today)
        if row["state"] == "sent":
            _announce(tx, row, changed["item_ids"])
    elif row["state"] == "failed":
        await actions.update(tx, action["id"], state="blocked", reason=DELIVERY_FAILED, outcome=row["error"])
    if row["state"] != "queued":
        await finished(tx, action)


def _announce(tx: Tx, row: Row, item_ids: list[UUID]) -> None:
    recipients: list[dict[str, Any]] = msgspec.json.decode(row["recipients"])
    state = {
        "customer_id": row["customer_id"],
        "channel": row["channel"],
        "subject": row["subject"],
        "to": [one.get("email") or one.get("phone") or one.get("name", "") for one in recipients],
        "item_ids": item_ids,
        "sent_at": row["sent_at"],
    }
    tx.emit("message.sent", [Subject(row["id"], row["version"], state)])
