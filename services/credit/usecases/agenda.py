"""The risk agenda: what a person has to look at, when, and what is at stake.

Anything in credit may plan an automatic action. Its source key says what it stands for (`limit_end:{company}:{day}`): planned
again it is only brought up to date, and once a person has dealt with it, it does not come back.
"""

from datetime import date
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from services.credit.storage import agenda


async def plan_action(
    tx: Tx, *, kind: str, company_id: UUID, due_on: date, title: str, source_key: str,
    amount_at_stake: int | None = None, currency: str | None = None, object_id: UUID | None = None,
    assignee: UUID | None = None,
) -> Row | None:  # fmt: skip
    """Plan an automatic action, once a source key; None where there was nothing to change.

    `amount_at_stake` in minor units of `currency`; `object_id` is what it is about (a review, a clock, a request). Call it
    from feed handlers, jobs, day steps and routes alike.
    """
    values = {
        "kind": kind, "company_id": company_id, "due_on": due_on, "title": title, "source": "automatic",
        "source_key": source_key, "amount_at_stake": amount_at_stake, "currency": currency, "object_id": object_id,
        "assignee": assignee, "comment": None,
    }  # fmt: skip
    return await agenda.plan(tx, new_id(), values)


async def withdraw_actions(tx: Tx, *source_keys: str, outcome: str = "overcome") -> int:
    """Cancel automatic actions whose cause is gone; those a person has dealt with stay as they are."""
    return await agenda.withdraw(tx, source_keys, outcome)


async def add_action(
    tx: Tx, *, kind: str, company_id: UUID, due_on: date, title: str, comment: str | None, assignee: UUID | None,
    amount_at_stake: int | None, currency: str | None,
) -> Row:  # fmt: skip
    """A person plans an action."""
    values = {
        "kind": kind, "company_id": company_id, "due_on": due_on, "title": title, "source": "manual", "source_key": None,
        "amount_at_stake": amount_at_stake, "currency": currency, "object_id": None, "assignee": assignee,
        "comment": comment,
    }  # fmt: skip
    identifier = new_id()
    await agenda.plan(tx, identifier, values)
    tx.audit("agenda_action_planned", "agenda_action", identifier, after={"kind": kind, "due_on": due_on})
    return await the_action(tx, identifier)


async def the_action(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row:
    """An action. Raises 404."""
    row = await agenda.action(tx, identifier, lock=lock)
    if row is None:
        raise not_found("agenda action", identifier)
    return row


async def complete(tx: Tx, row: Row, user_id: UUID | None, outcome: str | None, comment: str | None) -> Row:
    """Somebody has dealt with it. Raises 409 `invalid_state`."""
    _require_open(row)
    await agenda.update(
        tx, row["id"], state="done", outcome=outcome or "done", comment=comment or row["comment"],
        completed_by=user_id, completed_at=tx.now,
    )  # fmt: skip
    tx.audit("agenda_action_completed", "agenda_action", row["id"], {"state": "open"}, {"state": "done"})
    return await the_action(tx, row["id"])


async def reschedule(tx: Tx, row: Row, due_on: date, comment: str | None) -> Row:
    """Put it off, or bring it forward. Raises 409 `invalid_state`."""
    _require_open(row)
    await agenda.update(tx, row["id"], due_on=due_on, rescheduled=True, comment=comment or row["comment"])
    tx.audit(
        "agenda_action_rescheduled", "agenda_action", row["id"], {"due_on": row["due_on"]}, {"due_on": due_on}
    )
    return await the_action(tx, row["id"])


async def assign(tx: Tx, row: Row, assignee: UUID | None) -> Row:
    """Give it to somebody, or to nobody in particular. Raises 409 `invalid_state`."""
    _require_open(row)
    await agenda.update(tx, row["id"], assignee=assignee)
    tx.audit(
        "agenda_action_assigned", "agenda_action", row["id"], {"assignee": row["assignee"]}, {"assignee": assignee}
    )  # fmt: skip
    return await the_action(tx, row["id"])


def _require_open(row: Row) -> None:
    if row["state"] != "open":
        detail = f"The action is {row['state']}: nothing is left to do."
        raise Problem(409, "invalid_state", detail, state=row["state"])
