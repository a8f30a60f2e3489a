"""Disputes: what customers contest, who resolves it, and how long that takes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText, MoneyError, from_minor, to_minor
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import Comment, IfMatch, Input, ItemIds, Kind, Stamped
from services.dunning.api.sight import items_of_one, one_of
from services.dunning.storage import dispute_times, situations
from services.dunning.storage.records import DISPUTES
from services.dunning.usecases import disputes, specific

router = Router("Disputes")
Id = Annotated[UUID, Path(description="the dispute's id")]
State = Literal["open", "resolved"]
KindName = Annotated[
    Kind,
    Field(
        description="administrative, price, quality, missing_goods, other, or a kind of your own",
        examples=["price"],
    ),
]


class DisputeCreate(Input):
    """A dispute."""

    item_ids: ItemIds = Field(description="of one customer")
    kind: KindName = "other"
    amount: Amount | None = Field(None, description="the contested part; all when left out")
    comment: Comment | None = Field(None, description="what is contested", examples=["Two pallets short"])
    owner_user_id: UUID | None = Field(None, description="who resolves it")
    expected_on: date | None = Field(None, description="when it should be resolved")


class DisputePatch(Input):
    """Members to change."""

    kind: KindName | None = None
    comment: Comment | None = Field(None, description="what is contested")
    owner_user_id: UUID | None = Field(None, description="who resolves it; null: nobody")
    expected_on: date | None = Field(None, description="when it should be resolved")


class Resolve(Input):
    """How a dispute ended."""

    outcome: Literal["accepted", "partly_accepted", "rejected"] = Field(
        description="what the customer contested was"
    )
    comment: Comment | None = Field(
        None, description="how it was resolved", examples=["Credit note of 120.00 sent"]
    )


class Dispute(Stamped):
    """A dispute."""

    customer_id: UUID
    item_ids: list[UUID]
    kind: str = Field(examples=["price"])
    amount: AmountText | None = Field(description="the contested part; null: all of the items")
    currency: str | None = Field(examples=["EUR"])
    comment: str | None = Field(description="what is contested")
    owner_user_id: UUID | None
    opened_on: date
    expected_on: date | None
    state: State
    outcome: Literal["accepted", "partly_accepted", "rejected", "requalified"] | None
    resolution: str | None = Field(description="how it was resolved")
    resolved_on: date | None
    days: int = Field(description="from its opening to its end, or until today")


class DisputeTimes(BaseModel):
    """Disputes of one kind or owner."""

    key: str | None = Field(
        description="the kind, or the owner's user id; null: nobody's", examples=["price"]
    )
    open: int
    resolved: int
    average_days: str | None = Field(description="to resolution, of those resolved", examples=["12.5"])
    oldest_open_on: date | None


class DisputeReport(BaseModel):
    """How long disputes take."""

    as_of: date
    by: Literal["kind", "owner"]
    data: list[DisputeTimes]


@router.get(
    "/disputes", response_model=Page[Dispute], summary="List disputes", openapi_extra=scope("dunning:read")
)
async def list_disputes(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or both states")] = None,
    kind: Annotated[list[str] | None, Query(description="one or several kinds")] = None,
    customer_id: UUID | None = None,
    owner_user_id: UUID | None = None,
    item_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Disputes of customers in the caller's perimeter, newest first."""
    wanted = {
        "state": state, "kind": kind, "customer_id": customer_id, "owner_user_id": owner_user_id, "item_id": item_id,
        "updated_since": updated_since,
    }  # fmt: skip
    rows = await DISPUTES.page(ctx.tx, ctx.caller.perimeter, wanted, cursor, limit)
    return reply(page(rows, limit, lambda row: _present(row, ctx.tx.today)))


