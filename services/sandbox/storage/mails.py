"""Caught mail, kept for whoever logged in to send it."""

from uuid import UUID

import structlog

from libs.contracts.ids import new_id
from libs.kit.db import Database
from libs.kit.responses import json_bytes
from libs.kit.tenants import Tenant
from services.sandbox.mail_catcher import CaughtMail

log = structlog.get_logger(__name__)
COLUMNS = "id, sender, recipients, subject, headers, text, html, attachments, size, caught_at"


async def keep(db: Database, mail: CaughtMail) -> None:
    """Write a mail down under the tenant whose id logged in; a mail of nobody's is let go of."""
    try:
        tenant = Tenant(UUID(mail.owner or ""))
    except ValueError:
        log.warning("mail_of_nobody", recipients=len(mail.recipients))
        return
    attachments = [
        {"filename": one.filename, "content_type": one.content_type, "size": one.size}
        for one in mail.attachments
    ]
    headers = [{"name": name, "value": value} for name, value in mail.headers]
    async with db.transaction(tenant) as tx:
        await tx.execute(
            f"INSERT INTO caught_mails (tenant_id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            tenant.id, new_id(), mail.sender, json_bytes(list(mail.recipients)).decode(), mail.subject,
            json_bytes(headers).decode(), mail.text, mail.html, json_bytes(attachments).decode(), mail.size, mail.caught_at,
        )  # fmt: skip
