"""Exchange rates: what reports, exposure and limits convert with."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from libs.contracts.exchange import Rate
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.fields import CurrencyCode, Input, UpdatedSince
from services.ledger.storage import exchange_rates
from services.ledger.usecases.exchange_rates import RatesSet, set_rates

router = Router("Exchange rates")
MAX_RATES = 2_000
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?\Z")


def _rate(value: Any) -> Decimal:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.match(text) or not Decimal(text):
        raise PydanticCustomError(
            "rate_invalid", "expected a number above 0, of up to 12 digits before and 12 after the point"
        )
    return Decimal(text)


_RATE_SCHEMA = {"type": "string", "format": "decimal", "examples": ["0.9421"]}
RateNumber = Annotated[Decimal, BeforeValidator(_rate), WithJsonSchema(_RATE_SCHEMA)]
RateText = Annotated[str, WithJsonSchema(_RATE_SCHEMA)]


class ExchangeRateInput(Input):
    """One rate: what one unit of `base` is worth in `quote`, from a day on."""

    base: CurrencyCode = Field(examples=["CHF"])
    quote: CurrencyCode = Field(examples=["EUR"])
    valid_on: date = Field(examples=["2026-03-31"])
    rate: RateNumber

    @model_validator(mode="after")
    def _two_currencies(self) -> "ExchangeRateInput":
        if self.base == self.quote:
            raise PydanticCustomError("rate_invalid", "expected two different currencies")
        return self


class ExchangeRateBatch(Input):
    """Rates to set."""

    data: list[ExchangeRateInput] = Field(min_length=1, max_length=MAX_RATES)

    @model_validator(mode="after")
    def _each_once(self) -> "ExchangeRateBatch":
        if len({(each.base, each.quote, each.valid_on) for each in self.data}) < len(self.data):
            raise PydanticCustomError("duplicate_rate", "expected each pair of currencies once a day")
        return self


class ExchangeRatesSet(BaseModel):
    """What became of the rates."""

    received: int = Field(examples=[3])
    created: int = Field(examples=[2])
    updated: int = Field(examples=[1])
    unchanged: int = Field(examples=[0])


class ExchangeRate(BaseModel):
    """What one unit of `base` is worth in `quote`, from a day on until the next one."""

    id: UUID
    base: str = Field(examples=["CHF"])
    quote: str = Field(examples=["EUR"])
    valid_on: date = Field(examples=["2026-03-31"])
    rate: RateText
    created_at: datetime
    updated_at: datetime


@router.put(
    "/exchange-rates",
    response_model=ExchangeRatesSet,
    summary="Set exchange rates",
    openapi_extra=scope("ledger:write"),
)
async def set_exchange_rates(ctx: Ctx, body: ExchangeRateBatch) -> Response:
    """Creates or corrects a rate for each pair and day. A pair may be quoted either way.
    The same push twice changes nothing."""
    return _outcome(await set_rates(ctx.tx, _rates(body)), body)


@router.post(
    "/exchange-rates",
    response_model=ExchangeRatesSet,
    summary="Push exchange rates",
    openapi_extra=scope("ledger:write"),
)
async def push_exchange_rates(ctx: Ctx, body: ExchangeRateBatch) -> Response:
    """The same as PUT, for callers that POST and send an Idempotency-Key."""
    return _outcome(await set_rates(ctx.tx, _rates(body)), body)


@router.get(
    "/exchange-rates",
    response_model=Page[ExchangeRate],
    summary="List exchange rates",
    openapi_extra=scope("ledger:read"),
)
async def list_exchange_rates(
    ctx: Ctx,
    base: Annotated[list[CurrencyCode] | None, Query()] = None,
    quote: Annotated[list[CurrencyCode] | None, Query()] = None,
    valid_on_from: Annotated[date | None, Query(description="this day and later")] = None,
    valid_on_to: Annotated[date | None, Query(description="this day and earlier")] = None,
    updated_since: UpdatedSince = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest day first."""
    wanted = exchange_rates.RateFilter(
        bases=base or (),
        quotes=quote or (),
        valid_from=valid_on_from,
        valid_to=valid_on_to,
        updated_since=updated_since,
    )
    rows = await exchange_rates.list_rates(ctx.tx, wanted, cursor, limit)
    members = tuple(ExchangeRate.model_fields)
    return reply(page(rows, limit, lambda row: {name: row[name] for name in members}))


def _rates(body: ExchangeRateBatch) -> list[Rate]:
    return [Rate(each.base, each.quote, each.rate, each.valid_on) for each in body.data]


def _outcome(outcome: RatesSet, body: ExchangeRateBatch) -> Response:
    return reply(
        {
            "received": len(body.data),
            "created": outcome.created,
            "updated": outcome.updated,
            "unchanged": outcome.unchanged,
        }
    )
