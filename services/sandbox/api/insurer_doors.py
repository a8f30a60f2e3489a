"""The doors of the stand-in insurer: let it decide, and steer how it answers."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from libs.contracts.ids import new_id
from libs.contracts.money import Amount
from libs.kit.db import Row, Tx
from libs.kit.problems import not_found
from libs.kit.responses import json_bytes, reply
from libs.kit.route import INTERNAL, Ctx, Router, scope, streamed
from services.sandbox.storage import insurers
from services.sandbox.usecases.insurers import matched, tell

router = Router("Sandbox")
internal = Router("Internal", prefix="/internal")
ConnectionId = Annotated[UUID, Path(description="an insurer connection's id")]
_NO_OPERATION = {
    "description": "always absent: nothing is to be followed",
    "schema": {"type": "string"},
    "required": False,
}


class Behaviour(BaseModel):
    """How the stand-in answers from now on. silent: takes requests and tells nothing; timeout: takes them and never answers."""

    model_config = ConfigDict(extra="forbid")
    mode: Literal["normal", "silent", "timeout", "error", "garbage"] = Field(examples=["timeout"])


class Tranche(BaseModel):
    """Part of a grant with dates of its own."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["permanent", "temporary", "second"] = "permanent"
    amount: Amount
    starts_on: date | None = Field(None, alias="from")
    ends_on: date | None = Field(None, alias="to")


class Decision(BaseModel):
    """What the stand-in decides; members that are left out are the request's. Anything in the future or the past is allowed:
    that is how lateness and disorder are played."""

    model_config = ConfigDict(extra="forbid")
    decision_id: str | None = Field(
        None, min_length=1, max_length=128, description="made when left out", examples=["d-1"]
    )
    request_reference: str | None = Field(None, max_length=128, description="the guarantee request's id")
    cover_reference: str | None = Field(None, max_length=128, description="the insurer's own id of the cover")
    buyer_reference: str | None = Field(None, max_length=128, description="the insurer's id of the buyer")
    policy_reference: str | None = Field(None, max_length=128, description="the policy's number")
    product: str | None = Field(None, max_length=64, examples=["permanent"])
    sequence: int = Field(0, ge=0)
    status: str = Field(min_length=1, max_length=64, examples=["partially_approved"])
    is_preliminary: bool = False
    granted_amount: Amount | None = None
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", examples=["EUR"])
    tranches: list[Tranche] = Field([], max_length=20)
    insured_percent: Amount | None = None
    effective_from: date | None = None
    expires_at: date | None = None
    withdrawal_date: date | None = None
    decided_at: AwareDatetime | None = Field(None, description="now, by the tenant's clock, when left out")
    conditions: list[Any] = Field(
        [], max_length=100, examples=[[{"code": "C1", "text": "Terms of 60 days at most"}]]
    )
    reasons: list[Any] = Field([], max_length=100, examples=[[{"code": "12", "text": "Adverse information"}]])
    grade: str | None = Field(
        None,
        max_length=16,
        description="the insurer's grade of the buyer, read with the covers",
        examples=["4"],
    )
    deliver: Literal["webhook", "poll"] = "webhook"
    times: int = Field(1, ge=1, le=20, description="how often the same message is sent")
    message_id: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="of the webhook; made when left out",
        examples=["msg_1"],
    )


class Taken(BaseModel):
    """What the stand-in did."""

    connection_id: UUID
    decision_id: str = Field(examples=["d-1"])
    deliver: Literal["webhook", "poll"]
    delivered: list[int] = Field(description="the statuses its webhook was answered with", examples=[[202]])


class Played(BaseModel):
    """What a connection tells its stand-in."""

    model_config = ConfigDict(extra="forbid")
    tenant_id: UUID
    insurer: str
    mode: str
    options: dict[str, Any]
    secret: str | None
    token: str | None


@router.post(
    "/sandbox/insurer/{connection_id}/behaviour", status_code=204, summary="Steer the stand-in insurer",
    openapi_extra=scope("admin"),
)  # fmt: skip
async def steer_sandbox_insurer(ctx: Ctx, connection_id: ConnectionId, body: Behaviour) -> Response:
    """How it answers from now on."""
    await _played(ctx.tx, connection_id)
    await insurers.behave(ctx.tx, connection_id, body.mode)
    return Response(status_code=204)


@router.post(
    "/sandbox/insurer/{connection_id}/decisions", status_code=202, response_model=Taken,
    responses={202: {"headers": {"Operation-Location": _NO_OPERATION}}, 502: {"description": "The webhook was not answered."}},
    summary="Let the stand-in insurer decide", openapi_extra=streamed("admin"),
)  # fmt: skip
async def create_sandbox_insurer_decision(ctx: Ctx, connection_id: ConnectionId, body: Decision) -> Response:
    """It decides, and tells: by a signed webhook through the gateway, or only when its covers are read. A silent one tells
    nothing."""
    runtime, tenant = ctx.runtime, ctx.caller.tenant
    async with runtime.db.transaction(tenant) as tx:
        played = await _played(tx, connection_id)
        asked = await insurers.requests(tx, connection_id)
        request = next((one for one in asked if one["reference"] == body.request_reference), None)
        decided_at = body.decided_at or tx.now
        told = body.model_dump(
            exclude={"deliver", "times", "message_id", "grade"}, exclude_none=True, by_alias=True
        )
        told |= {"decision_id": body.decision_id or f"d-{new_id().hex}", "decided_at": decided_at}
        decision = _plain(matched(request, told))
        await insurers.keep_decision(tx, connection_id, decision, decided_at)
        if body.grade is not None and "buyer_reference" in decision:
            await insurers.keep_grade(tx, connection_id, decision["buyer_reference"], body.grade)
    delivered: list[int] = []
    if body.deliver == "webhook" and played["behaviour"] != "silent":
        delivered = await tell(runtime, played, decision, body.times, body.message_id)
    taken = {
        "connection_id": connection_id, "decision_id": decision["decision_id"], "deliver": body.deliver, "delivered": delivered,
    }  # fmt: skip
    return reply(taken, 202)


@internal.post("/insurers/{connection_id}", openapi_extra=scope(INTERNAL))
async def play_insurer(ctx: Ctx, connection_id: UUID, body: Played) -> Response:
    """Play an insurer for a connection."""
    tenant = await ctx.runtime.tenant(body.tenant_id)
    async with ctx.runtime.db.transaction(tenant) as tx:
        await insurers.play(tx, connection_id, body.model_dump(exclude={"tenant_id"}))
    return reply({"playing": True})


async def _played(tx: Tx, connection_id: UUID) -> Row:
    row = await insurers.insurer(tx, connection_id)
    if row is None:
        raise not_found("sandbox insurer connection", connection_id)
    return row


def _plain(decision: dict[str, Any]) -> dict[str, Any]:
    """Amounts as decimal strings, dates as texts: what leaves is what is kept."""

    def text(value: Any) -> Any:
        return format(value, "f") if isinstance(value, Decimal) else value

    flat = {name: text(value) for name, value in decision.items()}
    flat["tranches"] = [
        {name: text(value) for name, value in part.items()} for part in decision.get("tranches", [])
    ]
    plain: dict[str, Any] = msgspec.json.decode(json_bytes(flat))
    return plain
