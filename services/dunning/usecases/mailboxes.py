"""Mailboxes answers come in through: a webhook with a token of its own, or IMAP looked into every minute."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from libs.kit.sealing import Seal
from libs.kit.tenants import Tenant
from services.dunning.channels import imap
from services.dunning.storage import replies
from services.dunning.usecases.hear import hear

log = structlog.get_logger(__name__)
KIND = "inbound_mailbox"
JOB = "poll_mailbox"
INTERVAL = timedelta(seconds=60)
_IMAP = "SELECT tenant_id, id FROM inbound_mailboxes WHERE kind = 'imap' AND active AND (polled_at IS NULL OR polled_at < now() - interval '60 seconds')"  # noqa: E501


async def create(tx: Tx, values: dict[str, Any], seal: Seal | None) -> tuple[Row, str | None]:
    """A mailbox and, for a webhook, its token, which is shown this once."""
    identifier = new_id()
    token = secrets.token_urlsafe(32) if values["kind"] == "webhook" else None
    password = values.pop("password", None)
    stored = {
        **values,
        "password_sealed": seal.seal(tx.tenant_id, _purpose(identifier), password)
        if seal and password
        else None,
        "token_hash": await replies.enter(tx, token, KIND, identifier) if token else None,
    }
    row = await replies.insert_mailbox(tx, identifier, stored)
    tx.audit("mailbox_created", KIND, identifier, None, {"name": row["name"], "kind": row["kind"]})
    return row, token


async def receive(runtime: Runtime, token: str, raw: bytes) -> Row | None:
    """A mail by webhook; None when it was heard before. Raises 404 for a token nobody was given."""
    led = await replies.led_to(runtime.db, token, KIND)
    if led is None:
        raise Problem(404, "not_found", "There is no mailbox with this token.")
    tenant = await runtime.tenant(led[0])
    async with runtime.db.transaction(tenant) as tx:
        mailbox = await replies.mailbox(tx, led[1])
        if mailbox is None or not mailbox["active"]:
            raise Problem(404, "not_found", "There is no mailbox with this token.")
        row = await hear(tx, raw, "webhook")
    await runtime.ring(tx)
    return row


async def sweep(runtime: Runtime) -> None:
    """Nudge the IMAP mailboxes whose minute has passed."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_IMAP)
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), str(row["id"]), job_id=f"{JOB}:{row['id']}")


async def poll(runtime: Runtime, tenant_id: str, mailbox_id: str) -> None:
    """The job: look into one mailbox, unless somebody did within the minute."""
    await look_into(runtime, await runtime.tenant(UUID(tenant_id)), UUID(mailbox_id), INTERVAL)


async def look_into(runtime: Runtime, tenant: Tenant, mailbox_id: UUID, interval: timedelta) -> int:
    """Hear what is new in an IMAP mailbox; how many answers that were. Each mail is kept with the place read up to in one
    transaction, so that a process that dies reads it again and keeps it once. A fault is shown on the mailbox."""
    async with runtime.db.transaction(tenant) as tx:
        row = await replies.take_turn(tx, mailbox_id, interval)
    if row is None:
        return 0
    server = msgspec.json.decode(row["imap"])
    password = Seal(runtime.settings.master_key).open(tenant.id, _purpose(mailbox_id), row["password_sealed"])
    try:
        fetched = await imap.fetch(
            runtime.settings, imap.Mailbox(**server, password=password), row["uid_validity"], row["last_uid"]
        )
    except imap.ImapFailed as failed:
        async with runtime.db.transaction(tenant) as tx:
            await replies.change_mailbox(tx, mailbox_id, error=str(failed))
        return 0
    heard = 0
    for uid, raw in fetched.mails:
        async with runtime.db.transaction(tenant) as tx:
            try:
                async with tx.savepoint():
                    heard += await hear(tx, raw, "imap") is not None
            except Problem:
                log.warning("mail_not_heard", mailbox=str(mailbox_id), uid=uid)
            await replies.change_mailbox(
                tx, mailbox_id, uid_validity=fetched.uid_validity, last_uid=uid, error=None
            )
        await runtime.ring(tx)
    if not fetched.mails and row["error"]:
        async with runtime.db.transaction(tenant) as tx:
            await replies.change_mailbox(tx, mailbox_id, error=None)
    return heard


def _purpose(mailbox_id: UUID) -> str:
    return f"imap:{mailbox_id}"
