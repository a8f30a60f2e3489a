"""Reviews of credit limits: due dates, causes, campaigns, and what came of them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import IfMatch, Input
from services.credit.domain.payer_class import CLASSES
from services.credit.storage import reviews as storage
from services.credit.usecases import reviews
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.people import require_person

router = Router("Limit reviews")
Id = Annotated[UUID, Path(description="the review's id")]
CampaignId = Annotated[UUID, Path(description="the campaign's id")]
State = Literal["open", "done", "cancelled"]
Kind = Literal["campaign", "manual", "payer_class", "limit_end"]
PayerClass = Literal["very_good", "good", "average", "bad", "very_bad"]
assert PayerClass.__args__ == CLASSES  # type: ignore[attr-defined]


class ReviewCreate(Input):
    """A review somebody asks for."""

    company_id: UUID
    due_on: date
    reason: str | None = Field(None, max_length=2000, examples=["New shareholder"])
    assignee: UUID | None = Field(None, description="a user")


class ReviewCompletion(Input):
    """What came of it."""

    outcome: Literal["confirmed", "request_made", "blocked"]
    request_id: UUID | None = Field(None, description="the request that was made")
    comment: str | None = Field(None, max_length=2000, description="what was found")


class ReviewCancellation(Input):
    """Why not."""

    comment: str | None = Field(None, max_length=2000, description="why it is not needed")


class LimitReview(BaseModel):
    """A review and how it stands."""

    id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    campaign_id: UUID | None
    kind: Kind
    due_on: date
    overdue: bool = Field(description="open and due before the tenant's today")
    reason: str | None = Field(description="why it was opened", examples=["good → bad"])
    assignee: UUID | None
    state: State
    outcome: Literal["confirmed", "request_made", "blocked"] | None
    request_id: UUID | None
    comment: str | None = Field(description="what was found")
    completed_by: UUID | None
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CampaignCriteria(Input):
    """Which limits; all that is given has to hold, nothing given is every limit."""

    company_ids: list[UUID] | None = Field(None, max_length=10_000)
    valid_until_before: date | None = Field(None, description="limits that end before this day")
    not_reviewed_since: date | None = Field(None, description="neither approved nor reviewed since this day")
    used_percent_from: int | None = Field(None, ge=0, le=1000, description="used to this percentage at least")
    payer_classes: list[PayerClass] | None = Field(None, description="companies with an account of these")


class CampaignCreate(Input):
    """A campaign to start."""

    name: str = Field(min_length=1, max_length=200, examples=["Yearly review 2026"])
    due_on: date
    assignee: UUID | None = Field(None, description="a user")
    criteria: CampaignCriteria = CampaignCriteria()


class Campaign(BaseModel):
    """A campaign and how far it is."""

    id: UUID
    name: str = Field(examples=["Yearly review 2026"])
    due_on: date
    assignee: UUID | None
    criteria: CampaignCriteria
    reviews: int = Field(description="how many it opened")
    still_open: int = Field(description="how many of them are not done")
    created_at: datetime
    updated_at: datetime


@router.get(
    "/limit-reviews",
    response_model=Page[LimitReview],
    summary="List limit reviews",
    openapi_extra=scope("credit:read"),
)
async def list_limit_reviews(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="one or several states")] = None,
    kind: Annotated[list[Kind] | None, Query(description="one or several kinds")] = None,
    company_id: UUID | None = None,
    campaign_id: UUID | None = None,
    assignee: UUID | None = None,
    due_to: Annotated[date | None, Query(description="due on this day or before")] = None,
) -> Response:
    """Reviews of companies in the caller's sight, the soonest due first."""
    wanted = storage.ReviewFilter(
        state, kind, company_id, campaign_id, assignee, due_to, ctx.caller.perimeter
    )
    rows = await storage.listed(ctx.tx, wanted, cursor, limit)
    return reply(page(rows, limit, lambda row: present(row, ctx.tx.today)))


