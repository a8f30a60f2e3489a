"""Covers in force, the decisions behind them, and decisions typed in for a manual insurer."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from libs.contracts.money import Amount, AmountText
from libs.kit.db import Row, Tx
from libs.kit.etag import etag
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import (
    CompanyFilter,
    CompanyId,
    Currency,
    Input,
    PolicyFilter,
    amount,
    picked,
)
from services.credit.domain.insurance.vocabulary import Layer, Product, Status
from services.credit.storage import exposure
from services.credit.storage.insurance import contracts, cover_lists, covers, requests
from services.credit.storage.insurance.rows import one
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.insurance.projecting import shown_period
from services.credit.usecases.insurance.requesting import policy_or_404
from services.credit.usecases.insurance.reviewing import review_cover
from services.credit.usecases.insurance.typing_in import type_in

router = Router("Guarantees")
GuaranteeId = Annotated[UUID, Path(description="the guarantee's id (for a new decision: or its request's)")]


class Period(BaseModel):
    """Days of equal worth; both count."""

    starts_on: date
    ends_on: date | None = Field(description="last day that counts; null: open")
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    percent: str | None = Field(description="insured share; null: the policy's", examples=["90.00"])
    status: Status
    decision_id: UUID


class Guarantee(BaseModel):
    """A layer of a company's cover under a policy, as of a day."""

    id: UUID
    policy_id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    layer: Layer
    product: Product
    status: Status = Field(description="of the insurer's newest decision; pending before the first")
    amount: AmountText = Field(description="in force on the day shown")
    currency: str = Field(examples=["EUR"])
    percent: str | None = Field(
        description="insured share, in percent; null: the policy's", examples=["90.00"]
    )
    effective_from: date | None = Field(description="first day that counts")
    expires_at: date | None = Field(description="last day that counts")
    cover_reference: str | None = Field(description="as the insurer calls it", examples=["789"])
    decision_id: UUID | None
    decided_at: datetime | None
    conditions: list[dict[str, Any]] = Field(
        examples=[[{"code": "C1", "type": None, "text": "Terms of 60 days at most"}]]
    )
    evidence: dict[str, Any] | None = Field(
        description="what justifies a discretionary limit", examples=[None]
    )
    needs_review: bool
    review_reason: str | None = Field(description="why a person should look", examples=["decisions_tied"])
    timeline: list[Period]
    created_at: datetime
    updated_at: datetime


class Decision(BaseModel):
    """What was decided, as it was told; it never changes."""

    id: UUID
    policy_id: UUID
    company_id: UUID
    guarantee_id: UUID | None
    request_id: UUID | None
    insurer_decision_id: str = Field(description="as the insurer calls it", examples=["d-1"])
    product: Product
    status: Status
    raw_status: str | None = Field(description="the insurer's own word", examples=["DC04"])
    is_preliminary: bool
    sequence: int
    decided_at: datetime
    requested_amount: AmountText | None
    granted_amount: AmountText | None = Field(
        description="null where the decision gives none; never zero for unknown"
    )
    currency: str = Field(examples=["EUR"])
    insured_percent: str | None = Field(description="null: the policy's", examples=["90.00"])
    effective_from: date
    expires_at: date | None
    withdrawal_date: date | None = Field(description="first day without cover")
    tranches: list[dict[str, Any]] = Field(examples=[[]])
    conditions: list[dict[str, Any]] = Field(examples=[[]])
    reasons: list[dict[str, Any]] = Field(examples=[[]])
    source: str = Field(description="webhook, reading, manual or import", examples=["webhook"])
    author: str = Field(description="who told it", examples=["insurer:sandbox"])
    comment: str | None = Field(description="of whoever typed it in", examples=[None])
    documents: list[str] = Field(description="ids of files", examples=[[]])
    evidence: dict[str, Any] | None = Field(
        description="what justifies a discretionary limit", examples=[None]
    )
    needs_review: bool
    reviewed_by: UUID | None
    recorded_at: datetime


