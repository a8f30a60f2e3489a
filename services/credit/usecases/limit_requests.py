"""Asking for a credit limit, deciding, changing one's mind."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.exchange import convert, find_conversion
from libs.contracts.ids import new_id
from libs.contracts.money import to_minor
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from libs.kit.responses import json_bytes
from services.credit.domain.approval import Level, NobodyDecides, Step, may_decide, plan_route
from services.credit.domain.limit_state import effective, usage_of
from services.credit.domain.policy import ApprovalPolicy
from services.credit.storage import exposure, limits
from services.credit.usecases.announce import emit_limit, emit_request, limit_of, present_state

_NOTHING: dict[str, Any] = {
    "state": "none", "amount": None, "currency": None, "valid_from": None, "valid_until": None, "request_id": None,
    "pending_request_id": None, "needs_review": False, "reason": None,
}  # fmt: skip


async def policy_of(tx: Tx) -> ApprovalPolicy:
    """The tenant's policy, or the default one."""
    row = await limits.policy(tx)
    return (
        ApprovalPolicy() if row is None else ApprovalPolicy.model_validate(msgspec.json.decode(row["policy"]))
    )


async def request_limit(
    tx: Tx, company_id: UUID, amount: int, currency: str, requester: UUID, *,
    valid_until: date | None, temporary: bool, reason: str | None, documents: list[UUID],
) -> Row:  # fmt: skip
    """Write a request down and route it. Raises 409 `request_pending`, 422 `above_top_level` or `no_approver`."""
    policy = await policy_of(tx)
    current = await limits.limit(tx, company_id, lock=True)
    route = await _route(tx, policy, amount, currency, requester)
    values = {
        "company_id": company_id,
        "amount": amount,
        "currency": currency,
        "valid_until": valid_until or _default_validity(tx, policy),
        "temporary": temporary,
        "reason": reason,
        "documents": documents,
        "requested_by": requester,
        "previous_amount": current["amount"] if current else None,
        "previous_currency": current["currency"] if current else None,
        "unsecured_amount": amount,  # no guarantee is known yet: all of it is unsecured
        "exposure_at_request": await _exposure(tx, company_id, current, currency),
        "route": route,
        "expires_at": tx.now + timedelta(days=policy.expiry_days) if policy.expiry_days else None,
    }
    row = await limits.insert_request(tx, new_id(), values)
    if row is None:
        detail = "This company has a request that waits for a decision: amend or cancel that one."
        pending = str(current["pending_request_id"]) if current else None
        raise Problem(409, "request_pending", detail, existing_id=pending)
    kept = {**(dict(current) if current else _NOTHING), "pending_request_id": row["id"]}
    emit_limit(tx, await limits.keep_limit(tx, company_id, kept))
    emit_request(tx, row)
    tx.audit(
        "limit_requested", "credit_limit_request", row["id"], after={"amount": amount, "currency": currency}
    )
    return row


async def decide(tx: Tx, row: Row, user_id: UUID, *, approve: bool, comment: str | None) -> Row:
    """Take one decision on a locked, pending request. Raises 403 `own_request` or `above_your_level`.

    The last decision of the route approves; one refusal is enough to reject.
    """
    _require_pending(row)
    if row["requested_by"] == user_id:
        raise Problem(403, "own_request", "Nobody decides on their own request.")
    route = limits.route_of(row)
    position = next(place for place, step in enumerate(route) if step["decision"] is None)
    if not may_decide(_step(route[position]), user_id):
        raise Problem(403, "above_your_level", "This amount is above the level you may decide.")
    decision = "approved" if approve else "rejected"
    route[position] |= {"decision": decision, "by": user_id, "at": tx.now, "comment": comment}
    text = json_bytes(route).decode()
    if approve and position + 1 < len(route):
        changed = await limits.update_request(tx, row["id"], route=text)
    else:
        changed = await limits.update_request(tx, row["id"], route=text, state=decision, decided_at=tx.now)
        await _conclude(tx, changed, decision, user_id, comment)
    emit_request(tx, changed)
    tx.audit(
        f"limit_{decision}",
        "credit_limit_request",
        row["id"],
        {"state": row["state"]},
        {"state": changed["state"]},
    )
    return changed


async def amend(tx: Tx, row: Row, user_id: UUID, amount: int, reason: str | None) -> Row:
    """Change what is asked: every decision taken so far is void. Only the requester may; raises 403 otherwise."""
    _require_pending(row)
    _require_requester(row, user_id)
    route = await _route(tx, await policy_of(tx), amount, row["currency"], user_id)
    changed = await limits.update_request(
        tx, row["id"], amount=amount, unsecured_amount=amount, reason=reason or row["reason"],
        route=json_bytes(route).decode(),
    )  # fmt: skip
    emit_request(tx, changed)
    tx.audit(
        "limit_request_amended",
        "credit_limit_request",
        row["id"],
        {"amount": row["amount"]},
        {"amount": amount},
    )
    return changed


