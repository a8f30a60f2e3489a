"""The customer card: all that the house knows of one customer, in one call."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, Field

from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, streamed
from services.gateway.usecases.customer_overview import overview

router = Router("Customer card")
_Object = dict[str, Any]


class Monitoring(BaseModel):
    """Whether a provider watches the company."""

    state: str = Field(examples=["member"])
    can_add: bool


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
    provider_fields: list[_Object] = Field(description="what providers say; empty while none is connected")
    monitoring: Monitoring | None = Field(description="null while no provider is connected")
    portal_url: str | None = Field(description="the company at the provider; null while none is connected")
    limit: _Object | None = Field(description="as GET /v1/companies/{id}/credit-limit")
    requests: list[_Object] = Field(description="the newest, as GET /v1/credit-limit-requests")
    guarantees: list[_Object] = Field(description="covers; empty while no insurer is connected")
    insistences: list[_Object] = Field(description="empty while no insurer is connected")
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
    ctx: Ctx, customer_id: Annotated[UUID, Path(description="the customer's id")]
) -> Response:
    """Read from four services at once, with the caller's own rights in each. A service that does not answer within three
    seconds leaves its parts empty and named in `missing`; without the ledger there is no card (503)."""
    token = ctx.request.headers["authorization"].removeprefix("Bearer ")
    return reply(await overview(ctx.runtime.peers, token, customer_id))
