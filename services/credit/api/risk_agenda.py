"""The risk agenda: what a person has to look at, overdue first."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText, from_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, Page, SortKey, page, parse_sort
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import IfMatch, Input, minor_of
from services.credit.storage import agenda as storage
from services.credit.usecases import agenda
from services.credit.usecases.companies import company_in_sight
from services.credit.usecases.people import require_person

router = Router("Risk agenda")
Id = Annotated[UUID, Path(description="the action's id")]
State = Literal["open", "done", "cancelled"]
_SORTS = {
    "due_on": SortKey("a.due_on", "date"),
    "amount_at_stake": SortKey("coalesce(a.amount_at_stake, 0)", "bigint"),
    "created_at": SortKey("a.created_at", "timestamptz"),
}
_COLUMNS = (
    Column("due_on", "Due on", "date"),
    Column("kind", "Kind"),
    Column("title", "Title"),
    Column("company_name", "Company"),
    Column("amount_at_stake", "Amount at stake", "amount"),
    Column("currency", "Currency"),
    Column("source", "Source"),
    Column("state", "State"),
)
_MAX_EXPORT = 10_000


class CompanyRef(BaseModel):
    """A company and how it is called."""

    id: UUID
    name: str = Field(examples=["Fonderie des Alpes"])


class AgendaAction(BaseModel):
    """Something to look at."""

    id: UUID
    kind: str = Field(examples=["limit_review"])
    title: str = Field(examples=["Review the credit limit"])
    company: CompanyRef
    due_on: date
    overdue: bool = Field(description="open and due before the tenant's today")
    amount_at_stake: AmountText | None
    currency: str | None = Field(description="of amount_at_stake, ISO 4217")
    source: Literal["automatic", "manual"]
    object_id: UUID | None = Field(description="what it is about: a review, a request, a guarantee, a clock")
    assignee: UUID | None
    state: State
    outcome: str | None = Field(description="how it ended", examples=["done"])
    comment: str | None = Field(description="words of the person who dealt with it")
    completed_by: UUID | None
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class AgendaActionCreate(Input):
    """An action a person plans."""

    company_id: UUID
    due_on: date
    kind: str = Field("follow_up", pattern=r"^[a-z][a-z0-9_]{0,49}$", examples=["follow_up"])
    title: str = Field(min_length=1, max_length=200, examples=["Ask for the balance sheet"])
    comment: str | None = Field(None, max_length=2000, description="words for whoever does it")
    assignee: UUID | None = Field(None, description="a user; nobody in particular when left out")
    amount_at_stake: Amount | None = None
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="of amount_at_stake, ISO 4217", examples=["EUR"]
    )


class AgendaCompletion(Input):
    """How it went."""

    outcome: str | None = Field(None, max_length=100, description="one word of yours; done when left out")
    comment: str | None = Field(None, max_length=2000, description="what was found")


class AgendaDate(Input):
    """Another day."""

    due_on: date
    comment: str | None = Field(None, max_length=2000, description="why")


class AgendaAssignment(Input):
    """Who looks at it; null is nobody in particular."""

    assignee: UUID | None


@router.get(
    "/risk-agenda",
    response_model=Page[AgendaAction],
    responses=FILES,
    summary="Show the risk agenda",
    openapi_extra=scope("credit:read"),
)
async def list_risk_agenda(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[
        str | None, Query(description="due_on, amount_at_stake, created_at; - for descending")
    ] = None,
    state: Annotated[list[State] | None, Query(description="open when left out")] = None,
    kind: Annotated[list[str] | None, Query(description="one or several kinds")] = None,
    source: Literal["automatic", "manual"] | None = None,
    company_id: UUID | None = None,
    assignee: Annotated[str | None, Query(description="a user's id, or me")] = None,
    due_from: date | None = None,
    due_to: date | None = None,
) -> Response:
    """Open actions of companies in the caller's sight, overdue first, then by date. CSV and XLSX when Accept asks."""
    keys = [*parse_sort(sort, _SORTS, "due_on"), SortKey("a.id", "uuid")]
    wanted = storage.AgendaFilter(
        states=list(state or ["open"]), kinds=kind, source=source, company_id=company_id,
        assignee=_assignee(ctx, assignee), due_from=due_from, due_to=due_to, perimeter=ctx.caller.perimeter,
    )  # fmt: skip
    form = wanted_form(ctx.request)
    if form != "json":
        rows = await storage.listed(ctx.tx, wanted, keys, None, _MAX_EXPORT)
        return table(form, "risk-agenda", _COLUMNS, [_flat(row) for row in rows[:_MAX_EXPORT]])
    rows = await storage.listed(ctx.tx, wanted, keys, cursor, limit)
    return reply(page(rows, limit, lambda row: present(row, ctx.tx.today)))


