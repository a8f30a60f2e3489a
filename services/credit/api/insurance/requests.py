"""Requests for guarantees, from the draft to the insurer's answer."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText
from libs.kit.db import Row, Tx
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import CompanyFilter, Currency, Input, PolicyFilter, amount, picked
from services.credit.domain.insurance.vocabulary import (
    OPEN_STATES,
    Product,
    RequestState,
    RequestType,
    layer_of,
)
from services.credit.storage import exposure
from services.credit.storage.insurance import covers, requests
from services.credit.storage.insurance.rows import one
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.insurance import requesting
from services.credit.usecases.insurance.sending import JOB

router = Router("Guarantee requests")
RequestId = Annotated[UUID, Path(description="the request's id")]


class GuaranteeRequestCreate(Input):
    """Cover asked for a company."""

    policy_id: UUID
    company_id: UUID
    product: Product = "permanent"
    request_type: RequestType = "new"
    amount: Amount = Field(ge=0, description="as the connection's products take it")
    temporary_amount: Amount | None = Field(None, ge=0, description="with permanent_plus_temporary")
    currency: Currency | None = Field(None, description="ISO 4217; the policy's when left out")
    valid_from: date | None = None
    valid_to: date | None = Field(None, description="last day that counts")
    urgent: bool = False
    comment: str | None = Field(None, max_length=4000, description="for the insurer's arbitrator")
    submit: bool = Field(False, description="send it at once, without a draft")


class GuaranteeRequest(BaseModel):
    """A request and how it stands."""

    id: UUID
    policy_id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    guarantee_id: UUID | None = Field(description="the cover it acts on, once submitted")
    product: Product
    request_type: RequestType
    amount: AmountText
    temporary_amount: AmountText | None
    currency: str = Field(examples=["EUR"])
    valid_from: date | None
    valid_to: date | None
    urgent: bool
    comment: str | None = Field(description="for the insurer's arbitrator")
    state: RequestState
    error: str | None = Field(description="why it failed, or why its fate is unknown", examples=[None])
    current_cover: AmountText | None = Field(
        description="in force today in the same layer, in the request's currency"
    )
    open_request_id: UUID | None = Field(
        description="of the same policy, buyer and product, while one is under way"
    )
    insurer_reference: str | None = Field(description="as the insurer calls it", examples=[None])
    decision_id: UUID | None
    requested_by: UUID | None
    submitted_at: datetime | None
    decided_at: datetime | None
    created_at: datetime
    updated_at: datetime


@router.post(
    "/guarantee-requests", status_code=201, response_model=GuaranteeRequest, summary="Ask for a guarantee",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def create_guarantee_request(ctx: Ctx, body: GuaranteeRequestCreate) -> Response:
    """A draft, its amount checked against what the insurer takes. One open request a policy, buyer and product: 409
    `request_open` names the other."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    row = await requesting.create_request(ctx.tx, ctx.caller, body.model_dump(exclude={"submit"}))
    if body.submit:
        row = await requesting.submit_request(ctx.tx, await requesting.locked_request(ctx.tx, row["id"]))
        _nudge(ctx)
    headers = {"Location": f"/v1/guarantee-requests/{row['id']}", "ETag": etag(row["version"])}
    return reply(await _shown(ctx.tx, row), 201, headers)


