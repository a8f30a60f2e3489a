"""Hand-overs: items given to an insurer, an agency or a lawyer to collect."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field

from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import Comment, IfMatch, Input, ItemIds, Stamped
from services.dunning.api.sight import items_of_one, one_of
from services.dunning.storage import scenarios, situations
from services.dunning.storage.records import HAND_OVERS
from services.dunning.usecases import specific
from services.dunning.usecases.plan import withdraw_overtaken

router = Router("Hand-overs")
Id = Annotated[UUID, Path(description="the hand-over's id")]
RecipientKind = Literal["insurer", "agency", "lawyer", "court"]
State = Literal["open", "ended"]


class HandOverCreate(Input):
    """Items to hand over."""

    item_ids: ItemIds = Field(description="of one customer")
    recipient: RecipientKind
    name: str | None = Field(
        None, max_length=200, description="of the recipient", examples=["Recouvrement Rhône"]
    )
    reference: str | None = Field(
        None, max_length=100, description="their file number", examples=["RR-2026-118"]
    )
    handed_on: date | None = Field(None, description="today when left out")
    comment: Comment | None = Field(None, description="more about it")


class End(Input):
    """How it ended."""

    outcome: Literal["collected", "partly_collected", "returned", "irrecoverable"]


class HandOver(Stamped):
    """A hand-over."""

    customer_id: UUID
    item_ids: list[UUID]
    recipient: RecipientKind
    name: str | None = Field(description="of the recipient")
    reference: str | None = Field(description="their file number")
    comment: str | None = Field(description="more about it")
    handed_on: date
    state: State
    outcome: Literal["collected", "partly_collected", "returned", "irrecoverable"] | None
    ended_on: date | None


@router.get(
    "/hand-overs",
    response_model=Page[HandOver],
    summary="List hand-overs",
    openapi_extra=scope("dunning:read"),
)
async def list_hand_overs(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or both states")] = None,
    recipient: Annotated[list[RecipientKind] | None, Query(description="one or several kinds")] = None,
    customer_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Hand-overs of customers in the caller's perimeter, newest first."""
    wanted = {
        "state": state,
        "recipient": recipient,
        "customer_id": customer_id,
        "updated_since": updated_since,
    }
    rows = await HAND_OVERS.page(ctx.tx, ctx.caller.perimeter, wanted, cursor, limit)
    return reply(page(rows, limit, _present))


@router.post(
    "/hand-overs",
    status_code=201,
    response_model=HandOver,
    summary="Hand items over",
    openapi_extra=scope("dunning:write"),
)
async def create_hand_over(ctx: Ctx, body: HandOverCreate) -> Response:
    """Somebody else collects these items from now on: they leave the scenario. Items that are handed over already: 409
    `already_handed_over`."""
    if body.handed_on is not None and body.handed_on > ctx.tx.today:
        raise invalid("/handed_on", "not_yet", "expected today or an earlier day")
    items = await items_of_one(ctx, body.item_ids)
    customer_id, ids = items[0]["customer_id"], [row["id"] for row in items]
    held = await HAND_OVERS.covering(ctx.tx, customer_id, ids, "open")
    if held:
        detail = "Some of these items are with somebody already: end that hand-over first."
        raise Problem(409, "already_handed_over", detail, existing_id=str(held[0]["id"]))
    await specific.release(ctx.tx, customer_id, ids)
    values = body.model_dump(include={"recipient", "name", "reference", "comment"})
    row = await HAND_OVERS.insert(
        ctx.tx,
        values
        | {
            "customer_id": customer_id,
            "item_ids": ids,
            "handed_on": body.handed_on or ctx.tx.today,
            "state": "open",
        },
    )
    ctx.tx.audit("items_handed_over", "hand_over", row["id"], after=body.model_dump(mode="json"))
    await situations.refresh_exclusions(ctx.tx, [customer_id])
    await withdraw_overtaken(ctx.tx, customer_id, await scenarios.in_force(ctx.tx), ctx.tx.today)
    return reply(
        _present(row), 201, {"Location": f"/v1/hand-overs/{row['id']}", "ETag": etag(row["version"])}
    )


@router.get(
    "/hand-overs/{hand_over_id}",
    response_model=HandOver,
    summary="Show a hand-over",
    openapi_extra=scope("dunning:read"),
)
async def get_hand_over(ctx: Ctx, hand_over_id: Id) -> Response:
    """One hand-over."""
    row = await one_of(ctx, HAND_OVERS, "hand-over", hand_over_id)
    return reply(_present(row), headers={"ETag": etag(row["version"])})


@router.post(
    "/hand-overs/{hand_over_id}/end",
    response_model=HandOver,
    summary="End a hand-over",
    openapi_extra=scope("dunning:write"),
)
async def end_hand_over(ctx: Ctx, hand_over_id: Id, body: End, if_match: IfMatch = None) -> Response:
    """Take the items back: what is still open on them returns to the scenario."""
    row = await one_of(ctx, HAND_OVERS, "hand-over", hand_over_id, if_match, lock=True)
    if row["state"] != "open":
        raise Problem(409, "invalid_state", "The hand-over has ended.", state=row["state"])
    changed = await HAND_OVERS.update(
        ctx.tx, row["id"], state="ended", outcome=body.outcome, ended_on=ctx.tx.today
    )
    ctx.tx.audit("hand_over_ended", "hand_over", row["id"], {"state": "open"}, {"outcome": body.outcome})
    await situations.refresh_exclusions(ctx.tx, [row["customer_id"]])
    return reply(_present(changed), headers={"ETag": etag(changed["version"])})


def _present(row: Row) -> dict[str, object]:
    return {name: row[name] for name in HandOver.model_fields}
