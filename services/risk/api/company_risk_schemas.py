"""What risk answers about one company."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.risk.api.provider_schemas import Monitoring

ValueState = Literal["known", "no_data", "not_supplied", "error"]
Origin = Literal["fetched", "back_filled", "remapped", "told"]


class ScoreScale(BaseModel):
    """What a score runs from and to, and which end is good news."""

    min: Any = Field(examples=["0"])
    max: Any = Field(examples=["20"])
    better: Literal["high", "low"]


class Value(BaseModel):
    """A field's value, or why there is none. `no_data`: supplied in principle, not for this company; `not_supplied`: never by
    this provider or contract; `error`: it could not be had. Only `known` has a value, which may be 0 or false."""

    state: ValueState
    value: Any = Field(
        description="decimal string, number, text or boolean; null unless known", examples=["14"]
    )
    raw: str | None = Field(description="as sent", examples=["14"])
    scale: ScoreScale | None
    normalised: str | None = Field(
        description="0 to 100, 100 best; for sorting inside one provider", examples=["70.00"]
    )
    currency: str | None = Field(examples=[None])
    as_of: date | None = Field(description="the provider's own date")
    detail: dict[str, Any] = Field(description="nomenclature, label, unit and the like", examples=[{}])


class SourcedValue(Value):
    """A field's value with its origin."""

    provider: str | None = Field(examples=["altares"])
    provider_connection_id: UUID | None
    fetched_at: datetime | None = Field(description="when the provider last confirmed it")
    stale: bool = Field(description="not confirmed for longer than the connection allows")
    previous: Any = Field(description="the value before its last change", examples=["16"])
    changed_at: datetime | None = Field(description="when its last change was seen")


class ProviderRecord(BaseModel):
    """What one source says of a company; the source `insurer` tells grades only."""

    provider_connection_id: UUID | None
    provider: str = Field(examples=["altares"])
    product: str = Field(examples=["score"])
    contract_holder: str | None = Field(examples=["Infolegale"])
    mapping_version: int | None
    snapshot_id: UUID | None
    as_of: date | None
    fetched_at: datetime | None = Field(description="when it last said something new or was last read")
    checked_at: datetime | None = Field(description="when it last answered, or said that nothing moved")
    stale: bool
    fields: dict[str, Value]


class LegalEvent(BaseModel):
    """A published legal notice."""

    provider: str = Field(examples=["bodacc"])
    source: str = Field(examples=["bodacc"])
    source_id: str = Field(examples=["A202600710001"])
    published_on: date
    judged_on: date | None
    effective_on: date
    type: Literal["initial", "correction", "annulment"]
    cancelled: bool = Field(description="a later notice takes it back")
    family: str = Field(description="of the source", examples=["collective"])
    nature: str | None = Field(
        description="the source's own words", examples=["Jugement d'ouverture de redressement judiciaire"]
    )
    effect: str = Field(examples=["opens"])
    target: str | None = Field(description="the status it leads to", examples=["receivership"])
    review: bool = Field(description="the words were not all understood: read it")
    court: str | None = Field(examples=["Tribunal de commerce de Grenoble"])
    text: str | None = Field(examples=[None])
    replaces: str | None = Field(examples=[None])
    url: str | None = Field(examples=[None])


class SeriesPoint(BaseModel):
    """A value from a day on."""

    on: date
    value: Any = Field(examples=["14"])
    normalised: str | None = Field(examples=["70.00"])
    currency: str | None = Field(examples=[None])
    provider: str = Field(examples=["altares"])


class CompanyRisk(BaseModel):
    """Everything known of a company's risk from outside."""

    company_id: UUID
    canonical: dict[str, SourcedValue] = Field(description="every field, as the conflict policy chooses")
    by_provider: list[ProviderRecord]
    legal_events: list[LegalEvent] = Field(description="newest first")
    monitoring: list[Monitoring]
    can_add: bool = Field(description="a connection is free through which it could be watched")
    portal_url: str | None = Field(examples=["https://portal.example.com/732829320"])
    critical: bool = Field(description="a critical alert is open")
    open_alerts: int
    stale: bool
    series: dict[str, list[SeriesPoint]] = Field(
        description="of the fields asked for, oldest first", examples=[{}]
    )


class FieldChange(BaseModel):
    """A field that changed."""

    id: UUID
    field: str = Field(examples=["score"])
    old: Value | None
    new: Value | None
    provider: str = Field(examples=["altares"])
    product: str | None = Field(examples=["score"])
    provider_connection_id: UUID | None
    as_of: date | None = Field(description="the provider's own date")
    fetched_at: datetime
    origin: Origin = Field(
        description="back_filled: the provider's own history; remapped: the same answer understood anew; told: by an insurer"
    )
    snapshot_id: UUID | None


class SnapshotShown(BaseModel):
    """One answer of a provider, understood; never changed afterwards."""

    id: UUID
    provider_connection_id: UUID
    provider: str = Field(examples=["altares"])
    product: str = Field(examples=["score"])
    origin: Literal["fetched", "remapped"]
    mapping_version: int
    as_of: date | None
    fetched_at: datetime
    fields: dict[str, Value]
    raw_sha256: str | None = Field(description="of the stored answer, hex", examples=[None])


class RawPart(BaseModel):
    """One call's answer, secrets taken out."""

    part: str = Field(examples=["score"])
    request: str = Field(examples=["GET https://api.example.com/companies/732829320"])
    status: int
    media_type: str = Field(examples=["application/json"])
    body: str = Field(description="base64", examples=["e30="])
    fetched_at: datetime
    failure: str | None = Field(examples=[None])
    billed: bool


class RawAnswers(BaseModel):
    """The answers a snapshot was made of."""

    snapshot_id: UUID
    parts: list[RawPart]
