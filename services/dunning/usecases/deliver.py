"""Handing a claimed message over, each channel in its own way, and who must not be written to."""

from typing import Any

import msgspec
import structlog

from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.runtime import Runtime
from libs.kit.sealing import Seal
from libs.kit.tenants import Tenant
from services.dunning.channels import sms
from services.dunning.storage import channels, letters
from services.dunning.usecases.house import House

log = structlog.get_logger(__name__)


async def deliver(
    runtime: Runtime, tenant: Tenant, house: House, message: Row
) -> tuple[mail.Outcome, str | None]:
    """Hand a claimed message over: an e-mail to the mail server, a text message to its provider. A letter is set already and
    stands in the archive to be printed: that is all the house does with it, and it counts as sent."""
    recipients: list[dict[str, Any]] = msgspec.json.decode(message["recipients"])
    if message["channel"] == "letter":
        return "sent", None
    if message["channel"] == "sms":
        async with runtime.db.transaction(tenant, readonly=True) as tx:
            row = await channels.get(tx, sms.CHANNEL)
        if row is None:
            return "failed", "no provider of text messages is set up"
        return await sms.send(
            runtime.settings,
            _provider(runtime, tenant, row),
            recipients[0]["phone"],
            message["text"],
            message["id"],
        )
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        attachments = await mail.attachments_of(tx, message["id"])
    transport = mail.transport_of(runtime.settings, tenant.id, house.settings)
    return await mail.send(transport, message, recipients, attachments)


def _provider(runtime: Runtime, tenant: Tenant, row: Row) -> sms.Provider:
    config, sealed = msgspec.json.decode(row["config"]), row["secret_sealed"]
    token = Seal(runtime.settings.master_key).open(tenant.id, sms.CHANNEL, sealed) if sealed else None
    return sms.Provider(config["url"], config["sender"], token)


async def withdrawn_recipients(tx: Tx, message: Row) -> bool:
    """Whether some recipient has been blocked since the message was planned. Letters know no blocked addresses."""
    kinds = {"email": ("email", "email"), "sms": ("phone", "phone")}
    kind, member = kinds.get(message["channel"], (None, ""))
    if kind is None:
        return False
    written_to = [
        letters.folded(kind, one[member])
        for one in msgspec.json.decode(message["recipients"])
        if one.get(member)
    ]
    return bool(await letters.blocked_among(tx, kind, written_to))
