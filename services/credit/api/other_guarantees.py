"""Guarantees that are no insurer's: bank guarantees, deposits, letters of credit."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText, from_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import Currency, IfMatch, Input, minor_of
from services.credit.storage import other_guarantees as storage
from services.credit.usecases import other_guarantees, send_mails
from services.credit.usecases.companies import company_in_sight

router = Router("Other guarantees")
Id = Annotated[UUID, Path(description="the guarantee's id")]
Kind = Literal[
    "bank_guarantee", "deposit", "letter_of_credit", "parent_guarantee", "pledge", "retention_of_title", "other"
]  # fmt: skip
_MAX_EXPORT = 10_000
_COLUMNS = (
    Column("company_name", "Company"),
    Column("kind", "Kind"),
    Column("amount", "Amount", "amount"),
    Column("currency", "Currency"),
    Column("valid_from", "Valid from", "date"),
    Column("valid_to", "Valid to", "date"),
    Column("issuer", "Issuer"),
    Column("state", "State"),
)


class OtherGuaranteeCreate(Input):
    """A guarantee to write down."""

    company_id: UUID
    kind: Kind
    amount: Amount
    currency: str = Currency
    valid_from: date = Field(description="first day that counts")
    valid_to: date | None = Field(None, description="last day that counts; without end when left out")
    issuer: str | None = Field(None, max_length=200, examples=["Banque Populaire"])
    reference: str | None = Field(None, max_length=200, description="the issuer's number")
    document_id: UUID | None = Field(None, description="id of a file")


class OtherGuaranteeUpdate(Input):
    """What may change; members left out stay."""

    amount: Amount | None = None
    valid_to: date | None = Field(None, description="last day that counts; null is without end")
    issuer: str | None = Field(None, max_length=200, description="who pays")
    reference: str | None = Field(None, max_length=200, description="the issuer's number")
    document_id: UUID | None = Field(None, description="id of a file")


class GuaranteeRelease(Input):
    """When it stops counting."""

    released_on: date | None = Field(None, description="first day it no longer counts; today when left out")


class OtherGuarantee(BaseModel):
    """A guarantee and how it stands today."""

    id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    kind: Kind
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    valid_from: date
    valid_to: date | None = Field(description="last day that counts")
    issuer: str | None = Field(description="who pays", examples=["Banque Populaire"])
    reference: str | None = Field(description="the issuer's number")
    document_id: UUID | None
    released_on: date | None
    state: Literal["future", "in_force", "ended", "released"]
    created_at: datetime
    updated_at: datetime


@router.post(
    "/other-guarantees",
    status_code=201,
    response_model=OtherGuarantee,
    summary="Write down a guarantee",
    openapi_extra=scope("guarantees:request"),
)
async def create_other_guarantee(ctx: Ctx, body: OtherGuaranteeCreate) -> Response:
    """It secures the company's limit and debt between its dates."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    if body.valid_to is not None and body.valid_to < body.valid_from:
        raise invalid("/valid_to", "before_start", "expected valid_from or a later day")
    row = await other_guarantees.add(
        ctx.tx, {**body.model_dump(), "amount": minor_of(body.amount, body.currency)}
    )
    _send_soon(ctx)
    headers = {"Location": f"/v1/other-guarantees/{row['id']}", "ETag": etag(row["version"])}
    return reply(present(row, company["name"], ctx.tx.today), 201, headers)


@router.get(
    "/other-guarantees",
    response_model=Page[OtherGuarantee],
    responses=FILES,
    summary="List guarantees",
    openapi_extra=scope("guarantees:read"),
)
async def list_other_guarantees(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    company_id: UUID | None = None,
    kind: Annotated[list[Kind] | None, Query(description="one or several kinds")] = None,
    valid_on: Annotated[date | None, Query(description="only those in force that day")] = None,
    ends_before: Annotated[
        date | None, Query(description="only those whose last day is before this one")
    ] = None,
) -> Response:
    """Guarantees of companies in the caller's sight, those that end first first. CSV and XLSX when Accept asks."""
    wanted = storage.GuaranteeFilter(
        company_id, list(kind) if kind else None, valid_on, ends_before, ctx.caller.perimeter
    )
    today, form = ctx.tx.today, wanted_form(ctx.request)
    if form != "json":
        rows = await storage.listed(ctx.tx, wanted, None, _MAX_EXPORT)
        flat = [present(row, row["company_name"], today) for row in rows[:_MAX_EXPORT]]
        return table(form, "other-guarantees", _COLUMNS, flat)
    rows = await storage.listed(ctx.tx, wanted, cursor, limit)
    return reply(page(rows, limit, lambda row: present(row, row["company_name"], today)))


