"""Webhook endpoints: made, changed, given a new secret, tried, sent again what they missed, and switched off."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.outbound import Refused, refuse_forbidden
from libs.kit.problems import FieldError, Problem, invalid, not_found
from libs.kit.responses import json_bytes
from libs.kit.sealing import Seal
from libs.kit.settings import Settings
from services.gateway.domain.webhook import header_complaint, new_secret
from services.gateway.storage import webhooks

#: Looks after an endpoint: what waits for it is sent.
JOB = "deliver_webhooks"
PINGED = "webhook_endpoint.pinged"
MAX_ENDPOINTS = 20
_SECRET = "webhook_secret"  # noqa: S105 - a purpose, bound into the seal
_HEADERS = "webhook_headers"
_WHY_NOT = {
    "url_invalid": "expected an absolute https URL",
    "url_holds_credentials": "expected a URL without credentials; send them in a header",
    "https_required": "expected https",
    "address_not_allowed": "expected an address on the public internet",
}


class Vault:
    """What an endpoint keeps sealed."""

    def __init__(self, settings: Settings, tenant_id: UUID) -> None:
        self._seal = Seal(settings.master_key)
        self._tenant_id = tenant_id

    def secret(self, text: str) -> str:
        """A signing secret, sealed."""
        return self._seal.seal(self._tenant_id, _SECRET, text)

    def headers(self, headers: Mapping[str, str]) -> str | None:
        """Headers to send along, sealed; None for none."""
        if not headers:
            return None
        return self._seal.seal(self._tenant_id, _HEADERS, json_bytes(dict(headers)).decode())

    def living_secrets(self, endpoint: Row) -> list[str]:
        """The secrets an endpoint's messages are signed with now, the newest first. Raises SealBroken."""
        until = endpoint["old_secret_until"]
        living = 2 if until is not None and until > clock.wall() else 1
        return [
            self._seal.open(self._tenant_id, _SECRET, sealed)
            for sealed in endpoint["secrets_sealed"][:living]
        ]

    def opened_headers(self, endpoint: Row) -> dict[str, str]:
        """The headers to send along. Raises SealBroken."""
        if endpoint["headers_sealed"] is None:
            return {}
        opened: dict[str, str] = msgspec.json.decode(
            self._seal.open(self._tenant_id, _HEADERS, endpoint["headers_sealed"])
        )
        return opened


async def create(tx: Tx, settings: Settings, values: dict[str, Any]) -> tuple[Row, str]:
    """Make an endpoint; its row and its secret, which is shown once. Raises 409 `too_many_endpoints`, 422.

    values: url, types, description, enabled, headers.
    """
    if await webhooks.count(tx) >= MAX_ENDPOINTS:
        raise Problem(
            409, "too_many_endpoints", f"A tenant has {MAX_ENDPOINTS} webhook endpoints at the most."
        )
    secret = new_secret()
    vault = Vault(settings, tx.tenant_id)
    columns = _columns(settings, vault, values) | {"secrets_sealed": [vault.secret(secret)]}
    row = await webhooks.insert(tx, new_id(), columns)
    _tell(tx, row)
    tx.audit("webhook_endpoint.created", "webhook_endpoint", row["id"], after=_told(row))
    return row, secret


async def change(tx: Tx, settings: Settings, before: Row, values: dict[str, Any]) -> Row:
    """Change an endpoint that was read and locked. Switched on again it starts afresh; what it missed is there to replay."""
    columns = _columns(settings, Vault(settings, tx.tenant_id), values)
    if values.get("enabled") is True and not before["enabled"]:
        columns |= {"disabled_reason": None, "failing_since": None, "failures": 0, "paused_until": None}
    if values.get("enabled") is False and before["enabled"]:
        columns["disabled_reason"] = "by_user"
        await webhooks.give_up_waiting(tx, before["id"], "endpoint_disabled")
    row = await webhooks.change(tx, before["id"], columns)
    _tell(tx, row)
    tx.audit("webhook_endpoint.changed", "webhook_endpoint", row["id"], *_difference(before, row))
    return row


async def delete(tx: Tx, identifier: UUID) -> None:
    """Remove an endpoint with its deliveries. Raises 404."""
    before = await webhooks.endpoint(tx, identifier, lock=True)
    if before is None:
        raise not_found("webhook endpoint", identifier)
    await webhooks.delete(tx, identifier)
    tx.audit("webhook_endpoint.deleted", "webhook_endpoint", identifier, before=_told(before))


