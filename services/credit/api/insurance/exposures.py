"""A company's exposure, layer by layer, on any day, and what it would be without a cover."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, from_minor
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import CompanyId
from services.credit.domain.insurance.vocabulary import Layer
from services.credit.storage.insurance import clocks, covers
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.insurance.exposing import Waterfall, waterfall
from services.credit.usecases.insurance.projecting import shown_period

router = Router("Exposure")


class LayerLine(BaseModel):
    """A layer of cover."""

    guarantee_id: UUID
    policy_id: UUID
    layer: Layer
    amount: AmountText = Field(description="granted, in the cover's own currency")
    cover_currency: str = Field(examples=["EUR"])
    counted: AmountText = Field(description="what of it counts, in the currency of the exposure")
    percent: str = Field(description="insured share", examples=["90"])
    effective_from: date | None
    expires_at: date | None = Field(description="last day that counts")
    reason: str | None = Field(description="why less than the amount counts", examples=["primary_missing"])


class OtherLine(BaseModel):
    """A guarantee that is no insurer's."""

    id: UUID
    kind: str = Field(examples=["bank_guarantee"])
    counted: AmountText = Field(description="in the currency of the exposure")
    valid_from: date
    valid_to: date | None


class Split(BaseModel):
    """The unpaid items of today as a claim would see them: gross = indemnity + retention + above_cover + tax."""

    gross: AmountText
    tax: AmountText = Field(description="never insured; pro rata of what is open")
    insured: AmountText = Field(
        description="without VAT, within the cover each item had when it was delivered"
    )
    indemnity: AmountText = Field(description="the insured share of it")
    retention: AmountText = Field(description="the part you keep")
    above_cover: AmountText
    tax_unknown: AmountText = Field(
        description="of items without a tax amount: not insured until it is known"
    )


class Unconverted(BaseModel):
    """An amount without an exchange rate: in no total."""

    currency: str = Field(examples=["USD"])
    outstanding: AmountText


class Exposure(BaseModel):
    """outstanding = not_due + overdue + credits; real_risk = outstanding − guarantee − other_guarantees, signed; potential_risk
    adds the order book."""

    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    as_of: date
    currency: str = Field(examples=["EUR"])
    outstanding: AmountText
    not_due: AmountText
    overdue: AmountText
    credits: AmountText
    order_book: AmountText | None = Field(description="null for a past day")
    layers: list[LayerLine]
    guarantee: AmountText = Field(description="what counts of all layers, for new deliveries")
    others: list[OtherLine]
    other_guarantees: AmountText
    real_risk: AmountText
    potential_risk: AmountText | None = Field(description="null for a past day")
    uncovered: AmountText = Field(description="never negative; one buyer's spare cover pays no other's gap")
    spare_cover: AmountText = Field(description="never negative")
    insured_split: Split | None = Field(description="null for a past day")
    cover_stopped_since: date | None = Field(description="deliveries from that day on are not covered")
    rate_date: date | None = Field(description="day of the oldest rate used; null when none was needed")
    unconverted: list[Unconverted]
    without: list[UUID] = Field(description="the covers left out")
    as_of_position: int | None = Field(description="position of the ledger's feed the figures go up to")


@router.get(
    "/companies/{company_id}/exposure", response_model=Exposure, summary="Show a company's exposure",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def get_company_exposure(
    ctx: Ctx,
    company_id: CompanyId,
    as_of: Annotated[date | None, Query(description="today when left out; any past or coming day")] = None,
    without: Annotated[
        list[UUID] | None, Query(description="guarantees that would be cancelled with effect of that day")
    ] = None,
    currency: Annotated[
        str | None, Query(pattern=r"^[A-Z]{3}$", description="the reporting currency when left out")
    ] = None,
) -> Response:
    """What is owed, what covers it by layer, and what is left. Covers count on their own dates; a coming day shows today's debt
    under that day's covers. With `without`: what if those covers were cancelled on that day."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    day = as_of or ctx.tx.today
    known = {row["id"]: row for row in (await covers.covers_of(ctx.tx, [company_id]))[company_id]}
    left_out = frozenset(without or ())
    if not left_out <= known.keys():
        raise invalid("?without", "guarantee_unknown", "expected ids of guarantees of this company")
    token = ctx.request.headers["authorization"].removeprefix("Bearer ")
    found = await waterfall(
        ctx.tx, ctx.runtime, token, company_id, currency or ctx.caller.tenant.currency, day, left_out
    )
    stop = (await clocks.stopped_companies(ctx.tx, [company_id])).get(company_id)
    shown = {
        "company_id": company_id,
        "company_name": company["name"],
        **_present(
            found,
            {identifier: shown_period(covers.timeline_of(row), day) for identifier, row in known.items()},
        ),
        "cover_stopped_since": stop["stopped_on"] if stop and stop["stopped_on"] <= day else None,
        "without": sorted(left_out),
    }
    return reply(shown)


def _present(found: Waterfall, periods: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    def text(minor: int) -> str:
        return from_minor(minor, found.currency)

    return {
        "as_of": found.as_of,
        "currency": found.currency,
        **{name: text(value) for name, value in found.owed.items()},
        "order_book": None if found.book is None else text(found.book),
        "layers": [
            {
                "guarantee_id": line.cover_id,
                "policy_id": position.insured.policy["id"],
                "layer": line.layer,
                "amount": from_minor(line.amount, line.currency),
                "cover_currency": line.currency,
                "counted": text(counted),
                "percent": str(line.percent),
                "effective_from": periods[line.cover_id]["effective_from"],
                "expires_at": periods[line.cover_id]["expires_at"],
                "reason": line.reason,
            }
            for position, line, counted in found.lines
        ],
        "guarantee": text(found.guarantee),
        "others": [
            {
                "id": one.id,
                "kind": one.layer,
                "counted": text(counted),
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
            }
            for one, counted in found.others
        ],
        "other_guarantees": text(found.other_guarantees),
        "real_risk": text(found.real_risk),
        "potential_risk": None if found.potential_risk is None else text(found.potential_risk),
        "uncovered": text(found.uncovered),
        "spare_cover": text(found.uncovered - found.real_risk),
        "insured_split": None
        if found.split is None
        else {name: text(value) for name, value in found.split.items()},
        "rate_date": found.rate_date,
        "unconverted": [
            {"currency": name, "outstanding": from_minor(amount, name)}
            for name, amount in sorted(found.unconverted.items())
        ],
        "as_of_position": found.position,
    }
