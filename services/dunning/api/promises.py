"""Promises to pay, and how far a customer's word goes."""

from datetime import date, datetime
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
from services.dunning.api.fields import ChannelName, Comment, IfMatch, Input, ItemIds, Stamped
from services.dunning.api.sight import customer_in_sight, items_of_one, one_of
from services.dunning.domain.promise import PromiseState, deadline, reliability
from services.dunning.storage import situations
from services.dunning.storage.records import PROMISES
from services.dunning.usecases import promises

router = Router("Promises")
Id = Annotated[UUID, Path(description="the promise's id")]
State = Literal["open", "kept", "partly", "broken", "cancelled"]


class PromiseCreate(Input):
    """A promise to pay."""

    item_ids: ItemIds = Field(description="of one customer and one currency")
    promised_on: date
    amount: Amount | None = Field(None, description="all that is open on the items when left out")
    channel: ChannelName | None = Field(None, description="how it was made")
    comment: Comment | None = Field(None, description="what was said", examples=["Transfer on Friday"])


class Promise(Stamped):
    """A promise to pay, judged by what the ledger says."""

    customer_id: UUID
    item_ids: list[UUID]
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    made_on: date
    promised_on: date
    judged_after: date = Field(description="the last value date that keeps it: some days of grace are given")
    channel: ChannelName | None
    comment: str | None = Field(description="what was said")
    state: State
    paid_amount: AmountText = Field(description="in time")
    credited_amount: AmountText = Field(description="credited since: nobody owes it any more")
    judged_on: date | None
    plan_id: UUID | None = Field(description="of the payment plan it is an instalment of")
    made_by: str = Field(description="who wrote it down", examples=["user:0199…"])


class ReliabilityRow(BaseModel):
    """How far a customer's word goes in one currency."""

    currency: str = Field(examples=["EUR"])
    kept: int
    partly: int
    broken: int
    open: int
    rate: str | None = Field(
        description="share of what was promised that came in time, 0 to 1", examples=["0.8571"]
    )


class ReliabilityOut(BaseModel):
    """How far a customer's word goes."""

    customer_id: UUID
    as_of: date
    data: list[ReliabilityRow]


@router.get(
    "/promises", response_model=Page[Promise], summary="List promises", openapi_extra=scope("dunning:read")
)
async def list_promises(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or several states")] = None,
    customer_id: UUID | None = None,
    item_id: UUID | None = None,
    plan_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Promises of customers in the caller's perimeter, newest first."""
    wanted = {
        "state": state, "customer_id": customer_id, "item_id": item_id, "plan_id": plan_id, "updated_since": updated_since,
    }  # fmt: skip
    rows = await PROMISES.page(ctx.tx, ctx.caller.perimeter, wanted, cursor, limit)
    return reply(page(rows, limit, present))


@router.post(
    "/promises",
    status_code=201,
    response_model=Promise,
    summary="Write down a promise",
    openapi_extra=scope("dunning:write"),
)
async def create_promise(ctx: Ctx, body: PromiseCreate) -> Response:
    """A promise on open items of one customer: they leave the scenario until it is kept or broken. It replaces open promises on
    the same items."""
    if body.promised_on < ctx.tx.today:
        raise invalid("/promised_on", "in_the_past", "expected today or a later day")
    items = await items_of_one(ctx, body.item_ids)
    currencies = {row["currency"] for row in items}
    if len(currencies) > 1:
        raise invalid(
            "/item_ids", "several_currencies", "expected items of one currency: a promise is in one"
        )
    amount = _minor(body.amount, items)
    row = await promises.make(
        ctx.tx, items, body.promised_on, amount, channel=body.channel, comment=body.comment
    )
    ctx.tx.audit("promise_made", "promise", row["id"], after=body.model_dump(mode="json"))
    await situations.refresh_exclusions(ctx.tx, [row["customer_id"]])
    return reply(present(row), 201, {"Location": f"/v1/promises/{row['id']}", "ETag": etag(row["version"])})


@router.get(
    "/promises/{promise_id}",
    response_model=Promise,
    summary="Show a promise",
    openapi_extra=scope("dunning:read"),
)
async def get_promise(ctx: Ctx, promise_id: Id) -> Response:
    """One promise, as the ledger's facts judge it so far."""
    return _answer(await one_of(ctx, PROMISES, "promise", promise_id))


@router.post(
    "/promises/{promise_id}/cancel",
    response_model=Promise,
    summary="Cancel a promise",
    openapi_extra=scope("dunning:write"),
)
async def cancel_promise(ctx: Ctx, promise_id: Id, if_match: IfMatch = None) -> Response:
    """Take an open promise back: its items return to the scenario. It counts neither as kept nor as broken."""
    row = await one_of(ctx, PROMISES, "promise", promise_id, if_match, lock=True)
    return _answer(await promises.cancel(ctx.tx, row))


@router.get(
    "/customers/{customer_id}/reliability",
    response_model=ReliabilityOut,
    summary="Show how far a customer's word goes",
    openapi_extra=scope("dunning:read"),
)
async def get_customer_reliability(ctx: Ctx, customer_id: UUID) -> Response:
    """Promises that came due, and the share of the promised money that was paid in time, a row a currency."""
    await customer_in_sight(ctx, customer_id)
    rows = await ctx.tx.fetch(
        "SELECT currency, state, amount - credited_amount AS due, paid_amount FROM promises WHERE tenant_id = $1"
        " AND customer_id = $2 ORDER BY currency, id",
        ctx.tx.tenant_id, customer_id,
    )  # fmt: skip
    data = []
    for currency in sorted({row["currency"] for row in rows}):
        own = [row for row in rows if row["currency"] == currency]
        found = reliability((PromiseState(row["state"]), row["due"], row["paid_amount"]) for row in own)
        data.append(
            {
                "currency": currency,
                "kept": found.kept,
                "partly": found.partly,
                "broken": found.broken,
                "open": sum(row["state"] == "open" for row in own),
                "rate": None if found.rate is None else str(found.rate),
            }
        )
    return reply({"customer_id": customer_id, "as_of": ctx.tx.today, "data": data})


def _minor(amount: Any, items: list[Row]) -> int | None:
    owed = sum(row["open_amount"] for row in items)
    if owed <= 0:
        raise invalid("/item_ids", "nothing_owed", "expected items on which something is owed")
    if amount is None:
        return None
    try:
        minor = to_minor(amount, items[0]["currency"])
    except MoneyError as error:
        raise invalid("/amount", error.code, error.detail) from None
    if not 0 < minor <= owed:
        raise invalid(
            "/amount",
            "amount_above_open",
            "expected more than nothing, and no more than is open on the items",
        )
    return minor


def _answer(row: Row) -> Response:
    return reply(present(row), headers={"ETag": etag(row["version"])})


def present(row: Row) -> dict[str, Any]:
    """The public object of a promise."""
    names = (
        "id", "customer_id", "item_ids", "currency", "made_on", "promised_on", "channel", "comment", "state", "judged_on",
        "plan_id", "made_by", "created_at", "updated_at",
    )  # fmt: skip
    money = ("amount", "paid_amount", "credited_amount")
    return {
        **{name: row[name] for name in names},
        **{name: from_minor(row[name], row["currency"]) for name in money},
        "judged_after": deadline(row["promised_on"]),
    }
