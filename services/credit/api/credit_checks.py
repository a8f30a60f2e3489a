"""Credit checks of orders, with every rule shown, and the exposure they reserve."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText, from_minor
from libs.kit.db import Row, Tx
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.fields import LEDGER_FIRST, Currency, Input, minor_of
from services.credit.domain.credit_check import Code, Decision
from services.credit.storage import checks as storage
from services.credit.storage import exposure
from services.credit.usecases import credit_checks
from services.credit.usecases.companies import company_in_sight

router = Router("Credit checks")
CheckId = Annotated[UUID, Path(description="the check's id")]
ReservationId = Annotated[UUID, Path(description="the reservation's id")]
ReservationState = Literal["live", "consumed", "released", "expired"]
DAY = 86_400


class CreditCheckCreate(Input):
    """An order to check: of a company, or of a customer's company."""

    company_id: UUID | None = None
    customer_id: UUID | None = Field(None, description="instead of company_id")
    amount: Amount = Field(description="of the order, tax included")
    currency: str = Currency
    expected_date: date | None = Field(None, description="when it is to be delivered")
    checkpoint: str = Field(
        "order", pattern=r"^[a-z][a-z0-9_]{0,29}$", description="where you ask", examples=["delivery"]
    )
    order_external_id: str | None = Field(
        None, min_length=1, max_length=128, description="your key of the order, which is not counted twice"
    )
    reserve: bool = Field(False, description="hold the exposure when the order is allowed")
    ttl: int = Field(DAY, ge=60, le=90 * DAY, description="seconds the reservation counts")


class CheckRelease(Input):
    """For how long what held the order shall not hold it again."""

    grace_days: int = Field(0, ge=0, le=90, description="further days the release counts; 0 is today only")
    comment: str | None = Field(None, max_length=2000, description="why it may go on")


class CheckRule(BaseModel):
    """A rule and what it found. `threshold` and `value` are amounts in the check's limit currency, or words."""

    code: Code
    passed: bool
    effect: Literal["hold", "refuse"] = Field(description="what it does when it fails")
    threshold: str | None = Field(description="what was allowed", examples=["2500.00"])
    value: str | None = Field(description="what was found", examples=["3100.00"])
    waived: bool = Field(description="it failed, and somebody has let it pass")


class Reservation(BaseModel):
    """Exposure held for an order."""

    id: UUID
    company_id: UUID
    check_id: UUID
    order_external_id: str | None = Field(description="your key of the order")
    amount: AmountText
    currency: str = Field(description="ISO 4217", examples=["EUR"])
    state: ReservationState
    expires_at: datetime
    ended_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CreditCheck(BaseModel):
    """A check as it was decided, with its evidence. Amounts but `amount` are in `limit_currency`."""

    id: UUID
    company_id: UUID
    customer_id: UUID | None
    decision: Decision
    amount: AmountText
    currency: str = Field(description="of amount, ISO 4217", examples=["EUR"])
    expected_date: date | None
    checkpoint: str = Field(examples=["order"])
    order_external_id: str | None = Field(description="your key of the order")
    rules: list[CheckRule]
    limit_currency: str = Field(description="ISO 4217", examples=["EUR"])
    limit: AmountText | None = Field(description="what may be owed; null where no limit is in force")
    limit_source: Literal["limit", "default_limit"] | None
    limit_state: str = Field(examples=["approved"])
    outstanding: AmountText
    order_book: AmountText = Field(description="without this order")
    reserved: AmountText = Field(description="live reservations without this order's")
    headroom: AmountText | None = Field(
        description="limit − outstanding − order_book − reserved, before this order; null without a limit"
    )
    rate_date: date | None = Field(description="day of the oldest rate used")
    unconverted: list[str] = Field(description="currencies without a rate")
    reservation: Reservation | None
    released_by: UUID | None
    released_at: datetime | None
    released_until: date | None = Field(description="last day a person's release counts")
    release_comment: str | None = Field(description="why it may go on")
    created_at: datetime
    updated_at: datetime


@router.post(
    "/credit-checks",
    status_code=201,
    response_model=CreditCheck,
    summary="Check an order",
    openapi_extra=scope("credit:request", **LEDGER_FIRST),
)
async def create_credit_check(ctx: Ctx, body: CreditCheckCreate) -> Response:
    """Allow, hold or refuse an order on what is known now: 503 `ledger_behind` rather than yesterday's figures.

    With `reserve` an allowed order holds its exposure until it is booked, given back or out of time; checking the same
    order_external_id again replaces what it held.
    """
    company_id = await _company_of(ctx, body)
    order = credit_checks.Order(
        company_id, body.customer_id, minor_of(body.amount, body.currency), body.currency, body.expected_date,
        body.checkpoint, body.order_external_id, body.ttl if body.reserve else None,
    )  # fmt: skip
    row, reservation = await credit_checks.check_order(ctx.tx, order)
    return reply(_present(ctx.tx, row, reservation), 201, {"Location": f"/v1/credit-checks/{row['id']}"})


@router.get(
    "/credit-checks",
    response_model=Page[CreditCheck],
    summary="List credit checks",
    openapi_extra=scope("credit:read"),
)
async def list_credit_checks(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    company_id: UUID | None = None,
    decision: Annotated[list[Decision] | None, Query(description="one or several decisions")] = None,
    order_external_id: Annotated[
        str | None, Query(max_length=128, description="your key of the order")
    ] = None,
) -> Response:
    """Checks of companies in the caller's sight, newest first."""
    wanted = storage.CheckFilter(company_id, decision, order_external_id, ctx.caller.perimeter)
    rows = await storage.checks(ctx.tx, wanted, cursor, limit)
    held = await _reservations_of(ctx.tx, rows[:limit])
    return reply(page(rows, limit, lambda row: _present(ctx.tx, row, held.get(row["reservation_id"]))))


