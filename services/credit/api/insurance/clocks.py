"""Cover clocks: the dates on which cover is lost, with the item that causes each."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Query, Response
from icalendar import Alarm, Calendar, Event
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText
from libs.kit.db import Row
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import CompanyFilter, PolicyFilter, amount, picked
from services.credit.storage.insurance import clocks, contracts

router = Router("Cover clocks")
Kind = Literal["stop_delivery", "notification", "foreclosure", "proof_of_debt", "turnover_declaration"]
State = Literal["running", "stopped", "missed", "foreclosed", "met", "ended"]
_EVERYTHING = 1_000_000
_COLUMNS = [
    Column("due_on", "Date", "date"), Column("days_left", "Days left", "number"), Column("kind", "Kind"),
    Column("state", "State"), Column("company_name", "Company"), Column("policy_number", "Policy"),
    Column("item_number", "Item"), Column("amount_at_stake", "At stake", "amount"), Column("currency", "Currency"),
]  # fmt: skip
_CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}
}


class CoverClock(BaseModel):
    """A date that runs. `running` until it is met; `stopped`: deliveries after it are not covered; `missed`: a duty was not met
    in time; `foreclosed`: the right is lost, shown once."""

    id: UUID
    kind: Kind
    state: State
    company_id: UUID | None
    company_name: str | None = Field(
        description="null for a turnover declaration", examples=["Fonderie des Alpes"]
    )
    policy_id: UUID | None
    policy_number: str | None = Field(description="null for a proof of debt", examples=["P-500123"])
    due_on: date = Field(description="the last day to act")
    days_left: int = Field(description="negative once it has passed")
    item_id: UUID | None = Field(description="the item that causes it")
    item_number: str | None = Field(description="of the item that causes it", examples=["F-2026-041"])
    amount_at_stake: AmountText | None = Field(description="without VAT, times the insured share")
    currency: str | None = Field(description="of the amount at stake", examples=["EUR"])
    clause: dict[str, Any] | None = Field(
        description="as the policy says it",
        examples=[{"event": "notification", "days": 30, "base": "stop", "threshold": None}],
    )
    policy_version: int | None
    detail: dict[str, Any] = Field(
        description="what it is counted from", examples=[{"base_on": "2026-03-31"}]
    )
    created_at: datetime
    updated_at: datetime


Kinds = Annotated[list[Kind] | None, Query(description="one or several kinds")]
Within = Annotated[int | None, Query(ge=0, le=3650, description="due in so many days, or passed")]


@router.get(
    "/cover-clocks", response_model=Page[CoverClock], summary="List cover clocks", responses=FILES,
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_cover_clocks(
    ctx: Ctx,
    within_days: Within = None,
    kind: Kinds = None,
    state: Annotated[
        list[State] | None, Query(description="running, stopped, missed and foreclosed when left out")
    ] = None,
    company_id: CompanyFilter = None,
    policy_id: PolicyFilter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The nearest first. Also as CSV or XLSX, with every row, and as a calendar at `/v1/cover-clocks.ics`."""
    form = wanted_form(ctx.request)
    size = limit if form == "json" else _EVERYTHING
    wanted = _filter(ctx, within_days, kind, state, company_id, policy_id)
    rows = await clocks.page(ctx.tx, wanted, cursor, size)
    today = ctx.tx.today
    if form != "json":
        return table(form, "cover-clocks", _COLUMNS, [_clock(row, today) for row in rows])
    return reply(page(rows, limit, lambda row: _clock(row, today)), headers={"Vary": "Accept"})


@router.get(
    "/cover-clocks.ics", response_class=Response, summary="Cover clocks as a calendar", responses=_CALENDAR,
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def export_cover_calendar(
    ctx: Ctx,
    within_days: Within = None,
    kind: Kinds = None,
    company_id: CompanyFilter = None,
    policy_id: PolicyFilter = None,
) -> Response:
    """iCalendar (RFC 5545): one all-day event a clock that runs, with reminders 15, 7 and 1 days before."""
    wanted = _filter(ctx, within_days, kind, ["running"], company_id, policy_id)
    rows = await clocks.page(ctx.tx, wanted, None, _EVERYTHING)
    calendar = Calendar()
    calendar.add("prodid", "-//Encours//Cover clocks//EN")
    calendar.add("version", "2.0")
    calendar.add("name", "Cover clocks")
    for row in rows:
        calendar.add_component(_event(row, ctx.tx.now))
    headers = {"Content-Disposition": 'attachment; filename="cover-clocks.ics"'}
    return Response(calendar.to_ical(), media_type="text/calendar", headers=headers)


def _filter(
    ctx: Ctx,
    within_days: int | None,
    kinds: Any,
    states: Any,
    company_id: UUID | None,
    policy_id: UUID | None,
) -> clocks.ClockFilter:
    until = None if within_days is None else ctx.tx.today + timedelta(days=within_days)
    shown = states or ["running", "stopped", "missed", "foreclosed"]
    return clocks.ClockFilter(until, kinds, shown, company_id, policy_id, ctx.caller.perimeter)


def _event(row: Row, now: datetime) -> Event:
    shown = _clock(row, now.date())
    event = Event()
    title = {"stop_delivery": "Stop deliveries", "notification": "Notify overdue", "foreclosure": "File claim",
             "proof_of_debt": "Declare debt", "turnover_declaration": "Declare turnover"}[row["kind"]]  # fmt: skip
    event.add("uid", f"{row['id']}@encours")
    event.add("dtstamp", row["updated_at"])
    event.add("dtstart", row["due_on"])
    event.add("dtend", row["due_on"] + timedelta(days=1))
    event.add("summary", f"{title}: {shown['company_name'] or shown['policy_number']}")
    stake = f"{shown['amount_at_stake']} {shown['currency']}" if shown["amount_at_stake"] else "unknown"
    event.add("description", f"Item {shown['item_number'] or '-'}, at stake {stake}")
    for days in (15, 7, 1):
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", title)
        alarm.add("trigger", timedelta(days=-days))
        event.add_component(alarm)
    return event


def _clock(row: Row, today: date) -> dict[str, Any]:
    detail = msgspec.json.decode(row["detail"])
    names = (
        "id", "kind", "state", "company_id", "company_name", "policy_id", "policy_number", "due_on", "item_id", "currency",
        "policy_version", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **picked(row, names),
        "days_left": (row["due_on"] - today).days,
        "item_number": detail.get("item_number"),
        "amount_at_stake": amount(row["amount_at_stake"], row["currency"]),
        "clause": contracts.object_of(row["clause"]),
        "detail": detail,
    }
