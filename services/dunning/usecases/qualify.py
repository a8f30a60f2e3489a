"""Qualification: after each answer of a customer, its items get a status, a date, a comment, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.contracts.money import MoneyError, to_minor
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from services.dunning.domain.scenario import Channel, Mode
from services.dunning.domain.statuses import Category, Status, follow_up_on
from services.dunning.storage import planning, situations, statuses
from services.dunning.storage import scenarios as scenario_rows
from services.dunning.storage.records import PROMISES
from services.dunning.usecases import disputes, promises, specific
from services.dunning.usecases.plan import withdraw_overtaken
from services.dunning.usecases.specific import SPECIFIC

QUALIFIED, CLOSED, UNKNOWN = "qualified", "closed", "not_found"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said about some items. `amount` in major units of their one currency; `next_kind`: scenario, specific_action, or
    None for what the status sets off by itself."""

    item_ids: Sequence[UUID]
    status_code: str
    day: date | None = None
    follow_up_on: date | None = None
    amount: Any = None
    comment: str | None = None
    resolution_owner_id: UUID | None = None
    dispute_kind: str | None = None
    promise_channel: str | None = None
    next_kind: str | None = None
    template_id: UUID | None = None
    channel: Channel | None = None
    mode: Mode | None = None
    due_on: date | None = None
    assignee: UUID | None = None


@dataclass(frozen=True, slots=True)
class Qualifying:
    """An answer checked against the facts: whose items, which of them can be qualified, and what follows."""

    answer: Answer
    status: Status
    status_row: Row
    customer: Row
    items: list[Row]
    outcomes: list[tuple[UUID, str]]
    day: date
    follow_up_on: date
    amount: int | None


async def check(tx: Tx, answer: Answer, perimeter: Sequence[UUID] | None) -> Qualifying:
    """Raises 422 for what cannot be said, 404 for a customer out of sight."""
    row = await statuses.by_code(tx, answer.status_code)
    if row is None or not row["active"]:
        raise invalid(
            "/status_code", "status_unknown", "expected the code of an active status: see GET /v1/statuses"
        )
    status = statuses.status_of(row)
    known = {item["id"]: item for item in await situations.open_items(tx, answer.item_ids)}
    if perimeter is not None:
        known = {key: item for key, item in known.items() if item["customer_unit_id"] in perimeter}
    outcomes = [(one, _outcome(known.get(one))) for one in dict.fromkeys(answer.item_ids)]
    if len({item["customer_id"] for item in known.values()}) > 1:
        raise invalid(
            "/item_ids", "several_customers", "expected items of one customer: make one call a customer"
        )
    items = [item for item in known.values() if item["open_amount"] != 0]
    if not known:
        raise not_found("item", "of these ids")
    if not items:
        raise Problem(409, "items_closed", "None of these items is open.")
    customer = await _customer(tx, items[0]["customer_id"])
    day = answer.day or tx.today
    if status.category is Category.PROMISE:
        if answer.day is None:
            raise invalid("/date", "missing", "expected the day on which payment is promised")
        if answer.day < tx.today:
            raise invalid(
                "/date", "in_the_past", "expected today or a later day: nobody promises to have paid"
            )
    elif answer.day is not None and answer.day > tx.today and status.category is Category.DISPUTE_RESOLVED:
        raise invalid("/date", "not_yet", "expected today or an earlier day")
    return Qualifying(
        answer=answer,
        status=status,
        status_row=row,
        customer=customer,
        items=items,
        outcomes=outcomes,
        day=day,
        follow_up_on=follow_up_on(status, tx.today, answer.day, answer.follow_up_on),
        amount=_amount(answer, items),
    )


async def qualify(
    tx: Tx, found: Qualifying, message_id: UUID | None = None, identifier: UUID | None = None
) -> dict[str, Any]:
    """Do it: statuses, the promise or dispute they stand for, and the action that follows."""
    answer, status, items = found.answer, found.status, found.items
    customer_id = found.customer["id"]
    ids = [item["id"] for item in items]
    await planning.lock_customers(tx, [customer_id])
    await specific.release(tx, customer_id, ids)
    values = {
        "status_code": status.code,
        "category": status.category.value,
        "date": found.day,
        "follow_up_on": found.follow_up_on,
        "amount": found.amount,
        "comment": answer.comment,
        "resolution_owner_id": answer.resolution_owner_id,
    }
    await situations.qualify(tx, customer_id, ids, values)
    promise_id, dispute_id = await _agree(tx, found, ids)
    qualification_id = identifier or new_id()
    action = await _follow_up(tx, found, qualification_id, promise_id)
    next_kind = "specific_action" if action is not None else "scenario"
    await _write(tx, qualification_id, found, values, next_kind, message_id, action, promise_id, dispute_id)
    await situations.refresh_exclusions(tx, [customer_id])
    await withdraw_overtaken(tx, customer_id, await scenario_rows.in_force(tx), tx.today)
    tx.audit("items_qualified", "qualification", qualification_id, after=values | {"item_ids": ids})
    return {
        "id": qualification_id,
        "action_id": action["id"] if action else None,
        "promise_id": promise_id,
        "dispute_id": dispute_id,
    }


def _outcome(item: Row | None) -> str:
    if item is None:
        return UNKNOWN
    return QUALIFIED if item["open_amount"] != 0 else CLOSED


async def _customer(tx: Tx, customer_id: UUID) -> Row:
    row = await tx.fetchrow(
        "SELECT id, company_id, business_unit_id, external_id, name, language, contacts, address, country, time_zone,"
        " collector_user_id, scenario_id FROM customers WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, customer_id,
    )  # fmt: skip
    assert row is not None, "its items were read with it"
    return row


