"""Identifying a company at an insurer: candidates, and a human choice."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, streamed
from services.credit.api.insurance.fields import CompanyId, Input
from services.credit.insurers.port import BuyerQuery
from services.credit.storage.insurance import buyers
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.insurance import buyer_identity
from services.credit.usecases.insurance.connections import connection_or_404
from services.credit.usecases.insurance.requesting import policy_or_404

router = Router("Insurer buyers")


class Candidate(BaseModel):
    """A buyer the insurer knows."""

    insurer_buyer_id: str = Field(description="as the insurer calls it", examples=["4711"])
    name: str = Field(examples=["FONDERIE DES ALPES SAS"])
    address: str | None = Field(description="on one line", examples=["1 rue du Four, 38000 Grenoble"])
    registration_number: str | None = Field(description="as its country writes it", examples=["732829320"])
    score: str | None = Field(description="0 to 100, the insurer's own", examples=["98"])
    match_kind: str = Field(description="how it was found", examples=["exact_id"])


class InsurerBuyer(BaseModel):
    """Who a company is at an insurer."""

    connection_id: UUID
    company_id: UUID
    state: Literal["unidentified", "candidates", "identified", "not_found"]
    insurer_buyer_id: str | None = Field(description="the one chosen", examples=["4711"])
    match_kind: str | None = Field(description="of the one chosen", examples=["exact_id"])
    chosen_by: UUID | None
    chosen_at: datetime | None
    grade: str | None = Field(description="the insurer's own grade", examples=["3"])
    grade_scale: str | None = Field(description="of the grade", examples=["1-10"])
    candidates: list[Candidate]


class InsurerBuyers(BaseModel):
    """At every connection where somebody looked."""

    data: list[InsurerBuyer]
    next_cursor: str | None = Field(description="always null: they are one page", examples=[None])


class BuyerSearch(Input):
    """What to look by; what is left out is taken from the company."""

    policy_id: UUID
    name: str | None = Field(None, min_length=1, max_length=200, examples=["Fonderie des Alpes"])
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(None, examples=["FR"])
    registration_number: str | None = Field(None, max_length=64, description="as its country writes it")
    vat_number: str | None = Field(None, max_length=32, description="with the country's prefix")
    lei: str | None = Field(None, max_length=20, description="ISO 17442")
    town: str | None = Field(None, max_length=100, description="helps with a name", examples=["Grenoble"])
    postal_code: str | None = Field(None, max_length=20, description="helps with a name", examples=["38000"])


class BuyerChoice(Input):
    """The candidate that is the company; with a manual connection, the id found at the insurer's."""

    insurer_buyer_id: str = Field(min_length=1, max_length=128, examples=["4711"])
    policy_id: UUID | None = Field(None, description="or connection_id; needed with more than one connection")
    connection_id: UUID | None = None


@router.post(
    "/companies/{company_id}/insurer-buyers/search", response_model=InsurerBuyer, summary="Look for a buyer",
    openapi_extra=streamed("guarantees:request"),
)  # fmt: skip
async def search_insurer_buyer(ctx: Ctx, company_id: CompanyId, body: BuyerSearch) -> Response:
    """Ask the policy's insurer who the company is there. Nobody is chosen for you, not even with one candidate. A look-up may
    be billed by the insurer."""
    caller = ctx.caller
    async with ctx.runtime.db.transaction(caller.tenant, readonly=True) as tx:
        company = await company_in_sight(tx, ctx.runtime, caller, company_id)
        policy = await policy_or_404(tx, body.policy_id)
        connection = await connection_or_404(tx, policy["connection_id"])
    given = body.model_dump(exclude={"policy_id"}, exclude_none=True)
    facts = {name: company[name] for name in ("name", "country", "registration_number")}
    query = BuyerQuery(**{**facts, **given})
    found = await buyer_identity.search(ctx.runtime, caller.tenant, connection, policy, query)
    async with ctx.runtime.db.transaction(caller.tenant) as tx:
        row = await buyer_identity.keep_candidates(tx, connection["id"], company_id, found)
    return reply(_buyer(row))


@router.post(
    "/companies/{company_id}/insurer-buyers/confirm", response_model=InsurerBuyer, summary="Confirm a buyer",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def confirm_insurer_buyer(ctx: Ctx, company_id: CompanyId, body: BuyerChoice) -> Response:
    """Say which candidate it is. Decisions that came before anybody knew are applied now."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    if body.connection_id is not None:
        connection = await connection_or_404(ctx.tx, body.connection_id)
    elif body.policy_id is not None:
        policy = await policy_or_404(ctx.tx, body.policy_id)
        connection = await connection_or_404(ctx.tx, policy["connection_id"])
    else:
        connection = await buyer_identity.only_connection(ctx.tx, company_id, body.insurer_buyer_id)
    row = await buyer_identity.confirm(
        ctx.tx, connection, company_id, body.insurer_buyer_id, ctx.caller.user_id
    )
    return reply(_buyer(row))


@router.get(
    "/companies/{company_id}/insurer-buyers", response_model=InsurerBuyers, summary="Show a company at its insurers",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_insurer_buyers(ctx: Ctx, company_id: CompanyId) -> Response:
    """One entry a connection where somebody looked, with the insurer's grade."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    rows = await buyers.of_companies(ctx.tx, company_id)
    return reply({"data": [_buyer(row) for row in rows], "next_cursor": None})


def _buyer(row: Row) -> dict[str, Any]:
    names = (
        "connection_id", "company_id", "state", "insurer_buyer_id", "match_kind", "chosen_by", "chosen_at", "grade",
        "grade_scale",
    )  # fmt: skip
    return {**{name: row[name] for name in names}, "candidates": msgspec.json.decode(row["candidates"])}
