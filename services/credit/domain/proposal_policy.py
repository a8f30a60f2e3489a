"""How a tenant makes proposals, as data with defaults."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.contracts.money import AmountText, MoneyError, to_minor
from services.credit.domain.proposals import Combine, Method

Coefficient = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)]


class ByPayerClass(BaseModel):
    """A coefficient a payer class; `unknown` for those who have none yet."""

    model_config = ConfigDict(extra="forbid")
    very_good: Coefficient = Field(Decimal("1.20"), description="multiplies the amount")
    good: Coefficient = Field(Decimal("1.10"), description="multiplies the amount")
    average: Coefficient = Field(Decimal("1.00"), description="multiplies the amount")
    bad: Coefficient = Field(Decimal("0.70"), description="multiplies the amount")
    very_bad: Coefficient = Field(Decimal("0.40"), description="multiplies the amount")
    unknown: Coefficient = Field(Decimal("1.00"), description="multiplies the amount")


class ShareByScore(BaseModel):
    """From a score on (0–100, 100 best), which shares of the buyer's figures may be owed."""

    model_config = ConfigDict(extra="forbid")
    min_score: int = Field(ge=0, le=100)
    turnover: Share = Field(description="of its yearly turnover", examples=["0.01"])
    equity: Share = Field(description="of its equity", examples=["0.10"])
    purchases: Share = Field(description="of its yearly purchases", examples=["0.02"])


def _shares() -> list[ShareByScore]:
    rows = ((80, "0.020", "0.40", "0.05"), (60, "0.010", "0.20", "0.03"), (40, "0.005", "0.10", "0.01"))
    return [
        ShareByScore(min_score=score, turnover=Decimal(a), equity=Decimal(b), purchases=Decimal(c))
        for score, a, b, c in rows
    ]


class ProposalPolicy(BaseModel):
    """Which methods say what is needed and what is acceptable, and with which coefficients.

    The defaults are prudent starting points of ours, not a standard: equity never counts beyond 40 %, and below a score of 40
    nothing is acceptable by capacity.
    """

    model_config = ConfigDict(extra="forbid")
    need_methods: list[Method] = Field(["need"], max_length=5, description="the largest of these is needed")
    acceptable_methods: list[Method] = Field(["capacity", "provider", "history"], max_length=5)
    combine: Combine = Field("min", description="how the acceptable methods become one")
    maximum: AmountText | None = Field(None, description="no proposal goes beyond it", examples=["500000.00"])
    currency: str | None = Field(None, description="of maximum, ISO 4217", examples=["EUR"])
    accepted_late_days: Annotated[int, Field(ge=0, le=365)] = Field(
        0, description="lateness you live with, added to the terms"
    )
    order_lead_days: Annotated[int, Field(ge=0, le=365)] = Field(0, description="from order to invoice")
    terms_coefficient: Coefficient = Field(Decimal("1.00"), description="of the AFDCC method")
    behaviour: ByPayerClass = Field(ByPayerClass(), description="of the AFDCC method")
    history_factor: ByPayerClass = Field(ByPayerClass(), description="of the history method")
    shares: list[ShareByScore] = Field(
        default_factory=_shares, max_length=20, description="of the capacity method"
    )

    @model_validator(mode="after")
    def _exact(self) -> "ProposalPolicy":
        if (self.maximum is None) != (self.currency is None):
            raise ValueError("maximum and currency go together")
        try:
            to_minor(self.maximum or "0", self.currency or "EUR")
        except MoneyError as error:
            raise ValueError(error.detail) from None
        scores = [share.min_score for share in self.shares]
        if len(set(scores)) != len(scores):
            raise ValueError("each score begins once")
        return self
