"""Payment plans: instalments agreed with a customer."""

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText, MoneyError, from_minor, to_minor
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import Comment, IfMatch, Input, ItemIds, Stamped
from services.dunning.api.sight import items_of_one, one_of
from services.dunning.storage.records import PLANS
from services.dunning.usecases import plans

router = Router("Payment plans")
Id = Annotated[UUID, Path(description="the plan's id")]
State = Literal["open", "kept", "broken", "cancelled"]


class InstalmentIn(Input):
    """One instalment."""

    due_on: date
    amount: Amount


class PlanCreate(Input):
    """A plan."""

    item_ids: ItemIds = Field(description="of one customer and one currency")
    instalments: list[InstalmentIn] = Field(
        min_length=1, max_length=120, description="by rising day; no more than is open"
    )
    comment: Comment | None = Field(None, description="what was agreed")


class Instalment(BaseModel):
    """One instalment, judged like a promise."""

    promise_id: UUID
    due_on: date
    amount: AmountText
    state: Literal["open", "kept", "partly", "broken", "cancelled"]
    paid_amount: AmountText


class PlanSummary(Stamped):
    """A payment plan."""

    customer_id: UUID
    item_ids: list[UUID]
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    comment: str | None = Field(description="what was agreed")
    state: State


class Plan(PlanSummary):
    """A payment plan with its instalments."""

    instalments: list[Instalment]


@router.get(
    "/payment-plans",
    response_model=Page[PlanSummary],
    summary="List payment plans",
    openapi_extra=scope("dunning:read"),
)
async def list_payment_plans(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or several states")] = None,
    customer_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Plans of customers in the caller's perimeter, newest first."""
    wanted = {"state": state, "customer_id": customer_id, "updated_since": updated_since}
    rows = await PLANS.page(ctx.tx, ctx.caller.perimeter, wanted, cursor, limit)
    return reply(page(rows, limit, _summary))


@router.post(
    "/payment-plans",
    status_code=201,
    response_model=Plan,
    summary="Agree on a payment plan",
    openapi_extra=scope("dunning:write"),
)
async def create_payment_plan(ctx: Ctx, body: PlanCreate) -> Response:
    """Its items stay out of the scenario while every instalment is paid in time; the first one that is missed breaks the plan and
    brings them back."""
    items = await items_of_one(ctx, body.item_ids)
    currencies = {row["currency"] for row in items}
    if len(currencies) > 1:
        raise invalid("/item_ids", "several_currencies", "expected items of one currency")
    currency = currencies.pop()
    instalments = []
    for place, one in enumerate(body.instalments):
        try:
            minor = to_minor(one.amount, currency)
        except MoneyError as error:
            raise invalid(f"/instalments/{place}/amount", error.code, error.detail) from None
        if minor <= 0:
            raise invalid(f"/instalments/{place}/amount", "not_positive", "expected more than nothing")
        instalments.append((one.due_on, minor))
    if instalments[0][0] < ctx.tx.today:
        raise invalid("/instalments/0/due_on", "in_the_past", "expected today or a later day")
    for place, (before, after) in enumerate(pairwise(instalments), start=1):
        if after[0] <= before[0]:
            raise invalid(
                f"/instalments/{place}/due_on", "not_rising", "expected a later day than the one before"
            )
    if sum(amount for _, amount in instalments) > sum(row["open_amount"] for row in items):
        raise invalid("/instalments", "amount_above_open", "expected no more than is open on the items")
    row = await plans.agree(ctx.tx, items, instalments, body.comment)
    headers = {"Location": f"/v1/payment-plans/{row['id']}", "ETag": etag(row["version"])}
    return reply(await _whole(ctx, row), 201, headers)


@router.get(
    "/payment-plans/{plan_id}",
    response_model=Plan,
    summary="Show a payment plan",
    openapi_extra=scope("dunning:read"),
)
async def get_payment_plan(ctx: Ctx, plan_id: Id) -> Response:
    """A plan with its instalments as they were paid."""
    return await _answer(ctx, await one_of(ctx, PLANS, "payment plan", plan_id))


@router.post(
    "/payment-plans/{plan_id}/cancel",
    response_model=Plan,
    summary="Cancel a payment plan",
    openapi_extra=scope("dunning:write"),
)
async def cancel_payment_plan(ctx: Ctx, plan_id: Id, if_match: IfMatch = None) -> Response:
    """End it by hand: its items return to the scenario."""
    row = await one_of(ctx, PLANS, "payment plan", plan_id, if_match, lock=True)
    return await _answer(ctx, await plans.cancel(ctx.tx, row))


async def _answer(ctx: Ctx, row: Row) -> Response:
    return reply(await _whole(ctx, row), headers={"ETag": etag(row["version"])})


async def _whole(ctx: Ctx, row: Row) -> dict[str, Any]:
    return {
        **_summary(row),
        "instalments": [
            {
                "promise_id": one["id"],
                "due_on": one["promised_on"],
                "amount": from_minor(one["amount"], one["currency"]),
                "state": one["state"],
                "paid_amount": from_minor(one["paid_amount"], one["currency"]),
            }
            for one in await plans.instalments_of(ctx.tx, row)
        ],
    }


def _summary(row: Row) -> dict[str, Any]:
    names = ("id", "customer_id", "item_ids", "currency", "comment", "state", "created_at", "updated_at")
    return {**{name: row[name] for name in names}, "amount": from_minor(row["amount"], row["currency"])}
