"""Insurance policies and their versions: what is covered, how much of it, and which clocks run."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from fastapi import Header, Response
from pydantic import Field

from libs.contracts.currencies import currency_codes
from libs.contracts.ids import new_id
from libs.contracts.money import MoneyError, to_minor
from libs.kit.db import Row, Tx
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import Currency, PolicyId, picked
from services.credit.domain.insurance.policy_terms import Terms
from services.credit.storage.insurance import contracts
from services.credit.storage.insurance.rows import insert, one
from services.credit.usecases.insurance.connections import connection_or_404
from services.credit.usecases.insurance.inbox import release_parked

router = Router("Insurance policies")


class PolicyCreate(Terms):
    """A policy with its first version."""

    connection_id: UUID
    number: str = Field(min_length=1, max_length=64, description="the insurer's own", examples=["P-500123"])
    name: str | None = Field(None, max_length=200, description="the number when left out")
    currency: Currency = "EUR"
    time_zone: str = Field("Europe/Paris", description="IANA; days end in it", examples=["Europe/Paris"])
    starts_on: date = Field(examples=["2026-01-01"])
    ends_on: date | None = Field(None, description="last day of the policy; null: open")
    broker_id: UUID | None = None
    extension_code: str | None = Field(
        None, max_length=32, description="Allianz Trade's extensionId or the like"
    )


class VersionCreate(Terms):
    """Other terms from a day on; they apply to deliveries from that day."""

    effective_from: date
    comment: str | None = Field(None, max_length=2000, examples=["Endorsement no. 3"])


class Version(Terms):
    """A version of a policy."""

    version: int
    effective_from: date
    comment: str | None = Field(description="why it changed", examples=[None])
    author_id: UUID | None
    recorded_at: datetime


class InsurancePolicy(Terms):
    """A policy, with the terms that apply to a delivery of today (the first ones before it begins)."""

    id: UUID
    connection_id: UUID
    insurer: str = Field(examples=["sandbox"])
    broker_id: UUID | None
    number: str = Field(description="the insurer's own", examples=["P-500123"])
    name: str = Field(examples=["Domestic policy"])
    currency: str = Field(examples=["EUR"])
    time_zone: str = Field(examples=["Europe/Paris"])
    starts_on: date
    ends_on: date | None
    extension_code: str | None = Field(description="the insurer's code of an extension", examples=[None])
    version: int = Field(description="of the terms shown")
    effective_from: date = Field(description="of the terms shown")
    created_at: datetime
    updated_at: datetime


@router.post(
    "/insurance-policies", status_code=201, response_model=InsurancePolicy, summary="Add an insurance policy",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def create_insurance_policy(ctx: Ctx, body: PolicyCreate) -> Response:
    """A policy behind a connection. Its terms are version 1, from `starts_on` on; percent and clauses default to a French
    named policy's only where you say so."""
    await connection_or_404(ctx.tx, body.connection_id)
    if body.currency not in currency_codes():
        raise invalid("/currency", "currency_unknown", "expected an ISO 4217 code such as EUR")
    if body.time_zone not in available_timezones():
        raise invalid("/time_zone", "time_zone_unknown", "expected an IANA name such as Europe/Paris")
    if body.ends_on is not None and body.ends_on < body.starts_on:
        raise invalid("/ends_on", "dates_reversed", "expected a day on or after starts_on")
    if body.broker_id is not None and await one(ctx.tx, "brokers", body.broker_id) is None:
        raise invalid("/broker_id", "broker_unknown", "expected the id of a broker")
    own = set(PolicyCreate.model_fields) - set(Terms.model_fields)
    values = body.model_dump(include=own)
    terms = Terms.model_validate(body.model_dump(exclude=own))
    check_terms(terms, body.currency)
    row = await insert(
        ctx.tx,
        "insurance_policies",
        new_id(),
        {**values, "name": body.name or body.number},
        tail="ON CONFLICT DO NOTHING",
    )
    if row is None:
        raise Problem(409, "policy_exists", "This connection has a policy with this number.")
    version = await contracts.add_version(ctx.tx, row["id"], body.starts_on, terms, None, ctx.caller.user_id)
    await release_parked(ctx.tx, body.connection_id)
    ctx.tx.audit("insurance_policy_added", "insurance_policy", row["id"], after={"number": body.number})
    shown = await _policies(ctx.tx, [row])
    assert version["number"] == 1, "a new policy has one version"
    return reply(
        shown[0], 201, {"Location": f"/v1/insurance-policies/{row['id']}", "ETag": etag(row["version"])}
    )


