"""What risk takes and answers about providers: catalogue, connections, portfolios, syncs."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MonitoringState = Literal["adding", "member", "removing", "failed", "unknown", "absent"]
Outcome = Literal["changed", "unchanged", "not_found", "failed", "unknown", "over_budget"]
Rule = Literal["priority", "latest", "worst"]
_AT = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
Credentials = Annotated[
    dict[str, Annotated[str, Field(max_length=4000)]],
    Field(max_length=20, description="see the provider's `credentials`; written, never shown"),
]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Schedule(_Input):
    """When a connection is synchronised."""

    at: str | None = Field(
        "06:00", pattern=_AT, description="hour in the tenant's time zone; null: only when asked"
    )
    refresh: Literal["all", "events"] | None = Field(
        None,
        description="`all`: every member daily; `events`: those the provider says moved. Null: `events` where reading is billed",
    )
    full_refresh_days: int | None = Field(
        30, ge=1, le=365, description="with `events`: read a member again after so many days all the same"
    )


class Budget(_Input):
    """How much a connection may spend."""

    billed_calls_per_month: int | None = Field(ge=0, le=10_000_000, description="null: no bound")


class CallRate(_Input):
    """How many calls the contract allows."""

    calls: int = Field(ge=1, le=10_000)
    seconds: int = Field(ge=1, le=86_400)


class ProviderConnectionCreate(_Input):
    """A contract with a provider, to be connected."""

    provider: str = Field(
        max_length=60, pattern=r"^[a-z0-9_]+$", examples=["altares"],
        description="a key of GET /v1/providers, or a name of your own",
    )  # fmt: skip
    adapter: str | None = Field(
        None, max_length=60, description="who speaks its wire format; the provider's own by default"
    )
    product: str | None = Field(
        None, max_length=60, description="one of the provider's products; the first by default"
    )
    name: str | None = Field(None, min_length=1, max_length=200, examples=["Altares, Lyon"])
    contract_holder: str | None = Field(
        None,
        max_length=200,
        description="whose contract it is, where that is another house",
        examples=["Infolegale"],
    )
    base_url: str | None = Field(
        None,
        max_length=500,
        pattern=r"^https?://",
        description="the provider's own by default",
        examples=["https://provider.example.com"],
    )
    credentials: Credentials | None = None
    options: dict[str, Any] = Field({}, description="field map and more: see the provider's `options_schema`")
    schedule: Schedule = Schedule()
    budget: Budget | None = None
    rate: CallRate | None = Field(None, description="as the provider documents it, when left out")
    priority: int = Field(
        10, ge=1, le=1000, description="the lower wins where two connections know the same field"
    )
    stale_after_days: int = Field(7, ge=1, le=365, description="data not confirmed for longer is stale")


class ProviderConnectionPatch(_Input):
    """Settings to change; what is left out stays."""

    name: str | None = Field(None, min_length=1, max_length=200, examples=["Altares, Lyon"])
    contract_holder: str | None = Field(None, max_length=200, examples=["Infolegale"])
    base_url: str | None = Field(
        None, max_length=500, pattern=r"^https?://", examples=["https://provider.example.com"]
    )
    credentials: Credentials | None = None
    options: dict[str, Any] | None = None
    schedule: Schedule | None = None
    budget: Budget | None = None
    rate: CallRate | None = None
    priority: int | None = Field(None, ge=1, le=1000)
    stale_after_days: int | None = Field(None, ge=1, le=365)
    state: Literal["active", "paused"] | None = None


class CredentialField(BaseModel):
    """What has to be typed in to connect."""

    name: str = Field(examples=["password"])
    title: str = Field(examples=["Password"])
    secret: bool
    required: bool


class ProductShown(BaseModel):
    """An offer of a provider."""

    key: str = Field(examples=["score"])
    title: str = Field(examples=["Score"])


class ProviderShown(BaseModel):
    """A provider that can be connected."""

    key: str = Field(examples=["altares"])
    title: str = Field(examples=["Altares Intuiz+"])
    products: list[ProductShown]
    credentials: list[CredentialField]
    options_schema: dict[str, Any] = Field(description="JSON Schema of a connection's options")
    default_base_url: str | None = Field(examples=["https://api.example.com"])
    mapping_version: int
    capabilities: dict[str, Any] = Field(
        description="what it supplies and can do: `fields` says yes, no or unknown of every canonical field"
    )
    unknown: list[str] = Field(description="what its public documentation does not tell")


class ProviderError(BaseModel):
    """What a provider refused, or why it did not answer."""

    code: str = Field(examples=["unavailable"])
    detail: str = Field(examples=["It did not answer within 20 seconds."])
    provider_code: str | None = Field(description="the provider's own code", examples=[None])


class BudgetShown(BaseModel):
    """How much a connection may spend, and has spent this month."""

    billed_calls_per_month: int | None
    billed_calls_this_month: int


class Circuit(BaseModel):
    """The circuit breaker: while open, no call is made."""

    state: Literal["closed", "open"]
    failures: int = Field(description="calls in a row that found nobody")
    open_until: datetime | None


class LastSync(BaseModel):
    """The sync that ended last."""

    id: UUID
    ended_at: datetime


class ScheduleShown(BaseModel):
    """When a connection is synchronised."""

    at: str | None = Field(examples=["06:00"])
    refresh: Literal["all", "events"]
    full_refresh_days: int | None


class ProviderConnection(BaseModel):
    """A contract with a provider."""

    id: UUID
    name: str = Field(examples=["Altares, Lyon"])
    provider: str = Field(examples=["altares"])
    adapter: str = Field(examples=["altares"])
    product: str = Field(examples=["score"])
    contract_holder: str | None = Field(examples=["Infolegale"])
    mapping_version: int = Field(description="the mapping its data was made with")
    latest_mapping_version: int = Field(
        description="newer than that: `/remap` understands the stored answers anew"
    )
    base_url: str | None = Field(examples=[None])
    credentials_set: bool
    credentials_set_at: datetime | None
    options: dict[str, Any]
    capabilities: dict[str, Any] = Field(description="as in the catalogue, with these options")
    schedule: ScheduleShown
    budget: BudgetShown
    rate: CallRate
    priority: int
    stale_after_days: int
    state: Literal["active", "paused", "refused"] = Field(
        description="refused: the provider does not take the credentials; new ones, or a test that succeeds, mend it"
    )
    error: ProviderError | None = Field(
        description="what stopped the last call that failed for all companies"
    )
    circuit: Circuit
    last_sync: LastSync | None
    portfolio: dict[str, int] = Field(
        description="companies by state", examples=[{"member": 120, "adding": 3}]
    )
    created_at: datetime
    updated_at: datetime


class TestResult(BaseModel):
    """What came of a test."""

    ok: bool
    error: ProviderError | None
    milliseconds: int


class SyncAsk(_Input):
    """Which companies to read now."""

    company_ids: list[UUID] | None = Field(
        None, min_length=1, max_length=10_000, description="every member when left out"
    )


class Sync(BaseModel):
    """A synchronisation."""

    id: UUID
    provider_connection_id: UUID
    operation_id: str = Field(examples=["risk.019a0000-0000-7000-8000-000000000000"])
    reason: Literal["daily", "asked", "some", "first", "remap"] = Field(
        description="some: companies named; first: companies just added; remap: stored answers understood anew"
    )
    day: date | None = Field(description="of a daily one")
    state: Literal["queued", "fetching", "acknowledging", "succeeded", "failed"]
    counts: dict[str, int] = Field(
        description="companies, done, and what came of them",
        examples=[{"companies": 120, "done": 120, "changed": 4, "unchanged": 115, "failed": 1}],
    )
    error: ProviderError | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class SyncedCompany(BaseModel):
    """What a sync did about one company."""

    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    registration_number: str | None = Field(examples=["732829320"])
    state: Literal["pending", "asking", "done"]
    outcome: Outcome | None
    error: ProviderError | None
    billed: bool
    done_at: datetime | None


class PolicyInput(_Input):
    """Who is believed where connections disagree, by field."""

    rules: dict[str, Rule] = Field(
        max_length=60,
        description="priority: the connection that comes first; latest: the newest date; worst: the worst news."
        " Fields without a rule: priority, and worst for legal_status",
        examples=[{"legal_status": "worst", "turnover": "latest"}],
    )


class Policy(BaseModel):
    """Who is believed where connections disagree, by field."""

    rules: dict[str, Rule]
    defaults: dict[str, Rule] = Field(description="where no rule is set")


class MatchAsk(_Input):
    """Through which connection to look."""

    provider_connection_id: UUID


class CandidateShown(BaseModel):
    """A company found at the provider."""

    provider_reference: str = Field(examples=["FR-0-732829320"])
    name: str = Field(examples=["Fonderie des Alpes"])
    registration_number: str | None = Field(examples=["732829320"])
    country: str | None = Field(examples=["FR"])
    address: str | None = Field(examples=["12 rue des Forges"])
    postal_code: str | None = Field(examples=["38000"])
    city: str | None = Field(examples=["Grenoble"])
    active: bool | None
    exact: bool = Field(description="it bears the very number that was asked for")
    score: str | None = Field(description="0 to 1, where the provider rates", examples=["0.93"])


class Matches(BaseModel):
    """Companies that may be meant."""

    company_id: UUID
    provider_connection_id: UUID
    candidates: list[CandidateShown]
    matched: str | None = Field(
        description="the provider's key that is (or would be) taken", examples=["FR-0-732829320"]
    )


class MatchChoice(MatchAsk):
    """The company that is meant."""

    provider_reference: str = Field(
        min_length=1, max_length=200, description="of a candidate", examples=["FR-0-732829320"]
    )


class MonitoringCreate(_Input):
    """A company to be watched."""

    company_id: UUID
    provider_connection_id: UUID


class Criteria(_Input):
    """The risk report's filters."""

    q: str | None = Field(None, max_length=200, description="part of the name or registration number")
    country: list[str] | None = None
    segment: list[str] | None = None
    limit_state: list[str] | None = None
    legal_status: list[str] | None = None
    collector_user_id: UUID | None = None
    group_id: UUID | None = None
    overrun_only: bool = False
    critical: bool | None = None
    monitored: bool | None = None
    min_outstanding: str | None = Field(None, description="in the reporting currency", examples=["10000.00"])


class BulkMonitoring(_Input):
    """Companies to be watched: named, or found by the risk report's filters."""

    provider_connection_id: UUID
    company_ids: list[UUID] | None = Field(None, min_length=1, max_length=20_000)
    criteria: Criteria | None = None


class Monitoring(BaseModel):
    """A company in a provider's portfolio."""

    id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    registration_number: str | None = Field(examples=["732829320"])
    provider_connection_id: UUID
    provider: str = Field(examples=["altares"])
    state: MonitoringState = Field(
        description="unknown: a call may have worked, the portfolio will tell; absent: removed"
    )
    provider_reference: str | None = Field(examples=["732829320"])
    match_kind: Literal["exact_id", "name", "manual"] | None
    error: ProviderError | None
    member_since: datetime | None
    last_outcome: str | None = Field(description="of the last sync", examples=["unchanged"])
    last_checked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class BulkMonitored(BaseModel):
    """What came of a bulk add."""

    provider_connection_id: UUID
    matched: int = Field(description="companies named or found")
    adding: int = Field(description="of those, to be added at the provider")
    already: int = Field(description="of those, watched already: a success")