@router.post(
    "/risk-agenda",
    status_code=201,
    response_model=AgendaAction,
    summary="Plan a risk action",
    openapi_extra=scope("credit:request"),
)
async def create_risk_agenda_action(ctx: Ctx, body: AgendaActionCreate) -> Response:
    """Plan something by hand: a call, a balance sheet to ask for, a visit."""
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, body.company_id)
    if (body.amount_at_stake is None) != (body.currency is None):
        raise invalid("/currency", "currency_mismatch", "expected amount_at_stake and currency, or neither")
    if body.assignee is not None:
        await require_person(ctx.tx, ctx.runtime, body.assignee, "/assignee")
    amount = None
    if body.amount_at_stake is not None and body.currency is not None:
        amount = minor_of(body.amount_at_stake, body.currency, "/amount_at_stake")
    row = await agenda.add_action(
        ctx.tx, kind=body.kind, company_id=body.company_id, due_on=body.due_on, title=body.title, comment=body.comment,
        assignee=body.assignee, amount_at_stake=amount, currency=body.currency,
    )  # fmt: skip
    headers = {"Location": f"/v1/risk-agenda/{row['id']}", "ETag": etag(row["version"])}
    return reply(present(row, ctx.tx.today), 201, headers)


@router.get(
    "/risk-agenda/{action_id}",
    response_model=AgendaAction,
    summary="Show a risk action",
    openapi_extra=scope("credit:read"),
)
async def get_risk_agenda_action(ctx: Ctx, action_id: Id) -> Response:
    """One action."""
    return _answer(ctx, await _in_sight(ctx, action_id))


@router.post(
    "/risk-agenda/{action_id}/complete",
    response_model=AgendaAction,
    summary="Complete a risk action",
    openapi_extra=scope("credit:request"),
)
async def complete_risk_agenda_action(
    ctx: Ctx, action_id: Id, body: AgendaCompletion, if_match: IfMatch = None
) -> Response:
    """Say that it is done. An automatic action that is done does not come back for the same cause."""
    row = await _in_sight(ctx, action_id, if_match, lock=True)
    return _answer(ctx, await agenda.complete(ctx.tx, row, ctx.caller.user_id, body.outcome, body.comment))


@router.post(
    "/risk-agenda/{action_id}/reschedule",
    response_model=AgendaAction,
    summary="Reschedule a risk action",
    openapi_extra=scope("credit:request"),
)
async def reschedule_risk_agenda_action(
    ctx: Ctx, action_id: Id, body: AgendaDate, if_match: IfMatch = None
) -> Response:
    """Move it to another day, which the automatic planning respects from then on."""
    row = await _in_sight(ctx, action_id, if_match, lock=True)
    return _answer(ctx, await agenda.reschedule(ctx.tx, row, body.due_on, body.comment))


@router.post(
    "/risk-agenda/{action_id}/assign",
    response_model=AgendaAction,
    summary="Assign a risk action",
    openapi_extra=scope("credit:request"),
)
async def assign_risk_agenda_action(
    ctx: Ctx, action_id: Id, body: AgendaAssignment, if_match: IfMatch = None
) -> Response:
    """Give it to a user."""
    row = await _in_sight(ctx, action_id, if_match, lock=True)
    if body.assignee is not None:
        await require_person(ctx.tx, ctx.runtime, body.assignee, "/assignee")
    return _answer(ctx, await agenda.assign(ctx.tx, row, body.assignee))


async def _in_sight(ctx: Ctx, action_id: UUID, if_match: str | None = None, *, lock: bool = False) -> Row:
    row = await agenda.the_action(ctx.tx, action_id, lock=lock)
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    require_match(if_match, row["version"])
    return row


def _answer(ctx: Ctx, row: Row) -> Response:
    return reply(present(row, ctx.tx.today), headers={"ETag": etag(row["version"])})


def _assignee(ctx: Ctx, given: str | None) -> UUID | None:
    if given is None:
        return None
    if given == "me":
        return ctx.caller.require_user()
    try:
        return UUID(given)
    except ValueError:
        raise invalid("?assignee", "user_invalid", "expected a user's id, or me") from None


def present(row: Row, today: date) -> dict[str, Any]:
    """The public object of an action."""
    names = (
        "id", "kind", "title", "due_on", "currency", "source", "object_id", "assignee", "state", "outcome", "comment",
        "completed_by", "completed_at", "created_at", "updated_at",
    )  # fmt: skip
    amount = row["amount_at_stake"]
    return {
        **{name: row[name] for name in names},
        "company": {"id": row["company_id"], "name": row["company_name"]},
        "overdue": row["state"] == "open" and row["due_on"] < today,
        "amount_at_stake": None if amount is None else from_minor(amount, row["currency"]),
    }


def _flat(row: Row) -> dict[str, Any]:
    amount = row["amount_at_stake"]
    return {**dict(row), "amount_at_stake": None if amount is None else from_minor(amount, row["currency"])}