def _amount(answer: Answer, items: Sequence[Row]) -> int | None:
    if answer.amount is None:
        return None
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise invalid(
            "/amount", "several_currencies", "expected items of one currency beside a partial amount"
        )
    try:
        minor = to_minor(answer.amount, currencies.pop())
    except MoneyError as error:
        raise invalid("/amount", error.code, error.detail) from None
    owed = sum(item["open_amount"] for item in items)
    if not 0 < minor <= max(owed, 0):
        raise invalid(
            "/amount",
            "amount_above_open",
            "expected more than nothing, and no more than is open on the items",
        )
    return minor


async def _agree(tx: Tx, found: Qualifying, ids: Sequence[UUID]) -> tuple[UUID | None, UUID | None]:
    """The promise or the dispute that a status stands for; what it contradicts comes to an end."""
    category, customer_id = found.status.category, found.customer["id"]
    if category is not Category.DISPUTE:
        await disputes.release(tx, customer_id, ids)
    if category is Category.PROMISE:
        return await _promise(tx, found), None
    if category in {Category.DISPUTE, Category.LITIGATION}:
        for promise in await PROMISES.covering(tx, customer_id, ids, "open"):
            if promise["plan_id"] is None:
                await promises.cancel(tx, promise)
    if category is not Category.DISPUTE:
        return None, None
    currencies = {item["currency"] for item in found.items}
    row = await disputes.open_dispute(
        tx,
        found.items,
        {
            "kind": found.answer.dispute_kind or found.status.dispute_kind or "other",
            "amount": found.amount,
            "currency": currencies.pop() if len(currencies) == 1 else None,
            "comment": found.answer.comment,
            "owner_user_id": found.answer.resolution_owner_id,
            "expected_on": found.follow_up_on,
        },
    )
    return None, row["id"]


async def _promise(tx: Tx, found: Qualifying) -> UUID:
    """One promise a currency; the first one's id."""
    made: list[UUID] = []
    for currency in sorted({item["currency"] for item in found.items}):
        items = [item for item in found.items if item["currency"] == currency]
        if sum(item["open_amount"] for item in items) <= 0:
            continue
        row = await promises.make(
            tx,
            items,
            found.day,
            found.amount,
            channel=found.answer.promise_channel,
            comment=found.answer.comment,
        )
        made.append(row["id"])
    if not made:
        raise Problem(409, "nothing_owed", "Nothing is owed on these items: there is nothing to promise.")
    return made[0]


async def _follow_up(
    tx: Tx, found: Qualifying, qualification_id: UUID, promise_id: UUID | None
) -> Row | None:
    """The specific action that was asked for, or the one the status sets off."""
    answer, status = found.answer, found.status
    if answer.next_kind == "scenario":
        return None
    asked = answer.next_kind == "specific_action"
    template_id = answer.template_id if asked else status.action_template_id
    channel = answer.channel or await _channel_of(tx, template_id)
    if not asked:
        if status.action_template_id is None and status.action_channel is None:
            return None
        channel = status.action_channel or channel
    elif channel is None:
        raise invalid("/next/channel", "missing", "expected a channel, or a template that has one")
    assert channel is not None, "a status's template has a channel"
    if channel.is_message and template_id is None:
        raise invalid("/next/template_id", "template_missing", f"a {channel} needs a template")
    if answer.due_on is not None and answer.due_on < tx.today:
        raise invalid("/next/due_on", "in_the_past", "expected today or a later day")
    mode = answer.mode or (Mode.AUTOMATIC if asked else status.mode)
    proposed = not asked and status.mode is Mode.MANUAL
    if not channel.is_message:
        mode = Mode.MANUAL
    return await specific.schedule(
        tx, found.customer, found.items, kind=SPECIFIC, channel=channel, mode=mode,
        due_on=answer.due_on or max(found.follow_up_on, tx.today), template_id=template_id, assignee=answer.assignee,
        comment=answer.comment, qualification_id=qualification_id, promise_id=promise_id, proposed=proposed,
    )  # fmt: skip


async def _channel_of(tx: Tx, template_id: UUID | None) -> Channel | None:
    if template_id is None:
        return None
    channel = await tx.fetchval(
        "SELECT channel FROM templates WHERE tenant_id = $1 AND id = $2", tx.tenant_id, template_id
    )
    if channel is None:
        raise invalid("/next/template_id", "template_unknown", "expected the id of a template")
    return Channel(channel)


async def _write(
    tx: Tx, identifier: UUID, found: Qualifying, values: dict[str, Any], next_kind: str, message_id: UUID | None,
    action: Row | None, promise_id: UUID | None, dispute_id: UUID | None,
) -> None:  # fmt: skip
    await tx.execute(
        "INSERT INTO qualifications (tenant_id, id, customer_id, status_code, category, date, follow_up_on, comment,"
        " resolution_owner_id, next_kind, message_id, action_id, promise_id, dispute_id, qualified_on, qualified_by,"
        " created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, 1)",
        tx.tenant_id, identifier, found.customer["id"], values["status_code"], values["category"], values["date"],
        values["follow_up_on"], values["comment"], values["resolution_owner_id"], next_kind, message_id,
        action["id"] if action else None, promise_id, dispute_id, tx.today, tx.actor.subject, tx.now,
    )  # fmt: skip
    await tx.executemany(
        "INSERT INTO qualification_items (tenant_id, qualification_id, item_id, open_amount, amount, currency)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (tx.tenant_id, identifier, item["id"], item["open_amount"], found.amount, item["currency"])
            for item in found.items
        ],
    )


__all__ = ["Answer", "Qualifying", "check", "qualify"]
