"""Qualification of items: what a customer answered, who resolves it, and what comes next."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Page
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import (
    IfMatch,
)
from services.dunning.api.qualification_schemas import (
    Confirmation,
    OwnerPatch,
    PastQualification,
    Preview,
    Qualification,
    Qualified,
    Situation,
    SpecificAction,
)
from services.dunning.domain.next_action import NextAction
from services.dunning.domain.scenario import Channel, Mode
from services.dunning.storage import planning, situations, statuses
from services.dunning.usecases import confirmation, upcoming
from services.dunning.usecases.qualify import Answer, Qualifying, check, qualify
from services.dunning.usecases.send import JOB

router = Router("Qualification")
ItemId = Annotated[UUID, Path(description="the item's id")]


@router.post(
    "/qualifications",
    response_model=Qualified,
    summary="Qualify items",
    openapi_extra=scope("dunning:write"),
)
async def create_qualification(ctx: Ctx, body: Qualification) -> Response:
    """Give many items of one customer a status, a date and a comment; confirm it by e-mail; let the scenario run or plan a
    specific action that takes the items out of it. A promise or a dispute becomes an object of its own."""
    found = await _check(ctx, body)
    identifier, message_id = new_id(), None
    if body.confirmation is not None:
        ctx.caller.require("dunning:send")
        ready = await confirmation.write(ctx.tx, found, _wishes(body.confirmation))
        message_id = await confirmation.send(ctx.tx, found, ready, identifier)
        _send_soon(ctx)
    done = await qualify(ctx.tx, found, message_id, identifier)
    decision = await upcoming.of_customer(ctx.tx, found.customer)
    return reply(
        {
            **_common(found),
            **done,
            "message_id": message_id,
            "next_scenario_action": next_shown(decision) if isinstance(decision, NextAction) else None,
        }
    )


@router.post(
    "/qualifications/preview",
    response_model=Preview,
    summary="Preview a qualification",
    openapi_extra=scope("dunning:write"),
)
async def preview_qualification(ctx: Ctx, body: Qualification) -> Response:
    """What the same call to /v1/qualifications would come to, with the confirmation as it would read. Nothing is
    written or sent."""
    found = await _check(ctx, body)
    amounts: dict[str, int] = {}
    for item in found.items:
        amounts[item["currency"]] = amounts.get(item["currency"], 0) + item["open_amount"]
    label = statuses.label_of(found.status_row, found.customer["language"])
    shown = {code: from_minor(amount, code) for code, amount in amounts.items()}
    ready = None
    if body.confirmation is not None:
        ready = await confirmation.write(ctx.tx, found, _wishes(body.confirmation))
    facts = await planning.facts_of(ctx.tx, [found.customer["id"]])
    known = facts[found.customer["id"]][1].contacts if found.customer["id"] in facts else ()
    contacts = [
        {"id": one.id, "name": one.name, "email": one.email, "role": one.role, "blocked": one.blacklisted}
        for one in known
    ]
    return reply(
        {
            **_common(found),
            "status_label": label,
            "amounts": shown,
            "contacts": contacts,
            "confirmation": _as_it_reads(ready) if ready else None,
        }
    )


@router.get(
    "/items/{item_id}/qualifications",
    response_model=Page[PastQualification],
    summary="List an item's qualifications",
    openapi_extra=scope("dunning:read"),
)
async def list_item_qualifications(ctx: Ctx, item_id: ItemId) -> Response:
    """Every status an item ever had, newest first, in one page; kept whatever becomes of the item."""
    await _item(ctx, item_id)
    rows = await situations.history(ctx.tx, item_id)
    return reply({"data": [_past(row) for row in rows], "next_cursor": None})


@router.get(
    "/items/{item_id}/situation",
    response_model=Situation,
    summary="Show where an item stands",
    openapi_extra=scope("dunning:read"),
)
async def get_item_situation(ctx: Ctx, item_id: ItemId) -> Response:
    """Its status, who resolves it, and what holds it out of the scenario."""
    item = await _item(ctx, item_id)
    row = await situations.get(ctx.tx, item_id)
    return _situation(item, row)


@router.patch(
    "/items/{item_id}/resolution-owner",
    response_model=Situation,
    summary="Change who resolves an item",
    openapi_extra=scope("dunning:write"),
)
async def update_resolution_owner(
    ctx: Ctx, item_id: ItemId, body: OwnerPatch, if_match: IfMatch = None
) -> Response:
    """Name who is in charge of resolving an item, at any time and whatever its status."""
    item = await _item(ctx, item_id)
    before = await situations.get(ctx.tx, item_id, lock=True)
    if before is not None:
        require_match(if_match, before["version"])
    row = await situations.set_owner(ctx.tx, item_id, item["customer_id"], body.resolution_owner_id)
    old = before["resolution_owner_id"] if before else None
    ctx.tx.audit(
        "resolution_owner_changed", "item", item_id, {"resolution_owner_id": old},
        {"resolution_owner_id": body.resolution_owner_id},
    )  # fmt: skip
    return _situation(item, row)


def next_shown(decision: NextAction) -> dict[str, Any]:
    """The public object of what a scenario will do next."""
    return {
        "due_on": decision.due_on,
        "channel": str(decision.step.channel),
        "mode": str(decision.step.mode),
        "step": decision.position,
        "leader_item_id": decision.leader.id,
        "template_id": decision.step.template_id,
        "blocked_by": decision.blocked_by,
    }


def _send_soon(ctx: Ctx) -> None:
    tenant_id = str(ctx.tx.tenant_id)

    async def nudge() -> None:
        await ctx.runtime.jobs.enqueue(JOB, tenant_id, job_id=f"{JOB}:{tenant_id}")

    ctx.tx.after_commit(nudge)


def _wishes(body: Confirmation) -> confirmation.Wishes:
    return confirmation.Wishes(**body.model_dump())


def _as_it_reads(ready: confirmation.Ready) -> dict[str, Any]:
    message = ready.composed.message
    return {
        "to": [one["email"] for one in ready.to],
        "cc": [one["email"] for one in ready.cc],
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "attachments": [one.filename for one in ready.composed.attachments],
    }


async def _check(ctx: Ctx, body: Qualification) -> Qualifying:
    await _know(ctx, body.item_ids)
    following = body.next
    specific = following if isinstance(following, SpecificAction) else None
    answer = Answer(
        item_ids=body.item_ids,
        status_code=body.status_code,
        day=body.date,
        follow_up_on=body.follow_up_on,
        amount=body.amount,
        comment=body.comment,
        resolution_owner_id=body.resolution_owner_id,
        dispute_kind=body.dispute_kind,
        promise_channel=body.promise_channel,
        next_kind=following.kind if following else None,
        template_id=specific.template_id if specific else None,
        channel=Channel(specific.channel) if specific and specific.channel else None,
        mode=Mode(specific.mode) if specific and specific.mode else None,
        due_on=specific.due_on if specific else None,
        assignee=specific.assignee if specific else None,
    )
    return await check(ctx.tx, answer, ctx.caller.perimeter)


async def _know(ctx: Ctx, item_ids: list[UUID]) -> None:
    """Items that were pushed a moment ago are asked of the ledger once."""
    known = await situations.open_items(ctx.tx, item_ids)
    if len(known) < len(set(item_ids)):
        await ctx.runtime.feed.drain("ledger", ctx.tx.tenant_id, within=2)


async def _item(ctx: Ctx, item_id: UUID) -> Row:
    await _know(ctx, [item_id])
    rows = await situations.open_items(ctx.tx, [item_id])
    perimeter = ctx.caller.perimeter
    if not rows or (perimeter is not None and rows[0]["customer_unit_id"] not in perimeter):
        raise not_found("item", item_id)
    return rows[0]


def _common(found: Qualifying) -> dict[str, Any]:
    return {
        "customer_id": found.customer["id"],
        "status_code": found.status.code,
        "category": found.status.category.value,
        "date": found.day,
        "follow_up_on": found.follow_up_on,
        "items": [{"id": one, "outcome": outcome} for one, outcome in found.outcomes],
    }


def _past(row: Row) -> dict[str, Any]:
    names = [name for name in PastQualification.model_fields if name not in ("amount", "open_amount")]
    return {
        **{name: row[name] for name in names},
        "amount": None if row["amount"] is None else from_minor(row["amount"], row["currency"]),
        "open_amount": from_minor(row["open_amount"], row["currency"]),
    }


def _situation(item: Row, row: Row | None) -> Response:
    names = [
        name
        for name in Situation.model_fields
        if name not in ("item_id", "customer_id", "amount", "updated_at")
    ]
    amount = row["amount"] if row else None
    shown = {
        "item_id": item["id"],
        "customer_id": item["customer_id"],
        **{name: row[name] if row else None for name in names},
        "amount": None if amount is None else from_minor(amount, item["currency"]),
        "updated_at": row["updated_at"] if row else None,
    }
    return reply(shown, headers={"ETag": etag(row["version"] if row else 0)})
