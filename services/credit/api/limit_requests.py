"""Requests for credit limits and the decisions on them."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from libs.contracts.money import from_minor
from libs.kit.auth import Caller
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, SortKey, page, parse_sort
from libs.kit.problems import invalid, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import LEDGER_FIRST, IfMatch, minor_of
from services.credit.api.schemas import Amendment, Comment, LimitRequest, LimitRequestCreate
from services.credit.domain.approval import turn_of
from services.credit.storage import limits, lists
from services.credit.usecases import limit_requests, send_mails
from services.credit.usecases.approval import policy_of, standing_in, steps_of
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.limit_decisions import decide
from services.credit.usecases.proposals import present_proposals, propose_limit

router = Router("Credit limit requests")
Id = Annotated[UUID, Path(description="the request's id")]
_SORTS = {
    "created_at": SortKey("r.created_at", "timestamptz"),
    "updated_at": SortKey("r.updated_at", "timestamptz"),
    "amount": SortKey("r.amount", "bigint"),
}


@router.post(
    "/credit-limit-requests",
    status_code=201,
    response_model=LimitRequest,
    summary="Ask for a credit limit",
    openapi_extra=scope("credit:request", **LEDGER_FIRST),
)
async def create_credit_limit_request(ctx: Ctx, body: LimitRequestCreate) -> Response:
    """Ask for a limit in the caller's own name. It is routed by the approval policy; one request a company at a time."""
    user_id = ctx.caller.require_user()
    amount = minor_of(body.amount, body.currency)
    _check_dates(body, ctx.tx.today)
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    wish = limit_requests.Wish(
        body.company_id, amount, body.currency, body.valid_from, body.valid_until, body.temporary, body.reason,
        body.documents,
    )  # fmt: skip
    proposals = present_proposals(await propose_limit(ctx.tx, body.company_id, {}))
    row = await limit_requests.request_limit(ctx.tx, wish, user_id, proposals)
    _send_soon(ctx)
    headers = {"Location": f"/v1/credit-limit-requests/{row['id']}", "ETag": etag(row["version"])}
    return reply(present(row, company["name"], ctx.caller, {}), 201, headers)


@router.get(
    "/credit-limit-requests",
    response_model=Page[LimitRequest],
    summary="List limit requests",
    openapi_extra=scope("credit:read"),
)
async def list_credit_limit_requests(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[str | None, Query(description="created_at, updated_at, amount; - for descending")] = None,
    awaiting: Annotated[
        Literal["me"] | None, Query(description="only those the caller may decide now")
    ] = None,
    state: Annotated[list[str] | None, Query(description="one or several states")] = None,
    company_id: UUID | None = None,
) -> Response:
    """Requests of companies in the caller's sight, newest first."""
    keys = [*parse_sort(sort, _SORTS, "-created_at"), SortKey("r.id", "uuid")]
    standing = standing_in(await policy_of(ctx.tx), ctx.tx)
    wanted = lists.RequestFilter(
        states=state,
        company_id=company_id,
        awaiting_user_id=ctx.caller.require_user() if awaiting == "me" else None,
        perimeter=ctx.caller.perimeter,
        standing_in=sorted(standing.get(ctx.caller.user_id, ())) if ctx.caller.user_id else (),
    )
    rows = await lists.requests(ctx.tx, wanted, keys, cursor, limit)
    return reply(page(rows, limit, lambda row: present(row, row["company_name"], ctx.caller, standing)))


@router.get(
    "/credit-limit-requests/{request_id}",
    response_model=LimitRequest,
    summary="Show a limit request",
    openapi_extra=scope("credit:read"),
)
async def get_credit_limit_request(ctx: Ctx, request_id: Id) -> Response:
    """A request with its route and decisions."""
    row = await limits.request(ctx.tx, request_id)
    if row is None:
        raise not_found("credit limit request", request_id)
    return await _answer(ctx, row)


@router.post(
    "/credit-limit-requests/{request_id}/approve",
    response_model=LimitRequest,
    summary="Approve a limit request",
    openapi_extra=scope("credit:approve", **LEDGER_FIRST),
)
async def approve_credit_limit_request(
    ctx: Ctx, request_id: Id, body: Comment, if_match: IfMatch = None
) -> Response:
    """Say yes in the caller's own name. The last yes of the route puts the limit in force at once."""
    return await _decide(ctx, request_id, body, if_match, approve=True)


