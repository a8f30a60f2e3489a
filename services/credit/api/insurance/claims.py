"""Overdue declarations and claims: what was told the insurer in time, and what came of it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText
from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import CompanyFilter, Input, amount, picked
from services.credit.storage import exposure
from services.credit.storage.insurance import claim_lists
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.insurance import claiming

router = Router("Claims")
DeclarationId = Annotated[UUID, Path(description="the declaration's id")]
ClaimId = Annotated[UUID, Path(description="the claim's id")]
DeclarationState = Literal["draft", "sent", "accepted", "refused", "cancelled"]
ClaimState = Literal[
    "draft", "waiting_dispute", "filed", "accepted", "refused", "indemnified", "closed", "cancelled"
]


class ClaimItem(BaseModel):
    """An item as it stood when it was declared; amounts in the policy's currency."""

    item_id: UUID
    number: str | None = Field(description="of the invoice", examples=["F-2026-041"])
    issue_date: date
    delivery_date: date
    original_due_date: date
    gross: AmountText
    tax: AmountText | None = Field(description="null: unknown, so not insured")
    insured: AmountText
    indemnity: AmountText
    findings: list[str] = Field(
        description="what speaks against cover, or should be mended", examples=[["due_date_moved"]]
    )


class Instalment(Input):
    """A repayment agreed on."""

    due_on: date
    amount: Amount = Field(gt=0)


class DeclarationCreate(Input):
    """OVD: overdue; EXP: one due date extended; RES: a repayment plan."""

    policy_id: UUID
    company_id: UUID
    kind: Literal["OVD", "EXP", "RES"] = "OVD"
    item_ids: list[UUID] | None = Field(
        None, min_length=1, max_length=1000, description="all overdue ones when left out"
    )
    extended_to: date | None = Field(None, description="with EXP")
    instalments: list[Instalment] = Field([], max_length=100, description="with RES")
    comment: str | None = Field(None, max_length=4000, description="for the insurer")


class Declaration(BaseModel):
    """A declaration and how it stands."""

    id: UUID
    policy_id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    kind: Literal["OVD", "EXP", "RES"]
    state: DeclarationState
    items: list[ClaimItem]
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    extended_to: date | None
    instalments: list[dict[str, Any]] = Field(examples=[[]])
    late: bool = Field(description="after the date the policy sets: cover may be lost")
    channel: str | None = Field(description="how it was told", examples=["manual"])
    declared_on: date | None
    insurer_reference: str | None = Field(description="as the insurer calls it", examples=["OVD-500123"])
    comment: str | None = Field(description="for the insurer", examples=[None])
    created_at: datetime
    updated_at: datetime


class Told(Input):
    """That it was told."""

    declared_on: date | None = Field(None, description="today when left out")
    insurer_reference: str | None = Field(None, max_length=128, description="as the insurer calls it")


class Answer(Input):
    """What the insurer said."""

    outcome: Literal["accepted", "refused"]
    insurer_reference: str | None = Field(None, max_length=128, description="as the insurer calls it")


class ClaimCreate(Input):
    """claim: for an indemnity; collection_only: the insurer collects a debt it does not cover."""

    policy_id: UUID
    company_id: UUID
    kind: Literal["claim", "collection_only"] = "claim"
    item_ids: list[UUID] | None = Field(
        None, min_length=1, max_length=1000, description="all overdue ones when left out"
    )
    comment: str | None = Field(None, max_length=4000, description="for the insurer")


class EstimateOut(BaseModel):
    """gross = (indemnity + deductible + capped_by) + retention + above_cover + tax, over the items not in dispute."""

    standing: Literal["estimated", "waiting_dispute", "nothing_insured"]
    gross: AmountText
    tax: AmountText
    insured: AmountText
    retention: AmountText
    above_cover: AmountText
    deductible: AmountText
    capped_by: AmountText = Field(description="lost to the policy's maximum liability")
    indemnity: AmountText
    disputed_items: list[UUID]


class Recovery(BaseModel):
    """Money that came in after the indemnity."""

    id: UUID
    amount: AmountText
    insurer_share: AmountText = Field(description="as the insurer paid of the whole debt")
    received_on: date
    comment: str | None = Field(description="of whoever wrote it down", examples=[None])


class Claim(BaseModel):
    """A claim and its dossier."""

    id: UUID
    policy_id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    kind: Literal["claim", "collection_only"]
    state: ClaimState
    items: list[ClaimItem]
    estimate: EstimateOut
    currency: str = Field(examples=["EUR"])
    filed_on: date | None
    indemnity_due_on: date | None = Field(description="the end of the waiting time")
    indemnity: AmountText | None = Field(description="paid")
    indemnified_on: date | None
    refusal_reason: str | None = Field(description="as the insurer says it", examples=[None])
    insurer_reference: str | None = Field(description="as the insurer calls it", examples=["CLM-500123"])
    recoveries: list[Recovery]
    comment: str | None = Field(description="for the insurer", examples=[None])
    created_at: datetime
    updated_at: datetime


