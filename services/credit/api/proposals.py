"""Proposals for a credit limit: every method with its inputs, what is missing, and what your policy makes of them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, MoneyError, from_minor, to_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import IfMatch
from services.credit.domain.proposal_policy import ProposalPolicy
from services.credit.domain.proposals import Method
from services.credit.storage import proposal_facts
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.proposals import MONEY, Proposed, propose_limit

router = Router("Limit proposals")
CompanyId = Annotated[UUID, Path(description="the company's id")]
Money = Annotated[
    str | None, Query(max_length=30, pattern=r"^\d{1,20}(\.\d{1,10})?$", description="in your reporting currency")
]  # fmt: skip
Days = Annotated[Decimal | None, Query(ge=0, le=3650, description="days")]


class Input(BaseModel):
    """A fact a method took: money in the proposals' currency, days, a class or a coefficient."""

    name: str = Field(examples=["yearly_sales"])
    value: str = Field(examples=["1200000.00"])
    source: Literal["ledger", "provider", "policy", "given"]


class Proposal(BaseModel):
    """What a method comes to."""

    method: Method
    value: AmountText | None = Field(description="null: too much is missing")
    inputs: list[Input]
    missing: list[str] = Field(description="facts it would have taken", examples=[["equity"]])


class ProposalResult(BaseModel):
    """What the policy makes of the methods."""

    value: AmountText | None = Field(
        description="the smaller of acceptable and need; null when nothing is known"
    )
    need: AmountText | None
    acceptable: AmountText | None
    reason: Literal["need", "acceptable", "maximum", "collective_proceedings", "nothing_known"]
    advice: Literal["reduce_term_or_get_guarantee"] | None


class Proposals(BaseModel):
    """Proposals for a company's limit, on the tenant's today."""

    company_id: UUID
    currency: str = Field(description="of every amount, ISO 4217", examples=["EUR"])
    proposals: list[Proposal]
    result: ProposalResult


class ProposalPolicyShown(ProposalPolicy):
    """The policy in force."""

    updated_at: datetime | None = Field(description="null: the default policy")


@router.get(
    "/companies/{company_id}/credit-limit/proposals",
    response_model=Proposals,
    summary="Propose a credit limit",
    openapi_extra=scope("credit:read"),
)
async def get_credit_limit_proposals(
    ctx: Ctx,
    company_id: CompanyId,
    yearly_sales: Money = None,
    term_days: Days = None,
    late_days: Days = None,
    lead_days: Days = None,
    uninvoiced_deliveries: Money = None,
    turnover: Money = None,
    equity: Money = None,
    purchases: Money = None,
    score: Annotated[Decimal | None, Query(ge=0, le=100, description="0–100, 100 best")] = None,
) -> Response:
    """Every method on what is known. A fact given here takes the place of the known one: what if we sold twice as much?"""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    currency = ctx.caller.tenant.currency
    money = {
        "yearly_sales": yearly_sales, "uninvoiced_deliveries": uninvoiced_deliveries, "turnover": turnover,
        "equity": equity, "purchases": purchases,
    }  # fmt: skip
    given: dict[str, Any] = {name: _minor(name, text, currency) for name, text in money.items()}
    given |= {"term_days": term_days, "late_days": late_days, "lead_days": lead_days, "score": score}
    return reply(_present(company_id, await propose_limit(ctx.tx, company_id, given)))


@router.get(
    "/proposal-policy",
    response_model=ProposalPolicyShown,
    summary="Show the proposal policy",
    openapi_extra=scope("credit:read"),
)
async def get_proposal_policy(ctx: Ctx) -> Response:
    """Which methods count, and with which coefficients."""
    return _policy(await proposal_facts.policy(ctx.tx))


@router.put(
    "/proposal-policy",
    response_model=ProposalPolicyShown,
    summary="Set the proposal policy",
    openapi_extra=scope("credit:admin"),
)
async def replace_proposal_policy(ctx: Ctx, body: ProposalPolicy, if_match: IfMatch = None) -> Response:
    """Replace the policy; limits in force stay as they are."""
    before = await proposal_facts.policy(ctx.tx, lock=True)
    require_match(if_match, before["version"] if before else 0)
    after = body.model_dump(mode="json")
    row = await proposal_facts.keep_policy(ctx.tx, after)
    ctx.tx.audit(
        "proposal_policy_changed", "proposal_policy", ctx.tx.tenant_id,
        msgspec.json.decode(before["policy"]) if before else None, after,
    )  # fmt: skip
    return _policy(row)


def _policy(row: Row | None) -> Response:
    value: dict[str, Any] = (
        msgspec.json.decode(row["policy"]) if row else ProposalPolicy().model_dump(mode="json")
    )
    headers = {"ETag": etag(row["version"] if row else 0)}
    return reply({**value, "updated_at": row["updated_at"] if row else None}, headers=headers)


def _minor(name: str, text: str | None, currency: str) -> int | None:
    try:
        return None if text is None else to_minor(text, currency)
    except MoneyError as error:
        raise invalid(f"?{name}", error.code, error.detail) from None


def _present(company_id: UUID, proposed: Proposed) -> dict[str, Any]:
    def money(value: int | None) -> str | None:
        return None if value is None else from_minor(value, proposed.currency)

    def shown(name: str, value: Any) -> str:
        return from_minor(value, proposed.currency) if name in MONEY else str(value)

    combined = proposed.combined
    return {
        "company_id": company_id,
        "currency": proposed.currency,
        "proposals": [
            {
                "method": one.method,
                "value": money(one.value),
                "inputs": [
                    {
                        "name": name,
                        "value": shown(name, value),
                        "source": proposed.sources.get(name, "policy"),
                    }
                    for name, value in one.inputs.items()
                    if value is not None
                ],
                "missing": one.missing,
            }
            for one in proposed.proposals
        ],
        "result": {
            "value": money(combined.value),
            "need": money(combined.need),
            "acceptable": money(combined.acceptable),
            "reason": combined.reason,
            "advice": combined.advice,
        },
    }
