"""Templates, threads and addresses nobody writes to, as rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from services.dunning.domain.letters import TemplateText

TEMPLATE = "id, code, name, channel, texts, attach_statement, number, built_in, archived, created_at, updated_at, version"
_THREAD = """
    SELECT m.header_id, m.answers_to FROM actions a JOIN mails m ON m.tenant_id = a.tenant_id AND m.id = a.mail_id
     WHERE a.tenant_id = $1 AND a.customer_id = $2 AND a.leader_item_id = $3 AND m.channel = 'email'
       AND m.state = 'sent' AND m.recipients @> $4::jsonb
     ORDER BY m.sent_at DESC, m.id DESC LIMIT 1
"""
_LONGEST_THREAD = 20


async def template(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A template with the texts of its newest version."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {TEMPLATE} FROM templates WHERE tenant_id = $1 AND id = $2{tail}", tx.tenant_id, identifier
    )


def texts_of(row: Row) -> dict[str, TemplateText]:
    """A template's texts by language."""
    return {tag: TemplateText(**text) for tag, text in msgspec.json.decode(row["texts"]).items()}


async def insert_template(tx: Tx, values: dict[str, Any], by: str) -> Row | None:
    """A new template with its first version; None when its code is taken."""
    row = await tx.fetchrow(
        "INSERT INTO templates (tenant_id, id, code, name, channel, texts, attach_statement, number, built_in, archived,"
        " created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, false, $9, $9, 1)"
        f" ON CONFLICT (tenant_id, code) DO NOTHING RETURNING {TEMPLATE}",
        tx.tenant_id, values.get("id") or new_id(), values["code"], values["name"], values["channel"],
        json_bytes(values["texts"]).decode(), values["attach_statement"], values.get("built_in", False), tx.now,
    )  # fmt: skip
    if row is not None:
        await _keep_version(tx, row, by)
    return row


async def change_template(tx: Tx, row: Row, changes: dict[str, Any], by: str) -> Row:
    """Set members of a locked template; other words make another version."""
    words = {"texts", "attach_statement"} & changes.keys()
    stored = {
        name: json_bytes(value).decode() if name == "texts" else value for name, value in changes.items()
    }
    sets = "".join(f"{name} = ${place}, " for place, name in enumerate(stored, start=5))
    changed = await tx.fetchrow(
        f"UPDATE templates SET {sets}number = number + $4, updated_at = $3, version = version + 1"
        f" WHERE tenant_id = $1 AND id = $2 RETURNING {TEMPLATE}",
        tx.tenant_id, row["id"], tx.now, int(bool(words)), *stored.values(),
    )  # fmt: skip
    assert changed is not None, "the template was locked before"
    if words:
        await _keep_version(tx, changed, by)
    return changed


async def _keep_version(tx: Tx, row: Row, by: str) -> None:
    await tx.execute(
        "INSERT INTO template_versions (tenant_id, template_id, number, texts, attach_statement, created_by, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        tx.tenant_id, row["id"], row["number"], row["texts"], row["attach_statement"], by, tx.now,
    )  # fmt: skip


async def thread_of(tx: Tx, customer_id: UUID, leader_item_id: UUID, email: str) -> tuple[str, ...]:
    """The Message-IDs of what was last written to an address about the same leader item, oldest first."""
    row = await tx.fetchrow(
        _THREAD, tx.tenant_id, customer_id, leader_item_id, json_bytes([{"email": email}]).decode()
    )
    return () if row is None else (*row["answers_to"], row["header_id"])[-_LONGEST_THREAD:]


def folded(kind: str, address: str) -> str:
    """An address as it is compared: in lower case; of a phone number the digits and the plus."""
    if kind == "phone":
        return "".join(char for char in address if char.isdigit() or char == "+")
    return address.strip().lower()


async def blocked_among(tx: Tx, kind: str, addresses: Sequence[str]) -> set[str]:
    """Which of these (folded) addresses nobody writes to."""
    if not addresses:
        return set()
    rows = await tx.fetch(
        "SELECT address FROM blocked_addresses WHERE tenant_id = $1 AND kind = $2 AND address = ANY($3)",
        tx.tenant_id, kind, list(addresses),
    )  # fmt: skip
    return {row["address"] for row in rows}


async def block(
    tx: Tx, kind: str, address: str, reason: str, comment: str | None, message_id: UUID | None
) -> Row:
    """Write to an address no more; the row, the one there was when it is blocked already."""
    row = await tx.fetchrow(
        "INSERT INTO blocked_addresses (tenant_id, id, kind, address, reason, comment, message_id, created_at, updated_at,"
        " version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1)"
        " ON CONFLICT (tenant_id, kind, address) DO UPDATE SET version = blocked_addresses.version"
        " RETURNING id, kind, address, reason, comment, message_id, created_at, updated_at, version",
        tx.tenant_id, new_id(), kind, folded(kind, address), reason, comment, message_id, tx.now,
    )  # fmt: skip
    assert row is not None
    return row


async def blocked_among_contacts(tx: Tx, customers: Sequence[Row]) -> set[tuple[str, str]]:
    """Which (kind, folded address) of these customers' contacts nobody writes to, in one statement."""
    addresses = {
        folded(kind, contact[kind])
        for row in customers
        for contact in msgspec.json.decode(row["contacts"])
        for kind in ("email", "phone")
        if contact.get(kind)
    }
    if not addresses:
        return set()
    rows = await tx.fetch(
        "SELECT kind, address FROM blocked_addresses WHERE tenant_id = $1 AND address = ANY($2)",
        tx.tenant_id, list(addresses),
    )  # fmt: skip
    return {(row["kind"], row["address"]) for row in rows}