@router.post(
    "/disputes",
    status_code=201,
    response_model=Dispute,
    summary="Open a dispute",
    openapi_extra=scope("dunning:write"),
)
async def create_dispute(ctx: Ctx, body: DisputeCreate) -> Response:
    """Open a dispute on open items of one customer: nothing is asked for them until it is resolved."""
    items = await items_of_one(ctx, body.item_ids)
    currencies = {row["currency"] for row in items}
    currency = currencies.pop() if len(currencies) == 1 else None
    amount = None
    if body.amount is not None:
        if currency is None:
            raise invalid("/amount", "several_currencies", "expected items of one currency beside an amount")
        try:
            amount = to_minor(body.amount, currency)
        except MoneyError as error:
            raise invalid("/amount", error.code, error.detail) from None
    ids = [row["id"] for row in items]
    await specific.release(ctx.tx, items[0]["customer_id"], ids)
    values = body.model_dump(include={"kind", "comment", "owner_user_id", "expected_on"})
    row = await disputes.open_dispute(ctx.tx, items, values | {"amount": amount, "currency": currency})
    ctx.tx.audit("dispute_opened", "dispute", row["id"], after=body.model_dump(mode="json"))
    await situations.refresh_exclusions(ctx.tx, [row["customer_id"]])
    headers = {"Location": f"/v1/disputes/{row['id']}", "ETag": etag(row["version"])}
    return reply(_present(row, ctx.tx.today), 201, headers)


@router.get(
    "/disputes/{dispute_id}",
    response_model=Dispute,
    summary="Show a dispute",
    openapi_extra=scope("dunning:read"),
)
async def get_dispute(ctx: Ctx, dispute_id: Id) -> Response:
    """One dispute."""
    return _answer(ctx, await one_of(ctx, DISPUTES, "dispute", dispute_id))


@router.patch(
    "/disputes/{dispute_id}",
    response_model=Dispute,
    summary="Change a dispute",
    openapi_extra=scope("dunning:write"),
)
async def update_dispute(ctx: Ctx, dispute_id: Id, body: DisputePatch, if_match: IfMatch = None) -> Response:
    """Hand it to somebody else, call it by another kind, expect its end on another day."""
    row = await one_of(ctx, DISPUTES, "dispute", dispute_id, if_match, lock=True)
    values = body.model_dump(exclude_unset=True)
    if values.get("kind", "") is None:
        raise invalid("/kind", "null", "expected a kind")
    return _answer(ctx, await disputes.change(ctx.tx, row, values) if values else row)


@router.post(
    "/disputes/{dispute_id}/resolve",
    response_model=Dispute,
    summary="Resolve a dispute",
    openapi_extra=scope("dunning:write"),
)
async def resolve_dispute(ctx: Ctx, dispute_id: Id, body: Resolve, if_match: IfMatch = None) -> Response:
    """End it. What is still open on its items can be claimed again, from the step their scenario had reached."""
    row = await one_of(ctx, DISPUTES, "dispute", dispute_id, if_match, lock=True)
    return _answer(ctx, await disputes.resolve(ctx.tx, row, body.outcome, body.comment))


_COLUMNS = (
    Column("key", "Key"),
    Column("open", "Open", "number"),
    Column("resolved", "Resolved", "number"),
    Column("average_days", "Average days", "number"),
    Column("oldest_open_on", "Oldest open", "date"),
)


@router.get(
    "/reports/disputes",
    response_model=DisputeReport,
    responses=FILES,
    summary="Report how long disputes take",
    openapi_extra=scope("dunning:read"),
)
async def report_disputes(
    ctx: Ctx,
    by: Annotated[Literal["kind", "owner"], Query(description="a row a kind, or an owner")] = "kind",
    opened_from: Annotated[date | None, Query(description="opened on that day or later")] = None,
) -> Response:
    """Open and resolved disputes and their average time to resolution; JSON, CSV or XLSX by `Accept`."""
    rows = [dict(row) for row in await dispute_times.read(ctx.tx, by, opened_from, ctx.caller.perimeter)]
    form = wanted_form(ctx.request)
    if form != "json":
        return table(form, "disputes", _COLUMNS, rows)
    return reply({"as_of": ctx.tx.today, "by": by, "data": rows}, headers={"Vary": "Accept"})


def _answer(ctx: Ctx, row: Row) -> Response:
    return reply(_present(row, ctx.tx.today), headers={"ETag": etag(row["version"])})


def _present(row: Row, today: date) -> dict[str, Any]:
    names = [name for name in Dispute.model_fields if name not in ("amount", "days")]
    return {
        **{name: row[name] for name in names},
        "amount": None if row["amount"] is None else from_minor(row["amount"], row["currency"]),
        "days": ((row["resolved_on"] or today) - row["opened_on"]).days,
    }