class Evidence(Input):
    """What justifies a discretionary limit; it must be older than the delivery it covers."""

    kind: Literal["credit_report", "trading_history", "bank_reference", "other"]
    dated_on: date
    document_id: UUID | None = Field(None, description="a file")
    text: str | None = Field(None, max_length=4000, examples=["Paid 14 invoices within terms since 2024"])


class TrancheIn(Input):
    """Part of a grant with dates of its own."""

    kind: Literal["permanent", "temporary", "second"] = "permanent"
    amount: Amount = Field(ge=0)
    starts_on: date | None = Field(None, alias="from")
    ends_on: date | None = Field(None, alias="to", description="last day that counts")


class DecisionCreate(Input):
    """A decision as a person knows it."""

    status: Status = Field(examples=["partially_approved"])
    granted_amount: Amount | None = Field(None, ge=0)
    currency: Currency | None = Field(None, description="ISO 4217; the policy's when left out")
    insured_percent: Annotated[Decimal, Field(ge=0, le=100)] | None = Field(
        None, description="null: the policy's"
    )
    effective_from: date | None = Field(
        None, description="first day that counts; that of the decision when left out"
    )
    expires_at: date | None = Field(None, description="last day that counts")
    withdrawal_date: date | None = Field(None, description="first day without cover")
    decided_at: AwareDatetime | None = Field(None, description="now when left out")
    sequence: int = Field(0, ge=0, description="tells decisions of one instant apart")
    tranches: list[TrancheIn] = Field([], max_length=20)
    conditions: list[dict[str, Any]] = Field(
        [], max_length=100, examples=[[{"code": None, "text": "Terms of 60 days"}]]
    )
    reasons: list[dict[str, Any]] = Field(
        [], max_length=100, examples=[[{"code": "12", "text": "Adverse information"}]]
    )
    insurer_reference: str | None = Field(
        None, min_length=1, max_length=128, description="the insurer's id of the decision"
    )
    cover_reference: str | None = Field(
        None, min_length=1, max_length=128, description="the insurer's id of the cover"
    )
    comment: str | None = Field(None, max_length=4000, description="of whoever types it in")
    documents: list[UUID] = Field([], max_length=20, description="ids of files")
    evidence: Evidence | None = None


class GuaranteeCreate(DecisionCreate):
    """A first decision on a buyer: a manual insurer's, or a cover you set within the policy (dcl, non_named)."""

    policy_id: UUID
    company_id: UUID
    product: Product = "permanent"
    status: Status = Field("approved", examples=["approved"])


class Review(Input):
    """What a person found."""

    comment: str = Field(min_length=1, max_length=4000, examples=["The insurer confirms the lower amount"])


_COLUMNS = [
    Column("company_name", "Company"), Column("layer", "Layer"), Column("status", "Status"),
    Column("amount", "Amount", "amount"), Column("currency", "Currency"), Column("percent", "Percent", "number"),
    Column("effective_from", "From", "date"), Column("expires_at", "To", "date"), Column("cover_reference", "Reference"),
]  # fmt: skip
_EVERYTHING = 1_000_000


