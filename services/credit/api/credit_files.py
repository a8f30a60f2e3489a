"""The credit file: how a company pays, why late, and the grade a person gives it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import IfMatch, Input
from services.credit.domain.payer_class import worst
from services.credit.storage import credit_files as storage
from services.credit.usecases.companies import company_in_sight

router = Router("Credit files")
CompanyId = Annotated[UUID, Path(description="the company's id")]


class Cause(Input):
    """A reason for paying late, as a person names it."""

    cause: str = Field(min_length=1, max_length=100, examples=["Invoices sent to the wrong address"])
    comment: str | None = Field(None, max_length=2000, description="what is known about it")


class CreditFileUpdate(Input):
    """What people write into a file; members left out stay, null takes back."""

    manual_grade: str | None = Field(None, max_length=20, description="on your own scale", examples=["B"])
    grade_reason: str | None = Field(None, max_length=2000, description="why this grade")
    causes: list[Cause] | None = Field(None, max_length=50, description="replace those named before")


class PayerAccount(BaseModel):
    """How one account pays."""

    customer_id: UUID
    payer_class: str = Field(examples=["good"])
    average_delay: str | None = Field(description="days, paid invoices only", examples=["4.50"])
    trend: str | None = Field(description="days more than half a year before", examples=["-1.20"])


class PayerProfile(BaseModel):
    """How a company pays: the worst of its accounts."""

    payer_class: str = Field(examples=["good"])
    accounts: list[PayerAccount]


class LatenessCause(BaseModel):
    """Why a company pays late."""

    cause: str = Field(examples=["dispute:price"])
    source: Literal["dunning", "person"]
    times: int | None = Field(description="how often; null where a person named it")
    still_open: int | None = Field(description="how many of them are open")
    comment: str | None = Field(description="a person's words")


class ManualGrade(BaseModel):
    """A grade a person gave."""

    grade: str = Field(examples=["B"])
    reason: str | None = Field(description="why this grade")
    by: UUID | None
    at: datetime | None


class InternalGrade(BaseModel):
    """A grade the scorecard gave."""

    grade: str | None = Field(examples=["B"])
    points: str | None = Field(examples=["62"])


class CreditFile(BaseModel):
    """What stands on a company's credit file."""

    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    payer_profile: PayerProfile | None = Field(description="null while the ledger has computed none")
    causes: list[LatenessCause]
    manual_grade: ManualGrade | None
    internal_grade: InternalGrade | None = Field(description="null while risk has computed none")
    updated_at: datetime | None


@router.get(
    "/companies/{company_id}/credit-file",
    response_model=CreditFile,
    summary="Show a credit file",
    openapi_extra=scope("credit:read"),
)
async def get_credit_file(ctx: Ctx, company_id: CompanyId) -> Response:
    """Payer profile, causes of lateness and grades. Comments and documents of the file are the ledger's."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    return await _answer(ctx, company, await storage.file_of(ctx.tx, company_id))


@router.patch(
    "/companies/{company_id}/credit-file",
    response_model=CreditFile,
    summary="Write into a credit file",
    openapi_extra=scope("credit:request"),
)
async def update_credit_file(
    ctx: Ctx, company_id: CompanyId, body: CreditFileUpdate, if_match: IfMatch = None
) -> Response:
    """Grade a company by hand, or name why it pays late."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    before = await storage.file_of(ctx.tx, company_id, lock=True)
    require_match(if_match, before["version"] if before else 0)
    changes = body.model_dump(exclude_unset=True)
    if "causes" in changes:
        changes["causes"] = [cause.model_dump() for cause in body.causes or []]
    if "manual_grade" in changes:
        given = changes["manual_grade"] is not None
        changes |= {
            "graded_by": ctx.caller.user_id if given else None,
            "graded_at": ctx.tx.now if given else None,
        }
    row = await storage.change(ctx.tx, company_id, **changes) if changes else before
    ctx.tx.audit(
        "credit_file_changed", "company", company_id,
        {"manual_grade": before["manual_grade"] if before else None}, body.model_dump(mode="json", exclude_unset=True),
    )  # fmt: skip
    return await _answer(ctx, company, row)


async def _answer(ctx: Ctx, company: Row, row: Row | None) -> Response:
    perimeter = ctx.caller.perimeter
    profiles = [
        (one["id"], msgspec.json.decode(one["payer_profile"]))
        for one in await storage.profiles(ctx.tx, company["id"], perimeter)
    ]
    told = await storage.causes(ctx.tx, company["id"], perimeter)
    grade = await storage.internal_grade(ctx.tx, company["id"])
    content = {
        "company_id": company["id"],
        "company_name": company["name"],
        "payer_profile": _profile(profiles) if profiles else None,
        "causes": [
            {"cause": one["cause"], "source": "dunning", "times": one["times"], "still_open": one["still_open"], "comment": None}
            for one in told
        ] + [
            {"source": "person", "times": None, "still_open": None, **one}
            for one in (msgspec.json.decode(row["causes"]) if row else [])
        ],
        "manual_grade": _manual(row) if row and row["manual_grade"] is not None else None,
        "internal_grade": dict(grade) if grade else None,
        "updated_at": row["updated_at"] if row else None,
    }  # fmt: skip
    return reply(content, headers={"ETag": etag(row["version"] if row else 0)})


def _profile(profiles: list[tuple[UUID, dict[str, Any]]]) -> dict[str, Any]:
    accounts = [
        {
            "customer_id": customer,
            "payer_class": profile["class"],
            "average_delay": profile["paid_only"]["average_delay"],
            "trend": profile["trend"],
        }
        for customer, profile in profiles
    ]
    return {"payer_class": worst(one["payer_class"] for one in accounts), "accounts": accounts}


def _manual(row: Row) -> dict[str, Any]:
    return {
        "grade": row["manual_grade"], "reason": row["grade_reason"], "by": row["graded_by"], "at": row["graded_at"],
    }  # fmt: skip
