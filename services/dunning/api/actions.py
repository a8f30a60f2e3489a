"""The agenda: what is to be done, by whom, and what came of it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Path, Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, SortKey, page, parse_sort
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.action_schemas import ActionCreate, Mass, MassOutcome
from services.dunning.api.schemas import (
    Action,
    ActionKind,
    ActionState,
    Cancel,
    Channel,
    Done,
    Reschedule,
)
from services.dunning.api.sight import customer_in_sight, items_of_one
from services.dunning.storage import actions, lists
from services.dunning.usecases import agenda, plan_by_hand

router = Router("Agenda")
Id = Annotated[UUID, Path(description="the action's id")]
IfMatch = Annotated[str | None, Header(description="the ETag you read")]
Verb = Literal["complete", "skip", "reschedule", "cancel", "confirm"]


@router.get(
    "/actions", response_model=Page[Action], summary="List actions", openapi_extra=scope("dunning:read")
)
async def list_actions(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[str | None, Query(description="due_on, created_at, updated_at; - for descending")] = None,
    state: Annotated[list[ActionState] | None, Query(description="one or several states")] = None,
    kind: Annotated[list[ActionKind] | None, Query(description="one or several kinds")] = None,
    channel: Annotated[list[Channel] | None, Query(description="one or several channels")] = None,
    customer_id: UUID | None = None,
    company_id: UUID | None = None,
    item_id: UUID | None = None,
    assignee_user_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
    due_to: Annotated[date | None, Query(description="due on that day or before")] = None,
) -> Response:
    """The agenda: actions for customers in the caller's perimeter, the most urgent first. What is due, what waits for a word
    (`to_confirm`), what is suggested (`proposed`), broken promises and replies (`kind`)."""
    keys = [*parse_sort(sort, lists.ACTION_SORTS, "due_on"), SortKey("a.id", "uuid")]
    wanted = lists.ActionFilter(
        ctx.caller.perimeter, states=state, kinds=kind, channels=channel, customer_id=customer_id, company_id=company_id,
        item_id=item_id, assignee_user_id=assignee_user_id, updated_since=updated_since, due_to=due_to,
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


@router.post(
    "/actions",
    status_code=201,
    response_model=Action,
    summary="Plan an action by hand",
    openapi_extra=scope("dunning:write"),
)
async def create_action(ctx: Ctx, body: ActionCreate) -> Response:
    """An action beside the scenario: `specific_action` takes its items out of it until it is finished, `out_of_scenario` leaves
    them in. Its message leaves by itself on its day unless `mode` says otherwise, and only about what is still owed then."""
    items = await items_of_one(ctx, body.item_ids)
    customer = await customer_in_sight(ctx, items[0]["customer_id"])
    row = await plan_by_hand.plan(ctx.tx, customer, items, body.model_dump(exclude={"item_ids"}))
    shown = await _one(ctx, row["id"])
    return reply(present(shown), 201, {"Location": f"/v1/actions/{row['id']}", "ETag": etag(row["version"])})


@router.post(
    "/actions/{verb}",
    response_model=MassOutcome,
    summary="Do the same with many actions",
    openapi_extra=scope("dunning:write"),
)
async def change_actions(ctx: Ctx, verb: Verb, body: Mass) -> Response:
    """Complete, skip, reschedule, cancel or confirm up to 500 actions; each by itself, so that one that cannot be does not
    stop the others. Confirming needs the scope dunning:send."""
    if verb == "confirm":
        ctx.caller.require("dunning:send")
        await ctx.runtime.feed.require_fresh("ledger", ctx.tx.tenant_id)
    if verb == "reschedule" and body.due_on is None:
        raise invalid("/due_on", "missing", "expected the day to move them to")
    return reply({"data": [await _each(ctx, verb, one, body) for one in sorted(set(body.action_ids))]})


async def _each(ctx: Ctx, verb: Verb, action_id: UUID, body: Mass) -> dict[str, Any]:
    try:
        async with ctx.tx.savepoint():
            row = await _one(ctx, action_id, lock=True)
            changed = await _do(ctx, verb, row, body)
    except Problem as problem:
        code = problem.errors[0].code if problem.errors else problem.code
        return {"id": action_id, "outcome": code, "state": None}
    return {"id": action_id, "outcome": "changed", "state": changed["state"]}


async def _do(ctx: Ctx, verb: Verb, row: Row, body: Mass) -> Row:
    tx, user_id = ctx.tx, ctx.caller.user_id
    if verb == "complete":
        return await agenda.complete(tx, row, user_id, body.outcome)
    if verb == "skip":
        return await agenda.skip(tx, row, user_id, body.outcome)
    if verb == "cancel":
        return await agenda.cancel(tx, row, body.reason)
    if verb == "confirm":
        return await agenda.confirm(tx, row, user_id)
    assert body.due_on is not None, "asked for before"
    return await agenda.reschedule(tx, row, body.due_on)


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
        "outcome", "comment", "template_id", "scenario_id", "qualification_id", "promise_id", "assignee_user_id", "done_on",
        "created_at", "updated_at",
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
