"""Limits in force, their history, and the policy by which they are approved."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import Field

from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.etag import etag, require_match
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import IfMatch, Input
from services.credit.api.schemas import Comment, CreditLimit, LimitEvent, Policy
from services.credit.domain.limit_state import allowed_on, color_of, state_on, usage_of
from services.credit.domain.policy import ApprovalPolicy
from services.credit.storage import exposure, limits, lists, temporaries
from services.credit.usecases import holds
from services.credit.usecases.announce import limit_of
from services.credit.usecases.companies import company_in_sight

router = Router("Credit limits")
CompanyId = Annotated[UUID, Path(description="the company's id")]
_COLUMNS = (
    Column("company_name", "Company"),
    Column("state", "State"),
    Column("amount", "Limit", "amount"),
    Column("allowed_amount", "Allowed today", "amount"),
    Column("currency", "Currency"),
    Column("valid_until", "Valid until", "date"),
    Column("outstanding", "Outstanding", "amount"),
    Column("used_percent", "Used %", "number"),
    Column("exceeded_by", "Exceeded by", "amount"),
    Column("reason", "Reason"),
)
_EVENT_COLUMNS = (
    Column("recorded_at", "When", "date"),
    Column("event", "Event"),
    Column("state", "State"),
    Column("amount", "Limit", "amount"),
    Column("currency", "Currency"),
    Column("valid_until", "Valid until", "date"),
    Column("user_id", "User"),
    Column("comment", "Comment"),
)
_MAX_EXPORT = 10_000
_NO_LIMIT: dict[str, Any] = {**dict.fromkeys(map(str.strip, limits.LIMIT_COLUMNS.split(","))), "state": "none",
                             "needs_review": False}  # fmt: skip


class Block(Input):
    """Why deliveries stop, and until when."""

    reason: str = Field(min_length=1, max_length=500, examples=["Cheque returned unpaid"])
    until: date | None = Field(
        None, description="last day of the hold; until somebody lifts it when left out"
    )


@router.get(
    "/credit-limits",
    response_model=Page[CreditLimit],
    responses=FILES,
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
    valid_until_before: Annotated[
        date | None, Query(description="only those whose last day is before this one")
    ] = None,
    on_hold: Annotated[bool | None, Query(description="only those on hold (or not)")] = None,
) -> Response:
    """Limits of companies in the caller's sight, by company name. CSV and XLSX when Accept asks."""
    wanted = lists.LimitFilter(needs_review, valid_until_before, on_hold, ctx.caller.perimeter)
    form = wanted_form(ctx.request)
    if form != "json":
        rows = await lists.limits_by_name(ctx.tx, wanted, None, _MAX_EXPORT)
        shown = await _shown(ctx, rows[:_MAX_EXPORT])
        flat = [{**one, "outstanding": one["exposure"]["outstanding"]} for one in shown]
        return table(form, "credit-limits", _COLUMNS, flat)
    rows = await lists.limits_by_name(ctx.tx, wanted, cursor, limit)
    in_order = iter(await _shown(ctx, rows[:limit]))
    return reply(page(rows, limit, lambda row: next(in_order)))


@router.get(
    "/companies/{company_id}/credit-limit",
    response_model=CreditLimit,
    summary="Show a company's credit limit",
    openapi_extra=scope("credit:read"),
)
async def get_credit_limit(ctx: Ctx, company_id: CompanyId) -> Response:
    """The limit on the tenant's today, and how much of it is used. Without one, the state is `none`."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    return await _answer(ctx, company, await limits.limit(ctx.tx, company_id))


@router.post(
    "/companies/{company_id}/credit-limit/block",
    response_model=CreditLimit,
    summary="Put a company on hold",
    openapi_extra=scope("credit:approve"),
)
async def block_company(ctx: Ctx, company_id: CompanyId, body: Block, if_match: IfMatch = None) -> Response:
    """Stop deliveries whatever the limit says: every credit check refuses until the hold is over. The limit itself stays."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    if body.until is not None and body.until < ctx.tx.today:
        raise invalid("/until", "in_the_past", "expected today or a later day")
    await _require_match(ctx, company_id, if_match)
    row = await holds.hold(ctx.tx, company_id, body.reason, body.until, ctx.caller.user_id)
    return await _answer(ctx, company, row)


