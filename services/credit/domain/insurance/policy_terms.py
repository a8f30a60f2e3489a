"""What an insurance policy says, as data: a version of it holds from a date on and applies to deliveries from that date."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from libs.contracts.money import Amount

Kind = Literal["classical", "excess_of_loss", "guarantee_enquiry", "single_risk"]
Event = Literal["stop_delivery", "notification", "foreclosure", "intervention", "reporting"]
Base = Literal[
    "invoice_date", "delivery_date", "original_due_date", "stop", "notification", "publication", "knowledge"
]
Percent = Annotated[Decimal, Field(ge=0, le=100, examples=["90"])]
_EVENT_WORDS = {
    "stop": "stop_delivery",
    "manquement": "stop_delivery",
    "mep": "stop_delivery",
    "notify": "notification",
    "overdue_notification": "notification",
    "declaration": "notification",
    "claim": "foreclosure",
    "claim_deadline": "foreclosure",
    "forclusion": "foreclosure",
}


class Part(BaseModel):
    """A member of the terms: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class Clause(Part):
    """A date the policy sets: `days` after a base. Nothing runs while what the buyer owes late is under the threshold.

    base: invoice_date, delivery_date, original_due_date are the item's; stop is the day cover stopped, notification the
    day the overdue was notified (or had to be); publication and knowledge are those of an insolvency.
    """

    event: Event = Field(examples=["notification"])
    days: int = Field(ge=0, le=3650)
    base: Base = Field(examples=["stop"])
    threshold: Amount | None = Field(None, description="in the policy's currency; null: from the first cent")

    @field_validator("event", mode="before")
    @classmethod
    def _other_words(cls, value: Any) -> Any:
        return _EVENT_WORDS.get(value, value) if isinstance(value, str) else value


class Deductible(Part):
    """Taken from each claim: `before` the insured percentage is applied, or `after`."""

    amount: Amount
    applied: Literal["before", "after"] = "after"


class Declaration(Part):
    """How often turnover is declared, and how many days after the period's end at the latest."""

    period: Literal["monthly", "quarterly", "annual"] = "quarterly"
    deadline: int = Field(30, ge=0, le=366, description="days after the end of the period")


class Terms(Part):
    """Everything a version of a policy says."""

    kind: Kind = "classical"
    business_unit_ids: list[UUID] | None = Field(
        None, max_length=500, description="whose sales are insured; null: all"
    )
    countries: list[Annotated[str, Field(pattern=r"^[A-Z]{2}$")]] | None = Field(
        None, max_length=250, description="buyers' countries insured; null: all", examples=[["FR", "DE"]]
    )
    clauses: list[Clause] = Field([], max_length=50)
    percent_by_layer: dict[
        Literal["permanent", "temporary", "topup", "topup_plus", "dcl", "non_named"], Percent
    ] = Field({}, examples=[{"permanent": "90", "dcl": "80"}])
    default_percent: Percent = Field(
        Decimal(90), description="of a layer that percent_by_layer does not name"
    )
    insured_base: Literal["net", "gross"] = Field("net", description="without or with VAT")
    discretionary_limit: Amount | None = Field(None, description="the most a DCL may be; null: no DCL")
    discretionary_evidence_days: int = Field(
        365, ge=1, le=3650, description="how old the evidence of a DCL may be at the delivery"
    )
    non_named_ceiling: Amount | None = Field(
        None, description="cover of a buyer nobody asked about; null: none"
    )
    temporary: Literal["adds", "replaces"] = Field(
        "adds", description="a temporary amount adds to the permanent one or stands in its place"
    )
    max_terms: int | None = Field(
        None, ge=0, le=1000, description="longest payment term, days from the invoice"
    )
    invoicing_days: int | None = Field(
        None, ge=0, le=1000, description="days after the delivery by which it must be invoiced"
    )
    max_liability: Amount | None = Field(None, description="the most the insurer pays in a policy year")
    deductible: Deductible | None = None
    regularisation: Literal["reinstates", "future_only"] = Field(
        "future_only",
        description="what paying the arrears brings back: all cover, or that of later deliveries",
    )
    allocation: Literal["as_recorded", "oldest_first"] = Field(
        "as_recorded", description="which item the insurer takes as paid first"
    )
    waiting_months: int = Field(3, ge=0, le=36, description="between the claim and the indemnity")
    declaration: Declaration | None = None
    exclusions: list[Literal["public", "related", "individual", "prepaid"]] = Field(
        ["public", "related", "individual", "prepaid"], description="kinds of buyer that are not insured"
    )

    @model_validator(mode="after")
    def _one_clause_an_event(self) -> "Terms":
        seen = [(clause.event, clause.base) for clause in self.clauses]
        if len(set(seen)) != len(seen):
            raise ValueError("expected each pair of event and base once")
        return self

    def percent_of(self, layer: str) -> Decimal:
        """The insured share of a layer, in percent."""
        found: Decimal | None = self.percent_by_layer.get(layer)  # type: ignore[call-overload]
        return self.default_percent if found is None else found


def version_for(versions: list[tuple[date, Terms]], day: date) -> Terms | None:
    """The terms that apply to a delivery of that day: the newest version that had begun; None before the first."""
    begun = [(start, terms) for start, terms in versions if start <= day]
    return max(begun, key=lambda pair: pair[0])[1] if begun else None