@router.get(
    "/credit-checks/{check_id}",
    response_model=CreditCheck,
    summary="Show a credit check",
    openapi_extra=scope("credit:read"),
)
async def get_credit_check(ctx: Ctx, check_id: CheckId) -> Response:
    """A check with the evidence it was decided on."""
    row = await credit_checks.the_check(ctx.tx, check_id)
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    held = await _reservations_of(ctx.tx, [row])
    return reply(_present(ctx.tx, row, held.get(row["reservation_id"])))


@router.post(
    "/credit-checks/{check_id}/release",
    response_model=CreditCheck,
    summary="Release an order on hold",
    openapi_extra=scope("credit:approve"),
)
async def release_credit_check(ctx: Ctx, check_id: CheckId, body: CheckRelease) -> Response:
    """Let a held order go on, in the caller's own name. What held it does not hold it again within the grace days, up to the
    amount released; anything new does. A refused order is not released: lift the hold on the company."""
    user_id = ctx.caller.require_user()
    row = await credit_checks.the_check(ctx.tx, check_id, lock=True)
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    changed, reservation = await credit_checks.release_check(
        ctx.tx, row, user_id, body.grace_days, body.comment
    )
    return reply(_present(ctx.tx, changed, reservation))


@router.get(
    "/credit-reservations",
    response_model=Page[Reservation],
    summary="List reservations",
    openapi_extra=scope("credit:read"),
)
async def list_credit_reservations(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    company_id: UUID | None = None,
    state: Annotated[list[ReservationState] | None, Query(description="one or several states")] = None,
    order_external_id: Annotated[
        str | None, Query(max_length=128, description="your key of the order")
    ] = None,
) -> Response:
    """Reservations of companies in the caller's sight, newest first."""
    wanted = storage.CheckFilter(company_id, None, order_external_id, ctx.caller.perimeter)
    rows = await storage.reservations(ctx.tx, wanted, state, cursor, limit)
    return reply(page(rows, limit, lambda row: _reservation(ctx.tx, row)))


@router.get(
    "/credit-reservations/{reservation_id}",
    response_model=Reservation,
    summary="Show a reservation",
    openapi_extra=scope("credit:read"),
)
async def get_credit_reservation(ctx: Ctx, reservation_id: ReservationId) -> Response:
    """One reservation."""
    row = await credit_checks.the_reservation(ctx.tx, reservation_id)
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    return reply(_reservation(ctx.tx, row))


@router.post(
    "/credit-reservations/{reservation_id}/consume",
    response_model=Reservation,
    summary="Consume a reservation",
    openapi_extra=scope("credit:request"),
)
async def consume_credit_reservation(ctx: Ctx, reservation_id: ReservationId) -> Response:
    """Say that the order is booked and counts by itself now. An order pushed with the key it was reserved by does so alone."""
    return await _end(ctx, reservation_id, "consumed")


@router.post(
    "/credit-reservations/{reservation_id}/release",
    response_model=Reservation,
    summary="Give a reservation back",
    openapi_extra=scope("credit:request"),
)
async def release_credit_reservation(ctx: Ctx, reservation_id: ReservationId) -> Response:
    """The order will not come: its exposure is free for others at once."""
    return await _end(ctx, reservation_id, "released")


async def _end(ctx: Ctx, reservation_id: UUID, state: str) -> Response:
    row = await credit_checks.the_reservation(ctx.tx, reservation_id, lock=True)
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, row["company_id"])
    return reply(_reservation(ctx.tx, await credit_checks.end_reservation(ctx.tx, row, state)))


async def _company_of(ctx: Ctx, body: CreditCheckCreate) -> UUID:
    if (body.company_id is None) == (body.customer_id is None):
        raise invalid("/company_id", "company_or_customer", "expected company_id or customer_id, one of them")
    company_id = body.company_id
    if body.customer_id is not None:
        company_id = await exposure.company_of_customer(ctx.tx, body.customer_id, ctx.caller.perimeter)
        if company_id is None:
            raise not_found("customer", body.customer_id)
    assert company_id is not None, "one of the two was given"
    await company_in_sight(ctx.tx, ctx.runtime, ctx.caller, company_id)
    return company_id


async def _reservations_of(tx: Tx, rows: list[Row]) -> dict[UUID, Row]:
    wanted = [row["reservation_id"] for row in rows if row["reservation_id"] is not None]
    return {row["id"]: row for row in await storage.reservations_by_id(tx, wanted)} if wanted else {}


def _present(tx: Tx, row: Row, reservation: Row | None) -> dict[str, Any]:
    names = (
        "id", "company_id", "customer_id", "decision", "currency", "expected_date", "checkpoint", "order_external_id",
        "released_by", "released_at", "released_until", "release_comment", "created_at", "updated_at",
    )  # fmt: skip
    evidence = msgspec.json.decode(row["evidence"])
    of_evidence = (
        "limit", "limit_source", "limit_state", "outstanding", "order_book", "reserved", "headroom", "rate_date",
        "unconverted",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        **{name: evidence[name] for name in of_evidence},
        "amount": from_minor(row["amount"], row["currency"]),
        "rules": msgspec.json.decode(row["rules"]),
        "limit_currency": evidence["currency"],
        "reservation": None if reservation is None else _reservation(tx, reservation),
    }


def _reservation(tx: Tx, row: Row) -> dict[str, Any]:
    names = (
        "id", "company_id", "check_id", "order_external_id", "currency", "expires_at", "ended_at", "created_at",
        "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "amount": from_minor(row["amount"], row["currency"]),
        "state": credit_checks.state_of(tx, row),
    }
