"""Steering the stand-in providers: what they know of a company, how they misbehave, who called them."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.kit.paging import Cursor, Limit, Page, SortKey, Statement, cursor_columns, keyset, page
from libs.kit.problems import Problem, invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.sandbox.providers.behaviour import Mode
from services.sandbox.storage.providers import StandIn

router = Router("Sandbox")
ConnectionId = Annotated[UUID, Path(description="a provider connection's id")]
Kind = Literal[
    "score", "legal", "accounts", "identity", "address", "capital", "activity", "state", "limit", "other"
]
_KINDS: dict[str, Kind] = {
    "score": "score", "risk_class": "score", "legal_status": "legal", "notices": "legal", "cases": "legal",
    "turnover": "accounts", "name": "identity", "activity": "activity", "company_active": "state",
    "recommended_credit": "limit", "privileges_amount": "legal", "privileges_count": "legal",
}  # fmt: skip


class Notice(BaseModel):
    """A notice of the gazette. Whatever is left out is made up."""

    model_config = ConfigDict(extra="forbid")
    id: str | None = Field(None, description="gazette letter, issue, number", examples=["A202500172390"])
    type: Literal["annonce", "rectificatif", "annulation"] = Field("annonce", examples=["annonce"])
    family: str = Field("collective", description="familleavis", examples=["collective"])
    judgment_family: str | None = Field(None, examples=["Jugement d'ouverture"])
    nature: str | None = Field(None, examples=["Jugement d'ouverture de liquidation judiciaire"])
    judged_on: str | None = Field(None, description="as the gazette writes it", examples=["2026-03-02"])
    published_on: str = Field(description="YYYY-MM-DD", examples=["2026-03-09"])
    court: str | None = Field(None, examples=["Greffe du Tribunal de Commerce de Lyon"])
    text: str | None = Field(None, description="complementJugement")
    replaces: str | None = Field(
        None, description="the notice corrected or annulled", examples=["A202500172390"]
    )
    others: list[str] = Field([], description="other companies named, for a sale")


class CompanyFacts(BaseModel):
    """What the stand-in shall know; what is left out stays as it was, null is a fact it has not got.

    Scores are on the provider's own scale; amounts are decimals in EUR, or `{amount, currency}`.
    """

    model_config = ConfigDict(extra="forbid")
    unknown: bool = Field(False, description="the stand-in does not know this company at all")
    name: str | None = Field(None, examples=["Ateliers du Port"])
    score: str | int | None = Field(None, description="on the provider's scale", examples=["63"])
    score_as_of: str | None = Field(None, description="YYYY-MM-DD", examples=["2026-03-02"])
    sector_score: str | int | None = Field(None, description="on the provider's scale", examples=["52"])
    delinquency_score: str | int | None = Field(None, description="on the provider's scale", examples=["46"])
    grade: str | None = Field(None, examples=["3A2"])
    risk_class: str | int | None = Field(None, examples=["B"])
    pd_12m: str | None = Field(None, description="a share", examples=["0.021"])
    trend: Literal["up", "stable", "down"] | None = Field(None, examples=["down"])
    paydex: int | None = Field(None, examples=[70])
    recommended_credit: str | dict[str, str] | None = Field(None, description="amount", examples=["25000"])
    recommended_credit_ceiling: str | dict[str, str] | None = Field(
        None, description="amount", examples=["60000"]
    )
    privileges_amount: str | dict[str, str] | None = Field(None, description="amount", examples=["12500.50"])
    privileges_count: int | None = Field(None, examples=[2])
    privileges_social_count: int | None = Field(None, examples=[1])
    privileges_tax_count: int | None = Field(None, examples=[1])
    legal_status: (
        Literal[
            "none", "conciliation", "safeguard", "receivership", "liquidation", "closed_insolvency", "ceased", "other_proceeding",
        ]
        | None
    ) = Field(None, examples=["receivership"])  # fmt: skip
    legal_status_since: str | None = Field(None, description="YYYY-MM-DD", examples=["2026-03-02"])
    notices: list[Notice] | None = Field(
        None, description="of the gazette; take precedence over legal_status"
    )
    cases: list[dict[str, Any]] | None = Field(None, description="of Companies House, as its API writes them")
    company_active: bool | None = Field(None, examples=[True])
    company_status: str | None = Field(None, description="as the provider writes it", examples=["Active"])
    activity: str | None = Field(None, description="code without a dot", examples=["6201Z"])
    turnover: str | dict[str, str] | None = Field(None, description="amount", examples=["1850000"])
    fiscal_year_end: str | None = Field(None, description="YYYY-MM-DD", examples=["2025-12-31"])
    headcount: int | None = Field(None, examples=[42])
    headcount_band: str | None = Field(None, examples=["12"])
    legal_form: str | None = Field(None, examples=["5710"])
    created_on: str | None = Field(None, description="YYYY-MM-DD", examples=["2011-05-02"])
    portal_url: str | None = Field(None, examples=["https://portail.example/entreprises/732829320"])
    credit_limit_text: str | None = Field(None, description="in place of an amount", examples=["No Limit"])
    history: list[dict[str, str]] | None = Field(None, description="earlier scores: {as_of, score}")
    incidents: list[dict[str, Any]] | None = Field(None, description="payment incidents: {date, amount}")
    tell: bool = Field(True, description="let the provider tell of the change, if the company is under watch")


class CompanyTelling(CompanyFacts):
    """Facts, at the top or in `fields`."""

    fields: CompanyFacts | None = Field(None, description="the facts, in a member of their own")


class CompanyTold(BaseModel):
    """What the stand-in was told of a company, all in all."""

    connection_id: UUID
    registration_number: str = Field(examples=["732829320"])
    facts: dict[str, Any] = Field(description="by canonical name; the rest is made up")


class ProviderBehaviour(BaseModel):
    """How the stand-in shall answer from now on; `normal` forgets all misbehaviour."""

    model_config = ConfigDict(extra="forbid")
    mode: Mode = Field(description="`silent` tells of no changes", examples=["rate_limited"])
    times: int | None = Field(
        None, ge=1, le=1_000_000, description="so many calls, then normal again", examples=[3]
    )
    calls: list[str] = Field(
        [],
        max_length=20,
        description="only calls whose method, path, query or body holds one of these",
        examples=[["getScore"]],
    )
    seconds: float | None = Field(None, ge=0, le=120, description="how slow", examples=[2.5])
    status: int | None = Field(None, ge=500, le=599, description="of `error`", examples=[503])
    retry_after: int = Field(1, ge=0, le=3600, description="seconds, of `rate_limited`", examples=[2])
    add: bool = Field(False, description="besides what it does already; else instead of it")


class ProviderCall(BaseModel):
    """A call that reached a stand-in provider."""

    id: UUID
    method: str = Field(examples=["GET"])
    path: str = Field(
        description="below the stand-in's base URL, without its query", examples=["siren/732829320"]
    )
    registration_number: str | None = Field(description="the company asked for", examples=["732829320"])
    status: int | None = Field(description="answered", examples=[200])
    called_at: datetime = Field(description="on the wall clock")


@router.post(
    "/sandbox/provider/{connection_id}/companies/{registration_number}",
    response_model=CompanyTold,
    summary="Set what the stand-in provider answers",
    openapi_extra=scope("admin"),
)
async def set_sandbox_provider_company(
    ctx: Ctx,
    connection_id: ConnectionId,
    registration_number: Annotated[
        str, Path(description="the company's, as its country writes it", max_length=40)
    ],
    body: CompanyTelling,
) -> Response:
    """The next answers tell this; a company under watch makes an event of every fact that changed."""
    _require_sandbox(ctx)
    number = re.sub(r"[\s.]", "", registration_number)
    if not number:
        raise invalid("/registration_number", "empty", "Name a company.")
    facts = body.model_dump(mode="json", exclude_unset=True, exclude={"tell", "fields"})
    if body.fields is not None:
        facts |= body.fields.model_dump(mode="json", exclude_unset=True, exclude={"tell"})
    house = StandIn(ctx.tx, connection_id)
    before = await house.company(number)
    told = await house.tell(number, facts)
    if body.tell and number in await house.members():
        changes = {
            name: (before[name] if before else None, value) for name, value in facts.items() if name in _KINDS
        }
        for kind in dict.fromkeys(_KINDS[name] for name, (old, new) in changes.items() if old != new):
            old, new = next(
                pair for name, pair in changes.items() if _KINDS[name] == kind and pair[0] != pair[1]
            )
            await house.happen(number, kind, _short(old), _short(new))
    return reply({"connection_id": connection_id, "registration_number": number, "facts": told})


@router.post(
    "/sandbox/provider/{connection_id}/behaviour",
    status_code=204,
    summary="Steer the stand-in provider",
    openapi_extra=scope("admin"),
)
async def steer_sandbox_provider(ctx: Ctx, connection_id: ConnectionId, body: ProviderBehaviour) -> Response:
    """From the next call on: slow, rate limited, broken in many ways, or normal again."""
    _require_sandbox(ctx)
    house = StandIn(ctx.tx, connection_id)
    told = [] if body.mode == "normal" else [body.model_dump(mode="json", exclude={"add"})]
    kept = await house.behaviours() if body.add else []
    await house.behave([*kept, *told])
    return Response(status_code=204)


@router.get(
    "/sandbox/provider/{connection_id}/calls",
    response_model=Page[ProviderCall],
    summary="List the calls a stand-in provider got",
    openapi_extra=scope("admin"),
)
async def list_sandbox_provider_calls(
    ctx: Ctx, connection_id: ConnectionId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Every call that reached the stand-in, oldest first: what would have been asked, and paid."""
    _require_sandbox(ctx)
    keys = [SortKey("called_at", "timestamptz"), SortKey("id", "uuid")]
    statement = Statement()
    statement.where("tenant_id = {}", ctx.tx.tenant_id)
    statement.where("connection_id = {}", connection_id)
    order = keyset(statement, keys, cursor)
    rows = await ctx.tx.fetch(
        f"SELECT id, method, path, number AS registration_number, status, called_at, {cursor_columns(keys)}"
        f" FROM provider_calls {statement.clause()} {order} LIMIT {limit + 1}",
        *statement.params,
    )
    return reply(page(rows, limit, lambda row: {name: row[name] for name in ProviderCall.model_fields}))


def _short(value: Any) -> str | None:
    return None if value is None else str(value)[:200]


def _require_sandbox(ctx: Ctx) -> None:
    if not ctx.runtime.settings.sandbox:
        raise Problem(403, "sandbox_off", "This installation has no sandbox (ENCOURS_SANDBOX).")
