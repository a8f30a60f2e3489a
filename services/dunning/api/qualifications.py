"""Qualification of items: what a customer answered, who resolves it, and what comes next."""

from datetime import date as Day  # noqa: N812 - a member is called date
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText, from_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Page
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import (
    CategoryName,
    ChannelName,
    Code,
    Comment,
    IfMatch,
    Input,
    ItemIds,
    Kind,
    ModeName,
    NextScenarioAction,
)
from services.dunning.domain.next_action import NextAction
from services.dunning.domain.scenario import Channel, Mode
from services.dunning.storage import situations, statuses
from services.dunning.usecases import upcoming
from services.dunning.usecases.qualify import Answer, Qualifying, check, qualify

router = Router("Qualification")
ItemId = Annotated[UUID, Path(description="the item's id")]


class LetScenarioRun(Input):
    """Let the scenario decide."""

    kind: Literal["scenario"]


class SpecificAction(Input):
    """Take the items out of the scenario until this is finished."""

    kind: Literal["specific_action"]
    template_id: UUID | None = Field(
        None, description="of the message; its channel is taken when none is named"
    )
    channel: ChannelName | None = Field(None, description="how the customer is approached")
    due_on: Day | None = Field(None, description="the follow-up date when left out")
    assignee: UUID | None = Field(
        None, description="user who does it; the customer's collector when left out"
    )
    mode: ModeName | None = Field(None, description="automatic for messages when left out")


class Qualification(Input):
    """What a customer answered about some of its items."""

    item_ids: ItemIds = Field(description="of one customer")
    status_code: Code = Field(examples=["promise"])
    date: Annotated[
        Day | None, Field(description="of a promise the day promised (required), else of the answer; today")
    ] = None
    follow_up_on: Annotated[
        Day | None, Field(description="when to come back; else the day promised, else the status's delay")
    ] = None
    amount: Amount | None = Field(None, description="the part of the items it is about; all when left out")
    comment: Comment | None = Field(
        None, description="what the customer said", examples=["Cheque sent on Friday"]
    )
    resolution_owner_id: UUID | None = Field(None, description="user in charge of resolving it")
    dispute_kind: Kind | None = Field(
        None, description="of the dispute it opens; the status's own when left out"
    )
    promise_channel: ChannelName | None = Field(None, description="how a promise was made")
    next: Annotated[LetScenarioRun | SpecificAction, Field(discriminator="kind")] | None = Field(
        None, description="what follows; what the status sets off when left out"
    )


class ItemOutcome(BaseModel):
    """What came of one item."""

    id: UUID
    outcome: Literal["qualified", "closed", "not_found"]


class Qualified(BaseModel):
    """What a qualification came to."""

    id: UUID
    customer_id: UUID
    status_code: str = Field(examples=["promise"])
    category: CategoryName
    date: Day
    follow_up_on: Day
    items: list[ItemOutcome]
    message_id: UUID | None = Field(description="the confirmation's")
    action_id: UUID | None = Field(description="the specific action's")
    promise_id: UUID | None
    dispute_id: UUID | None
    next_scenario_action: NextScenarioAction | None


class Preview(BaseModel):
    """What a qualification would come to; nothing is written."""

    customer_id: UUID
    status_code: str = Field(examples=["promise"])
    status_label: str = Field(description="in the customer's language", examples=["Promesse de règlement"])
    category: CategoryName
    date: Day
    follow_up_on: Day
    items: list[ItemOutcome]
    amounts: dict[str, AmountText] = Field(
        description="open on the items, by currency", examples=[{"EUR": "1234.56"}]
    )


class PastQualification(BaseModel):
    """One qualification of an item."""

    id: UUID
    status_code: str = Field(examples=["promise"])
    category: CategoryName
    date: Day
    follow_up_on: Day
    comment: str | None = Field(description="what the customer said")
    resolution_owner_id: UUID | None
    amount: AmountText | None
    open_amount: AmountText
    currency: str = Field(examples=["EUR"])
    next_kind: Literal["scenario", "specific_action"]
    message_id: UUID | None
    action_id: UUID | None
    promise_id: UUID | None
    dispute_id: UUID | None
    qualified_on: Day
    qualified_by: str = Field(description="user or key", examples=["user:0199…"])
    created_at: datetime
    updated_at: datetime


class OwnerPatch(Input):
    """Who resolves an item."""

    resolution_owner_id: UUID | None = Field(description="a user; null: nobody")


class Situation(BaseModel):
    """Where an item stands."""

    item_id: UUID
    customer_id: UUID
    status_code: str | None = Field(examples=["promise"])
    category: CategoryName | None
    date: Day | None
    follow_up_on: Day | None
    amount: AmountText | None
    comment: str | None = Field(description="the last one")
    resolution_owner_id: UUID | None
    excluded_by: str | None = Field(description="what holds it out of the scenario", examples=["dispute"])
    excluded_until: Day | None
    updated_at: datetime | None = Field(description="null when nobody ever spoke about it")


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
    done = await qualify(ctx.tx, found)
    decision = await upcoming.of_customer(ctx.tx, found.customer)
    return reply(
        {
            **_common(found),
            **done,
            "message_id": None,
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
    return reply({**_common(found), "status_label": label, "amounts": shown})


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
