"""Asking for a credit limit, and changing one's mind."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from services.credit.domain.limit_state import allowed_on, usage_of
from services.credit.domain.policy import ApprovalPolicy
from services.credit.domain.security import Considered, unsecured
from services.credit.storage import exposure, limits, temporaries
from services.credit.usecases import notices
from services.credit.usecases.announce import announce_limits, emit_request, limit_of
from services.credit.usecases.approval import escalated_route, expiry_of, policy_of, route_for
from services.credit.usecases.limit_decisions import BY_POLICY, put_in_force
from services.credit.usecases.security import considered_for, present_considered


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: an amount in minor units; `temporary` puts it on top of the limit from the one day to the other."""

    company_id: UUID
    amount: int
    currency: str
    valid_from: date | None
    valid_until: date | None
    temporary: bool
    reason: str | None
    documents: list[UUID]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a request comes to: the limit as it would be, the part of it without a guarantee, and who must decide."""

    unsecured: int
    considered: list[Considered]
    route: list[dict[str, Any]]
    secured: bool


async def request_limit(tx: Tx, wish: Wish, requester: UUID, proposals: list[dict[str, Any]]) -> Row:
    """Write a request down and route it; guarantees that secure all of it let the policy itself approve.

    Raises 409 `request_pending`, 422 `above_top_level`, `no_approver`, `no_limit_to_top_up`, `currency_mismatch`.
    """
    policy = await policy_of(tx)
    current = await limits.limit(tx, wish.company_id, lock=True)
    _check_temporary(wish, current)
    valid_until = wish.valid_until or _default_validity(tx, policy)
    weighed = await _weigh(tx, policy, wish, valid_until, current, requester)
    values = {
        "company_id": wish.company_id, "amount": wish.amount, "currency": wish.currency,
        "valid_from": (wish.valid_from or tx.today) if wish.temporary else None, "valid_until": valid_until,
        "temporary": wish.temporary, "reason": wish.reason, "documents": wish.documents, "state": "pending",
        "requested_by": requester, "previous_amount": current["amount"] if current else None,
        "previous_currency": current["currency"] if current else None, "unsecured_amount": weighed.unsecured,
        "guarantees_considered": present_considered(weighed.considered, wish.currency), "proposals": proposals,
        "exposure_at_request": await _exposure(tx, wish, current), "route": weighed.route,
        "expires_at": expiry_of(tx, policy), "decided_at": None,
    }  # fmt: skip
    row = await limits.insert_request(tx, new_id(), values)
    if row is None:
        detail = "This company has a request that waits for a decision: amend or cancel that one."
        pending = str(current["pending_request_id"]) if current else None
        raise Problem(409, "request_pending", detail, existing_id=pending)
    asked = {"amount": wish.amount, "currency": wish.currency}
    tx.audit("limit_requested", "credit_limit_request", row["id"], after=asked)
    if weighed.secured:
        return await put_in_force(tx, row, BY_POLICY, "Guarantees secure all of it.", policy)
    await limits.change_limit(tx, wish.company_id, pending_request_id=row["id"])
    await announce_limits(tx, [wish.company_id])
    emit_request(tx, row)
    await notices.ask_approvers(tx, row, policy)
    return row


async def amend(
    tx: Tx, row: Row, user_id: UUID, amount: int, reason: str | None, documents: list[UUID] | None
) -> Row:
    """Change what is asked: every decision taken so far is void. Only the requester may; raises 403 otherwise."""
    require_pending(row)
    _require_requester(row, user_id)
    changes: dict[str, Any] = {"amount": amount, "reason": reason or row["reason"]}
    if documents is not None:
        changes["documents"] = documents
    changed = await weigh_anew(tx, row, **changes)
    before, after = {"amount": row["amount"]}, {"amount": amount}
    tx.audit("limit_request_amended", "credit_limit_request", row["id"], before, after)
    return changed


async def weigh_anew(tx: Tx, row: Row, *, only_if_changed: bool = False, **changes: Any) -> Row:
    """Route a pending request as if it were asked today: the decisions taken so far are void.

    `only_if_changed`: leave it alone while the same part of it is without a guarantee.
    """
    policy = await policy_of(tx)
    current = await limits.limit(tx, row["company_id"], lock=True)
    wish = Wish(
        row["company_id"], changes.get("amount", row["amount"]), row["currency"], row["valid_from"], row["valid_until"],
        row["temporary"], None, [],
    )  # fmt: skip
    weighed = await _weigh(tx, policy, wish, row["valid_until"], current, row["requested_by"])
    if only_if_changed and weighed.unsecured == row["unsecured_amount"]:
        return row
    changed = await limits.update_request(
        tx, row["id"], unsecured_amount=weighed.unsecured, route=weighed.route,
        guarantees_considered=present_considered(weighed.considered, row["currency"]), **changes,
    )  # fmt: skip
    if weighed.secured:
        return await put_in_force(tx, changed, BY_POLICY, "Guarantees secure all of it.", policy)
    emit_request(tx, changed)
    await notices.ask_approvers(tx, changed, policy)
    return changed


async def cancel(tx: Tx, row: Row, user_id: UUID) -> Row:
    """Take a request back. Only the requester may; raises 403 otherwise."""
    require_pending(row)
    _require_requester(row, user_id)
    return await end_request(tx, row, "cancelled", user_id)


async def expire_requests(tx: Tx) -> int:
    """Do with every request whose time has run out what the policy says; how many there were."""
    due = await limits.pending_requests_due(tx, tx.now)
    policy = await policy_of(tx)
    for identifier in due:
        row = await locked_request(tx, identifier)
        if row["state"] != "pending":
            continue
        route = await _escalated(tx, policy, row)
        if route is not None:
            changed = await limits.update_request(
                tx, row["id"], route=route, expires_at=expiry_of(tx, policy)
            )
            emit_request(tx, changed)
            tx.audit("limit_request_escalated", "credit_limit_request", row["id"])
            await notices.ask_approvers(tx, changed, policy)
        else:
            state = "rejected" if policy.expiry_action == "reject" else "expired"
            await end_request(tx, row, state, None)
    return len(due)


async def _escalated(tx: Tx, policy: ApprovalPolicy, row: Row) -> list[dict[str, Any]] | None:
    if policy.expiry_action != "escalate":
        return None
    try:
        return await escalated_route(tx, policy, row)
    except Problem:  # without a rate nobody can say who stands above
        return None


async def end_request(tx: Tx, row: Row, state: str, user_id: UUID | None, comment: str | None = None) -> Row:
    """End a pending request without a limit: cancelled, expired or rejected for want of a decision."""
    changed = await limits.update_request(tx, row["id"], state=state, decided_at=tx.now)
    current = await limits.limit(tx, row["company_id"], lock=True)
    if current is not None and current["pending_request_id"] == row["id"]:
        decided = {"state": "not_validated"} if state == "rejected" and current["state"] == "none" else {}
        kept = await limits.change_limit(tx, row["company_id"], pending_request_id=None, **decided)
        await limits.add_history(
            tx, row["company_id"], state, kept, user_id=user_id, comment=comment, request_id=row["id"]
        )
        await announce_limits(tx, [row["company_id"]])
    emit_request(tx, changed)
    before, after = {"state": "pending"}, {"state": state}
    tx.audit(f"limit_request_{state}", "credit_limit_request", row["id"], before, after)
    await notices.tell_requester(tx, changed)
    return changed


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


def require_pending(row: Row) -> None:
    """Raise 409 `invalid_state` for a request that was decided."""
    if row["state"] != "pending":
        detail = f"The request is {row['state']}: it has been decided."
        raise Problem(409, "invalid_state", detail, state=row["state"])


async def _weigh(
    tx: Tx, policy: ApprovalPolicy, wish: Wish, valid_until: date | None, current: Row | None, requester: UUID
) -> Weighed:
    start = max(tx.today, wish.valid_from or tx.today)
    total = wish.amount
    if wish.temporary:
        assert current is not None, "checked before"
        other = await temporaries.totals_on(tx, [wish.company_id], start)
        total += current["amount"] + other.get(wish.company_id, 0)
    guarantees = await considered_for(tx, wish.company_id, wish.currency, start, valid_until)
    uncovered = unsecured(total, guarantees)
    compared = uncovered if policy.compare == "unsecured" else total
    if policy.compare == "unsecured" and policy.auto_approve_when_secured and uncovered == 0:
        return Weighed(uncovered, guarantees, [], secured=True)
    route = await route_for(tx, policy, compared, wish.currency, requester)
    return Weighed(uncovered, guarantees, route, secured=False)


async def _exposure(tx: Tx, wish: Wish, current: Row | None) -> dict[str, Any]:
    shown = (await exposure.exposures_of(tx, {wish.company_id: wish.currency}))[wish.company_id]
    allowed = None
    if current is None or current["currency"] in (None, wish.currency):
        extra = await temporaries.totals_on(tx, [wish.company_id], tx.today)
        allowed = allowed_on(limit_of(tx, current, extra.get(wish.company_id, 0)), tx.today)
    return exposure.present_exposure(shown, usage_of(shown.outstanding, allowed))


def _check_temporary(wish: Wish, current: Row | None) -> None:
    if not wish.temporary:
        return
    if current is None or current["state"] != "approved" or current["amount"] is None:
        detail = "A temporary limit comes on top of an approved one, and this company has none."
        raise Problem(422, "no_limit_to_top_up", detail)
    if current["currency"] != wish.currency:
        raise invalid(
            "/currency", "currency_mismatch", f"expected {current['currency']}, as the limit it tops up"
        )
    if wish.valid_until is None:
        raise invalid("/valid_until", "required", "a temporary limit needs its last day")


def _default_validity(tx: Tx, policy: ApprovalPolicy) -> date | None:
    return tx.today + timedelta(days=policy.default_validity_days) if policy.default_validity_days else None


def _require_requester(row: Row, user_id: UUID) -> None:
    if row["requested_by"] != user_id:
        raise Problem(403, "not_your_request", "Only the person who asked may change or take back a request.")
