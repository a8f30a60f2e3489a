"""Covers in force, the decisions behind them, and decisions typed in for a manual insurer."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response

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
    PolicyFilter,
    amount,
    picked,
)
from services.credit.api.insurance.guarantee_schemas import (
    Decision,
    DecisionCreate,
    Guarantee,
    GuaranteeCreate,
    Review,
)
from services.credit.domain.insurance.vocabulary import Layer
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
