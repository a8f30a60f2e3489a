"""Connections to insurers: made, opened for a call, told to the stand-in."""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.outbound import Outbound
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.runtime import Runtime
from libs.kit.sealing import Seal
from services.credit.insurers.port import Account, Insurer
from services.credit.insurers.registry import CATALOGUE, open_insurer
from services.credit.insurers.signatures import PREFIX, key_of
from services.credit.storage.insurance import contracts
from services.credit.storage.insurance.rows import insert, json_text, one, update

TABLE = "insurer_connections"
_PURPOSE = "insurer-webhook"
_CREDENTIALS = "insurer-credentials"
MAX_SECRETS = 2


async def create_connection(
    tx: Tx, runtime: Runtime, values: dict[str, Any], secret: str | None, credentials: dict[str, str] | None
) -> tuple[Row, str | None, str | None]:
    """A connection, its webhook secret and its poke token, each shown once. Raises 422, or 403 `sandbox_off`."""
    entry = CATALOGUE[values["insurer"]]
    in_sandbox = values["sandbox"] or values["insurer"] == "sandbox"
    if in_sandbox and not runtime.settings.sandbox:
        raise Problem(403, "sandbox_off", "This installation has no sandbox (ENCOURS_SANDBOX).")
    mode = values["webhook_mode"]
    modes = entry.capabilities(values["profile"]).webhook_modes
    if mode not in modes:
        raise invalid("/webhook_mode", "mode_not_supported", f"expected one of {', '.join(modes)}")
    if entry.open is not None and not in_sandbox and not (values["base_url"] or entry.base_url):
        raise invalid("/base_url", "base_url_missing", "expected where the insurer's API is")
    identifier = new_id()
    seal = Seal(runtime.settings.master_key)
    signing = mode in ("standard_webhooks", "hmac_header")
    kept = checked_secret(secret) if secret else (new_secret() if signing else None)
    token = secrets.token_urlsafe(32) if mode == "poke" else None
    if in_sandbox and entry.open is not None:
        values["base_url"] = (
            f"{runtime.settings.url_of('sandbox')}/stand-in/insurers/{tx.tenant_id}/{identifier}"
        )
    row = await insert(
        tx, TABLE, identifier,
        {
            **values,
            "sandbox": in_sandbox,
            "webhook_options": json_text(values["webhook_options"]),
            "profile": json_text(values["profile"]),
            "webhook_secrets_sealed": json_text([seal.seal(tx.tenant_id, _PURPOSE, kept)] if kept else []),
            "poke_digest": digest_of(token) if token else None,
            "credentials_sealed": seal.seal(tx.tenant_id, _CREDENTIALS, json_text(credentials)) if credentials else None,
            "active": True,
        },
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    if in_sandbox and entry.open is not None:
        await tell_stand_in(tx, runtime, row, kept, token)
    tx.audit(
        "insurer_connected",
        "insurer_connection",
        identifier,
        after={"insurer": row["insurer"], "name": row["name"]},
    )
    return row, kept if secret is None else None, token


async def rotate_secret(tx: Tx, runtime: Runtime, row: Row, secret: str | None) -> tuple[Row, str]:
    """A new webhook secret; the one before stays good until the next change, so that nobody is locked out."""
    seal = Seal(runtime.settings.master_key)
    fresh = checked_secret(secret) if secret else new_secret()
    sealed = [seal.seal(tx.tenant_id, _PURPOSE, fresh), *contracts.secrets_of(row)][:MAX_SECRETS]
    changed = await update(tx, TABLE, row["id"], webhook_secrets_sealed=json_text(sealed))
    if row["sandbox"]:
        await tell_stand_in(tx, runtime, changed, fresh, None)
    tx.audit("webhook_secret_rotated", "insurer_connection", row["id"])
    return changed, fresh


async def tell_stand_in(tx: Tx, runtime: Runtime, row: Row, secret: str | None, token: str | None) -> None:
    """Let the sandbox insurer know whom it plays, and how it signs."""
    body = {
        "tenant_id": str(tx.tenant_id),
        "insurer": row["insurer"],
        "mode": row["webhook_mode"],
        "options": msgspec.json.decode(row["webhook_options"]),
        "secret": secret,
        "token": token,
    }
    await runtime.peers.post("sandbox", f"/internal/insurers/{row['id']}", body)


def open_secrets(runtime: Runtime, tenant_id: UUID, row: Row) -> list[str]:
    """The webhook secrets that are good at present."""
    seal = Seal(runtime.settings.master_key)
    return [seal.open(tenant_id, _PURPOSE, sealed) for sealed in contracts.secrets_of(row)]


@asynccontextmanager
async def insurer_of(runtime: Runtime, tenant_id: UUID, row: Row) -> AsyncIterator[Insurer]:
    """The adapter of a connection, its credentials opened for as long as it is used."""
    credentials: dict[str, str] = {}
    if row["credentials_sealed"]:
        text = Seal(runtime.settings.master_key).open(tenant_id, _CREDENTIALS, row["credentials_sealed"])
        credentials = msgspec.json.decode(text)
    base_url = row["base_url"] or CATALOGUE[row["insurer"]].base_url or ""
    account = Account(base_url, credentials, msgspec.json.decode(row["profile"]))
    seconds = float(account.profile.get("timeout_seconds", 20))
    async with Outbound(runtime.settings, allowed_hosts=None, total_seconds=seconds) as outbound:
        yield open_insurer(row["insurer"], outbound, account)


async def connection_or_404(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row:
    """A connection. Raises 404."""
    row = await one(tx, TABLE, identifier, lock=lock)
    if row is None:
        raise not_found("insurer connection", identifier)
    return row


def new_secret() -> str:
    """A Standard Webhooks secret of 32 bytes."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def checked_secret(secret: str) -> str:
    """A secret a person gave. Raises 422 for one that is empty, or whsec_ without base64 of 24 to 64 bytes."""
    if secret.startswith(PREFIX):
        try:
            fits = 24 <= len(key_of(secret)) <= 64
        except ValueError:
            fits = False
        if not fits:
            raise invalid("/webhook_secret", "secret_invalid", "expected whsec_ and base64 of 24 to 64 bytes")
    elif len(secret) < 24:
        raise invalid("/webhook_secret", "secret_too_short", "expected at least 24 characters")
    return secret


def digest_of(token: str) -> str:
    """What is kept of a poke token."""
    return hashlib.sha256(token.encode()).hexdigest()