class Filing(Input):
    """That it was filed."""

    filed_on: date | None = Field(None, description="today when left out")
    insurer_reference: str | None = Field(None, max_length=128, description="as the insurer calls it")


class Settlement(Input):
    """What the insurer decided."""

    outcome: Literal["accepted", "refused", "indemnified", "closed"]
    amount: Amount | None = Field(None, ge=0, description="with indemnified: what was paid")
    paid_on: date | None = None
    reason: str | None = Field(None, max_length=2000, description="with refused")


class RecoveryCreate(Input):
    """Money that came in."""

    amount: Amount = Field(gt=0)
    received_on: date
    comment: str | None = Field(None, max_length=2000, examples=["Dividend of the liquidation"])


@router.post(
    "/overdue-declarations", status_code=201, response_model=Declaration, summary="Prepare an overdue declaration",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def create_overdue_declaration(ctx: Ctx, body: DeclarationCreate) -> Response:
    """A draft with its items as they stand. It counts once it is submitted."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    values = body.model_dump(exclude={"instalments"})
    values["instalments"] = [{"due_on": one.due_on, "amount": str(one.amount)} for one in body.instalments]
    row = await claiming.create_declaration(ctx.tx, values)
    return reply(
        _declaration(row, company["name"]), 201, {"Location": f"/v1/overdue-declarations/{row['id']}"}
    )


@router.get(
    "/overdue-declarations", response_model=Page[Declaration], summary="List overdue declarations",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_overdue_declarations(
    ctx: Ctx,
    company_id: CompanyFilter = None,
    state: Annotated[list[DeclarationState] | None, Query(description="one or several states")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first."""
    table = claiming.DECLARATIONS
    rows = await claim_lists.page_of(ctx.tx, table, company_id, state, ctx.caller.perimeter, cursor, limit)
    return reply(page(rows, limit, lambda row: _declaration(row, row["company_name"])))


@router.get(
    "/overdue-declarations/{declaration_id}", response_model=Declaration, summary="Show an overdue declaration",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def get_overdue_declaration(ctx: Ctx, declaration_id: DeclarationId) -> Response:
    """One declaration."""
    row, name = await _seen(ctx, claiming.DECLARATIONS, "overdue declaration", declaration_id)
    return reply(_declaration(row, name))


@router.post(
    "/overdue-declarations/{declaration_id}/submit", response_model=Declaration, summary="Submit an overdue declaration",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def submit_overdue_declaration(ctx: Ctx, declaration_id: DeclarationId, body: Told) -> Response:
    """It has been told the insurer, by mail or in its portal: its items count as notified from that day on."""
    row, name = await _seen(ctx, claiming.DECLARATIONS, "overdue declaration", declaration_id, lock=True)
    changed = await claiming.submit_declaration(ctx.tx, row, body.declared_on, body.insurer_reference)
    return reply(_declaration(changed, name))


@router.post(
    "/overdue-declarations/{declaration_id}/answer", response_model=Declaration, summary="Write the insurer's answer down",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def answer_overdue_declaration(ctx: Ctx, declaration_id: DeclarationId, body: Answer) -> Response:
    """An accepted extension moves the stop of its items to the extended date."""
    row, name = await _seen(ctx, claiming.DECLARATIONS, "overdue declaration", declaration_id, lock=True)
    changed = await claiming.answer_declaration(ctx.tx, row, body.outcome, body.insurer_reference)
    return reply(_declaration(changed, name))


@router.post(
    "/claims",
    status_code=201,
    response_model=Claim,
    summary="Prepare a claim",
    openapi_extra=scope("guarantees:request"),
)
async def create_claim(ctx: Ctx, body: ClaimCreate) -> Response:
    """The dossier with its items, what speaks against them, and what the indemnity would be. 409 `foreclosed` once the date was
    missed: such a debt can only be handed over for collection."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    row = await claiming.create_claim(ctx.tx, body.model_dump())
    return reply(_claim(row, company["name"], []), 201, {"Location": f"/v1/claims/{row['id']}"})


@router.get(
    "/claims", response_model=Page[Claim], summary="List claims", openapi_extra=scope("guarantees:read")
)
async def list_claims(
    ctx: Ctx,
    company_id: CompanyFilter = None,
    state: Annotated[list[ClaimState] | None, Query(description="one or several states")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first."""
    rows = await claim_lists.page_of(
        ctx.tx, claiming.CLAIMS, company_id, state, ctx.caller.perimeter, cursor, limit
    )
    known = await claim_lists.recoveries_of(ctx.tx, [row["id"] for row in rows])
    return reply(page(rows, limit, lambda row: _claim(row, row["company_name"], known[row["id"]])))


@router.get(
    "/claims/{claim_id}", response_model=Claim, summary="Show a claim", openapi_extra=scope("guarantees:read")
)
async def get_claim(ctx: Ctx, claim_id: ClaimId) -> Response:
    """One claim."""
    row, name = await _seen(ctx, claiming.CLAIMS, "claim", claim_id)
    return reply(await _shown(ctx, row, name))


@router.post(
    "/claims/{claim_id}/file",
    response_model=Claim,
    summary="File a claim",
    openapi_extra=scope("guarantees:request"),
)
async def file_claim(ctx: Ctx, claim_id: ClaimId, body: Filing) -> Response:
    """It has been filed: the claim dates of its items are met. 409 `waiting_dispute` while every item is in dispute."""
    row, name = await _seen(ctx, claiming.CLAIMS, "claim", claim_id, lock=True)
    changed = await claiming.file_claim(ctx.tx, row, body.filed_on, body.insurer_reference)
    return reply(await _shown(ctx, changed, name))


@router.post(
    "/claims/{claim_id}/settle",
    response_model=Claim,
    summary="Settle a claim",
    openapi_extra=scope("guarantees:admin"),
)
async def settle_claim(ctx: Ctx, claim_id: ClaimId, body: Settlement) -> Response:
    """Accepted, refused, indemnified with the amount paid, or closed."""
    row, name = await _seen(ctx, claiming.CLAIMS, "claim", claim_id, lock=True)
    changed = await claiming.settle_claim(ctx.tx, row, body.model_dump())
    return reply(await _shown(ctx, changed, name))


@router.post(
    "/claims/{claim_id}/recoveries", status_code=201, response_model=Claim, summary="Write a recovery down",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def create_claim_recovery(ctx: Ctx, claim_id: ClaimId, body: RecoveryCreate) -> Response:
    """What came in after the indemnity is shared as the insurer paid of the debt."""
    row, name = await _seen(ctx, claiming.CLAIMS, "claim", claim_id, lock=True)
    await claiming.add_recovery(ctx.tx, row, body.amount, body.received_on, body.comment)
    return reply(await _shown(ctx, row, name), 201, {"Location": f"/v1/claims/{claim_id}"})


async def _seen(ctx: Ctx, table: str, what: str, identifier: UUID, *, lock: bool = False) -> tuple[Row, str]:
    row = await claiming.the_object(ctx.tx, table, what, identifier, lock=lock)
    if not await exposure.in_sight(ctx.tx, row["company_id"], ctx.caller.perimeter):
        raise not_found(what, identifier)
    company = await exposure.company(ctx.tx, row["company_id"])
    assert company is not None, "it stands on a company"
    return row, company["name"]


async def _shown(ctx: Ctx, row: Row, name: str) -> dict[str, Any]:
    known = await claim_lists.recoveries_of(ctx.tx, [row["id"]])
    return _claim(row, name, known[row["id"]])


def _items(row: Row) -> list[dict[str, Any]]:
    names = ("gross", "tax", "insured", "indemnity")
    return [
        {**one, **{name: amount(one[name], row["currency"]) for name in names}}
        for one in msgspec.json.decode(row["items"])
    ]


def _declaration(row: Row, company_name: str) -> dict[str, Any]:
    names = (
        "id", "policy_id", "company_id", "kind", "state", "currency", "extended_to", "late", "channel", "declared_on",
        "insurer_reference", "comment", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **picked(row, names),
        "company_name": company_name,
        "items": _items(row),
        "amount": amount(row["amount"], row["currency"]),
        "instalments": msgspec.json.decode(row["instalments"]),
    }


def _claim(row: Row, company_name: str, recoveries: list[Row]) -> dict[str, Any]:
    names = (
        "id", "policy_id", "company_id", "kind", "state", "currency", "filed_on", "indemnity_due_on", "indemnified_on",
        "refusal_reason", "insurer_reference", "comment", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **picked(row, names),
        "company_name": company_name,
        "items": _items(row),
        "estimate": msgspec.json.decode(row["estimate"]),
        "indemnity": amount(row["indemnity"], row["currency"]),
        "recoveries": [
            {
                **picked(one, ("id", "received_on", "comment")),
                "amount": amount(one["amount"], row["currency"]),
                "insurer_share": amount(one["insurer_share"], row["currency"]),
            }
            for one in recoveries
        ],
    }
