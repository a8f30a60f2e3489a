"""Deciding on a credit limit: one decision at a time, each with a name under it."""

from typing import Final
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.credit.domain.approval import turn_of
from services.credit.domain.policy import ApprovalPolicy
from services.credit.storage import limits, temporaries
from services.credit.usecases import notices
from services.credit.usecases.announce import announce_limits, emit_request
from services.credit.usecases.approval import policy_of, standing_in, steps_of
from services.credit.usecases.watch import overcome, watch_limits

#: Nobody in particular: guarantees secure the limit, and the policy says that this suffices.
BY_POLICY: Final = None


async def decide(tx: Tx, row: Row, user_id: UUID, *, approve: bool, comment: str | None) -> Row:
    """Take one decision on a locked, pending request. Raises 409 `invalid_state`, 403 `own_request`, `above_your_level`.

    The last decision of the route approves; one refusal is enough to reject.
    """
    if row["state"] != "pending":
        detail = f"The request is {row['state']}: it has been decided."
        raise Problem(409, "invalid_state", detail, state=row["state"])
    if row["requested_by"] == user_id:
        raise Problem(403, "own_request", "Nobody decides on their own request.")
    policy = await policy_of(tx)
    route = limits.route_of(row)
    turn = turn_of(steps_of(route), user_id, standing_in(policy, tx))
    if turn is None:
        raise Problem(403, "above_your_level", "This amount is above the level you may decide.")
    decision = "approved" if approve else "rejected"
    route[turn.position] |= {
        "decision": decision, "by": user_id, "on_behalf_of": turn.on_behalf_of, "at": tx.now, "comment": comment,
    }  # fmt: skip
    changed = await limits.update_request(tx, row["id"], route=route)
    tx.audit(f"limit_{decision}", "credit_limit_request", row["id"], None, {"comment": comment})
    if not approve:
        return await _reject(tx, changed, user_id, comment)
    if any(step["decision"] is None for step in route):
        emit_request(tx, changed)
        await notices.ask_approvers(tx, changed, policy)
        return changed
    return await put_in_force(tx, changed, user_id, comment, policy)


async def put_in_force(
    tx: Tx, row: Row, user_id: UUID | None, comment: str | None, policy: ApprovalPolicy
) -> Row:
    """Approve a request: the limit, or what comes on top of it, is as asked from now on."""
    company_id = row["company_id"]
    changed = await limits.update_request(tx, row["id"], state="approved", decided_at=tx.now)
    before = await limits.limit(tx, company_id, lock=True)
    if before is not None:
        await overcome(tx, before)
    authorised = row["unsecured_amount"] if policy.compare == "unsecured" else None
    if row["temporary"]:
        await temporaries.add(tx, {**dict(row), "request_id": row["id"]})
        kept = await limits.change_limit(
            tx, company_id, pending_request_id=None, authorised_unsecured=authorised, unvalidated_since=None
        )
    else:
        kept = await limits.change_limit(
            tx, company_id, pending_request_id=None, state="approved", amount=row["amount"], currency=row["currency"],
            valid_from=tx.today, valid_until=row["valid_until"], request_id=row["id"], needs_review=False,
            reason=row["reason"], authorised_unsecured=authorised, unvalidated_since=None,
        )  # fmt: skip
    event = "temporary_approved" if row["temporary"] else "approved"
    shown = {**dict(kept), **({"amount": row["amount"], "valid_from": row["valid_from"],
                               "valid_until": row["valid_until"]} if row["temporary"] else {})}  # fmt: skip
    await limits.add_history(
        tx, company_id, event, shown, user_id=user_id, comment=comment, request_id=row["id"]
    )
    await announce_limits(tx, [company_id])
    emit_request(tx, changed)
    await watch_limits(tx, [company_id])
    if user_id is not BY_POLICY:
        await notices.tell_requester(tx, changed)
    return changed


async def _reject(tx: Tx, row: Row, user_id: UUID, comment: str | None) -> Row:
    changed = await limits.update_request(tx, row["id"], state="rejected", decided_at=tx.now)
    current = await limits.limit(tx, row["company_id"], lock=True)
    never = current is None or current["state"] == "none"
    decided = {"state": "not_validated"} if never else {}
    kept = await limits.change_limit(tx, row["company_id"], pending_request_id=None, **decided)
    await limits.add_history(
        tx, row["company_id"], "rejected", kept, user_id=user_id, comment=comment, request_id=row["id"]
    )
    await announce_limits(tx, [row["company_id"]])
    emit_request(tx, changed)
    await watch_limits(tx, [row["company_id"]])
    await notices.tell_requester(tx, changed)
    return changed
