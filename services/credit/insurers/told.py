"""A decision as it reaches us, from whatever insurer, in our own words: what adapters map to and our webhook contract says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from libs.contracts.currencies import currency_codes
from libs.contracts.money import Amount
from services.credit.domain.insurance.vocabulary import Product, TrancheKind


def _text_of_number(value: Any) -> Any:
    """Identifiers that insurers write as numbers (Atradius) are texts to us."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Reference = Annotated[str, BeforeValidator(_text_of_number), Field(min_length=1, max_length=128)]


class Told(BaseModel):
    """Members an insurer adds later are let pass: the raw message is kept."""

    model_config = ConfigDict(extra="ignore")


class ToldTranche(Told):
    """Part of a grant with dates of its own."""

    kind: TrancheKind = "permanent"
    amount: Amount
    starts_on: date | None = Field(None, alias="from")
    ends_on: date | None = Field(None, alias="to")


class ToldCondition(Told):
    """A condition of the cover."""

    code: str | None = Field(None, max_length=64)
    type: str | None = Field(None, max_length=64)
    text: str | None = Field(None, max_length=4000)


class ToldReason(Told):
    """Why; `code` of UN/EDIFACT 4509 where the insurer's is known, `raw` as it was written."""

    code: str | None = Field(None, max_length=64)
    raw: str | None = Field(None, max_length=256)
    text: str | None = Field(None, max_length=4000)


class ToldDecision(Told):
    """One decision. Raises ValidationError for what cannot be understood; such a message waits for a person."""

    decision_id: Reference
    request_reference: Reference | None = None
    cover_reference: Reference | None = None
    buyer_reference: Reference | None = None
    policy_reference: Reference | None = None
    product: Product | None = None
    sequence: int = Field(0, ge=0, le=2**53)
    status: str = Field(min_length=1, max_length=64)
    is_preliminary: bool = False
    requested_amount: Amount | None = None
    granted_amount: Amount | None = None
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    tranches: list[ToldTranche] = Field([], max_length=20)
    insured_percent: Decimal | None = Field(None, ge=0, le=100)
    effective_from: date | None = None
    expires_at: date | None = None
    withdrawal_date: date | None = None
    decided_at: datetime
    conditions: list[ToldCondition] = Field([], max_length=100)
    reasons: list[ToldReason] = Field([], max_length=100)

    @field_validator("sequence", mode="before")
    @classmethod
    def _no_sequence(cls, value: Any) -> Any:
        return 0 if value is None else value

    @field_validator("conditions", "reasons", "tranches", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Absent, one text, or a list of texts: insurers' middleware writes all three."""
        if value is None:
            return []
        parts = value if isinstance(value, list) else [value]
        return [{"text": part} if isinstance(part, str) else part for part in parts]

    @field_validator("decided_at")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    @field_validator("currency")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in currency_codes():
            raise ValueError("expected an ISO 4217 code")
        return value

    @field_validator("granted_amount", "requested_amount")
    @classmethod
    def _not_negative(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and value < 0:
            raise ValueError("expected an amount that is not negative")
        return value


class Envelope(Told):
    """The Standard Webhooks body around it."""

    type: str = Field(max_length=128)
    timestamp: datetime | None = None
    data: dict[str, Any]
