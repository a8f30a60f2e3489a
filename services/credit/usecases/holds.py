"""Holding deliveries to a company, whatever its limit, and letting them go on."""

from datetime import date
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.credit.storage import limits
from services.credit.usecases.announce import announce_limits, hold_subject, limit_of
from services.credit.usecases.watch import watch_limits


async def hold(tx: Tx, company_id: UUID, reason: str, until: date | None, user_id: UUID | None) -> Row:
    """Put a company on hold: a hold outranks the limit, and leaves it as it is. Raises 409 `invalid_state` when it is held."""
    current = await limits.limit(tx, company_id, lock=True)
    if limit_of(tx, current).held:
        raise Problem(409, "invalid_state", "The company is on hold already.", state="blocked")
    kept = await limits.change_limit(
        tx, company_id, hold_reason=reason, hold_until=until, held_by=user_id, held_at=tx.now
    )
    await _tell(tx, kept, "blocked", user_id, reason, before=current)
    return kept


async def release(tx: Tx, company_id: UUID, comment: str | None, user_id: UUID | None) -> Row:
    """Lift a hold; the limit counts again as it stands. Raises 409 `invalid_state` when there is none."""
    current = await limits.limit(tx, company_id, lock=True)
    if not limit_of(tx, current).held:
        raise Problem(409, "invalid_state", "The company is not on hold.", state="not_blocked")
    kept = await limits.change_limit(
        tx, company_id, hold_reason=None, hold_until=None, held_by=None, held_at=None
    )
    await _tell(tx, kept, "unblocked", user_id, comment, before=current)
    return kept


async def _tell(
    tx: Tx, kept: Row, event: str, user_id: UUID | None, comment: str | None, *, before: Row | None
) -> None:
    company_id = kept["company_id"]
    state = "blocked" if event == "blocked" else None
    await limits.add_history(
        tx, company_id, event, kept, user_id=user_id, comment=comment, request_id=None, state=state
    )
    await announce_limits(tx, [company_id])
    tx.emit("hold.changed", [hold_subject(tx, kept)])
    await watch_limits(tx, [company_id])
    was = None if before is None else before["hold_reason"]
    tx.audit(
        f"company_{event}", "company", company_id, {"hold_reason": was}, {"hold_reason": kept["hold_reason"]}
    )
