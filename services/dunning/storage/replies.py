"""What was heard, mailboxes it is heard through, and the directory that leads a token to its tenant, as rows."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Database, Row, Tx
from libs.kit.paging import SortKey, Statement
from libs.kit.responses import json_bytes
from services.dunning.storage.letter_lists import rows_of

MAILBOX = (
    "id, name, kind, address, plus_address, imap, password_sealed, active, uid_validity, last_uid, polled_at, error,"
    " created_at, updated_at, version"
)
REPLY = (
    "id, source, kind, customer_id, mail_id, threaded_by, sender_email, sender_name, subject, text, received_at, proposals,"
    " item_ids, state, decision, decided_by, decided_at, qualification_id, created_at, updated_at, version"
)
_NEWEST = [SortKey("received_at", "timestamptz", descending=True), SortKey("id", "uuid", descending=True)]


def digest(token: str) -> bytes:
    """SHA-256 of a token: what is kept of it."""
    return hashlib.sha256(token.encode()).digest()


async def led_to(db: Database, token: str, kind: str) -> tuple[UUID, UUID] | None:
    """(tenant, object) a public token leads to."""
    async with db.system() as connection:
        row = await connection.fetchrow(
            "SELECT owner_tenant_id, object_id FROM directory WHERE token_hash = $1 AND kind = $2",
            digest(token), kind,
        )  # fmt: skip
    return (row["owner_tenant_id"], row["object_id"]) if row else None


async def enter(tx: Tx, token: str, kind: str, object_id: UUID) -> bytes:
    """Put a token into the directory; its digest."""
    hashed = digest(token)
    await tx.execute(
        "INSERT INTO directory (token_hash, owner_tenant_id, kind, object_id) VALUES ($1, $2, $3, $4)",
        hashed, tx.tenant_id, kind, object_id,
    )  # fmt: skip
    return hashed


async def leave(tx: Tx, object_id: UUID) -> None:
    """Take an object's token out of the directory."""
    await tx.execute(
        "DELETE FROM directory WHERE owner_tenant_id = $1 AND object_id = $2", tx.tenant_id, object_id
    )


# -- mailboxes -------------------------------------------------------------------------------------------------------


async def insert_mailbox(tx: Tx, identifier: UUID, values: dict[str, Any]) -> Row:
    """A new mailbox."""
    row = await tx.fetchrow(
        "INSERT INTO inbound_mailboxes (tenant_id, id, name, kind, address, plus_address, imap, password_sealed, token_hash,"
        " active, last_uid, created_at, updated_at, version)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, true, 0, $10, $10, 1) RETURNING {MAILBOX}",
        tx.tenant_id, identifier, values["name"], values["kind"], values["address"], values["plus_address"],
        json_bytes(values["imap"]).decode() if values["imap"] else None, values["password_sealed"], values["token_hash"],
        tx.now,
    )  # fmt: skip
    assert row is not None
    return row


async def mailbox(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A mailbox."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {MAILBOX} FROM inbound_mailboxes WHERE tenant_id = $1 AND id = $2{tail}",
        tx.tenant_id,
        identifier,
    )


async def mailboxes(tx: Tx, cursor: str | None, limit: int) -> list[Row]:
    """Mailboxes, the oldest first."""
    return await rows_of(
        tx, "inbound_mailboxes", MAILBOX, [SortKey("id", "uuid")], Statement(), cursor, limit
    )