@router.post(
    "/credit-limit-requests/{request_id}/reject",
    response_model=LimitRequest,
    summary="Reject a limit request",
    openapi_extra=scope("credit:approve", **LEDGER_FIRST),
)
async def reject_credit_limit_request(
    ctx: Ctx, request_id: Id, body: Comment, if_match: IfMatch = None
) -> Response:
    """Say no in the caller's own name; one no is enough. A limit in force before stays in force."""
    return await _decide(ctx, request_id, body, if_match, approve=False)


@router.post(
    "/credit-limit-requests/{request_id}/amend",
    response_model=LimitRequest,
    summary="Amend a limit request",
    openapi_extra=scope("credit:request"),
)
async def amend_credit_limit_request(
    ctx: Ctx, request_id: Id, body: Amendment, if_match: IfMatch = None
) -> Response:
    """Ask for another amount. The decisions taken so far are void and the request is routed anew."""
    row = await _locked(ctx, request_id, if_match)
    amount = minor_of(body.amount, row["currency"])
    user_id = ctx.caller.require_user()
    changed = await limit_requests.amend(ctx.tx, row, user_id, amount, body.reason, body.documents)
    return await _answer(ctx, changed)


@router.post(
    "/credit-limit-requests/{request_id}/cancel",
    response_model=LimitRequest,
    summary="Cancel a limit request",
    openapi_extra=scope("credit:request"),
)
async def cancel_credit_limit_request(ctx: Ctx, request_id: Id, if_match: IfMatch = None) -> Response:
    """Take a request back."""
    row = await _locked(ctx, request_id, if_match)
    return await _answer(ctx, await limit_requests.cancel(ctx.tx, row, ctx.caller.require_user()))


async def _decide(
    ctx: Ctx, request_id: UUID, body: Comment, if_match: str | None, *, approve: bool
) -> Response:
    user_id = ctx.caller.require_user()
    row = await _locked(ctx, request_id, if_match)
    changed = await decide(ctx.tx, row, user_id, approve=approve, comment=body.comment)
    return await _answer(ctx, changed)


async def _locked(ctx: Ctx, request_id: UUID, if_match: str | None) -> Row:
    row = await limit_requests.locked_request(ctx.tx, request_id)
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    require_match(if_match, row["version"])
    return row


async def _answer(ctx: Ctx, row: Row) -> Response:
    company = await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    standing = standing_in(await policy_of(ctx.tx), ctx.tx)
    _send_soon(ctx)
    return reply(present(row, company["name"], ctx.caller, standing), headers={"ETag": etag(row["version"])})


def _send_soon(ctx: Ctx) -> None:
    ctx.tx.after_commit(lambda: send_mails.nudge(ctx.runtime, ctx.caller.tenant.id))


def _check_dates(body: LimitRequestCreate, today: date) -> None:
    if body.valid_until is not None and body.valid_until < today:
        raise invalid("/valid_until", "in_the_past", "expected today or a later day")
    if body.valid_from is None:
        return
    if not body.temporary:
        raise invalid("/valid_from", "temporary_only", "a limit counts from the day it is approved")
    if body.valid_from < today:
        raise invalid("/valid_from", "in_the_past", "expected today or a later day")
    if body.valid_until is not None and body.valid_until < body.valid_from:
        raise invalid("/valid_until", "before_start", "expected valid_from or a later day")


def present(
    row: Row, company_name: str, caller: Caller, standing: Mapping[UUID, Collection[UUID]]
) -> dict[str, Any]:
    """The public object of a request; `standing` says whom each delegate stands in for today."""
    names = (
        "id", "company_id", "currency", "valid_from", "valid_until", "temporary", "reason", "state", "requested_by",
        "expires_at", "decided_at", "created_at", "updated_at",
    )  # fmt: skip
    currency = row["currency"]
    previous = row["previous_amount"]
    return {
        **{name: row[name] for name in names},
        "company_name": company_name,
        "amount": from_minor(row["amount"], currency),
        "documents": raw(row["documents"]),
        "previous_amount": None if previous is None else from_minor(previous, row["previous_currency"]),
        "unsecured_amount": from_minor(row["unsecured_amount"], currency),
        "guarantees_considered": raw(row["guarantees_considered"]),
        "exposure_at_request": raw(row["exposure_at_request"]),
        "proposals": raw(row["proposals"]),
        "route": raw(row["route"]),
        "can_decide": _can_decide(row, caller, standing),
    }


def _can_decide(row: Row, caller: Caller, standing: Mapping[UUID, Collection[UUID]]) -> bool:
    user = caller.user_id
    if (
        row["state"] != "pending"
        or user is None
        or row["requested_by"] == user
        or not caller.may("credit:approve")
    ):
        return False
    return turn_of(steps_of(limits.route_of(row)), user, standing) is not None