async def rotate_secret(tx: Tx, settings: Settings, before: Row, old_valid_for: timedelta) -> tuple[Row, str]:
    """Give an endpoint that was read and locked a new secret; the present one goes on signing beside it for a while."""
    secret = new_secret()
    sealed = [Vault(settings, tx.tenant_id).secret(secret), before["secrets_sealed"][0]]
    columns = {"secrets_sealed": sealed, "old_secret_until": clock.wall() + old_valid_for}
    row = await webhooks.change(tx, before["id"], columns)
    tx.audit(
        "webhook_endpoint.secret_rotated",
        "webhook_endpoint",
        row["id"],
        after={"old_secret_until": columns["old_secret_until"]},
    )
    return row, secret


async def ping(tx: Tx, endpoint: Row) -> Row:
    """Send an endpoint a trial message at once, also one that is off; the delivery. It is not tried again."""
    identifier = new_id()
    body = {
        "id": identifier,
        "type": PINGED,
        "occurred_at": tx.now,
        "subject": {"type": "webhook_endpoint", "id": endpoint["id"]},
        "subject_version": endpoint["version"],
        "data": {"host": _host(endpoint["url"])},
    }
    row = await webhooks.insert_ping(tx, endpoint["id"], identifier, PINGED, json_bytes(body).decode())
    await webhooks.end_pause(tx, endpoint["id"])
    tx.audit("webhook_endpoint.pinged", "webhook_endpoint", endpoint["id"])
    tx.nudge(JOB, str(tx.tenant_id), str(endpoint["id"]))
    return row


async def replay(tx: Tx, endpoint: Row, wish: dict[str, Any]) -> int:
    """Send again one delivery (`delivery_id`), or everything since an instant (`since`) or after an event
    (`after_event_id`); how many messages. Raises 404 for what is not there, 409 `invalid_state` for an endpoint that is off."""
    if not endpoint["enabled"]:
        raise Problem(409, "invalid_state", "This endpoint is switched off: switch it on first.")
    if "delivery_id" in wish:
        number: int | None = await webhooks.again(tx, endpoint["id"], wish["delivery_id"]) or None
    elif "since" in wish:
        number = await webhooks.again_since(tx, endpoint["id"], wish["since"])
    else:
        number = await webhooks.again_after(tx, endpoint["id"], wish["after_event_id"])
    if number is None:
        raise not_found("delivery or event that is still kept", next(iter(wish.values())))
    await webhooks.end_pause(tx, endpoint["id"])
    tx.audit(
        "webhook_endpoint.replayed", "webhook_endpoint", endpoint["id"], after={**wish, "deliveries": number}
    )
    tx.nudge(JOB, str(tx.tenant_id), str(endpoint["id"]))
    return number


async def switch_off(tx: Tx, endpoint_id: UUID, reason: str) -> None:
    """The house switches an endpoint off: `gone` (it said so) or `failing` (for days). Nobody is surprised: it is told."""
    before = await webhooks.endpoint(tx, endpoint_id, lock=True)
    if before is None or not before["enabled"]:
        return
    row = await webhooks.change(tx, endpoint_id, {"enabled": False, "disabled_reason": reason})
    await webhooks.give_up_waiting(tx, endpoint_id, "endpoint_disabled")
    _tell(tx, row)
    tx.audit("webhook_endpoint.disabled", "webhook_endpoint", endpoint_id, *_difference(before, row))


def _columns(settings: Settings, vault: Vault, values: dict[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in values.items() if name != "headers"}
    if "url" in values:
        try:
            refuse_forbidden(settings, values["url"])
        except Refused as refused:
            raise invalid("/url", refused.reason, _WHY_NOT[refused.reason]) from None
    if "headers" in values:
        headers: dict[str, str] = values["headers"]
        complaints = {name: header_complaint(name, value) for name, value in headers.items()}
        errors = [FieldError("/headers", "header_invalid", text) for text in complaints.values() if text]
        if errors:
            raise Problem(422, "invalid", "Some of the headers cannot be sent.", errors=errors)
        columns |= {"header_names": sorted(headers), "headers_sealed": vault.headers(headers)}
    return columns


def _tell(tx: Tx, row: Row) -> None:
    names = ("types", "enabled", "disabled_reason", "failing_since")
    state = {"host": _host(row["url"]), **{name: row[name] for name in names}}
    tx.emit("webhook_endpoint.changed", [Subject(row["id"], row["version"], state)])


def _told(row: Row) -> dict[str, Any]:
    """What the audit log keeps: never a query, which may be a token."""
    names = ("types", "description", "enabled", "disabled_reason", "header_names")
    return {
        "url": urlunsplit(urlsplit(row["url"])._replace(query="", fragment="")),
        **{n: row[n] for n in names},
    }


def _difference(before: Row, row: Row) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = _told(before), _told(row)
    changed = [name for name in new if new[name] != old[name]]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
