"""The canonical fields: what Encours asks of a provider, whatever the provider calls it.

A field is the same thing whoever supplies it. Its value keeps what was sent (`raw`), the scale it was sent on and which end
of it is good; `normalised` puts scores on 0–100, 100 best. Normalised scores of two providers are for display and for
sorting inside one provider: across providers compare `pd_12m`, or bands that a tenant configures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal["score", "text", "integer", "money", "share", "boolean", "date", "enum", "activity", "url"]
Better = Literal["high", "low"]

TRENDS = ("up", "stable", "down", "unknown")


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field. `better`: which direction is good news, None where neither is. `alarming`: a change may cost
    money tomorrow, so it opens an alert."""

    name: str
    kind: Kind
    title: str
    description: str
    better: Better | None = None
    alarming: bool = False


_ALL = (
    Field("name", "text", "Name", "the company's name as the provider writes it"),
    Field("score", "score", "Solvency score", "the provider's main score, on its own scale", "high", True),
    Field("sector_score", "score", "Sector score", "the average score of the company's sector", "high"),
    Field("delinquency_score", "score", "Delinquency score", "how likely it is to pay late", "high"),
    Field("grade", "text", "Grade", "the provider's grade or risk wording, as sent"),
    Field("risk_class", "text", "Risk class", "the provider's class, as sent: A–E, 1–5"),
    Field("pd_12m", "share", "Probability of default", "within 12 months, a share from 0 to 1", "low"),
    Field("trend", "enum", "Trend", "of the score: up, stable, down, unknown", "high"),
    Field("paydex", "integer", "Paydex", "payment index 0–100; 80 pays on time, 100 ahead of time", "high"),
    Field(
        "payment_delay_days",
        "integer",
        "Payment delay",
        "days beyond terms that the Paydex stands for",
        "low",
    ),
    Field(
        "recommended_credit",
        "money",
        "Recommended credit",
        "the most that should be outstanding",
        "high",
        True,
    ),
    Field(
        "recommended_credit_ceiling", "money", "Ceiling", "the most ever recommended for this file", "high"
    ),
    Field(
        "privileges_amount", "money", "Privileges", "registered liens of tax and social bodies", "low", True
    ),
    Field("privileges_count", "integer", "Number of privileges", "all registered privileges", "low", True),
    Field(
        "privileges_social_count",
        "integer",
        "Social privileges",
        "registered by social security bodies",
        "low",
    ),
    Field("privileges_tax_count", "integer", "Tax privileges", "registered by the tax office", "low"),
    Field(
        "privileges_present", "boolean", "Any privilege", "whether at least one is registered", "low", True
    ),
    Field("privileges_latest_on", "date", "Latest privilege", "when the latest was registered"),
    Field(
        "legal_status",
        "enum",
        "Legal status",
        "collective proceedings, or having ceased to exist",
        None,
        True,
    ),
    Field(
        "activity", "activity", "Activity", "sector code without dots; its nomenclature and label in detail"
    ),
    Field("turnover", "money", "Turnover", "of the last closed year; its end and months in detail", "high"),
    Field("headcount", "integer", "Headcount", "people employed"),
    Field("headcount_band", "text", "Headcount band", "the register's code of a band of people employed"),
    Field("legal_form", "text", "Legal form", "the code of the legal form; its scheme and label in detail"),
    Field("company_active", "boolean", "Active", "whether the company exists and trades"),
    Field("created_on", "date", "Created", "when the company was founded"),
    Field("portal_url", "url", "Portal", "the company's page at the provider"),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _ALL}

#: Days beyond terms that a Paydex stands for (docs.dnb.com; 0–19 is "more than 120"). Between two rows: in proportion.
PAYDEX_DAYS = ((100, -30), (90, -20), (80, 0), (70, 15), (60, 22), (50, 30), (40, 60), (30, 90), (20, 120))


def paydex_days(paydex: int) -> int:
    """Days beyond terms of a Paydex, negative for paying ahead; 121 below 20. Raises ValueError outside 0–100.

    100 and 90 are 30 and 20 days ahead of terms.
    """
    if not 0 <= paydex <= 100:
        raise ValueError("a Paydex is between 0 and 100")
    if paydex < 20:
        return 121
    for (upper, fast), (lower, slow) in pairwise(PAYDEX_DAYS):
        if paydex >= lower:
            return round(fast + (slow - fast) * (upper - paydex) / (upper - lower))
    return 120