@router.post(
    "/companies/{company_id}/credit-limit/unblock",
    response_model=CreditLimit,
    summary="Lift a hold",
    openapi_extra=scope("credit:approve"),
)
async def unblock_company(
    ctx: Ctx, company_id: CompanyId, body: Comment, if_match: IfMatch = None
) -> Response:
    """Let deliveries go on; the limit counts again as it stands today."""
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    await _require_match(ctx, company_id, if_match)
    row = await holds.release(ctx.tx, company_id, body.comment, ctx.caller.user_id)
    return await _answer(ctx, company, row)


@router.get(
    "/companies/{company_id}/credit-limit/history",
    response_model=Page[LimitEvent],
    responses=FILES,
    summary="Show a limit's history",
    openapi_extra=scope("credit:read"),
)
async def list_credit_limit_history(
    ctx: Ctx, company_id: CompanyId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Everything that happened to a company's limit, newest first. CSV and XLSX when Accept asks."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    form = wanted_form(ctx.request)
    if form != "json":
        rows = await lists.history(ctx.tx, company_id, None, _MAX_EXPORT)
        return table(form, "limit-history", _EVENT_COLUMNS, [_event(row) for row in rows[:_MAX_EXPORT]])
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
    if_match: IfMatch = None,
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


async def _require_match(ctx: Ctx, company_id: UUID, if_match: str | None) -> None:
    row = await limits.limit(ctx.tx, company_id, lock=True)
    require_match(if_match, row["version"] if row else 0)


async def _answer(ctx: Ctx, company: Row, row: Row | None) -> Response:
    headers = {"ETag": etag(row["version"])} if row is not None else {}
    known = {"company_id": company["id"], "company_name": company["name"]}
    (shown,) = await _shown(ctx, [{**(dict(row) if row else _NO_LIMIT), **known}])
    return reply(shown, headers=headers)


def _policy(row: Row | None) -> Response:
    value: dict[str, Any] = (
        msgspec.json.decode(row["policy"]) if row else ApprovalPolicy().model_dump(mode="json")
    )
    headers = {"ETag": etag(row["version"] if row else 0)}
    return reply({**value, "updated_at": row["updated_at"] if row else None}, headers=headers)


async def _shown(ctx: Ctx, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The public objects of limits: what is used of each, and what comes on top."""
    tx = ctx.tx
    companies = [row["company_id"] for row in rows]
    currencies = {row["company_id"]: row["currency"] or ctx.caller.tenant.currency for row in rows}
    owed = await exposure.exposures_of(tx, currencies)
    extra = await temporaries.not_over(tx, companies, tx.today)
    return [_limit(tx, row, owed[row["company_id"]], extra.get(row["company_id"], [])) for row in rows]


def _limit(tx: Tx, row: Mapping[str, Any], owed: exposure.Exposure, extra: Sequence[Row]) -> dict[str, Any]:
    on_top = sum(one["amount"] for one in extra if one["valid_from"] <= tx.today)
    facts = limit_of(tx, row, on_top)
    state, allowed = state_on(facts, tx.today), allowed_on(facts, tx.today)
    presented = exposure.present_exposure(owed, usage_of(owed.outstanding, allowed))
    hold = None
    if facts.held:
        hold = {
            "reason": row["hold_reason"],
            "until": row["hold_until"],
            "by": row["held_by"],
            "at": row["held_at"],
        }
    names = (
        "company_id",
        "company_name",
        "currency",
        "valid_from",
        "valid_until",
        "needs_review",
        "unvalidated_since",
    )
    return {
        **{name: row[name] for name in names},
        "state": state,
        "color": color_of(state, pending=facts.pending),
        "amount": None if row["amount"] is None else from_minor(row["amount"], row["currency"]),
        "allowed_amount": None if allowed is None else from_minor(allowed, owed.currency),
        "temporary": [_temporary(one) for one in extra],
        "request_id": row["pending_request_id"] or row["request_id"],
        "exposure": presented,
        "used_percent": presented["used_percent"],
        "exceeded_by": presented["exceeded_by"],
        "reason": row["hold_reason"] if facts.held else row["reason"],
        "hold": hold,
        "updated_at": row["updated_at"],
    }


def _temporary(row: Row) -> dict[str, Any]:
    names = ("id", "currency", "valid_from", "valid_until", "request_id")
    return {**{name: row[name] for name in names}, "amount": from_minor(row["amount"], row["currency"])}


def _event(row: Row) -> dict[str, Any]:
    amount = row["amount"]
    names = [name.strip() for name in lists.HISTORY_COLUMNS.split(",")]
    return {
        **{name: row[name] for name in names},
        "amount": None if amount is None else from_minor(amount, row["currency"]),
    }