@router.get(
    "/insurance-policies", response_model=Page[InsurancePolicy], summary="List insurance policies",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_insurance_policies(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """By name, each with the terms of today."""
    rows = await contracts.page_by_name(ctx.tx, "insurance_policies", cursor, limit)
    shown = {one["id"]: one for one in await _policies(ctx.tx, rows)}
    return reply(page(rows, limit, lambda row: shown[row["id"]]))


@router.get(
    "/insurance-policies/{policy_id}", response_model=InsurancePolicy, summary="Show an insurance policy",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def get_insurance_policy(ctx: Ctx, policy_id: PolicyId) -> Response:
    """With the terms of today."""
    row = await _found(ctx.tx, policy_id)
    return reply((await _policies(ctx.tx, [row]))[0], headers={"ETag": etag(row["version"])})


@router.get(
    "/insurance-policies/{policy_id}/versions", response_model=Page[Version], summary="List a policy's versions",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_policy_versions(
    ctx: Ctx, policy_id: PolicyId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """In the order they were written."""
    await _found(ctx.tx, policy_id)
    rows = await contracts.page_of_versions(ctx.tx, policy_id, cursor, limit)
    return reply(page(rows, limit, _version))


@router.post(
    "/insurance-policies/{policy_id}/versions", status_code=201, response_model=Version, summary="Change a policy's terms",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def create_policy_version(
    ctx: Ctx,
    policy_id: PolicyId,
    body: VersionCreate,
    if_match: Annotated[str | None, Header(description="the policy's ETag you read")] = None,
) -> Response:
    """A new version. Earlier deliveries keep the terms they were made under; versions are never changed."""
    row = await one(ctx.tx, "insurance_policies", policy_id, lock=True)
    if row is None:
        raise not_found("insurance policy", policy_id)
    require_match(if_match, row["version"])
    terms = Terms.model_validate(body.model_dump(exclude={"effective_from", "comment"}))
    check_terms(terms, row["currency"])
    version = await contracts.add_version(
        ctx.tx, policy_id, body.effective_from, terms, body.comment, ctx.caller.user_id
    )
    ctx.tx.audit("policy_version_added", "insurance_policy", policy_id, after={"version": version["number"]})
    headers = {"Location": f"/v1/insurance-policies/{policy_id}/versions", "ETag": etag(row["version"])}
    return reply(_version(version), 201, headers)


def check_terms(terms: Terms, currency: str) -> None:
    """Amounts of terms have the currency's decimals and are not negative. Raises 422."""
    amounts: dict[str, Any] = {
        "/discretionary_limit": terms.discretionary_limit,
        "/non_named_ceiling": terms.non_named_ceiling,
        "/max_liability": terms.max_liability,
        "/deductible/amount": terms.deductible.amount if terms.deductible else None,
    }
    amounts |= {f"/clauses/{n}/threshold": clause.threshold for n, clause in enumerate(terms.clauses)}
    for pointer, value in amounts.items():
        if value is None:
            continue
        try:
            if to_minor(value, currency) < 0:
                raise invalid(pointer, "amount_negative", "expected an amount that is not negative")
        except MoneyError as error:
            raise invalid(pointer, error.code, error.detail) from None


async def _found(tx: Tx, policy_id: UUID) -> Row:
    row = await one(tx, "insurance_policies", policy_id)
    if row is None:
        raise not_found("insurance policy", policy_id)
    return row


async def _policies(tx: Tx, rows: list[Row]) -> list[dict[str, Any]]:
    versions = await contracts.versions_of(tx, [row["id"] for row in rows])
    connections = {row["id"]: row["insurer"] for row in await contracts.connections(tx)}
    return [_policy(row, versions[row["id"]], connections[row["connection_id"]], tx.today) for row in rows]


def _policy(row: Row, versions: list[Row], insurer: str, today: date) -> dict[str, Any]:
    begun = [version for version in versions if version["effective_from"] <= today]
    shown = begun[-1] if begun else versions[0]
    names = (
        "id", "connection_id", "broker_id", "number", "name", "currency", "time_zone", "starts_on", "ends_on",
        "extension_code", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **picked(row, names),
        "insurer": insurer,
        "version": shown["number"],
        "effective_from": shown["effective_from"],
        **msgspec.json.decode(shown["terms"]),
    }


def _version(row: Row) -> dict[str, Any]:
    return {
        "version": row["number"],
        **picked(row, ("effective_from", "comment", "author_id", "recorded_at")),
        **msgspec.json.decode(row["terms"]),
    }
