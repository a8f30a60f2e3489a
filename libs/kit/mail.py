"""Mail that leaves exactly once, or says that nobody can tell.

A mail is a row: queued (intent) -> sending -> sent | unknown | failed, or cancelled while it was queued. It is claimed
before the first byte goes out; a process that dies between the claim and the answer leaves `sending`, which a sweep turns
into `unknown`. What is unknown is shown to a person and never sent again by itself: SMTP cannot be asked.
"""

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN

from libs.contracts.tenant_settings import TenantSettings
from libs.kit import clock, mail_message
from libs.kit.db import Row, Tx
from libs.kit.mail_message import Attachment, Attachments
from libs.kit.schema import (
    ARRAY,
    JSONB,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    created,
    instant,
    key,
    tenant_table,
    text,
    uuid,
)
from libs.kit.sealing import Seal
from libs.kit.settings import Settings

Outcome = Literal["sent", "failed", "unknown", "queued"]
COLUMNS = (
    "id, channel, purpose, object_id, customer_id, about, language, sender_name, sender_email, reply_to, recipients, cc,"
    " subject, text, html, header_id, answers_to, state, not_before, any_hour, claimed_at, attempts, sent_at, error,"
    " created_at, updated_at, version"
)
MAX_ATTEMPTS = 5
LOST_AFTER = timedelta(minutes=5)
_TIMEOUT = 30.0


