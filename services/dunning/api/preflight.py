"""Preflight: whether a message would leave now, and what would stop it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText, from_minor
from libs.kit.problems import not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import ChannelName, Input, ItemIds
from services.dunning.api.sight import items_of_one
from services.dunning.domain.scenario import Mode
from services.dunning.storage import lists
from services.dunning.usecases.house import house_of
from services.dunning.usecases.moment import Cleared, decide_again

router = Router("Agenda")


class PreflightCreate(Input):
    """A message that one would like to send."""

    item_ids: ItemIds = Field(description="of one customer")
    channel: ChannelName = "email"


class Verdict(BaseModel):
    """Whether it would leave, with what."""

    verdict: Literal["go", "wait", "stop"] = Field(
        description="it would leave now; later by itself; or not before something changes"
    )
    code: str | None = Field(
        description="why not now: quiet_hours, frequency_cap, too_soon, paused, nothing_open, all_excluded, below_minimum,"
        " leader_changed, scenario_changed, already_done, no_contact, no_address, no_longer_planned",
        examples=["frequency_cap"],
    )
    customer_id: UUID
    opens_at: datetime | None = Field(
        description="when sending hours begin; null when they have, or it would not leave"
    )
    items: list[UUID] = Field(description="it would speak of: of this customer, open, held out by nothing")
    left_out: list[UUID] = Field(description="of those asked for, or planned")
    net: dict[str, AmountText] = Field(description="after unused credits", examples=[{"EUR": "1234.56"}])
    recipient: str | None = Field(description="the address it would go to", examples=["compta@example.com"])


@router.get(
    "/actions/{action_id}/preflight",
    response_model=Verdict,
    summary="Ask whether an action's message would leave now",
    openapi_extra=scope("dunning:read"),
)
async def preflight_action(
    ctx: Ctx, action_id: Annotated[UUID, Path(description="the action's id")]
) -> Response:
    """The verdict that will be passed at the moment of sending, on the facts of now. Nothing is changed."""
    row = await lists.action(ctx.tx, action_id, ctx.caller.perimeter)
    if row is None:
        raise not_found("action", action_id)
    if row["state"] not in ("proposed", "to_confirm", "due", "blocked"):
        return reply(_stopped(row, "no_longer_planned"))
    return reply(await _verdict(ctx, row))


@router.post(
    "/preflight",
    response_model=Verdict,
    summary="Ask whether a message could leave now",
    openapi_extra=scope("dunning:read"),
)
async def preflight_message(ctx: Ctx, body: PreflightCreate) -> Response:
    """Whether an automatic message about these items could leave now, and with which of them. Nothing is planned or sent."""
    items = await items_of_one(ctx, body.item_ids)
    wished = {
        "id": items[0]["id"],
        "kind": "out_of_scenario",
        "customer_id": items[0]["customer_id"],
        "item_ids": body.item_ids,
        "channel": body.channel,
        "mode": Mode.AUTOMATIC.value,
        "template_id": None,
    }
    return reply(await _verdict(ctx, wished))


async def _verdict(ctx: Ctx, action: Mapping[str, Any]) -> dict[str, Any]:
    house = await house_of(ctx.tx)
    cleared = await decide_again(ctx.tx, action, house, hold=False)
    if not isinstance(cleared, Cleared):
        return _stopped(action, str(cleared.code))
    decision, window = cleared.decision, cleared.window
    waits = decision.step.channel.is_message and not window.is_open(ctx.tx.now)
    shown = [item.id for item in decision.items]
    contact = decision.contact
    return {
        "verdict": "wait" if waits else "go",
        "code": "quiet_hours" if waits else None,
        "customer_id": action["customer_id"],
        "opens_at": window.next_opening(ctx.tx.now) if waits else None,
        "items": shown,
        "left_out": [one for one in action["item_ids"] if one not in shown],
        "net": {code: from_minor(amount, code) for code, amount in decision.net.items()},
        "recipient": (contact.email or contact.phone) if contact else None,
    }


def _stopped(action: Mapping[str, Any], code: str) -> dict[str, Any]:
    passing = code in ("frequency_cap", "too_soon", "paused")
    return {
        "verdict": "wait" if passing else "stop",
        "code": code,
        "customer_id": action["customer_id"],
        "opens_at": None,
        "items": [],
        "left_out": list(action["item_ids"]),
        "net": {},
        "recipient": None,
    }
