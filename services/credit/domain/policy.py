"""The approval policy of a tenant, as data with defaults."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.contracts.money import AmountText, MoneyError, to_minor


class PolicyLevel(BaseModel):
    """People who may decide up to an amount, inclusive; `max_amount` null is without end."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, examples=["Credit manager"])
    max_amount: AmountText | None = Field(examples=["50000.00"])
    currency: str = Field(examples=["EUR"])
    user_ids: list[UUID] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _exact(self) -> "PolicyLevel":
        try:
            minor = to_minor(self.max_amount or "0", self.currency)
        except MoneyError as error:
            raise ValueError(error.detail) from None
        if minor < 0:
            raise ValueError("a ceiling is not negative")
        return self


class PolicyDelegation(BaseModel):
    """While a user is away, the delegate decides in their name."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, serialize_by_alias=True)
    start: date = Field(alias="from", description="first day")
    end: date = Field(alias="to", description="last day")
    user: UUID = Field(description="who is away")
    delegate: UUID = Field(description="who decides instead; never on their own request")

    @model_validator(mode="after")
    def _sensible(self) -> "PolicyDelegation":
        if self.end < self.start:
            raise ValueError("to is before from")
        if self.user == self.delegate:
            raise ValueError("nobody stands in for themselves")
        return self


class ApprovalPolicy(BaseModel):
    """How limit requests are routed. Without levels, anybody with the scope credit:approve decides, but for the requester."""

    model_config = ConfigDict(extra="forbid")
    levels: list[PolicyLevel] = Field([], max_length=20)
    routing: Literal["first_with_authority", "all_below", "all_above_requester"] = "first_with_authority"
    compare: Literal["unsecured", "gross"] = Field(
        "unsecured", description="what levels are compared with: the part without a guarantee, or all of it"
    )
    auto_approve_when_secured: bool = Field(
        True, description="guarantees secure all of it: the policy itself approves (with compare unsecured)"
    )
    require_all: bool = Field(False, description="everybody of a level has to agree, not just one of them")
    expiry_days: Annotated[int, Field(ge=1, le=365)] | None = Field(
        None, description="a request left alone expires"
    )
    expiry_action: Literal["expire", "reject", "escalate"] = Field(
        "expire", description="escalate: to the next level up, and at the top it expires"
    )
    default_validity_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        365, description="of an approved limit"
    )
    delegations: list[PolicyDelegation] = Field([], max_length=200)
    usage_alert_percent: Annotated[int, Field(ge=1, le=100)] | None = Field(
        90, description="of a limit used, from which an alert is raised; null for none"
    )

    @model_validator(mode="after")
    def _names_differ(self) -> "ApprovalPolicy":
        names = [level.name for level in self.levels]
        if len(set(names)) != len(names):
            raise ValueError("each level needs a name of its own")
        return self