@router.get(
    "/guarantee-requests", response_model=Page[GuaranteeRequest], summary="List guarantee requests",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_guarantee_requests(
    ctx: Ctx,
    company_id: CompanyFilter = None,
    policy_id: PolicyFilter = None,
    state: Annotated[list[RequestState] | None, Query(description="one or several states")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first."""
    rows = await requests.page(ctx.tx, company_id, policy_id, state, ctx.caller.perimeter, cursor, limit)
    known = await covers.covers_of(ctx.tx, list({row["company_id"] for row in rows}))
    today = ctx.tx.today
    return reply(
        page(rows, limit, lambda row: _request(row, row["company_name"], known[row["company_id"]], today))
    )


@router.get(
    "/guarantee-requests/{request_id}", response_model=GuaranteeRequest, summary="Show a guarantee request",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def get_guarantee_request(ctx: Ctx, request_id: RequestId) -> Response:
    """One request."""
    row = await one(ctx.tx, requests.TABLE, request_id)
    if row is None or not await exposure.in_sight(ctx.tx, row["company_id"], ctx.caller.perimeter):
        raise not_found("guarantee request", request_id)
    return reply(await _shown(ctx.tx, row), headers={"ETag": etag(row["version"])})


@router.post(
    "/guarantee-requests/{request_id}/submit", response_model=GuaranteeRequest, summary="Send a guarantee request",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def submit_guarantee_request(ctx: Ctx, request_id: RequestId) -> Response:
    """Send it to the insurer. 422 `buyer_not_identified` until somebody confirmed who the buyer is there. With a manual
    connection it waits for the decision that is typed in at its guarantee. A failed request may be submitted again."""
    row = await _locked(ctx, request_id)
    changed = await requesting.submit_request(ctx.tx, row)
    _nudge(ctx)
    return reply(await _shown(ctx.tx, changed), headers={"ETag": etag(changed["version"])})


@router.post(
    "/guarantee-requests/{request_id}/cancel", response_model=GuaranteeRequest, summary="Take a request back",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def cancel_guarantee_request(ctx: Ctx, request_id: RequestId) -> Response:
    """End a request that has no answer yet. It ends here: the insurer is not told, so take one that has reached it back in
    its portal as well. Should the insurer decide about it all the same, the decision counts and the request stays cancelled."""
    changed = await requesting.cancel_request(ctx.tx, await _locked(ctx, request_id))
    return reply(await _shown(ctx.tx, changed), headers={"ETag": etag(changed["version"])})


async def _locked(ctx: Ctx, request_id: UUID) -> Row:
    row = await requesting.locked_request(ctx.tx, request_id)
    if not await exposure.in_sight(ctx.tx, row["company_id"], ctx.caller.perimeter):
        raise not_found("guarantee request", request_id)
    return row


def _nudge(ctx: Ctx) -> None:
    tenant_id = ctx.tx.tenant_id

    async def nudge() -> None:
        await ctx.runtime.jobs.enqueue(JOB, str(tenant_id))

    ctx.tx.after_commit(nudge)


async def _shown(tx: Tx, row: Row) -> dict[str, Any]:
    company = await exposure.company(tx, row["company_id"])
    known = await covers.covers_of(tx, [row["company_id"]])
    assert company is not None, "requests stand on companies"
    return _request(row, company["name"], known[row["company_id"]], tx.today)


def _request(row: Row, company_name: str, known: list[Row], today: date) -> dict[str, Any]:
    names = (
        "id", "policy_id", "company_id", "product", "request_type", "currency", "valid_from", "valid_to", "urgent", "comment",
        "state", "error", "insurer_reference", "decision_id", "requested_by", "submitted_at", "decided_at", "created_at",
        "updated_at",
    )  # fmt: skip
    currency = row["currency"]
    return {
        **picked(row, names),
        "company_name": company_name,
        "guarantee_id": row["cover_id"],
        "amount": amount(row["amount"], currency),
        "temporary_amount": amount(row["temporary_amount"], currency),
        "current_cover": amount(_current(row, known, today), currency),
        "open_request_id": row["id"] if row["state"] in OPEN_STATES else None,
    }


def _current(row: Row, known: list[Row], today: date) -> int | None:
    layer = layer_of(row["product"])
    for cover in known:
        if cover["policy_id"] == row["policy_id"] and cover["layer"] == layer:
            worth = covers.timeline_of(cover).on(today)
            if worth is not None:
                return worth.amount if worth.currency == row["currency"] else None
    return 0