@router.post(
    "/limit-reviews",
    status_code=201,
    response_model=LimitReview,
    summary="Ask for a limit review",
    openapi_extra=scope("credit:request"),
)
async def create_limit_review(ctx: Ctx, body: ReviewCreate) -> Response:
    """Have a company's limit looked at again; it stands in the risk agenda. 409 `review_open` while one is asked for already."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    await _check_assignee(ctx, body.assignee)
    opened = await reviews.open_reviews(
        ctx.tx, {body.company_id: body.reason}, "manual", body.due_on, assignee=body.assignee
    )
    if not opened:
        raise Problem(409, "review_open", "This company's limit is under review already.")
    row = await reviews.the_review(ctx.tx, opened[0]["id"])
    ctx.tx.audit("limit_review_opened", "limit_review", row["id"], None, {"due_on": body.due_on})
    headers = {"Location": f"/v1/limit-reviews/{row['id']}", "ETag": etag(row["version"])}
    return reply(present(row, ctx.tx.today), 201, headers)


@router.get(
    "/limit-reviews/{review_id}",
    response_model=LimitReview,
    summary="Show a limit review",
    openapi_extra=scope("credit:read"),
)
async def get_limit_review(ctx: Ctx, review_id: Id) -> Response:
    """One review."""
    return _answer(ctx, await _in_sight(ctx, review_id))


@router.post(
    "/limit-reviews/{review_id}/complete",
    response_model=LimitReview,
    summary="Complete a limit review",
    openapi_extra=scope("credit:request"),
)
async def complete_limit_review(
    ctx: Ctx, review_id: Id, body: ReviewCompletion, if_match: IfMatch = None
) -> Response:
    """The limit is confirmed as it is, another one was asked for, or the company was put on hold."""
    row = await _in_sight(ctx, review_id, if_match, lock=True)
    if body.outcome == "request_made" and body.request_id is None:
        raise invalid("/request_id", "required", "expected the request that was made")
    changed = await reviews.complete(
        ctx.tx, row, ctx.caller.user_id, body.outcome, body.request_id, body.comment
    )
    return _answer(ctx, changed)


@router.post(
    "/limit-reviews/{review_id}/cancel",
    response_model=LimitReview,
    summary="Cancel a limit review",
    openapi_extra=scope("credit:request"),
)
async def cancel_limit_review(
    ctx: Ctx, review_id: Id, body: ReviewCancellation, if_match: IfMatch = None
) -> Response:
    """It is not needed."""
    row = await _in_sight(ctx, review_id, if_match, lock=True)
    return _answer(ctx, await reviews.cancel(ctx.tx, row, ctx.caller.user_id, body.comment))


@router.post(
    "/limit-review-campaigns",
    status_code=201,
    response_model=Campaign,
    summary="Start a review campaign",
    openapi_extra=scope("credit:admin"),
)
async def create_limit_review_campaign(ctx: Ctx, body: CampaignCreate) -> Response:
    """Open a review of every limit in the caller's sight that the criteria name, due on one day."""
    await _check_assignee(ctx, body.assignee)
    row = await reviews.start_campaign(
        ctx.tx, body.name, body.due_on, body.assignee, body.criteria.model_dump(), ctx.caller.perimeter
    )
    return reply(_campaign(row), 201, {"Location": f"/v1/limit-review-campaigns/{row['id']}"})


@router.get(
    "/limit-review-campaigns",
    response_model=Page[Campaign],
    summary="List review campaigns",
    openapi_extra=scope("credit:read"),
)
async def list_limit_review_campaigns(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Campaigns and how far they are, newest first."""
    return reply(page(await storage.campaigns(ctx.tx, cursor, limit), limit, _campaign))


@router.get(
    "/limit-review-campaigns/{campaign_id}",
    response_model=Campaign,
    summary="Show a review campaign",
    openapi_extra=scope("credit:read"),
)
async def get_limit_review_campaign(ctx: Ctx, campaign_id: CampaignId) -> Response:
    """One campaign; its reviews are at /v1/limit-reviews?campaign_id=."""
    row = await storage.campaign(ctx.tx, campaign_id)
    if row is None:
        raise not_found("review campaign", campaign_id)
    return reply(_campaign(row))


async def _check_assignee(ctx: Ctx, assignee: UUID | None) -> None:
    if assignee is not None:
        await require_person(ctx.tx, ctx.runtime, assignee, "/assignee")


async def _in_sight(ctx: Ctx, review_id: UUID, if_match: str | None = None, *, lock: bool = False) -> Row:
    row = await reviews.the_review(ctx.tx, review_id, lock=lock)
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    require_match(if_match, row["version"])
    return row


def _answer(ctx: Ctx, row: Row) -> Response:
    return reply(present(row, ctx.tx.today), headers={"ETag": etag(row["version"])})


def present(row: Row, today: date) -> dict[str, Any]:
    """The public object of a review."""
    names = (
        "id", "company_id", "company_name", "campaign_id", "kind", "due_on", "reason", "assignee", "state", "outcome",
        "request_id", "comment", "completed_by", "completed_at", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "overdue": row["state"] == "open" and row["due_on"] < today,
    }


def _campaign(row: Row) -> dict[str, Any]:
    names = ("id", "name", "due_on", "assignee", "reviews", "still_open", "created_at", "updated_at")
    return {**{name: row[name] for name in names}, "criteria": raw(row["criteria"])}
