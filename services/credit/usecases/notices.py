"""E-mails about limit requests: to whoever must decide next, and to the requester at the end. Each is a row; a job sends it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.contracts.tenant_settings import TenantSettings
from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.responses import json_bytes
from services.credit.domain.notices import Kind, NoticeFacts, language_of, write_notice
from services.credit.domain.policy import ApprovalPolicy
from services.credit.storage import exposure, limits, people
from services.credit.usecases.approval import standing_in

#: Who is asked when the policy names nobody: the roles that may decide.
_DECIDERS = ("approver", "credit_manager", "admin")


async def ask_approvers(tx: Tx, request: Row, policy: ApprovalPolicy) -> None:
    """Write to everybody whose turn it is, and to whoever stands in for them; never to the requester."""
    waiting = [step for step in limits.route_of(request) if step["decision"] is None]
    if not waiting:
        return
    level = [step for step in waiting if step["level"] == waiting[0]["level"]]
    named = {UUID(user) for step in level for user in step["user_ids"]}
    if named:
        absent = standing_in(policy, tx).items()
        named |= {delegate for delegate, users in absent if users & named}
        asked = await people.who_sees(tx, request["company_id"], users=sorted(named))
    else:
        asked = await people.who_sees(tx, request["company_id"], roles=_DECIDERS)
    await _write(tx, "to_decide", request, [one for one in asked if one["id"] != request["requested_by"]])


async def tell_requester(tx: Tx, request: Row) -> None:
    """Write to the requester how it ended."""
    asked = await people.who_sees(tx, request["company_id"], users=[request["requested_by"]])
    await _write(tx, request["state"], request, asked)


async def house_settings(tx: Tx) -> TenantSettings:
    """What the tenant has set."""
    text = await tx.fetchval("SELECT settings FROM tenants WHERE tenant_id = $1", tx.tenant_id)
    return TenantSettings.model_validate(msgspec.json.decode(text) if text else {})


async def _write(tx: Tx, kind: Kind, request: Row, recipients: Iterable[Row]) -> None:
    settings = await house_settings(tx)
    company = await exposure.company(tx, request["company_id"])
    last = next((step for step in reversed(limits.route_of(request)) if step["by"]), None)
    names = await _names(tx, [request["requested_by"], *([UUID(last["by"])] if last else [])])
    for person in recipients:
        facts = NoticeFacts(
            recipient=person["name"],
            company=company["name"] if company else "",
            amount=_amount(request["amount"], request["currency"]),
            unsecured=_amount(request["unsecured_amount"], request["currency"]),
            requester=names.get(request["requested_by"], "?"),
            reason=request["reason"] if kind == "to_decide" else None,
            decided_by=names.get(UUID(last["by"])) if last else None,
            comment=last["comment"] if last and kind != "to_decide" else None,
            link=_link(settings, request["id"]),
        )
        language = language_of(person["language"], *settings.languages)
        subject, text = write_notice(kind, facts, language)
        values: dict[str, Any] = {
            "purpose": f"limit_request_{kind}", "object_id": request["id"], "language": language,
            "sender_name": settings.sender.name, "sender_email": settings.sender.email,
            "reply_to": settings.sender.reply_to, "subject": subject, "text": text, "not_before": tx.now, "any_hour": True,
            "recipients": json_bytes([{"name": person["name"], "email": person["email"]}]).decode(),
        }  # fmt: skip
        await mail.write(tx, new_id(), values)


async def _names(tx: Tx, users: list[UUID]) -> dict[UUID, str]:
    rows = await tx.fetch(
        "SELECT id, name FROM people WHERE tenant_id = $1 AND id = ANY($2)", tx.tenant_id, users
    )
    return {row["id"]: row["name"] for row in rows}


def _amount(minor: int, currency: str) -> str:
    return f"{from_minor(minor, currency)} {currency}"


def _link(settings: TenantSettings, request_id: UUID) -> str | None:
    if not settings.front_url:
        return None
    return f"{settings.front_url.rstrip('/')}/credit-limit-requests/{request_id}"