@router.get(
    "/guarantees", response_model=Page[Guarantee], summary="List guarantees", responses=FILES,
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_guarantees(
    ctx: Ctx,
    company_id: CompanyFilter = None,
    policy_id: PolicyFilter = None,
    layer: Annotated[list[Layer] | None, Query(description="one or several layers")] = None,
    needs_review: Annotated[
        bool | None, Query(description="only those a person should look at (or need not)")
    ] = None,
    as_of: Annotated[date | None, Query(description="the day shown; today when left out")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Every layer of every company in sight, by company. Also as CSV or XLSX, with every row."""
    form = wanted_form(ctx.request)
    size = limit if form == "json" else _EVERYTHING
    wanted = cover_lists.CoverFilter(company_id, policy_id, layer, needs_review, ctx.caller.perimeter)
    rows = await cover_lists.page_of_covers(ctx.tx, wanted, cursor, size)
    day = as_of or ctx.tx.today
    if form != "json":
        return table(
            form, "guarantees", _COLUMNS, [present_cover(row, row["company_name"], day) for row in rows]
        )
    return reply(
        page(rows, limit, lambda row: present_cover(row, row["company_name"], day)),
        headers={"Vary": "Accept"},
    )


@router.post(
    "/guarantees",
    status_code=201,
    response_model=Guarantee,
    summary="Write a cover down",
    openapi_extra=scope("guarantees:admin"),
)
async def create_guarantee(ctx: Ctx, body: GuaranteeCreate) -> Response:
    """A manual insurer's first decision on a buyer, or a discretionary or non-named cover within the policy. A discretionary
    limit needs evidence; a decision of the insurer on the buyer forbids both."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    policy = await policy_or_404(ctx.tx, body.policy_id)
    decision = await type_in(ctx.tx, ctx.caller, policy, body.company_id, body.product, _values(body))
    cover = await _cover_of(ctx.tx, decision["cover_id"])
    headers = {"Location": f"/v1/guarantees/{cover['id']}", "ETag": etag(cover["version"])}
    return reply(present_cover(cover, company["name"], ctx.tx.today), 201, headers)


@router.get(
    "/guarantees/{guarantee_id}",
    response_model=Guarantee,
    summary="Show a guarantee",
    openapi_extra=scope("guarantees:read"),
)
async def get_guarantee(
    ctx: Ctx,
    guarantee_id: GuaranteeId,
    as_of: Annotated[date | None, Query(description="the day shown; today when left out")] = None,
) -> Response:
    """One layer of a company's cover, with its days."""
    cover, name = await _in_sight(ctx, guarantee_id)
    return reply(present_cover(cover, name, as_of or ctx.tx.today), headers={"ETag": etag(cover["version"])})


@router.get(
    "/guarantees/{guarantee_id}/decisions", response_model=Page[Decision], summary="List a guarantee's decisions",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_guarantee_decisions(
    ctx: Ctx, guarantee_id: GuaranteeId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Everything decided about the company under the policy, newest first by the insurer's order."""
    cover, _ = await _in_sight(ctx, guarantee_id)
    rows = await cover_lists.page_of_decisions(ctx.tx, cover["company_id"], cover["policy_id"], cursor, limit)
    return reply(page(rows, limit, present_decision))


@router.post(
    "/guarantees/{guarantee_id}/decisions", status_code=201, response_model=Decision, summary="Type a decision in",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def create_guarantee_decision(ctx: Ctx, guarantee_id: GuaranteeId, body: DecisionCreate) -> Response:
    """A manual insurer's decision, received by mail or read in its portal. It answers the open request of the same product.
    409 `insurer_connected` where the insurer tells us itself."""
    cover, _ = await _in_sight(ctx, guarantee_id)
    policy = await policy_or_404(ctx.tx, cover["policy_id"])
    row = await type_in(ctx.tx, ctx.caller, policy, cover["company_id"], cover["product"], _values(body))
    return reply(present_decision(row), 201, {"Location": f"/v1/guarantees/{cover['id']}/decisions"})


@router.post(
    "/guarantees/{guarantee_id}/review", response_model=Guarantee, summary="Settle what needs review",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def review_guarantee(ctx: Ctx, guarantee_id: GuaranteeId, body: Review) -> Response:
    """A person has looked at contradicting or unclear decisions: what is shown stands, and is no longer marked."""
    cover, name = await _in_sight(ctx, guarantee_id)
    changed = await review_cover(ctx.tx, cover, ctx.caller.require_user(), body.comment)
    return reply(present_cover(changed, name, ctx.tx.today), headers={"ETag": etag(changed["version"])})


@router.get(
    "/companies/{company_id}/guarantees", response_model=Page[Guarantee], summary="List a company's guarantees",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_company_guarantees(
    ctx: Ctx,
    company_id: CompanyId,
    as_of: Annotated[date | None, Query(description="the day shown; today when left out")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Every layer, whether anything is in force or not."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    wanted = cover_lists.CoverFilter(company_id, None, None, None, None)
    rows = await cover_lists.page_of_covers(ctx.tx, wanted, cursor, limit)
    day = as_of or ctx.tx.today
    return reply(page(rows, limit, lambda row: present_cover(row, company["name"], day)))


def present_cover(row: Row, company_name: str, day: date) -> dict[str, Any]:
    """The public object of a cover on a day."""
    line = covers.timeline_of(row)
    shown = shown_period(line, day)
    names = (
        "id", "policy_id", "company_id", "layer", "product", "status", "currency", "cover_reference", "decision_id", "decided_at",
        "needs_review", "review_reason", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **picked(row, names),
        "company_name": company_name,
        **shown,
        "amount": amount(shown["amount"], row["currency"]),
        "conditions": msgspec.json.decode(row["conditions"]),
        "evidence": contracts.object_of(row["evidence"]),
        "timeline": [
            {
                "starts_on": period.starts_on,
                "ends_on": period.ends_on,
                "amount": amount(period.worth.amount, period.worth.currency),
                "currency": period.worth.currency,
                "percent": None if period.worth.percent is None else str(period.worth.percent),
                "status": period.worth.status,
                "decision_id": period.worth.decision_id,
            }
            for period in line.periods
        ],
    }


def present_decision(row: Row) -> dict[str, Any]:
    """The public object of a decision."""
    currency = row["currency"]
    names = (
        "id", "policy_id", "company_id", "request_id", "insurer_decision_id", "product", "status", "raw_status",
        "is_preliminary", "sequence", "decided_at", "currency", "effective_from", "expires_at", "withdrawal_date", "source",
        "author", "comment", "documents", "needs_review", "reviewed_by", "recorded_at",
    )  # fmt: skip
    tranches = msgspec.json.decode(row["tranches"])
    return {
        **picked(row, names),
        "guarantee_id": row["cover_id"],
        "requested_amount": amount(row["requested_amount"], currency),
        "granted_amount": amount(row["granted_amount"], currency),
        "insured_percent": None if row["insured_percent"] is None else str(row["insured_percent"]),
        "tranches": [{**part, "amount": amount(part["amount"], currency)} for part in tranches],
        "conditions": msgspec.json.decode(row["conditions"]),
        "reasons": msgspec.json.decode(row["reasons"]),
        "evidence": contracts.object_of(row["evidence"]),
    }


def _values(body: DecisionCreate) -> dict[str, Any]:
    values = body.model_dump(exclude={"policy_id", "company_id", "product"})
    if values["evidence"] is not None:
        values["evidence"]["document_id"] = body.evidence and body.evidence.document_id
    return values


async def _cover_of(tx: Tx, identifier: UUID) -> Row:
    row = await one(tx, covers.COVERS, identifier)
    if row is None:
        raise not_found("guarantee", identifier)
    return row


async def _in_sight(ctx: Ctx, identifier: UUID) -> tuple[Row, str]:
    """A cover, by its own id or that of the request that asked for it."""
    row = await one(ctx.tx, covers.COVERS, identifier)
    if row is None:
        request = await one(ctx.tx, requests.TABLE, identifier)
        row = (
            await one(ctx.tx, covers.COVERS, request["cover_id"]) if request and request["cover_id"] else None
        )
    if row is None or not await exposure.in_sight(ctx.tx, row["company_id"], ctx.caller.perimeter):
        raise not_found("guarantee", identifier)
    company = await exposure.company(ctx.tx, row["company_id"])
    assert company is not None, "covers stand on companies"
    return row, company["name"]