async def cancel(tx: Tx, row: Row, user_id: UUID) -> Row:
    """Take a request back. Only the requester may; raises 403 otherwise."""
    _require_pending(row)
    _require_requester(row, user_id)
    return await _end(tx, row, "cancelled", user_id)


async def expire_requests(tx: Tx) -> int:
    """End every request whose time has run out; the number ended."""
    due = await limits.pending_requests_due(tx, tx.now)
    for identifier in due:
        row = await limits.request(tx, identifier, lock=True)
        if row is not None and row["state"] == "pending":
            await _end(tx, row, "expired", None)
    return len(due)


async def locked_request(tx: Tx, identifier: UUID) -> Row:
    """A request, locked against everybody else who decides. Raises 404.

    The company's limit is locked first, as everywhere, or two decisions could wait for each other.
    """
    row = await limits.request(tx, identifier)
    if row is None:
        raise not_found("credit limit request", identifier)
    await limits.limit(tx, row["company_id"], lock=True)
    locked = await limits.request(tx, identifier, lock=True)
    assert locked is not None, "requests are never deleted"
    return locked


async def _conclude(tx: Tx, request: Row, decision: str, user_id: UUID, comment: str | None) -> None:
    company_id = request["company_id"]
    current = await limits.limit(tx, company_id, lock=True)
    values = {**(dict(current) if current else _NOTHING), "pending_request_id": None}
    if decision == "approved":
        values |= {
            "state": "approved", "amount": request["amount"], "currency": request["currency"], "valid_from": tx.today,
            "valid_until": request["valid_until"], "request_id": request["id"], "needs_review": False,
            "reason": request["reason"],
        }  # fmt: skip
    elif values["state"] == "none":
        values["state"] = "not_validated"
    kept = await limits.keep_limit(tx, company_id, values)
    await limits.add_history(
        tx, company_id, decision, kept, user_id=user_id, comment=comment, request_id=request["id"]
    )
    emit_limit(tx, kept)


async def _end(tx: Tx, row: Row, state: str, user_id: UUID | None) -> Row:
    changed = await limits.update_request(tx, row["id"], state=state, decided_at=tx.now)
    current = await limits.limit(tx, row["company_id"], lock=True)
    if current is not None and current["pending_request_id"] == row["id"]:
        kept = await limits.keep_limit(tx, row["company_id"], {**dict(current), "pending_request_id": None})
        await limits.add_history(
            tx, row["company_id"], state, kept, user_id=user_id, comment=None, request_id=row["id"]
        )
        emit_limit(tx, kept)
    emit_request(tx, changed)
    tx.audit(
        f"limit_request_{state}", "credit_limit_request", row["id"], {"state": "pending"}, {"state": state}
    )
    return changed


async def _route(
    tx: Tx, policy: ApprovalPolicy, amount: int, currency: str, requester: UUID
) -> list[dict[str, Any]]:
    rates = await exposure.rates_into(tx, currency)
    levels = []
    for level in policy.levels:
        ceiling = None if level.max_amount is None else to_minor(level.max_amount, level.currency)
        if ceiling is not None:
            conversion = find_conversion(rates, level.currency, currency, tx.today)
            if conversion is None:
                detail = f"There is no exchange rate between {level.currency} and {currency} to compare the levels by."
                raise Problem(422, "rate_missing", detail)
            ceiling = convert(ceiling, level.currency, currency, conversion)
        levels.append(Level(level.name, ceiling, tuple(level.user_ids)))
    try:
        steps = plan_route(levels, amount, requester, policy.routing)
    except NobodyDecides as nobody:
        raise Problem(422, nobody.code, nobody.detail) from None
    return [{**asdict(step), "decision": None, "by": None, "at": None, "comment": None} for step in steps]


async def _exposure(tx: Tx, company_id: UUID, current: Row | None, currency: str) -> dict[str, Any]:
    shown = (await exposure.exposures_of(tx, {company_id: currency}))[company_id]
    allowed = effective(present_state(tx, current), limit_of(current).amount)
    if current is not None and current["currency"] not in (None, currency):
        allowed = None
    return exposure.present_exposure(shown, usage_of(shown.outstanding, allowed))


def _default_validity(tx: Tx, policy: ApprovalPolicy) -> date | None:
    return tx.today + timedelta(days=policy.default_validity_days) if policy.default_validity_days else None


def _require_pending(row: Row) -> None:
    if row["state"] != "pending":
        raise Problem(
            409, "invalid_state", f"The request is {row['state']}: it has been decided.", state=row["state"]
        )


def _require_requester(row: Row, user_id: UUID) -> None:
    if row["requested_by"] != user_id:
        raise Problem(403, "not_your_request", "Only the person who asked may change or take back a request.")


def _step(stored: dict[str, Any]) -> Step:
    return Step(stored["level"], tuple(UUID(user) for user in stored["user_ids"]))
