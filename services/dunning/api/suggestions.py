"""Suggestions: the next best actions, ranked, each with reasons that can be checked."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText
from libs.kit.exports import FILES, Column, table, wanted_form
from libs.kit.paging import Limit
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.domain.suggestions import advise
from services.dunning.storage import cases

router = Router("Suggestions")


class ReasonOut(BaseModel):
    """A fact that decided."""

    code: Literal[
        "amount_late", "oldest_item", "usual_behaviour", "broken_promises", "collective_proceedings", "contacted_recently",
        "no_contact", "message_waits", "channel_worked", "long_late",
    ]  # fmt: skip
    facts: dict[str, str | int] = Field(
        description="its figures", examples=[{"number": "F-118", "days_late": 34}]
    )


class SuggestionOut(BaseModel):
    """What to do next for a customer."""

    rank: int
    customer_id: UUID
    customer_name: str = Field(examples=["Fonderie des Alpes"])
    collector_user_id: UUID | None
    action: Literal["declare_claim", "mend_contact", "follow_up_promise", "confirm_message", "call", "write"]
    channel: Literal["email", "letter", "sms", "call", "task"]
    at_stake: AmountText = Field(
        description="money expected to be missing still in two weeks, weighed by the reasons; it orders the list"
    )
    reasons: list[ReasonOut]


class Suggestions(BaseModel):
    """The most pressing, first."""

    as_of: date
    data: list[SuggestionOut]
    next_cursor: None = Field(
        description="always null: act on the most pressing, then ask again", examples=[None]
    )


_COLUMNS = (
    Column("rank", "Rank", "number"),
    Column("customer_name", "Customer"),
    Column("action", "Action"),
    Column("channel", "Channel"),
    Column("at_stake", "At stake", "amount"),
    Column("why", "Reasons"),
)


@router.get(
    "/suggestions",
    response_model=Suggestions,
    responses=FILES,
    summary="Suggest what to do next",
    openapi_extra=scope("dunning:read"),
)
async def list_suggestions(
    ctx: Ctx,
    limit: Limit = 50,
    collector_user_id: Annotated[UUID | None, Query(description="of that collector's customers only")] = None,
    customer_id: Annotated[UUID | None, Query(description="for one customer")] = None,
) -> Response:
    """The next best actions for customers with something late that nothing holds out, the money most likely to be missing in two
    weeks first. The same facts give the same order. JSON, CSV or XLSX by `Accept`."""
    portfolio = await cases.portfolio_delays(ctx.tx)
    found = await cases.read(ctx.tx, ctx.caller.perimeter, collector_user_id, customer_id)
    advised = [(row, advise(case, portfolio, ctx.tx.today)) for row, case in found]
    advised.sort(key=lambda pair: (-pair[1].at_stake, pair[1].customer_id))
    data = [
        {
            "rank": rank,
            "customer_id": row["id"],
            "customer_name": row["name"],
            "collector_user_id": row["collector_user_id"],
            "action": str(one.advice),
            "channel": one.channel,
            "at_stake": str(one.at_stake),
            "reasons": [{"code": reason.code, "facts": dict(reason.facts)} for reason in one.reasons],
        }
        for rank, (row, one) in enumerate(advised[:limit], start=1)
    ]
    form = wanted_form(ctx.request)
    if form != "json":
        return table(form, "suggestions", _COLUMNS, [row | {"why": _why(row["reasons"])} for row in data])
    return reply({"as_of": ctx.tx.today, "data": data, "next_cursor": None}, headers={"Vary": "Accept"})


def _why(reasons: list[dict[str, Any]]) -> str:
    return "; ".join(
        reason["code"] + "".join(f" {name}={value}" for name, value in reason["facts"].items())
        for reason in reasons
    )