def mail_table(catalogue: MetaData) -> None:
    """The tables `mails` and `mail_attachments`, for a service that writes to people."""
    tenant_table(
        "mails", catalogue,
        key(),
        Column("channel", Text, nullable=False),  # email; a service with other ways of writing names them here
        Column("purpose", Text, nullable=False),
        uuid("object_id"),  # what it is about: an action, a request
        uuid("customer_id", null=True),
        Column("about", ARRAY(UUID_COLUMN(as_uuid=True)), nullable=False),  # the items it speaks of
        Column("language", Text, nullable=True),
        Column("sender_name", Text, nullable=False),
        Column("sender_email", Text, nullable=False),
        Column("reply_to", Text, nullable=True),
        Column("recipients", JSONB, nullable=False),
        Column("cc", JSONB, nullable=False),
        Column("subject", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("html", Text, nullable=True),
        Column("header_id", Text, nullable=False),
        Column("answers_to", ARRAY(Text), nullable=False),  # Message-IDs of its thread, oldest first
        Column("state", Text, nullable=False),
        instant("not_before"),  # business clock
        Column("any_hour", Boolean, nullable=False),  # somebody asked for it now: sending hours do not count
        instant("claimed_at", null=True),  # wall clock
        Column("attempts", Integer, nullable=False),
        instant("sent_at", null=True),
        Column("error", Text, nullable=True),
        *created(),
        Index("ix_mails_open", "tenant_id", "not_before", "id", postgresql_where=text("state IN ('queued', 'sending')")),
        Index("ix_mails_customer_id", "tenant_id", "customer_id", "id"),
        Index("ix_mails_created_at", "tenant_id", "created_at", "id"),
        Index("ix_mails_header_id", "tenant_id", "header_id"),
    )  # fmt: skip
    tenant_table(
        "mail_attachments", catalogue,
        uuid("mail_id"),
        Column("position", Integer, nullable=False),
        Column("filename", Text, nullable=False),
        Column("content_type", Text, nullable=False),
        Column("size", Integer, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("content", LargeBinary, nullable=False),
        ForeignKeyConstraint(["tenant_id", "mail_id"], ["mails.tenant_id", "mails.id"], ondelete="CASCADE"),
        pk=("mail_id", "position"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transport:
    """Where mail is handed over, and as whom. `encryption`: none, starttls, tls."""

    host: str
    port: int
    encryption: Literal["none", "starttls", "tls"]
    user: str | None
    password: str | None
    ca_file: Path | None = None


def transport_of(settings: Settings, tenant_id: UUID, tenant_settings: TenantSettings) -> Transport:
    """The tenant's own server, else the house's. Without a user of its own the tenant's id logs in, so that whoever receives
    mail for several tenants can tell them apart."""
    if tenant_settings.smtp_url is None:
        url = urlsplit(settings.smtp_url.get_secret_value())
        user: str | None = unquote(url.username) if url.username else str(tenant_id)
        password: str | None = unquote(url.password) if url.password else "-"
    else:
        url = urlsplit(tenant_settings.smtp_url)
        user = unquote(url.username) if url.username else None
        sealed = tenant_settings.smtp_password_sealed
        password = Seal(settings.master_key).open(tenant_id, "smtp", sealed) if sealed else None
    schemes: dict[str, Literal["none", "starttls", "tls"]] = {"smtps": "tls", "smtp+starttls": "starttls"}
    encryption = schemes.get(url.scheme, "none")
    return Transport(
        url.hostname or "127.0.0.1",
        url.port or (465 if encryption == "tls" else 25),
        encryption,
        user,
        password,
        settings.smtp_ca_file,
    )


async def write(tx: Tx, identifier: UUID, values: dict[str, Any]) -> None:
    """Write down the intent to send. Members as in COLUMNS; subject and text may be filled in at the moment of sending."""
    await write_many(tx, [(identifier, values)])


async def write_many(tx: Tx, mails: Sequence[tuple[UUID, dict[str, Any]]]) -> None:
    """The same for many, in one round trip."""
    await tx.executemany(
        "INSERT INTO mails (tenant_id, id, channel, purpose, object_id, customer_id, about, language, sender_name, sender_email,"
        " reply_to, recipients, cc, subject, text, html, header_id, answers_to, state, not_before, any_hour, attempts,"
        " created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 'queued', $19, $20, 0, $21,"
        " $21, 1)",
        [_written(tx, identifier, values) for identifier, values in mails],
    )


def _written(tx: Tx, identifier: UUID, values: dict[str, Any]) -> tuple[Any, ...]:
    domain = values["sender_email"].rpartition("@")[2]
    return (
        tx.tenant_id, identifier, values.get("channel", "email"), values["purpose"], values["object_id"],
        values.get("customer_id"), values.get("about", []), values.get("language"), values["sender_name"],
        values["sender_email"], values.get("reply_to"), values["recipients"], values.get("cc", "[]"),
        values.get("subject", ""), values.get("text", ""), values.get("html"), f"<{identifier}@{domain}>",
        values.get("answers_to", []), values["not_before"], values.get("any_hour", False), tx.now,
    )  # fmt: skip


async def attach(tx: Tx, identifier: UUID, attachments: Sequence[Attachment]) -> None:
    """Hang documents on a mail that has not left."""
    for position, one in enumerate(attachments):
        await tx.execute(
            "INSERT INTO mail_attachments (tenant_id, mail_id, position, filename, content_type, size, sha256, content)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
            " ON CONFLICT (tenant_id, mail_id, position) DO UPDATE SET filename = excluded.filename,"
            " content_type = excluded.content_type, size = excluded.size, sha256 = excluded.sha256, content = excluded.content",
            tx.tenant_id, identifier, position, one.filename, one.content_type, len(one.content),
            hashlib.sha256(one.content).hexdigest(), one.content,
        )  # fmt: skip


async def attachments_of(tx: Tx, identifier: UUID) -> Attachments:
    """What hangs on a mail."""
    rows = await tx.fetch(
        "SELECT filename, content_type, content FROM mail_attachments WHERE tenant_id = $1 AND mail_id = $2 ORDER BY position",
        tx.tenant_id, identifier,
    )  # fmt: skip
    return tuple(Attachment(row["filename"], row["content_type"], row["content"]) for row in rows)


async def next_due(tx: Tx, limit: int) -> list[UUID]:
    """Mails whose time has come, oldest first."""
    rows = await tx.fetch(
        "SELECT id FROM mails WHERE tenant_id = $1 AND state = 'queued' AND not_before <= $2 ORDER BY not_before, id LIMIT $3",
        tx.tenant_id, tx.now, limit,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def lock_queued(tx: Tx, identifier: UUID) -> Row | None:
    """A queued mail, locked; None when it left that state or somebody else holds it."""
    return await tx.fetchrow(
        f"SELECT {COLUMNS} FROM mails WHERE tenant_id = $1 AND id = $2 AND state = 'queued' FOR UPDATE SKIP LOCKED",
        tx.tenant_id, identifier,
    )  # fmt: skip


async def claim(
    tx: Tx, identifier: UUID, subject: str, text: str, html: str | None, language: str | None,
    *, attachments: Sequence[Attachment] = (), answers_to: Sequence[str] = (), about: Sequence[UUID] | None = None,
) -> Row:  # fmt: skip
    """Take a locked mail for sending, with the words and documents it will carry. Committed before anything leaves."""
    row = await tx.fetchrow(
        "UPDATE mails SET state = 'sending', claimed_at = $3, attempts = attempts + 1, subject = $4, text = $5, html = $6,"
        " language = $7, updated_at = $8, version = version + 1, answers_to = $9, about = coalesce($10, about)"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}",
        tx.tenant_id, identifier, clock.wall(), subject, text, html, language, tx.now, list(answers_to),
        None if about is None else list(about),
    )  # fmt: skip
    assert row is not None, "the mail was locked before"
    await attach(tx, identifier, attachments)
    return row


async def settle(tx: Tx, identifier: UUID, outcome: Outcome, error: str | None = None) -> Row | None:
    """Write down how sending went; None when it was settled already (a sweep may have been quicker)."""
    return await tx.fetchrow(
        "UPDATE mails SET state = CASE WHEN $3::text = 'queued' AND attempts >= $6 THEN 'failed' ELSE $3::text END,"
        " sent_at = CASE WHEN $3 = 'sent' THEN $5::timestamptz END, error = $4, claimed_at = NULL,"
        " not_before = CASE WHEN $3 = 'queued' THEN $5::timestamptz + interval '5 minutes' ELSE not_before END,"
        " updated_at = $5, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 AND state = 'sending' RETURNING {COLUMNS}",
        tx.tenant_id, identifier, outcome, error, tx.now, MAX_ATTEMPTS,
    )  # fmt: skip


async def put_off(tx: Tx, identifier: UUID, until: datetime) -> None:
    """Let a locked mail wait for another moment."""
    await tx.execute(
        "UPDATE mails SET not_before = $3, updated_at = $4, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, until, tx.now,
    )  # fmt: skip


async def cancel(tx: Tx, identifier: UUID, reason: str) -> None:
    """Give up a mail that has not been claimed."""
    await tx.execute(
        "UPDATE mails SET state = 'cancelled', error = $3, updated_at = $4, version = version + 1"
        " WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
        tx.tenant_id, identifier, reason, tx.now,
    )  # fmt: skip


async def lost(tx: Tx) -> list[UUID]:
    """Mails claimed long ago by somebody who never came back."""
    rows = await tx.fetch(
        "SELECT id FROM mails WHERE tenant_id = $1 AND state = 'sending' AND claimed_at < $2 ORDER BY id",
        tx.tenant_id, clock.wall() - LOST_AFTER,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def send(
    transport: Transport, mail: Row, recipients: list[dict[str, str]], attachments: Attachments = ()
) -> tuple[Outcome, str | None]:
    """Hand a claimed mail over. Says `queued` for what surely did not leave and may be tried again, `failed` for a refusal,
    `unknown` once the message was being transmitted and no answer came. `sent` with a text: some recipients were refused."""
    try:
        message = mail_message.compose(mail, recipients, attachments)
        tls = _trusting(transport.ca_file)
    except (ValueError, OSError) as error:
        return "failed", f"the message cannot be written ({type(error).__name__})"
    client = aiosmtplib.SMTP(
        hostname=transport.host,
        port=transport.port,
        timeout=_TIMEOUT,
        use_tls=transport.encryption == "tls",
        start_tls=transport.encryption == "starttls",
        tls_context=tls,
    )
    try:
        await client.connect()
        if transport.user is not None and transport.password is not None:
            await client.login(transport.user, transport.password)
    except aiosmtplib.SMTPAuthenticationError:
        client.close()
        return "failed", "the mail server refused the log-in"
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        client.close()
        return "queued", f"no connection ({type(error).__name__})"
    try:
        refused, _ = await client.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused:
        return "failed", "the mail server refused every recipient"
    except aiosmtplib.SMTPNotSupported:
        return "failed", "the mail server cannot carry these addresses"
    except aiosmtplib.SMTPResponseException as error:
        return ("failed" if error.code >= 500 else "queued"), f"the mail server answered {error.code}"
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return "unknown", f"no answer ({type(error).__name__})"
    finally:
        client.close()
    return "sent", f"refused for {len(refused)} of its recipients" if refused else None


@lru_cache(maxsize=4)
def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """The machine's authorities and those of a file: a mail server without a good certificate gets no password."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
