"""Actions beside the scenario: specific ones, which take their items out of it until they are finished, and others."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit import mail
from libs.kit.db import Row, Tx
from services.dunning.domain.scenario import Channel, Mode
from services.dunning.storage import actions, planning, situations
from services.dunning.usecases.house import House
from services.dunning.usecases.moment import Cleared, decide_again
from services.dunning.usecases.queue_message import Wanted, queue_messages

SPECIFIC = "specific_action"
#: Reasons that pass: the action waits for another day instead of being given up.
_PASSING = frozenset({"frequency_cap", "paused", "too_soon"})
_DUE = f"""
    SELECT {actions.COLUMNS} FROM actions
     WHERE tenant_id = $1 AND kind <> 'scenario' AND state = 'due' AND mail_id IS NULL AND mode = 'automatic'
       AND channel IN ('email', 'letter', 'sms') AND due_on <= $2 ORDER BY due_on, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


async def schedule(
    tx: Tx, customer: Row, items: Sequence[Row], *, kind: str, channel: Channel, mode: Mode, due_on: date,
    template_id: UUID | None = None, assignee: UUID | None = None, comment: str | None = None,
    qualification_id: UUID | None = None, promise_id: UUID | None = None, proposed: bool = False,
) -> Row:  # fmt: skip
    """Put an action on the agenda for some items of a customer. A proposed one waits to be taken up and holds nothing."""
    net: dict[str, int] = {}
    for item in items:
        net[item["currency"]] = net.get(item["currency"], 0) + item["open_amount"]
    debts = [item for item in items if item["open_amount"] > 0]
    action: dict[str, Any] = {
        "id": new_id(),
        "customer_id": customer["id"],
        "kind": kind,
        "channel": channel.value,
        "mode": mode.value,
        "state": "proposed" if proposed else "to_confirm" if mode is Mode.TO_CONFIRM else "due",
        "due_on": due_on,
        "leader_item_id": debts[0]["id"] if debts else None,
        "item_ids": [item["id"] for item in items],
        "net": net,
        "template_id": template_id,
        "comment": comment,
        "qualification_id": qualification_id,
        "promise_id": promise_id,
        "assignee_user_id": assignee or customer["collector_user_id"],
    }
    (row,) = await actions.insert(tx, [action])
    return row


async def release(tx: Tx, customer_id: UUID, item_ids: Sequence[UUID]) -> None:
    """Take items out of their specific actions; an action without items left is withdrawn."""
    rows = await tx.fetch(
        f"SELECT {actions.COLUMNS} FROM actions WHERE tenant_id = $1 AND customer_id = $2 AND item_ids && $3"
        " AND kind = 'specific_action' AND state IN ('proposed', 'to_confirm', 'due', 'blocked') ORDER BY id FOR UPDATE",
        tx.tenant_id, customer_id, list(item_ids),
    )  # fmt: skip
    for row in rows:
        left = [one for one in row["item_ids"] if one not in set(item_ids)]
        if left:
            await actions.update(tx, row["id"], item_ids=left)
        else:
            await actions.cancel(tx, [row], "requalified")


async def send_next_due(tx: Tx, day: date, house: House) -> bool:
    """Queue the message of one action beside a scenario whose day has come, or give it up when its items are settled meanwhile;
    whether there was one. One a transaction: each holds its company."""
    row = await tx.fetchrow(_DUE, tx.tenant_id, day)
    if row is None:
        return False
    cleared = await decide_again(tx, row, house)
    if isinstance(cleared, Cleared):
        identifier = new_id()
        opening = cleared.window.next_opening(tx.now)
        wanted = Wanted(identifier, row["id"], cleared.customer, cleared.decision, opening)
        await queue_messages(tx, [wanted], house)
        await actions.update(tx, row["id"], mail_id=identifier)
    else:
        await withdraw(tx, row, str(cleared.code))
    return True


async def withdraw(tx: Tx, action: Row, code: str) -> None:
    """An action that may not go: it stands blocked for a person to mend; a scenario's is decided anew; another waits while the
    reason passes, or is over."""
    if code in ("no_contact", "no_address"):
        await _drop_mail(tx, action, code)
        await actions.update(tx, action["id"], mail_id=None, state="blocked", reason=code)
    elif action["kind"] != "scenario" and code in _PASSING:
        await _drop_mail(tx, action, code)
        await actions.update(tx, action["id"], mail_id=None, due_on=tx.today + timedelta(days=1))
    else:
        await actions.cancel(tx, [action], code)
    await finished(tx, action)


async def finished(tx: Tx, action: Row) -> None:
    """What follows when an action came to an end: its items return to the scenario, its customer is looked at again."""
    if action["kind"] == SPECIFIC:
        await situations.refresh_exclusions(tx, [action["customer_id"]])
    await planning.look_again(tx, {action["customer_id"]: tx.today})


async def end_of_settled(tx: Tx, customers: Sequence[UUID]) -> None:
    """Give up actions beside the scenario whose items have all been settled."""
    rows = await tx.fetch(
        f"SELECT {actions.COLUMNS} FROM actions a WHERE tenant_id = $1 AND customer_id = ANY($2)"
        " AND kind IN ('specific_action', 'broken_promise') AND state IN ('proposed', 'to_confirm', 'due', 'blocked')"
        " AND NOT EXISTS (SELECT 1 FROM items i WHERE i.tenant_id = $1 AND i.id = ANY(a.item_ids) AND i.open_amount <> 0)"
        " AND NOT EXISTS (SELECT 1 FROM mails m WHERE m.tenant_id = $1 AND m.id = a.mail_id AND m.state = 'sending')"
        " ORDER BY id FOR UPDATE",
        tx.tenant_id, list(customers),
    )  # fmt: skip
    if rows:
        await actions.cancel(tx, rows, "settled")
        await situations.refresh_exclusions(tx, [row["customer_id"] for row in rows])


async def _drop_mail(tx: Tx, action: Row, code: str) -> None:
    if action["mail_id"] is not None:
        await mail.cancel(tx, action["mail_id"], code)