@router.get(
    "/other-guarantees/{guarantee_id}",
    response_model=OtherGuarantee,
    summary="Show a guarantee",
    openapi_extra=scope("guarantees:read"),
)
async def get_other_guarantee(ctx: Ctx, guarantee_id: Id) -> Response:
    """One guarantee."""
    return await _answer(ctx, await other_guarantees.the_guarantee(ctx.tx, guarantee_id))


@router.patch(
    "/other-guarantees/{guarantee_id}",
    response_model=OtherGuarantee,
    summary="Change a guarantee",
    openapi_extra=scope("guarantees:request"),
)
async def update_other_guarantee(
    ctx: Ctx, guarantee_id: Id, body: OtherGuaranteeUpdate, if_match: IfMatch = None
) -> Response:
    """Prolong it, change its amount or its papers. A limit approved on the strength of it is looked at again."""
    row = await other_guarantees.the_guarantee(ctx.tx, guarantee_id, lock=True)
    require_match(if_match, row["version"])
    await _answer(ctx, row)  # in sight, or 404
    changes = body.model_dump(exclude_unset=True)
    if "amount" in changes:
        if body.amount is None:
            raise invalid("/amount", "null_not_allowed", "leave the member out to keep its value")
        changes["amount"] = minor_of(body.amount, row["currency"])
    if body.valid_to is not None and body.valid_to < row["valid_from"]:
        raise invalid("/valid_to", "before_start", "expected valid_from or a later day")
    changed = await other_guarantees.change(ctx.tx, row, changes) if changes else row
    _send_soon(ctx)
    return await _answer(ctx, changed)


@router.post(
    "/other-guarantees/{guarantee_id}/release",
    response_model=OtherGuarantee,
    summary="Release a guarantee",
    openapi_extra=scope("guarantees:request"),
)
async def release_other_guarantee(
    ctx: Ctx, guarantee_id: Id, body: GuaranteeRelease, if_match: IfMatch = None
) -> Response:
    """Give it back. From that day on it secures nothing."""
    row = await other_guarantees.the_guarantee(ctx.tx, guarantee_id, lock=True)
    require_match(if_match, row["version"])
    await _answer(ctx, row)  # in sight, or 404
    day = body.released_on or ctx.tx.today
    if day < row["valid_from"]:
        raise invalid("/released_on", "before_start", "expected valid_from or a later day")
    _send_soon(ctx)
    return await _answer(ctx, await other_guarantees.release(ctx.tx, row, day))


async def _answer(ctx: Ctx, row: Row) -> Response:
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    return reply(present(row, company["name"], ctx.tx.today), headers={"ETag": etag(row["version"])})


def _send_soon(ctx: Ctx) -> None:
    ctx.tx.after_commit(lambda: send_mails.nudge(ctx.runtime, ctx.caller.tenant.id))


def present(row: Row, company_name: str, today: date) -> dict[str, Any]:
    """The public object of a guarantee."""
    names = (
        "id", "company_id", "kind", "currency", "valid_from", "valid_to", "issuer", "reference", "document_id",
        "released_on", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "company_name": company_name,
        "amount": from_minor(row["amount"], row["currency"]),
        "state": _state(row, today),
    }


def _state(row: Row, today: date) -> str:
    if row["released_on"] is not None and row["released_on"] <= today:
        return "released"
    if row["valid_from"] > today:
        return "future"
    return "in_force" if row["valid_to"] is None or row["valid_to"] >= today else "ended"
