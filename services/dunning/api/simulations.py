"""Simulation: what scenarios would do, without doing it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, from_minor
from libs.kit.db import Row
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import ChannelName, Input, ModeName
from services.dunning.api.scenarios import one
from services.dunning.domain.simulation import SimulatedAction
from services.dunning.storage import scenarios as rows_of
from services.dunning.usecases import simulation

router = Router("Simulation")
Id = Annotated[UUID, Path(description="the scenario's id")]
_LONGEST = timedelta(days=366)
_SHOWN = 1_000
MOST_CUSTOMERS = 2_000


class Against(Input):
    """Another scenario to compare with."""

    scenario_id: UUID
    version: int | None = Field(None, ge=1, description="the newest when left out")


class SimulationCreate(Input):
    """What to simulate."""

    customer_ids: list[UUID] | None = Field(
        None,
        min_length=1,
        max_length=MOST_CUSTOMERS,
        description="the first 2,000 with something open when left out",
    )
    version: int | None = Field(None, ge=1, description="of the scenario; the newest when left out")
    compare_with: list[Against] = Field(
        [], max_length=3, description="simulated over the same customers and days"
    )
    first: Annotated[
        date | None, Field(alias="from", description="today when left out; a past day replays history")
    ] = None
    until: date = Field(description="the last day, at most 366 later")


class SimulatedStep(BaseModel):
    """An action it would take."""

    customer_id: UUID
    on: date
    channel: ChannelName
    mode: ModeName
    step: int = Field(description="its place in the scenario, from 0")
    leader_item_id: UUID
    items: list[UUID]
    net: dict[str, AmountText] = Field(examples=[{"EUR": "1234.56"}])
    blocked_by: str | None = Field(description="what would keep it from being done", examples=["no_contact"])


class SimulatedTotals(BaseModel):
    """How much it would do."""

    actions: int
    customers: int
    by_channel: dict[str, int] = Field(examples=[{"email": 12, "call": 3}])
    first_on: date | None
    last_on: date | None


class SimulatedScenario(BaseModel):
    """What one scenario version would do."""

    scenario_id: UUID
    scenario_name: str = Field(examples=["Standard"])
    version_id: UUID
    version: int
    totals: SimulatedTotals
    actions: list[SimulatedStep] = Field(description="the first thousand, by day")


class Simulation(BaseModel):
    """What scenarios would do over the same customers and days."""

    first: date = Field(alias="from")
    until: date
    kind: Literal["future", "replay"]
    customers: int = Field(description="looked at")
    data: list[SimulatedScenario] = Field(description="the scenario itself, then those it is compared with")


@router.post(
    "/scenarios/{scenario_id}/simulate",
    response_model=Simulation,
    summary="Simulate a scenario",
    openapi_extra=scope("dunning:read"),
)
async def simulate_scenario(ctx: Ctx, scenario_id: Id, body: SimulationCreate) -> Response:
    """Every action the scenario would take, as if its customers followed it and paid nothing more; from a past day on, what it
    would have done while the ledger went the way it did. Each action is taken as done on its day. Nothing is written, nothing
    leaves."""
    first = body.first or ctx.tx.today
    if not first <= body.until <= first + _LONGEST:
        raise invalid("/until", "out_of_range", "expected a day from the first one on, at most 366 later")
    replayed = first < ctx.tx.today
    if replayed and body.until > ctx.tx.today:
        raise invalid("/until", "not_yet", "expected today or an earlier day: history ends there")
    wanted = [await _version(ctx, scenario_id, body.version, "/version")]
    for place, other in enumerate(body.compare_with):
        wanted.append(await _version(ctx, other.scenario_id, other.version, f"/compare_with/{place}"))
    customers = await _customers(ctx, body.customer_ids)
    versions = [rows_of.version_of(row) for row in wanted]
    done = await simulation.run(ctx.tx, versions, customers, first, body.until, replayed=replayed)
    return reply(
        {
            "from": first,
            "until": body.until,
            "kind": "replay" if replayed else "future",
            "customers": len(customers),
            "data": [_shown(row, actions) for row, actions in zip(wanted, done, strict=True)],
        }
    )


async def _version(ctx: Ctx, scenario_id: UUID, number: int | None, pointer: str) -> Mapping[str, Any]:
    row = await one(ctx, scenario_id)
    if number is None or number == row["number"]:
        return dict(row)
    older = await ctx.tx.fetchval(
        "SELECT id FROM scenario_versions WHERE tenant_id = $1 AND scenario_id = $2 AND number = $3",
        ctx.tx.tenant_id, scenario_id, number,
    )  # fmt: skip
    found: Row | None = await rows_of.version(ctx.tx, older) if older else None
    if found is None:
        raise invalid(pointer, "version_unknown", "expected the number of a version: see GET …/versions")
    return {"name": row["name"], **dict(found)}


async def _customers(ctx: Ctx, named: Sequence[UUID] | None) -> list[UUID]:
    perimeter = ctx.caller.perimeter
    rows = await ctx.tx.fetch(
        "SELECT c.id FROM customers c WHERE c.tenant_id = $1 AND NOT c.archived AND ($2::uuid[] IS NULL OR c.id = ANY($2))"
        " AND ($3::uuid[] IS NULL OR c.business_unit_id = ANY($3)) AND ($2::uuid[] IS NOT NULL OR EXISTS (SELECT 1 FROM items i"
        " WHERE i.tenant_id = c.tenant_id AND i.customer_id = c.id AND i.open_amount > 0)) ORDER BY c.id LIMIT $4",
        ctx.tx.tenant_id, list(named) if named is not None else None, list(perimeter) if perimeter is not None else None,
        MOST_CUSTOMERS,
    )  # fmt: skip
    found = [row["id"] for row in rows]
    for place, identifier in enumerate(named or ()):
        if identifier not in found:
            raise invalid(f"/customer_ids/{place}", "customer_unknown", "expected the id of a customer")
    return found


def _shown(row: Mapping[str, Any], done: Sequence[tuple[UUID, SimulatedAction]]) -> dict[str, Any]:
    ordered = sorted(done, key=lambda pair: (pair[1].on, pair[0]))
    return {
        "scenario_id": row["scenario_id"],
        "scenario_name": row["name"],
        "version_id": row["version_id"],
        "version": row["number"],
        "totals": simulation.summed(done),
        "actions": [_step(customer, step) for customer, step in ordered[:_SHOWN]],
    }


def _step(customer_id: UUID, done: SimulatedAction) -> dict[str, Any]:
    action = done.action
    return {
        "customer_id": customer_id,
        "on": done.on,
        "channel": str(action.step.channel),
        "mode": str(action.step.mode),
        "step": action.position,
        "leader_item_id": action.leader.id,
        "items": [item.id for item in action.items],
        "net": {code: from_minor(amount, code) for code, amount in action.net.items()},
        "blocked_by": action.blocked_by,
    }
