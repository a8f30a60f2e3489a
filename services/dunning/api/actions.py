"""The agenda: what is to be done, by whom, and what came of it."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, SortKey, page, parse_sort
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.schemas import (
    Action,
    ActionState,
    Cancel,
    Channel,
    CustomerDunning,
    Done,
    Reschedule,
)
from services.dunning.domain.facts import CustomerFacts
from services.dunning.domain.next_action import NextAction, Nothing, next_action
from services.dunning.storage import actions, lists, planning
from services.dunning.usecases import agenda

router = Router("Agenda")
Id = Annotated[UUID, Path(description="the action's id")]
IfMatch = Annotated[str | None, Header(description="the ETag you read")]


@router.get(
    "/actions", response_model=Page[Action], summary="List actions", openapi_extra=scope("dunning:read")
)
async def list_actions(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[str | None, Query(description="due_on, created_at, updated_at; - for descending")] = None,
    state: Annotated[list[ActionState] | None, Query(description="one or several states")] = None,
    channel: Annotated[list[Channel] | None, Query(description="one or several channels")] = None,
    customer_id: UUID | None = None,
    assignee_user_id: UUID | None = None,
    due_to: Annotated[date | None, Query(description="due on that day or before")] = None,
) -> Response:
    """Actions for customers in the caller's perimeter, the most urgent first."""
    keys = [*parse_sort(sort, lists.ACTION_SORTS, "due_on"), SortKey("a.id", "uuid")]
    wanted = lists.ActionFilter(
        ctx.caller.perimeter, states=state, channels=channel, customer_id=customer_id, assignee_user_id=assignee_user_id,
        due_to=due_to,
    )  # fmt: skip
    rows = await lists.agenda(ctx.tx, wanted, keys, cursor, limit)
    return reply(page(rows, limit, present))


@router.get(
    "/actions/{action_id}",
    response_model=Action,
    summary="Show an action",
    openapi_extra=scope("dunning:read"),
)
async def get_action(ctx: Ctx, action_id: Id) -> Response:
    """One action."""
    return _answer(await _one(ctx, action_id))


@router.post(
    "/actions/{action_id}/complete",
    response_model=Action,
    summary="Complete an action",
    openapi_extra=scope("dunning:write"),
)
async def complete_action(ctx: Ctx, action_id: Id, body: Done, if_match: IfMatch = None) -> Response:
    """Say that it was done, and what came of it; the scenario's next step counts from today."""
    row = await _one(ctx, action_id, if_match, lock=True)
    return await _changed(ctx, await agenda.complete(ctx.tx, row, ctx.caller.user_id, body.outcome))


@router.post(
    "/actions/{action_id}/skip",
    response_model=Action,
    summary="Skip an action",
    openapi_extra=scope("dunning:write"),
)
async def skip_action(ctx: Ctx, action_id: Id, body: Done, if_match: IfMatch = None) -> Response:
    """Pass over this step; the scenario goes on with the next one."""
    row = await _one(ctx, action_id, if_match, lock=True)
    return await _changed(ctx, await agenda.skip(ctx.tx, row, ctx.caller.user_id, body.outcome))


@router.post(
    "/actions/{action_id}/reschedule",
    response_model=Action,
    summary="Reschedule an action",
    openapi_extra=scope("dunning:write"),
)
async def reschedule_action(ctx: Ctx, action_id: Id, body: Reschedule, if_match: IfMatch = None) -> Response:
    """Move it to another day, today or later."""
    row = await _one(ctx, action_id, if_match, lock=True)
    return await _changed(ctx, await agenda.reschedule(ctx.tx, row, body.due_on))


@router.post(
    "/actions/{action_id}/cancel",
    response_model=Action,
    summary="Cancel an action",
    openapi_extra=scope("dunning:write"),
)
async def cancel_action(ctx: Ctx, action_id: Id, body: Cancel, if_match: IfMatch = None) -> Response:
    """Withdraw it; the next run decides anew."""
    row = await _one(ctx, action_id, if_match, lock=True)
    return await _changed(ctx, await agenda.cancel(ctx.tx, row, body.reason))


