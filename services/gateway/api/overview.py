"""The customer card: all that the house knows of one customer, in one call."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, streamed
from services.gateway.usecases.customer_overview import overview

router = Router("Customer card")
_Object = dict[str, Any]


class Monitoring(BaseModel):
    """Whether a provider watches the company."""

    state: str = Field(
        description="the most telling of its memberships; `none` when nobody watches it", examples=["member"]
    )
    can_add: bool = Field(description="whether the caller could have another connected provider watch it")


class ProviderField(BaseModel):
    """A field as providers have it. The whole picture, with every source: GET /v1/companies/{id}/risk."""

    field: str = Field(examples=["score"])
    value: Any = Field(
        description="decimal string, number, text or boolean; null unless known", examples=["14"]
    )
    state: str = Field(description="known, no_data, not_supplied or error", examples=["known"])
    as_of: date | None = Field(description="the provider's own date")
    previous: Any = Field(description="the value before the last change, by the same source", examples=["11"])
    changed_at: datetime | None = Field(description="when it last changed; null: not since it is known")
    provider: str | None = Field(examples=["altares"])
    currency: str | None = Field(description="of an amount", examples=[None])
    stale: bool


class MissingPart(BaseModel):
    """A part that could not be read."""

    part: str = Field(description="the member of the card", examples=["agenda"])
    service: str = Field(examples=["dunning"])
    reason: str = Field(
        description="peer_unavailable, timed_out, scope_missing, or the code of the service's refusal",
        examples=["peer_unavailable"],
    )


class CustomerOverview(BaseModel):
    """A customer card. Each member has the shape of the call it is named after; what could not be read is empty and named
    in `missing`."""

    customer: _Object = Field(description="as GET /v1/customers/{id}")
    balances: list[_Object] = Field(description="a row a currency, as GET /v1/balances")
    payment_behaviour: _Object | None = Field(
        description="as GET /v1/reports/payment-behaviour; null without invoices"
    )
    comments: list[_Object] = Field(description="the newest, as GET /v1/companies/{id}/credit-comments")
    alerts: list[_Object] = Field(description="the newest, as GET /v1/alerts")
    provider_fields: list[ProviderField] = Field(
        description="what providers say; empty while none says anything"
    )
    monitoring: Monitoring | None = Field(description="null while no provider is connected")
    series: dict[str, list[_Object]] = Field(
        description="values over time of the fields asked for, as GET /v1/companies/{id}/risk", examples=[{}]
    )
    portal_url: str | None = Field(
        description="the company's page at the provider", examples=["https://portal.example.com/732829320"]
    )
    sparkline_url: str | None = Field(
        description="a small picture of the score over time (SVG); null without a score",
        examples=["/v1/companies/019a0000-0000-7000-8000-000000000001/risk/sparkline.svg?field=score"],
    )
    limit: _Object | None = Field(description="as GET /v1/companies/{id}/credit-limit")
    requests: list[_Object] = Field(description="the newest, as GET /v1/credit-limit-requests")
    guarantees: list[_Object] = Field(description="covers by layer, as GET /v1/companies/{id}/guarantees")
    guarantee_requests: list[_Object] = Field(description="the newest, as GET /v1/guarantee-requests")
    insistences: list[_Object] = Field(description="the newest, as GET /v1/insistences")
    agenda: _Object | None = Field(description="as GET /v1/customers/{id}/dunning")
    messages: list[_Object] = Field(description="the newest, as GET /v1/messages")
    missing: list[MissingPart] = Field(description="empty when the card is whole")


@router.get(
    "/customers/{customer_id}/overview",
    response_model=CustomerOverview,
    summary="Show a customer card",
    openapi_extra=streamed("ledger:read"),
)
async def get_customer_overview(
    ctx: Ctx,
    customer_id: Annotated[UUID, Path(description="the customer's id")],
    series: Annotated[
        list[str] | None, Query(description="provider fields whose values over time are wanted")
    ] = None,
) -> Response:
    """Read from four services at once, with the caller's own rights in each. A service that does not answer within three
    seconds leaves its parts empty and named in `missing`; without the ledger there is no card (503)."""
    token = ctx.request.headers["authorization"].removeprefix("Bearer ")
    may_add = ctx.caller.may("risk:write")
    return reply(await overview(ctx.runtime.peers, token, customer_id, may_add=may_add, series=series or ()))
