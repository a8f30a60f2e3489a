"""Where a customer stands: its scenario, what leads it, what comes next, and what is left out."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, from_minor
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.actions import present
from services.dunning.api.fields import NextScenarioAction
from services.dunning.api.qualifications import next_shown
from services.dunning.api.schemas import Action, Channel
from services.dunning.api.sight import customer_in_sight
from services.dunning.domain.facts import OpenItem
from services.dunning.domain.netting import seniority
from services.dunning.domain.next_action import NextAction, Nothing, next_action
from services.dunning.storage import lists, planning
from services.dunning.storage import scenarios as scenario_rows
from services.dunning.storage.records import PAUSES
from services.dunning.usecases import scenarios
from services.dunning.usecases.upcoming import upcoming

router = Router("Agenda")


class Leader(BaseModel):
    """The item that drives the scenario."""

    item_id: UUID
    number: str = Field(description="as printed on the document")
    due_date: date
    days_late: int
    open_amount: AmountText
    currency: str = Field(description="ISO 4217")


class ExcludedItem(BaseModel):
    """An open item that is out of the scenario, and why."""

    item_id: UUID
    number: str = Field(description="as printed on the document")
    excluded_by: str = Field(examples=["dispute"])
    until: date | None = Field(description="its last day out, when that is known")


class CustomerDunning(BaseModel):
    """Where a customer stands in its scenario, and why."""

    customer_id: UUID
    scenario_id: UUID
    scenario_name: str = Field(examples=["Standard"])
    scenario_version_id: UUID
    why: Literal["assigned", "tenant_default"] = Field(description="how the scenario came to the customer")
    manual: bool = Field(description="assigned by hand")
    leader_item: Leader | None
    next_step: int | None = Field(description="place of the next step, from 0")
    next_channel: Channel | None
    next_due_on: date | None
    next_action: NextScenarioAction | None = Field(description="as it will come if nothing else happens")
    nothing_because: str | None = Field(description="why nothing comes today", examples=["nothing_open"])
    blocked_by: str | None = Field(description="what a person must mend before the next step")
    actions: list[Action] = Field(description="live ones")
    paused_until: date | None = Field(
        description="last day of the pause; null: not paused, or without an end"
    )
    pause_reason: str | None = Field(description="null: not paused")
    excluded_items: list[ExcludedItem]


@router.get(
    "/customers/{customer_id}/dunning",
    response_model=CustomerDunning,
    summary="Show where a customer stands",
    openapi_extra=scope("dunning:read"),
)
async def get_customer_dunning(ctx: Ctx, customer_id: UUID) -> Response:
    """The scenario and how it came to the customer, the item that leads it, what comes next or why nothing does, until when it is
    paused, and which items are out of it."""
    await customer_in_sight(ctx, customer_id)
    in_force = await scenario_rows.in_force(ctx.tx)
    known = (await planning.facts_of(ctx.tx, [customer_id], in_force)).get(customer_id)
    if known is None:
        raise not_found("customer", customer_id)
    row, facts = known
    version = in_force.of(row)
    name = await ctx.tx.fetchval(
        "SELECT name FROM scenarios WHERE tenant_id = $1 AND id = $2", ctx.tx.tenant_id, version.scenario_id
    )
    assigned = await scenarios.assignment(ctx.tx, customer_id)
    ahead = upcoming(facts, version, ctx.tx.today)
    pauses = await PAUSES.page(ctx.tx, None, {"customer_id": customer_id, "state": "active"}, None, 1)
    return reply(
        {
            "customer_id": customer_id,
            "scenario_id": version.scenario_id,
            "scenario_name": name,
            "scenario_version_id": version.id,
            "why": "assigned" if assigned else "tenant_default",
            "manual": bool(assigned and assigned["manual"]),
            **_next(next_action(facts, version, ctx.tx.today), ctx.tx.today),
            "next_action": next_shown(ahead) if isinstance(ahead, NextAction) else None,
            "actions": [present(one) for one in await lists.live_actions(ctx.tx, customer_id)],
            "paused_until": pauses[0]["until"] if pauses else None,
            "pause_reason": pauses[0]["reason"] if pauses else None,
            "excluded_items": [
                {
                    "item_id": one.id,
                    "number": one.number,
                    "excluded_by": one.exclusion.code,
                    "until": one.exclusion.until,
                }
                for one in sorted(facts.items, key=seniority)
                if one.exclusion is not None and one.excluded_on(ctx.tx.today)
            ],
        }
    )


def _next(decision: NextAction | Nothing, today: date) -> dict[str, Any]:
    if isinstance(decision, Nothing):
        empty = dict.fromkeys(("leader_item", "next_step", "next_channel", "blocked_by"))
        return {**empty, "next_due_on": decision.look_again_on, "nothing_because": str(decision.reason)}
    return {
        "leader_item": _leader(decision.leader, today),
        "next_step": decision.position,
        "next_channel": str(decision.step.channel),
        "next_due_on": decision.due_on,
        "nothing_because": None,
        "blocked_by": decision.blocked_by,
    }


def _leader(leader: OpenItem, today: date) -> dict[str, Any]:
    return {
        "item_id": leader.id,
        "number": leader.number,
        "due_date": leader.due_date,
        "days_late": leader.days_late(today),
        "open_amount": from_minor(leader.open_minor, leader.currency),
        "currency": leader.currency,
    }
