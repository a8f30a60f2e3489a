"""Sandbox tenants and their clocks. Off unless the house allows a sandbox."""

import hashlib
from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from libs.contracts.currencies import currency_codes
from libs.kit import clock, idempotency, operations
from libs.kit.problems import Problem, invalid
from libs.kit.responses import json_bytes, reply
from libs.kit.route import Ctx, Router, scope, streamed
from services.gateway.identity import OPERATOR_SCOPE
from services.gateway.usecases import advance_clock
from services.gateway.usecases.tenants import create_tenant

router = Router("Sandbox")


class SandboxTenantCreate(BaseModel):
    """A tenant to play with."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200, examples=["Trying things out"])
    now: datetime | None = Field(
        None, description="where its clock starts; now by default", examples=["2026-01-05T08:00:00Z"]
    )
    time_zone: str = Field("Europe/Paris", description="an IANA name")
    currency: str = Field("EUR", description="the reporting currency")


class SandboxTenant(BaseModel):
    """A tenant just made and its admin key, shown this once."""

    tenant_id: UUID
    api_key: str = Field(examples=["enc_0190…_0190…_5f2c…"])


def _moment(value: object) -> object:
    """A text of ten characters is a date; pydantic alone would take it for that day's midnight."""
    if isinstance(value, str) and len(value) == len("2026-03-31"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


class ClockAdvance(BaseModel):
    """How far: a number of days, or a date or instant."""

    model_config = ConfigDict(extra="forbid")
    days: Annotated[int, Field(ge=1, le=400)] | None = Field(None, examples=[7])
    to: Annotated[datetime | date | None, BeforeValidator(_moment)] = Field(
        None, description="a date keeps the time of day", examples=["2026-03-31"]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> "ClockAdvance":
        if (self.days is None) == (self.to is None):
            raise ValueError("expected either days or to")
        return self


@router.post(
    "/sandbox/tenants",
    status_code=201,
    response_model=SandboxTenant,
    summary="Make a sandbox tenant",
    openapi_extra=streamed(""),
)
async def create_sandbox_tenant(ctx: Ctx, body: SandboxTenantCreate) -> Response:
    """A tenant of its own, with a business clock that stands still until it is advanced. Takes any admin key. The answer to a
    repeated Idempotency-Key leaves the new key out: it is shown once."""
    _require_sandbox(ctx)
    if OPERATOR_SCOPE not in ctx.caller.scopes:
        ctx.caller.require("admin")
    if body.time_zone not in available_timezones():
        raise invalid("/time_zone", "time_zone_unknown", "expected an IANA name such as Europe/Paris")
    if body.currency not in currency_codes():
        raise invalid("/currency", "currency_unknown", "expected an ISO 4217 code such as EUR")
    if body.now is not None and body.now.tzinfo is None:
        raise invalid(
            "/now", "time_zone_missing", "expected an instant with a time zone, such as 2026-01-05T08:00:00Z"
        )
    # The new tenant has a transaction of its own; the answer is kept under the caller's.
    async with ctx.runtime.db.transaction(ctx.caller.tenant) as tx:
        attempted = await _attempted(ctx)
        replay = None if attempted is None else await idempotency.claim(tx, attempted)
        if replay is not None:
            return replay
        made = await create_tenant(
            ctx.runtime.db, body.name, body.time_zone, body.currency, body.now or clock.wall()
        )
        answer = reply({"tenant_id": made.tenant_id, "api_key": made.api_key}, 201, {"Location": "/v1/me"})
        if attempted is not None:
            without_key = json_bytes({"tenant_id": made.tenant_id})
            await idempotency.store(tx, attempted, answer, replay_body=without_key)
    await ctx.runtime.doorbell.ring(made.tenant_id)
    return answer


@router.post(
    "/sandbox/clock/advance",
    status_code=202,
    response_model=operations.Operation,
    summary="Advance the clock",
    openapi_extra=scope("admin"),
)
async def advance_sandbox_clock(ctx: Ctx, body: ClockAdvance) -> Response:
    """Let days pass: each is worked through in order by every service. Follow the operation; 409 while another runs."""
    _require_sandbox(ctx)
    to = body.to
    if isinstance(to, datetime) and to.tzinfo is None:
        raise invalid("/to", "time_zone_missing", "expected a date, or an instant with a time zone")
    identifier = await advance_clock.start(ctx.tx, ctx.caller.tenant, body.days, to)
    tenant_id = ctx.tx.tenant_id

    async def nudge() -> None:
        await ctx.runtime.jobs.enqueue(advance_clock.JOB, str(tenant_id), str(identifier))

    ctx.tx.after_commit(nudge)
    row = await ctx.tx.fetchrow(
        f"SELECT {operations.COLUMNS} FROM operations WHERE tenant_id = $1 AND id = $2", tenant_id, identifier
    )
    assert row is not None, "it was written a moment ago"
    return reply(operations.present("gateway", row), 202, operations.location("gateway", identifier))


async def _attempted(ctx: Ctx) -> idempotency.Attempt | None:
    key = ctx.request.headers.get("idempotency-key")
    if key is None:
        return None
    digest = hashlib.sha256(await ctx.request.body()).digest()
    return idempotency.attempt(key, ctx.request.method, ctx.request.url.path, b"", digest)


def _require_sandbox(ctx: Ctx) -> None:
    if not ctx.runtime.settings.sandbox:
        raise Problem(403, "sandbox_off", "This installation has no sandbox (ENCOURS_SANDBOX).")
