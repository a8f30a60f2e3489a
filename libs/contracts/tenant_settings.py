"""What a tenant may set, with the defaults every service falls back to."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Day = Annotated[int, Field(ge=1, le=3650)]


class PayerThresholds(BaseModel):
    """Upper bounds, in days of average delay, of the payer classes; beyond the last one a payer is `very_bad`."""

    model_config = ConfigDict(extra="forbid")
    very_good: Decimal = Field(Decimal(0), description="at the most, in days")
    good: Decimal = Field(Decimal(7), description="at the most, in days")
    average: Decimal = Field(Decimal(15), description="at the most, in days")
    bad: Decimal = Field(Decimal(30), description="at the most, in days")
    minimum_invoices: int = Field(3, ge=1, description="fewer settled invoices than this: class `unknown`")


class Sender(BaseModel):
    """Who messages come from."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field("Accounts receivable", max_length=200, description="as recipients see it")
    email: str = Field("receivables@example.com", max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    reply_to: str | None = Field(None, max_length=254, description="where answers go; the sender when null")


class Brand(BaseModel):
    """How letters and pages look."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field("", max_length=200, description="as letters call you")
    color: str = Field("#1f4e79", pattern=r"^#[0-9a-fA-F]{6}$")
    logo_file_id: str | None = Field(None, description="id of a file")


class Retention(BaseModel):
    """How long things are kept, in days."""

    model_config = ConfigDict(extra="forbid")
    messages: int = Field(3650, ge=30, le=36500)
    imports: int = Field(90, ge=1, le=3650)
    audit: int = Field(3650, ge=365, le=36500)


SignatureAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
Origin = Annotated[
    str, Field(pattern=r"^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$", max_length=260)
]


class Oidc(BaseModel):
    """Your own identity provider: its tokens are taken as they come, for the user whose `external_subject` is their `sub`."""

    model_config = ConfigDict(extra="forbid")
    issuer: str = Field(
        max_length=500,
        description="exactly as `iss` has it",
        examples=["https://login.example.com/realms/acme"],
    )
    audience: str = Field(
        min_length=1, max_length=200, description="what `aud` must hold", examples=["api://encours-acme"]
    )
    algorithms: list[SignatureAlgorithm] = Field(
        ["RS256", "PS256", "ES256", "EdDSA"], min_length=1, description="signatures that are believed"
    )
    clock_skew_seconds: int = Field(60, ge=0, le=300, description="how far its clock may be off")


class TenantSettings(BaseModel):
    """A tenant's settings."""

    model_config = ConfigDict(extra="forbid")
    languages: list[str] = Field(["en", "fr"], min_length=1, max_length=15)
    ageing_buckets: list[Day] = Field([30, 60, 90, 180], min_length=1, max_length=8)
    ageing_credits: Literal["own", "by_date", "fifo"] = "own"
    payer_thresholds: PayerThresholds = PayerThresholds()
    snapshot_brake: Decimal = Field(
        Decimal("0.20"), ge=0, le=1, description="share of open items or open amount"
    )
    default_limit: str | None = Field(
        None, description="limit of a company that has none, in the reporting currency"
    )
    sender: Sender = Sender()
    smtp_url: str | None = Field(
        None, description="smtp://user@host:port or smtps://…; null: the house's own"
    )
    smtp_password_sealed: str | None = Field(None, description="sealed with the house's master key")
    brand: Brand = Brand()
    front_url: str | None = Field(None, max_length=500)
    pages_url: str | None = Field(
        None,
        max_length=500,
        pattern=r"^https?://[^\s\"'<>]+$",
        description="public address of this API: messages then link each customer to its own page",
    )
    retention: Retention = Retention()
    cors_origins: list[Origin] = Field([], max_length=20)
    oidc: Oidc | None = None
    calendar_country: str = Field(
        "FR", pattern=r"^[A-Z]{2}$", description="whose public holidays are not worked"
    )

    @field_validator("ageing_buckets")
    @classmethod
    def _rising(cls, value: list[int]) -> list[int]:
        if sorted(set(value)) != value:
            raise ValueError("expected rising bounds, each once")
        return value