async def change_mailbox(tx: Tx, identifier: UUID, **values: Any) -> Row:
    """Set members of a mailbox."""
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, start=4))
    row = await tx.fetchrow(
        f"UPDATE inbound_mailboxes SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"
        f" RETURNING {MAILBOX}",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip
    assert row is not None, "the mailbox was read before"
    return row


async def delete_mailbox(tx: Tx, identifier: UUID) -> None:
    """Take a mailbox and its token away; what was heard through it stays."""
    await leave(tx, identifier)
    await tx.execute(
        "DELETE FROM inbound_mailboxes WHERE tenant_id = $1 AND id = $2", tx.tenant_id, identifier
    )


async def take_turn(tx: Tx, identifier: UUID, interval: timedelta) -> Row | None:
    """An IMAP mailbox that has not been looked into for `interval`, marked as being looked into; None when it was."""
    return await tx.fetchrow(
        "UPDATE inbound_mailboxes SET polled_at = $3 WHERE tenant_id = $1 AND id = $2 AND active AND kind = 'imap'"
        f" AND (polled_at IS NULL OR polled_at <= $4) RETURNING {MAILBOX}",
        tx.tenant_id, identifier, clock.wall(), clock.wall() - interval,
    )  # fmt: skip


# -- replies ---------------------------------------------------------------------------------------------------------


async def insert_reply(tx: Tx, values: dict[str, Any], enclosures: Sequence[Any]) -> Row | None:
    """A reply with what came with it; None for one that was heard before."""
    identifier = new_id()
    row = await tx.fetchrow(
        "INSERT INTO replies (tenant_id, id, source, fingerprint, kind, customer_id, mail_id, threaded_by, sender_email,"
        " sender_name, subject, text, header_id, received_at, proposals, item_ids, state, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $14, $14, 1)"
        f" ON CONFLICT (tenant_id, fingerprint) DO NOTHING RETURNING {REPLY}",
        tx.tenant_id, identifier, values["source"], values["fingerprint"], values["kind"], values["customer_id"],
        values["mail_id"], values["threaded_by"], values["sender_email"], values["sender_name"], values["subject"],
        values["text"], values["header_id"], tx.now, json_bytes(values["proposals"]).decode(), values["item_ids"],
        values["state"],
    )  # fmt: skip
    if row is not None:
        for place, one in enumerate(enclosures):
            await tx.execute(
                "INSERT INTO reply_attachments (tenant_id, reply_id, position, filename, content_type, size, sha256, content)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                tx.tenant_id, identifier, place, one.filename, one.content_type, len(one.content),
                hashlib.sha256(one.content).hexdigest(), one.content,
            )  # fmt: skip
    return row


async def replies(
    tx: Tx, perimeter: Sequence[UUID] | None, states: Sequence[str] | None, customer_id: UUID | None,
    updated_since: datetime | None, cursor: str | None, limit: int,
) -> list[Row]:  # fmt: skip
    """A page of replies, the newest first. Those of nobody known are seen by whoever sees all business units."""
    statement = _in_sight(perimeter)
    if states:
        statement.where("state = ANY({})", list(states))
    if customer_id is not None:
        statement.where("customer_id = {}", customer_id)
    if updated_since is not None:
        statement.where("updated_at >= {}", updated_since)
    return await rows_of(tx, "replies r", REPLY, _NEWEST, statement, cursor, limit)


async def reply(
    tx: Tx, identifier: UUID, perimeter: Sequence[UUID] | None, *, lock: bool = False
) -> Row | None:
    """A reply in sight."""
    statement = _in_sight(perimeter)
    statement.where("tenant_id = {}", tx.tenant_id)
    statement.where("id = {}", identifier)
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(f"SELECT {REPLY} FROM replies r {statement.clause()}{tail}", *statement.params)


def _in_sight(perimeter: Sequence[UUID] | None) -> Statement:
    statement = Statement()
    if perimeter is not None:
        statement.where(
            "EXISTS (SELECT 1 FROM customers c WHERE c.tenant_id = r.tenant_id AND c.id = r.customer_id"
            " AND c.business_unit_id = ANY({}))",
            list(perimeter),
        )
    return statement


async def decide(tx: Tx, identifier: UUID, state: str, values: dict[str, Any]) -> Row:
    """Write down what a person made of a reply."""
    row = await tx.fetchrow(
        "UPDATE replies SET state = $3, decision = $4, decided_by = $5, decided_at = $6, qualification_id = $7,"
        " customer_id = coalesce($8, customer_id), updated_at = $6, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {REPLY}",
        tx.tenant_id, identifier, state, json_bytes(values["decision"]).decode(), values["by"], tx.now,
        values.get("qualification_id"), values.get("customer_id"),
    )  # fmt: skip
    assert row is not None, "the reply was locked before"
    return row


async def attachments(tx: Tx, reply_id: UUID) -> list[Row]:
    """What came with a reply, without the contents."""
    return await tx.fetch(
        "SELECT position, filename, content_type, size, sha256 FROM reply_attachments WHERE tenant_id = $1 AND reply_id = $2"
        " ORDER BY position",
        tx.tenant_id, reply_id,
    )  # fmt: skip


async def attachment(tx: Tx, reply_id: UUID, position: int) -> Row | None:
    """One file that came with a reply."""
    return await tx.fetchrow(
        "SELECT filename, content_type, content FROM reply_attachments WHERE tenant_id = $1 AND reply_id = $2 AND position = $3",
        tx.tenant_id, reply_id, position,
    )  # fmt: skip


# -- whose answer it is ----------------------------------------------------------------------------------------------


async def message_answered(
    tx: Tx, header_ids: Sequence[str], plus_ids: Sequence[UUID]
) -> tuple[Row, str] | None:
    """The message an incoming mail answers to, and how that was found."""
    for how, column, values in (
        ("message_id", "header_id", list(header_ids)),
        ("plus_address", "id", list(plus_ids)),
    ):
        if not values:
            continue
        row = await tx.fetchrow(
            "SELECT id, customer_id, purpose, object_id, about, recipients, state FROM mails WHERE tenant_id = $1"
            f" AND {column} = ANY($2) ORDER BY array_position($2, {column}) LIMIT 1",
            tx.tenant_id, values,
        )  # fmt: skip
        if row is not None:
            return row, how
    return None


async def customer_of_address(tx: Tx, email: str) -> UUID | None:
    """The one customer with a contact of this address; None when none or several have one."""
    rows = await tx.fetch(
        "SELECT c.id FROM customers c WHERE c.tenant_id = $1 AND NOT c.archived AND EXISTS"
        " (SELECT 1 FROM jsonb_array_elements(c.contacts) k WHERE lower(k->>'email') = $2) LIMIT 2",
        tx.tenant_id, email,
    )  # fmt: skip
    return rows[0]["id"] if len(rows) == 1 else None


async def open_numbers(tx: Tx, customer_id: UUID) -> list[Row]:
    """(id, number) of a customer's open items."""
    return await tx.fetch(
        "SELECT id, number FROM items WHERE tenant_id = $1 AND customer_id = $2 AND open_amount <> 0 ORDER BY due_date, id",
        tx.tenant_id, customer_id,
    )  # fmt: skip


async def mark_bounced(tx: Tx, message_id: UUID, error: str) -> Row | None:
    """A message that came back; None when it was known to."""
    return await tx.fetchrow(
        "UPDATE mails SET state = 'bounced', error = $3, updated_at = $4, version = version + 1"
        " WHERE tenant_id = $1 AND id = $2 AND state IN ('sent', 'unknown', 'sending') RETURNING id, purpose, object_id",
        tx.tenant_id, message_id, error, tx.now,
    )  # fmt: skip
