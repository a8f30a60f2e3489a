"""Limits in force, their history, and the policy by which they are approved."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Header, Path, Query, Response

from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.schemas import CreditLimit, LimitEvent, Policy
from services.credit.domain.limit_state import color_of, effective, state_on, usage_of
from services.credit.domain.policy import ApprovalPolicy
from services.credit.storage import exposure, limits, lists
from services.credit.usecases.announce import limit_of
from services.credit.usecases.companies import company_in_sight

router = Router("Credit limits")
CompanyId = Annotated[UUID, Path(description="the company's id")]


@router.get(
    "/credit-limits",
    response_model=Page[CreditLimit],
    summary="List credit limits",
    openapi_extra=scope("credit:read"),
)
async def list_credit_limits(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    needs_review: Annotated[
        bool | None, Query(description="only those a person should look at (or need not)")
    ] = None,
) -> Response:
    """Limits of companies in the caller's sight, by company name."""
    rows = await lists.limits_by_name(ctx.tx, needs_review, ctx.caller.perimeter, cursor, limit)
    currencies = {row["company_id"]: row["currency"] or ctx.caller.tenant.currency for row in rows}
    shown = await exposure.exposures_of(ctx.tx, currencies)
    return reply(
        page(rows, limit, lambda row: _limit(ctx.tx, row, row["company_name"], shown[row["company_id"]]))
    )


@router.get(
    "/companies/{company_id}/credit-limit",
    response_model=CreditLimit,
    summary="Show a company's credit limit",
    openapi_extra=scope("credit:read"),
)
async def get_credit_limit(ctx: Ctx, company_id: CompanyId) -> Response:
    """The limit on the tenant's today, and how much of it is used. Without one, the state is `none`."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    row = await limits.limit(ctx.tx, company_id)
    currency = row["currency"] if row is not None and row["currency"] else ctx.caller.tenant.currency
    shown = (await exposure.exposures_of(ctx.tx, {company_id: currency}))[company_id]
    headers = {"ETag": etag(row["version"])} if row is not None else {}
    return reply(_limit(ctx.tx, row, company["name"], shown, company_id), headers=headers)


@router.get(
    "/companies/{company_id}/credit-limit/history",
    response_model=Page[LimitEvent],
    summary="Show a limit's history",
    openapi_extra=scope("credit:read"),
)
async def list_credit_limit_history(
    ctx: Ctx, company_id: CompanyId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Everything that happened to a company's limit, newest first."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    rows = await lists.history(ctx.tx, company_id, cursor, limit)
    return reply(page(rows, limit, _event))


@router.get(
    "/approval-policy",
    response_model=Policy,
    summary="Show the approval policy",
    openapi_extra=scope("credit:read"),
)
async def get_approval_policy(ctx: Ctx) -> Response:
    """Who decides what. Before it is set, anybody with the scope credit:approve decides, but for the requester."""
    return _policy(await limits.policy(ctx.tx))


@router.put(
    "/approval-policy",
    response_model=Policy,
    summary="Set the approval policy",
    openapi_extra=scope("credit:admin"),
)
async def replace_approval_policy(
    ctx: Ctx,
    body: ApprovalPolicy,
    if_match: Annotated[str | None, Header(description="the ETag you read")] = None,
) -> Response:
    """Replace the policy. Requests under way keep the route they were given."""
    before = await limits.policy(ctx.tx, lock=True)
    require_match(if_match, before["version"] if before else 0)
    after = body.model_dump(mode="json")
    row = await limits.keep_policy(ctx.tx, after)
    ctx.tx.audit(
        "approval_policy_changed", "approval_policy", ctx.tx.tenant_id,
        msgspec.json.decode(before["policy"]) if before else None, after,
    )  # fmt: skip
    return _policy(row)


def _policy(row: Row | None) -> Response:
    value: dict[str, Any] = (
        msgspec.json.decode(row["policy"]) if row else ApprovalPolicy().model_dump(mode="json")
    )
    headers = {"ETag": etag(row["version"] if row else 0)}
    return reply({**value, "updated_at": row["updated_at"] if row else None}, headers=headers)


def _limit(
    tx: Tx, row: Row | None, company_name: str, shown: exposure.Exposure, company_id: UUID | None = None
) -> dict[str, Any]:
    facts = limit_of(row)
    state = state_on(facts, tx.today)
    usage = usage_of(shown.outstanding, effective(state, facts.amount))
    presented = exposure.present_exposure(shown, usage)
    return {
        "company_id": row["company_id"] if row else company_id,
        "company_name": company_name,
        "state": state,
        "color": color_of(state, pending=facts.pending),
        "amount": None
        if row is None or row["amount"] is None
        else from_minor(row["amount"], row["currency"]),
        "currency": row["currency"] if row else None,
        "valid_from": row["valid_from"] if row else None,
        "valid_until": row["valid_until"] if row else None,
        "temporary": [],
        "request_id": (row["pending_request_id"] or row["request_id"]) if row else None,
        "needs_review": row["needs_review"] if row else False,
        "exposure": presented,
        "used_percent": presented["used_percent"],
        "exceeded_by": presented["exceeded_by"],
        "reason": row["reason"] if row else None,
        "updated_at": row["updated_at"] if row else None,
    }


def _event(row: Row) -> dict[str, Any]:
    amount = row["amount"]
    names = [name.strip() for name in lists.HISTORY_COLUMNS.split(",")]
    return {
        **{name: row[name] for name in names},
        "amount": None if amount is None else from_minor(amount, row["currency"]),
    }
