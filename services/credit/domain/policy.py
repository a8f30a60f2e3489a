"""The approval policy of a tenant, as data with defaults."""

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


class ApprovalPolicy(BaseModel):
    """How limit requests are routed. Without levels, anybody with the scope credit:approve decides, but for the requester."""

    model_config = ConfigDict(extra="forbid")
    levels: list[PolicyLevel] = Field([], max_length=20)
    routing: Literal["first_with_authority", "all_below", "all_above_requester"] = "first_with_authority"
    compare: Literal["unsecured", "gross"] = "unsecured"
    expiry_days: Annotated[int, Field(ge=1, le=365)] | None = Field(
        None, description="a request left alone expires"
    )
    default_validity_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        365, description="of an approved limit"
    )
