"""The tenant's settings."""

from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import available_timezones

import msgspec
from fastapi import Header, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from libs.contracts.currencies import currency_codes
from libs.contracts.money import MoneyError, to_minor
from libs.contracts.tenant_settings import Brand, Oidc, PayerThresholds, Retention, Sender, TenantSettings
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.outbound import Refused, refuse_forbidden
from libs.kit.problems import FieldError, Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from libs.kit.sealing import Seal
from services.gateway.domain.foreign_token import directory_hash
from services.gateway.storage import access
from services.gateway.usecases.tenants import change_settings

router = Router("Settings")
SMTP_PURPOSE = "smtp"


class Settings(BaseModel):
    """A tenant's settings. Secrets are write-only: `smtp_password_set` says whether one is kept."""

    time_zone: str = Field(examples=["Europe/Paris"])
    reporting_currency: str = Field(examples=["EUR"])
    languages: list[str] = Field(examples=[["en", "fr"]])
    ageing_buckets: list[int] = Field(description="upper bounds in days late", examples=[[30, 60, 90, 180]])
    ageing_credits: str = Field(examples=["own"])
    payer_thresholds: PayerThresholds
    snapshot_brake: str = Field(description="a snapshot closing a larger share is held", examples=["0.20"])
    default_limit: str | None = Field(
        description="limit of a company that has none, in the reporting currency"
    )
    sender: Sender
    smtp_url: str | None = Field(description="smtp://, smtp+starttls:// or smtps://; null: the house's own")
    smtp_password_set: bool
    brand: Brand
    front_url: str | None = Field(description="of your front end, for links in messages")
    pages_url: str | None = Field(
        description="public address of this API: messages then link each customer to its own page"
    )
    retention: Retention
    cors_origins: list[str] = Field(
        description="web pages of these origins may call the API", examples=[["https://app.example.com"]]
    )
    oidc: Oidc | None
    calendar_country: str = Field(examples=["FR"])


class SettingsUpdate(BaseModel):
    """Members to change; those left out stay."""

    model_config = ConfigDict(extra="forbid")
    time_zone: str | None = Field(None, examples=["Europe/Paris"])
    reporting_currency: str | None = Field(None, examples=["EUR"])
    languages: list[str] | None = None
    ageing_buckets: list[int] | None = Field(None, examples=[[30, 60, 90]])
    ageing_credits: str | None = Field(None, description="own, by_date or fifo")
    payer_thresholds: PayerThresholds | None = None
    snapshot_brake: Decimal | None = Field(None, examples=["0.20"])
    default_limit: str | None = Field(None, examples=["10000.00"])
    sender: Sender | None = None
    smtp_url: str | None = Field(None, description="smtp://, smtp+starttls:// or smtps://")
    smtp_password: SecretStr | None = Field(None, description="write-only")
    brand: Brand | None = None
    front_url: str | None = Field(None, description="of your front end, for links in messages")
    pages_url: str | None = Field(
        None, description="public address of this API: messages then link each customer to its own page"
    )
    retention: Retention | None = None
    cors_origins: list[str] | None = Field(
        None,
        description="scheme, host and port each, in lower case; no wildcard",
        examples=[["https://app.example.com"]],
    )
    oidc: Oidc | None = Field(None, description="null switches it off")
    calendar_country: str | None = Field(None, description="whose public holidays are not worked")


@router.get("/settings", response_model=Settings, summary="Show the settings", openapi_extra=scope("admin"))
async def get_settings(ctx: Ctx) -> Response:
    """All settings, defaults included."""
    row = await access.tenant(ctx.tx)
    if row is None:
        raise not_found("tenant", ctx.tx.tenant_id)
    return reply(_settings(row), headers={"ETag": etag(row["version"])})


@router.patch(
    "/settings", response_model=Settings, summary="Change the settings", openapi_extra=scope("admin")
)
async def update_settings(
    ctx: Ctx,
    body: SettingsUpdate,
    if_match: Annotated[str | None, Header(description="the ETag you read")] = None,
) -> Response:
    """Change some settings. Services follow within a moment."""
    row = await access.tenant(ctx.tx, lock=True)
    if row is None:
        raise not_found("tenant", ctx.tx.tenant_id)
    require_match(if_match, row["version"])
    changes = body.model_dump(
        exclude_unset=True, mode="json", exclude={"time_zone", "reporting_currency", "smtp_password"}
    )
    columns = _columns(body)
    currency = columns.get("currency", row["currency"])
    _check_default_limit(changes.get("default_limit"), currency)
    if body.smtp_password is not None:
        seal = Seal(ctx.runtime.settings.master_key)
        sealed = seal.seal(ctx.tx.tenant_id, SMTP_PURPOSE, body.smtp_password.get_secret_value())
        changes["smtp_password_sealed"] = sealed
    _validate({**msgspec.json.decode(row["settings"]), **changes})
    if "oidc" in changes:
        await _claim_issuer(ctx, body.oidc)
    changed = await change_settings(ctx.tx, changes, columns)
    ctx.tx.after_commit(ctx.request.app.state.forget_principals)
    return reply(_settings(changed), headers={"ETag": etag(changed["version"])})


async def _claim_issuer(ctx: Ctx, oidc: Oidc | None) -> None:
    """Tokens of an issuer for an audience lead to one tenant. Raises 422 for an issuer we would not call, 409 for a taken one."""
    claim = None
    if oidc is not None:
        try:
            refuse_forbidden(ctx.runtime.settings, oidc.issuer)
        except Refused as refused:
            detail = "expected an https URL at a public address"
            raise invalid("/oidc/issuer", refused.reason, detail) from None
        claim = directory_hash(oidc.issuer, oidc.audience)
    if not await access.claim_directory(ctx.tx, "oidc", claim):
        detail = "Another tenant takes this issuer's tokens for this audience: have it issue an audience of your own."
        raise Problem(409, "oidc_taken", detail)


def _columns(body: SettingsUpdate) -> dict[str, Any]:
    columns = {}
    if body.time_zone is not None:
        if body.time_zone not in available_timezones():
            raise invalid("/time_zone", "time_zone_unknown", "expected an IANA name such as Europe/Paris")
        columns["time_zone"] = body.time_zone
    if body.reporting_currency is not None:
        if body.reporting_currency not in currency_codes():
            raise invalid("/reporting_currency", "currency_unknown", "expected an ISO 4217 code such as EUR")
        columns["currency"] = body.reporting_currency
    return columns


def _check_default_limit(amount: str | None, currency: str) -> None:
    if amount is None:
        return
    try:
        to_minor(amount, currency)
    except MoneyError as error:
        raise invalid("/default_limit", error.code, error.detail) from None


def _validate(settings: dict[str, Any]) -> None:
    try:
        TenantSettings.model_validate(settings)
    except ValidationError as error:
        fields = [
            FieldError("/" + "/".join(str(part) for part in item["loc"]), item["type"], item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise Problem(422, "invalid", "The settings have invalid values.", errors=fields) from None


def _settings(row: Row) -> dict[str, Any]:
    settings = TenantSettings.model_validate(msgspec.json.decode(row["settings"]))
    shown = settings.model_dump(mode="json", exclude={"smtp_password_sealed"})
    return {
        "time_zone": row["time_zone"],
        "reporting_currency": row["currency"],
        **shown,
        "smtp_password_set": settings.smtp_password_sealed is not None,
    }