@router.post(
    "/actions/{action_id}/confirm",
    response_model=Action,
    summary="Confirm a message",
    openapi_extra=scope("dunning:send"),
)
async def confirm_action(ctx: Ctx, action_id: Id, if_match: IfMatch = None) -> Response:
    """Let a message go that waits for a person; it leaves within sending hours."""
    await ctx.runtime.feed.require_fresh("ledger", ctx.tx.tenant_id)
    row = await _one(ctx, action_id, if_match, lock=True)
    return await _changed(ctx, await agenda.confirm(ctx.tx, row, ctx.caller.user_id))


@router.get(
    "/customers/{customer_id}/dunning",
    response_model=CustomerDunning,
    summary="Show where a customer stands",
    openapi_extra=scope("dunning:read"),
)
async def get_customer_dunning(ctx: Ctx, customer_id: UUID) -> Response:
    """The scenario, the item that leads it, what comes next and why nothing does."""
    row, facts = await _facts(ctx, customer_id)
    version = await planning.default_version(ctx.tx)
    live = await lists.live_actions(ctx.tx, customer_id)
    return reply(
        {
            "customer_id": row["id"],
            "scenario_id": version.scenario_id,
            "scenario_version_id": version.id,
            "why": "tenant_default",
            **_next(next_action(facts, version, ctx.tx.today), ctx.tx.today),
            "actions": [present(one) for one in live],
            "paused_until": None,
            "excluded_items": [],
        }
    )


def _next(decision: NextAction | Nothing, today: date) -> dict[str, Any]:
    if isinstance(decision, Nothing):
        empty = dict.fromkeys(("leader_item", "next_step", "next_channel", "blocked_by"))
        return {**empty, "next_due_on": decision.look_again_on, "nothing_because": str(decision.reason)}
    leader = decision.leader
    return {
        "leader_item": {
            "item_id": leader.id,
            "number": leader.number,
            "due_date": leader.due_date,
            "days_late": leader.days_late(today),
            "open_amount": from_minor(leader.open_minor, leader.currency),
            "currency": leader.currency,
        },
        "next_step": decision.position,
        "next_channel": str(decision.step.channel),
        "next_due_on": decision.due_on,
        "nothing_because": None,
        "blocked_by": decision.blocked_by,
    }


async def _facts(ctx: Ctx, customer_id: UUID) -> tuple[Row, CustomerFacts]:
    known = (await planning.facts_of(ctx.tx, [customer_id])).get(customer_id)
    if known is None:
        await ctx.runtime.feed.drain("ledger", ctx.tx.tenant_id, within=2)
        known = (await planning.facts_of(ctx.tx, [customer_id])).get(customer_id)
    perimeter = ctx.caller.perimeter
    if known is None or (perimeter is not None and known[0]["business_unit_id"] not in perimeter):
        raise not_found("customer", customer_id)
    return known


async def _one(ctx: Ctx, action_id: UUID, if_match: str | None = None, *, lock: bool = False) -> Row:
    row = await lists.action(ctx.tx, action_id, ctx.caller.perimeter, lock=lock)
    if row is None:
        raise not_found("action", action_id)
    require_match(if_match, row["version"])
    return row


async def _changed(ctx: Ctx, row: Row) -> Response:
    return _answer(await _one(ctx, row["id"]))


def _answer(row: Row) -> Response:
    return reply(present(row), headers={"ETag": etag(row["version"])})


def present(row: Row) -> dict[str, Any]:
    """The public object of an action."""
    net: dict[str, int] = actions.decoded(row, "net")
    single = next(iter(net.items())) if len(net) == 1 else None
    names = (
        "id", "customer_id", "customer_name", "kind", "channel", "mode", "state", "due_on", "leader_item_id", "reason",
        "outcome", "assignee_user_id", "done_on", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "items": row["item_ids"],
        "amount": from_minor(single[1], single[0]) if single else None,
        "currency": single[0] if single else None,
        "net": {code: from_minor(amount, code) for code, amount in net.items()},
        "contact": actions.decoded(row, "contact"),
        "message_id": row["mail_id"],
    }
