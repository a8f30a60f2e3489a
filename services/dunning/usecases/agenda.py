"""What a collector does with an action: complete, skip, reschedule, cancel, confirm."""

from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit import mail
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from services.dunning.domain.moment_of_sending import Withdrawn
from services.dunning.domain.scenario import Channel
from services.dunning.storage import actions, situations
from services.dunning.usecases.house import house_of
from services.dunning.usecases.moment import decide_again
from services.dunning.usecases.queue_message import Wanted, queue_messages
from services.dunning.usecases.specific import SPECIFIC, finished

_OPEN = ("proposed", "to_confirm", "due", "blocked")


async def complete(tx: Tx, row: Row, user_id: UUID | None, outcome: str | None) -> Row:
    """Done by a person: a call that was made, a letter that was posted."""
    _require_open(row)
    _require_not_queued(row)
    return await _end(tx, row, "done", user_id, outcome or "done")


async def skip(tx: Tx, row: Row, user_id: UUID | None, outcome: str | None) -> Row:
    """Passed over: the scenario goes on as if it had been done."""
    _require_open(row)
    await _withdraw_mail(tx, row, "skipped")
    return await _end(tx, row, "skipped", user_id, outcome or "skipped")


async def cancel(tx: Tx, row: Row, reason: str | None) -> Row:
    """Withdrawn: the next run decides anew."""
    _require_open(row)
    await actions.cancel(tx, [row], reason or "cancelled_by_hand")
    tx.audit("action_cancelled", "action", row["id"], {"state": row["state"]}, {"state": "cancelled"})
    await finished(tx, row)
    return await _read(tx, row["id"])


async def reschedule(tx: Tx, row: Row, due_on: date) -> Row:
    """Another day. Raises 422 for a past one."""
    _require_open(row)
    _require_not_queued(row)
    if due_on < tx.today:
        raise invalid("/due_on", "in_the_past", "expected today or a later day")
    tx.audit("action_rescheduled", "action", row["id"], {"due_on": row["due_on"]}, {"due_on": due_on})
    return await actions.update(tx, row["id"], due_on=due_on)


async def confirm(tx: Tx, row: Row, user_id: UUID | None) -> Row:
    """Take up what was proposed, or let a message that waits for a person go. Raises 409 `overtaken` when the facts no longer
    ask for this message."""
    if row["state"] not in ("to_confirm", "proposed"):
        raise Problem(
            409,
            "invalid_state",
            f"The action is {row['state']}: there is nothing to confirm.",
            state=row["state"],
        )
    tx.audit("action_confirmed", "action", row["id"], {"state": row["state"]}, {"state": "due"})
    if not Channel(row["channel"]).is_message:
        return await _taken_up(tx, row, state="due", done_by=user_id)
    if row["due_on"] > tx.today:  # it leaves on its day
        return await _taken_up(tx, row, state="due", mode="automatic", done_by=user_id)
    house = await house_of(tx)
    cleared = await decide_again(tx, row, house)
    if isinstance(cleared, Withdrawn):
        raise Problem(409, "overtaken", "The facts no longer ask for this message.", reason=str(cleared.code))
    identifier = new_id()
    opening = cleared.window.next_opening(tx.now)
    wanted = Wanted(identifier, row["id"], cleared.customer, cleared.decision, opening)
    await queue_messages(tx, [wanted], house)
    return await _taken_up(tx, row, state="due", mail_id=identifier, done_by=user_id)


async def _taken_up(tx: Tx, row: Row, **values: Any) -> Row:
    changed = await actions.update(tx, row["id"], **values)
    if row["kind"] == SPECIFIC:
        await situations.refresh_exclusions(tx, [row["customer_id"]])
    return changed


def _require_open(row: Row) -> None:
    if row["state"] not in _OPEN:
        raise Problem(409, "invalid_state", f"The action is {row['state']}.", state=row["state"])


def _require_not_queued(row: Row) -> None:
    if row["mail_id"] is not None and row["state"] == "due":
        raise Problem(409, "sends_itself", "This message sends itself: skip or cancel it instead.")


async def _withdraw_mail(tx: Tx, row: Row, reason: str) -> None:
    if row["mail_id"] is not None:
        await mail.cancel(tx, row["mail_id"], reason)


async def _end(tx: Tx, row: Row, state: str, user_id: UUID | None, outcome: str) -> Row:
    changed = await actions.update(
        tx, row["id"], state=state, outcome=outcome, done_on=tx.today, done_by=user_id
    )
    await finished(tx, row)
    tx.audit(
        f"action_{state}", "action", row["id"], {"state": row["state"]}, {"state": state, "outcome": outcome}
    )
    return changed


async def _read(tx: Tx, identifier: UUID) -> Row:
    row = await actions.get(tx, identifier)
    if row is None:
        raise not_found("action", identifier)
    return row
